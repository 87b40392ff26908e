"""Fill a storage with the demo data: real checks on real deliveries, saved as a team would."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from lavendertown import clock
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.collaboration.triage import Decision
from lavendertown.demo.deliveries import DATASETS, Delivery, deliveries
from lavendertown.demo.threads import Run, discuss, looked_after
from lavendertown.errors import InvalidInputError
from lavendertown.inspector import Inspector

DEFAULT_REPORTS = 30
MAX_REPORTS = 156

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Filled:
    """What was written."""

    reports: int
    findings: int
    annotations: int
    datasets: tuple[str, ...]
    people: tuple[str, ...]
    first: dt.datetime
    last: dt.datetime


def is_filled(storage: Storage) -> bool:
    """Tell whether the storage has demo data, in its trash too."""
    return any(storage.find_report(f"demo-{dataset}-01") is not None for dataset in DATASETS)


def fill(
    storage: Storage,
    *,
    reports: int = DEFAULT_REPORTS,
    seed: int = 1,
    now: dt.datetime | None = None,
    mix: bool = False,
    progress: Progress | None = None,
) -> Filled | None:
    """Write the demo data; return what was written, None when it is there already.

    The reports with their discussions are written in one unit of work, who looks after what behind them.

    Args:
        storage: Where to.
        reports: How many reports, 1 to 156, dealt out to three datasets, one a week each.
        seed: Decides which films come in which week, and the minutes of the day.
        now: Stands in for the present; nothing is dated later.
        mix: Write also where other reports are.
        progress: Called as ``progress(done, total, title)`` before each delivery is checked.

    Raises:
        ImportError: The packages that carry the tables are not installed.
        InvalidInputError: The number is out of range, or other reports are there and ``mix`` is not set.
        StorageError: The storage could not write; nothing was written.
    """
    if not 1 <= reports <= MAX_REPORTS:
        raise InvalidInputError(f"The demo has 1 to {MAX_REPORTS} reports, not {reports}.")
    if is_filled(storage):
        return None
    if not mix:
        _refuse_to_mix(storage)
    now = clock.to_utc(now) if now else clock.now()
    planned = deliveries(reports, seed, now)
    runs = []
    for number, delivery in enumerate(planned):
        if progress is not None:
            progress(number, len(planned), delivery.title)
        runs.append(Run(delivery, inspect(delivery)))
    discuss(runs, now)
    made = [run.report for run in runs]
    storage.save_reports(made)
    for person, names in looked_after(made).items():
        storage.decide(names, Decision(assignee=person), actor=person)
    return _summary(made)


def inspect(delivery: Delivery) -> ShareableReport:
    """Run the checks on a delivery and return the report of it, not saved yet."""
    inspector = Inspector(delivery.data(), dataset=delivery.dataset)
    findings = inspector.detect()
    metadata = {
        "dataset": delivery.dataset,
        "tags": list(delivery.tags),
        "coverage": inspector.coverage(),
    }
    if delivery.note:
        metadata["note"] = delivery.note
    return ShareableReport(
        id=delivery.id,
        title=delivery.title,
        author=delivery.author,
        created_at=delivery.arrived,
        findings=findings,
        metadata=metadata,
    )


def _refuse_to_mix(storage: Storage) -> None:
    others = storage.count_reports(include_deleted=True)
    if others:
        have = "1 report" if others == 1 else f"{others:,} reports"
        raise InvalidInputError(
            f"The store ({storage.describe()}) already has {have}; demo data would mix with them. "
            "Repeat with --yes to do so, or set LAVENDERTOWN_DATA_DIR to an empty folder."
        )


def _summary(reports: list[ShareableReport]) -> Filled:
    annotations = [annotation for report in reports for annotation in report.annotations]
    people = {report.author for report in reports} | {annotation.author for annotation in annotations}
    times = [report.created_at for report in reports]
    return Filled(
        reports=len(reports),
        findings=sum(len(report.findings) for report in reports),
        annotations=len(annotations),
        datasets=tuple(sorted({str(report.metadata["dataset"]) for report in reports})),
        people=tuple(sorted(people)),
        first=min(times),
        last=max(times),
    )
