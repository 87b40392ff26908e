"""Filters mean the same on files, SQLite and PostgreSQL: random towns, random questions, one answer."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.models import GhostFinding
from tests.contract.conftest import empty
from tests.contract.reference_store import ReferenceStore, to_utc
from tests.contract.store_locations import StoreLocation

PIECES = ["a", "A", "b", " ", "%", "_", "\\", "ß", "SS", "é", "e\u0301", "İ", "\u0131", "'", "日", "0", "\n"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
IDS = ["r1", "R1", "r10", "r2", "é", "a%", "a_", "z z", "Ω", "10"]
AUTHORS = ["ann", "Ann", "ben", "a%"]
DATASETS = ["", "people", "People", "straße"]
COLUMNS = ["x", "X", "y%"]
SEVERITIES = ["info", "warning", "error"]
STATUSES = ["open", "reviewed", "fixed"]
TAGS = ["t", "T", "late", "p%"]
# Around midnight and the two nights when Berlin's clocks change, and a plain afternoon.
MOMENTS = [
    dt.datetime(2026, 3, 28, 22, 59, 59, 999_999, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 28, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 3, 0),
    dt.datetime(2026, 3, 29, 21, 59, 59, 999_999, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 30, 0, 0),
    dt.datetime(2026, 3, 29, 23, 0, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    dt.datetime(2026, 10, 25, 2, 30),
    dt.datetime(2026, 10, 25, 23, 59, 59, 999_999),
    dt.datetime(2026, 10, 26, 0, 0, tzinfo=dt.timezone(dt.timedelta(hours=9))),
    dt.datetime(2026, 6, 1, 15, 0, tzinfo=dt.UTC),
]
DAYS = [
    dt.date(2026, 3, 28),
    dt.date(2026, 3, 29),
    dt.date(2026, 3, 30),
    dt.date(2026, 10, 25),
    dt.date(2026, 10, 26),
]


def some(values: list[str]) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values) | st.lists(st.sampled_from(values), max_size=2)


@st.composite
def findings(draw: st.DrawFn, dataset: str) -> GhostFinding:
    metadata = {"check": "nulls", "params": {}} | ({"dataset": dataset} if dataset else {})
    column = draw(st.sampled_from(COLUMNS))
    return GhostFinding("null", column, draw(st.sampled_from(SEVERITIES)), draw(TEXTS), None, metadata)


@st.composite
def reports(draw: st.DrawFn, report_id: str) -> ShareableReport:
    dataset = draw(st.sampled_from(DATASETS))
    metadata: dict[str, Any] = {"tags": draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True))}
    return ShareableReport(
        id=report_id,
        title=draw(TEXTS),
        author=draw(st.sampled_from(AUTHORS)),
        created_at=draw(st.sampled_from(MOMENTS)),
        findings=draw(st.lists(findings(dataset), max_size=3, unique_by=lambda f: f.column)),
        metadata=metadata | ({"dataset": dataset} if dataset else {}),
    )


@st.composite
def notes(draw: st.DrawFn, number: int) -> Annotation:
    return Annotation(
        id=f"note {number}",
        finding_id=get_finding_id(draw(st.sampled_from(DATASETS).flatmap(findings))),
        author=draw(st.sampled_from(AUTHORS)),
        timestamp=draw(st.sampled_from(MOMENTS)),
        comment=draw(TEXTS),
        tags=draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True)),
        status=draw(st.none() | st.sampled_from(STATUSES)),
    ).mark_as_read()  # Some are empty or close without a reason, as earlier versions allowed.


@st.composite
def towns(draw: st.DrawFn) -> ReferenceStore:
    names = draw(st.lists(st.sampled_from(IDS), max_size=6, unique=True))
    made = [draw(reports(name)) for name in names]
    written = [draw(notes(number)) for number in range(draw(st.integers(0, 6)))]
    everything = [r.id for r in made] + [n.id for n in written]
    deleted = draw(st.frozensets(st.sampled_from(everything), max_size=3)) if everything else frozenset()
    return ReferenceStore(made, written, deleted)


BOUNDS = st.none() | st.sampled_from(MOMENTS) | st.sampled_from(DAYS)
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "author": some(AUTHORS),
        "start_date": BOUNDS,
        "end_date": BOUNDS,
        "search": st.none() | st.lists(st.sampled_from(PIECES), max_size=2).map("".join),
        "tags": some(TAGS),
        "status": some(STATUSES),
        "severity": some(SEVERITIES),
        "dataset": some(DATASETS),
        "include_deleted": st.booleans(),
    },
)


CHANGES = st.one_of(
    st.sampled_from(IDS[:4]).flatmap(reports),
    st.integers(0, 3).flatmap(notes),
    st.tuples(
        st.sampled_from(["delete", "restore"]),
        st.sampled_from(IDS[:4] + [f"note {number}" for number in range(4)]),
    ),
)


def agree_about_reports(storage: Storage, town: ReferenceStore, asked: dict[str, Any], size: int) -> None:
    expected = town.query_reports(asked)
    listed = [row["id"] for row in storage.query_reports(limit=None, **asked)]
    assert listed == expected
    assert storage.count_reports(**asked) == len(expected)
    pages = (storage.query_reports(limit=size, offset=start, **asked) for start in range(0, 12, size))
    assert [row["id"] for row in itertools.chain(*pages)] == expected
    facets = {name: value for name, value in asked.items() if name != "include_deleted"}
    assert storage.reports.count_by_value(**facets) == town.count_facets(facets)


def agree_about_findings(storage: Storage, town: ReferenceStore, asked: dict[str, Any]) -> None:
    rows = storage.query_findings(limit=None, **asked)
    told = [
        (
            r["report_id"],
            r["position"],
            r["column"],
            r["status"],
            tuple(sorted(r["tags"])),
            r["comment_count"],
        )
        for r in rows
    ]
    assert told == town.query_findings(asked)
    assert storage.findings.count(**asked) == len(told)
    by_id = {r.id: r for r in town.reports}
    for row in rows:
        if row["report_id"] not in town.deleted:
            about = by_id[row["report_id"]].findings[row["position"]]
            assert (row["first_seen"], row["last_seen"], row["times_seen"]) == town.occurrences_of(about)


def agree_about_annotations(storage: Storage, town: ReferenceStore, asked: dict[str, Any]) -> None:
    own = {name: value for name, value in asked.items() if name not in ("severity", "dataset")}
    assert [row["id"] for row in storage.query_annotations(limit=None, **own)] == town.query_annotations(own)
    for note in town.annotations:
        expected = [n.id for n in town.annotations_of(note.finding_id)]
        assert [n.id for n in storage.get_annotations(note.finding_id)] == expected


def agree(storage: Storage, town: ReferenceStore, questions: list[dict[str, Any]], size: int) -> None:
    for made in town.reports:
        loaded = storage.load_report(made.id)
        assert (loaded is None) == (made.id in town.deleted)
        assert loaded is None or loaded.created_at == to_utc(made.created_at)
    for asked in questions:
        agree_about_reports(storage, town, asked, size)
        agree_about_findings(storage, town, asked)
        agree_about_annotations(storage, town, asked)


def empty_places(place: StoreLocation, folder: Path) -> Callable[[], StoreLocation]:
    """Return a maker of empty stores: a new folder, a copied file, an emptied database."""
    numbers = itertools.count()

    def another() -> StoreLocation:
        if place.backend == "file":
            return StoreLocation("file", str(folder / f"files{next(numbers)}"))
        if place.backend in ("postgres", "mariadb"):
            empty(place.where)
            return place
        copy = folder / f"copy{next(numbers)}.db"
        shutil.copy(folder / "store.db", copy)
        return StoreLocation("sqlite", f"sqlite:///{copy}")

    return another


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_backend_answers_like_the_plain_model(
    place: StoreLocation, tmp_path: Path, local_zone: Callable[[str], None]
) -> None:
    local_zone("Europe/Berlin")
    another = empty_places(place, tmp_path)

    @settings(max_examples=40, deadline=None)
    @given(towns(), st.lists(QUESTIONS, min_size=3, max_size=8), st.integers(1, 4))
    def same(town: ReferenceStore, questions: list[dict[str, Any]], size: int) -> None:
        with closing(another().open_storage()) as storage:
            town.save_to(storage)
            agree(storage, town, questions, size)

    same()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_backend_stays_right_through_changes(
    place: StoreLocation, tmp_path: Path, local_zone: Callable[[str], None]
) -> None:
    """Status, tags, counters and lists follow any history of saving, editing, deleting, restoring."""
    local_zone("Europe/Berlin")
    another = empty_places(place, tmp_path)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(CHANGES, min_size=4, max_size=14), st.lists(QUESTIONS, max_size=3))
    def right(changes: list[Any], questions: list[dict[str, Any]]) -> None:
        town = ReferenceStore()
        with closing(another().open_storage()) as storage:
            for change in changes:
                assert town.apply_change(storage, change)
            agree(storage, town, [{}, {"include_deleted": True}, *questions], 3)

    right()
