from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import click
import pandas as pd
import pytest

from lavendertown import demo
from lavendertown.cli.demo import demo_command as command
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.demo import demo_data, public_tables
from lavendertown.demo.deliveries import Delivery, make_deliveries
from lavendertown.demo.demo_data import inspect_delivery
from lavendertown.demo.discussions import CheckedDelivery, add_discussions
from lavendertown.demo.stories import STORIES
from lavendertown.errors import InvalidInputError
from lavendertown.models import GhostFinding
from lavendertown.profile.evidence import Evidence

pytestmark = pytest.mark.slow

Inspect = Callable[[Delivery], tuple[ShareableReport, Evidence]]
UTC = dt.UTC
NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TABLES: dict[str, Callable[[], pd.DataFrame]] = {
    "movies": public_tables.load_movies,
    "passengers": public_tables.load_passengers,
    "penguins": public_tables.load_penguins,
}


INSPECTED: dict[tuple[object, ...], tuple[ShareableReport, Evidence]] = {}
"""What the checks found in each delivery."""


def inspect_once(delivery: Delivery) -> tuple[ShareableReport, Evidence]:
    """Inspect a delivery, or return a copy of what was found in it before in this process."""
    key = (delivery.id, delivery.title, delivery.arrived, delivery.note, delivery.frame.to_csv())
    if key not in INSPECTED:
        INSPECTED[key] = inspect_delivery(delivery)
    return deepcopy(INSPECTED[key])


@pytest.fixture(autouse=True)
def inspected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests share the results of the checks, which take most of the time."""
    monkeypatch.setattr(demo_data, "inspect_delivery", inspect_once)


def make_reports(
    reports: int, seed: int = 1, now: dt.datetime = NOW, inspect: Inspect = inspect_once
) -> list[ShareableReport]:
    runs = [
        CheckedDelivery(delivery, inspect(delivery)[0]) for delivery in make_deliveries(reports, seed, now)
    ]
    add_discussions(runs, now)
    return [run.report for run in runs]


@pytest.fixture(scope="module")
def reports() -> list[ShareableReport]:
    """The demo's reports as they would be saved; no test changes them."""
    return make_reports(demo.DEFAULT_REPORTS)


@pytest.fixture(scope="module")
def threads(reports: list[ShareableReport]) -> dict[str, list[Annotation]]:
    """What was said on each finding, oldest first."""
    said: dict[str, list[Annotation]] = {}
    for annotation in sorted((a for r in reports for a in r.annotations), key=lambda a: a.timestamp):
        said.setdefault(annotation.finding_id, []).append(annotation)
    return said


@pytest.fixture(params=["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    opened: Storage
    if request.param == "file":
        opened = FileStorage(tmp_path / "store")
    elif request.param == "sqlite":
        opened = DatabaseStorage(f"sqlite:///{tmp_path / 'store.db'}")
    else:
        opened = DatabaseStorage(request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def test_fill_writes_what_it_says(storage: Storage) -> None:
    filled = demo.write_demo_data(storage, reports=6, now=NOW)
    assert filled is not None
    assert filled.reports == storage.count_reports() == 6
    assert filled.findings == storage.findings.count()
    assert filled.annotations == len(storage.query_annotations(limit=None)) > 0
    facets = storage.reports.count_by_value()
    assert set(filled.datasets) == set(facets["dataset"]) == {"movies", "passengers", "penguins"}
    assert len(filled.people) >= 4


def test_who_investigates_a_finding_looks_after_it(storage: Storage) -> None:
    demo.write_demo_data(storage, now=NOW)
    rows = [row for row in storage.inbox.query(limit=None) if row["status"] == "needs-investigation"]
    assert rows
    for row in rows:
        said = [note for note in storage.get_annotations(row["finding_id"]) if note.status]
        assert row["assignee"] == said[-1].author


def test_filling_again_adds_nothing(storage: Storage) -> None:
    demo.write_demo_data(storage, reports=3, now=NOW)
    before = storage.revision()
    assert demo.has_demo_data(storage)
    assert demo.write_demo_data(storage, reports=9, seed=5, now=NOW + dt.timedelta(weeks=3)) is None
    assert storage.revision() == before


def test_demo_in_the_trash_is_not_filled_again(storage: Storage) -> None:
    demo.write_demo_data(storage, reports=1, now=NOW)
    storage.delete_report("demo-movies-01")
    assert demo.write_demo_data(storage, reports=1, now=NOW) is None


def test_other_reports_are_not_mixed_with(storage: Storage) -> None:
    storage.save_report(ShareableReport("own", "Own", "Ana", NOW))
    with pytest.raises(InvalidInputError, match=r"already has 1 report, .* --yes"):
        demo.write_demo_data(storage, reports=1, now=NOW)
    assert storage.count_reports() == 1


def test_other_reports_are_mixed_with_on_request(storage: Storage) -> None:
    storage.save_report(ShareableReport("own", "Own", "Ana", NOW))
    demo.write_demo_data(storage, reports=1, now=NOW, mix=True)
    assert storage.count_reports() == 2


@pytest.mark.parametrize("number", [0, demo.MAX_REPORTS + 1])
def test_number_out_of_range_is_refused(storage: Storage, number: int) -> None:
    with pytest.raises(InvalidInputError, match="number from 1 to 156"):
        demo.write_demo_data(storage, reports=number)
    assert storage.count_reports() == 0


def test_progress_names_each_delivery(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    demo.write_demo_data(FileStorage(tmp_path), reports=3, now=NOW, progress=lambda *step: told.append(step))
    assert [(done, total) for done, total, _ in told] == [(0, 3), (1, 3), (2, 3)]
    assert told[0][2] == "Movie catalogue, week 47"


def test_same_seed_gives_the_same_reports() -> None:
    first, second = (make_reports(3, inspect=inspect_delivery) for _ in range(2))
    for report in first + second:
        report.metadata["coverage"]["seconds"] = 0
    assert [report.to_dict() for report in first] == [report.to_dict() for report in second]


def test_another_seed_gives_other_slices() -> None:
    first, second = make_deliveries(6, 1, NOW)[0], make_deliveries(6, 2, NOW)[0]
    assert list(first.frame["ID"]) != list(second.frame["ID"])


@pytest.mark.parametrize("dataset", list(TABLES))
def test_deliveries_are_the_real_rows_each_once(dataset: str) -> None:
    parts = [d.frame for d in make_deliveries(demo.DEFAULT_REPORTS, 1, NOW) if d.dataset == dataset]
    together = pd.concat(parts, ignore_index=True)
    table = TABLES[dataset]()[list(together.columns)]
    columns = list(table.columns)
    pd.testing.assert_frame_equal(
        together.sort_values(columns, ignore_index=True), table.sort_values(columns, ignore_index=True)
    )


def test_weeks_that_were_changed_on_purpose_say_so() -> None:
    films = [d for d in make_deliveries(demo.DEFAULT_REPORTS, 1, NOW) if d.dataset == "movies"]
    empty = [int(d.frame["Runtime"].isna().sum()) for d in films]
    noted = [number for number, d in enumerate(films) if d.note]
    assert [number for number, rows in enumerate(empty) if rows == 0] == noted[:2]
    assert empty[noted[2]] == max(empty)
    assert inspect_delivery(films[noted[0]])[0].metadata["note"].startswith("Demo data: ")


@pytest.mark.parametrize("hours", range(0, 24 * 7, 5))
def test_newest_deliveries_are_of_the_last_week(hours: int) -> None:
    now = NOW + dt.timedelta(hours=hours)
    newest = {d.dataset: d.arrived for d in make_deliveries(30, 1, now)}
    assert len(newest) == 3
    assert all(now - dt.timedelta(days=7, hours=2) < arrived <= now for arrived in newest.values())


def test_every_thread_of_the_stories_is_told(threads: dict[str, list[Annotation]]) -> None:
    assert len(threads) == len(STORIES)


def test_threads_hang_on_findings_that_are_there(
    reports: list[ShareableReport], threads: dict[str, list[Annotation]]
) -> None:
    found = {get_finding_id(finding) for report in reports for finding in report.findings}
    assert set(threads) <= found


def test_nobody_speaks_before_the_finding_was_seen(
    reports: list[ShareableReport], threads: dict[str, list[Annotation]]
) -> None:
    seen: dict[str, dt.datetime] = {}
    for report in reversed(reports):
        seen |= dict.fromkeys(map(get_finding_id, report.findings), report.created_at)
    assert all(seen[finding] < said[0].timestamp for finding, said in threads.items())


def test_nobody_speaks_after_now() -> None:
    # An hour and a half after the penguins came, so that replies to them lie ahead.
    now = dt.datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    made = make_reports(demo.DEFAULT_REPORTS, now=now)
    assert made[-1].created_at.date() == now.date()
    assert all(a.timestamp <= now for report in made for a in report.annotations)


def test_a_thread_is_written_in_its_order(reports: list[ShareableReport]) -> None:
    by_story: dict[str, list[Annotation]] = {}
    for annotation in (a for report in reports for a in report.annotations):
        by_story.setdefault(annotation.id.rpartition("-")[0], []).append(annotation)
    for said in by_story.values():
        in_order = sorted(said, key=lambda a: int(a.id.rpartition("-")[2]))
        assert [a.timestamp for a in in_order] == sorted(a.timestamp for a in said)


def test_comments_quote_the_data(threads: dict[str, list[Annotation]]) -> None:
    spoken = " ".join(a.comment for said in threads.values() for a in said)
    assert "{" not in spoken
    assert "“Not enough blood for isotopes”" in spoken
    assert "“No delta15N data received from lab”" in spoken


def test_some_findings_were_fixed_and_came_back(
    reports: list[ShareableReport], threads: dict[str, list[Annotation]]
) -> None:
    last_seen: dict[str, dt.datetime] = {}
    for report in reports:
        last_seen |= dict.fromkeys(map(get_finding_id, report.findings), report.created_at)
    fixed = {f: next((a for a in said if a.status == "fixed"), None) for f, said in threads.items()}
    back = [f for f, a in fixed.items() if a is not None and a.timestamp < last_seen[f]]
    assert len(back) >= 3


def test_every_closing_status_is_used(threads: dict[str, list[Annotation]]) -> None:
    used = {a.status for said in threads.values() for a in said}
    assert used >= {"needs-investigation", "reviewed", "fixed", "accepted", "false_positive", None}


@pytest.mark.parametrize("number", [1, 2, 8, 20])
def test_fewer_reports_tell_shorter_stories(number: int) -> None:
    made = make_reports(number)
    assert len(made) == number
    assert all("{" not in a.comment for report in made for a in report.annotations)


def test_findings_name_their_dataset(reports: list[ShareableReport]) -> None:
    def dataset(finding: GhostFinding) -> str:
        return str(finding.metadata["dataset"])

    assert all(dataset(f) == report.metadata["dataset"] for report in reports for f in report.findings)


def test_rules_of_the_team_find_rows_that_break_them(storage: Storage) -> None:
    demo.write_demo_data(storage, reports=6, now=NOW)
    found = [row for row in storage.findings.query(None, limit=None) if "rule_name" in row["metadata"]]
    assert {row["dataset"] for row in found} >= {"movies", "passengers"}
    for row in found:
        evidence = storage.reports.load_evidence(row["report_id"])
        assert evidence is not None
        assert evidence.samples[row["finding_id"]].rows
    assert [rule.name for rule in storage.dataset_settings.load_checks("penguins").rules] == [
        "An adult weighs 2.5 to 6.5 kg"
    ]


def test_sample_table_is_real() -> None:
    name, frame = demo.load_sample_table()
    assert (name, len(frame), demo.is_available()) == ("movies", 17_472, True)


def test_missing_packages_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(public_tables, "_PACKAGES", ("no_such_package",))
    monkeypatch.setattr(public_tables, "find_spec", lambda _: None)
    assert not demo.is_available()
    with pytest.raises(ImportError, match=r"pip install lavendertown\[demo\]"):
        demo.load_sample_table()
    with pytest.raises(ImportError, match=r"pip install lavendertown\[demo\]"):
        demo.write_demo_data(FileStorage(tmp_path / "store"), reports=1)


def test_command_offers_what_the_demo_can() -> None:
    reports = next(option for option in command.params if option.name == "reports")
    assert isinstance(reports.type, click.IntRange)
    assert reports.default == demo.DEFAULT_REPORTS
    assert (reports.type.min, reports.type.max) == (1, demo.MAX_REPORTS)
