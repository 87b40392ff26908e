"""Write the demo data into a storage: check deliveries of real tables, and save the reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.demo.business_rules import CHECKS
from lavendertown.demo.deliveries import DATASETS, Delivery, make_deliveries
from lavendertown.demo.discussions import CheckedDelivery, add_discussions, find_assignees
from lavendertown.inspector import Inspector
from lavendertown.profile.evidence import Evidence

DEFAULT_REPORTS = 30
MAX_REPORTS = 156

ProgressCallback = Callable[[int, int, str], None]


@dataclass(frozen=True)
class FilledDemo:
    """A summary of the demo data that were written."""

    reports: int
    findings: int
    annotations: int
    datasets: tuple[str, ...]
    people: tuple[str, ...]
    first: dt.datetime
    last: dt.datetime


def has_demo_data(storage: Storage) -> bool:
    """Return whether the storage has demo data, including its trash."""
    return any(storage.reports.find(f"demo-{dataset}-01") is not None for dataset in DATASETS)


def write_demo_data(
    storage: Storage,
    *,
    reports: int = DEFAULT_REPORTS,
    seed: int = 1,
    now: dt.datetime | None = None,
    mix: bool = False,
    progress: ProgressCallback | None = None,
) -> FilledDemo | None:
    """Write the demo data; return a summary, or None if the storage has them already.

    The reports and their comments are written in one unit of work, rules and assignees afterwards.

    Args:
        storage: The storage.
        reports: The number of weekly reports, 1 to 156, spread over three datasets.
        seed: The seed for the selection of films per week and the minutes of arrival.
        now: The time to use as the present; nothing is dated later.
        mix: Write the demo data even if there are other reports.
        progress: Called as ``progress(done, total, title)`` before each delivery is checked.

    Raises:
        ImportError: The packages with the tables are not installed.
        InvalidInputError: The number is out of range, or there are other reports and ``mix`` is False.
        StorageError: The storage could not be written; nothing was written.
    """
    if not 1 <= reports <= MAX_REPORTS:
        raise InvalidInputError(
            f"The demo cannot have {reports} reports. Choose a number from 1 to {MAX_REPORTS}."
        )
    if has_demo_data(storage):
        return None
    if not mix:
        _refuse_to_mix(storage)
    now = clock.to_utc(now) if now else clock.now()
    deliveries = make_deliveries(reports, seed, now)
    runs = []
    evidence: dict[str, Evidence] = {}
    for number, delivery in enumerate(deliveries):
        if progress is not None:
            progress(number, len(deliveries), delivery.title)
        report, evidence[delivery.id] = inspect_delivery(delivery)
        runs.append(CheckedDelivery(delivery, report))
    add_discussions(runs, now)
    saved = [run.report for run in runs]
    storage.save_reports(saved, evidence=evidence)
    for delivery in {each.dataset: each for each in deliveries}.values():
        storage.dataset_settings.save_checks(
            delivery.dataset, CHECKS[delivery.dataset], actor=delivery.author
        )
    for person, finding_ids in find_assignees(saved).items():
        storage.triage.decide(finding_ids, Decision(assignee=person), actor=person)
    return _summarize_reports(saved)


def inspect_delivery(delivery: Delivery) -> tuple[ShareableReport, Evidence]:
    """Run the checks on a delivery, and return the report and its evidence without saving them."""
    inspector = Inspector(
        delivery.to_inspector_input(), dataset=delivery.dataset, checks=CHECKS[delivery.dataset]
    )
    findings = inspector.detect()
    metadata = {
        "dataset": delivery.dataset,
        "tags": list(delivery.tags),
        "coverage": inspector.coverage(),
    }
    if delivery.note:
        metadata["note"] = delivery.note
    report = ShareableReport(
        id=delivery.id,
        title=delivery.title,
        author=delivery.author,
        created_at=delivery.arrived,
        findings=findings,
        metadata=metadata,
    )
    ids = [get_finding_id(finding, delivery.dataset) for finding in findings]
    return report, inspector.evidence().named(ids)


def _refuse_to_mix(storage: Storage) -> None:
    others = storage.count_reports(include_deleted=True)
    if others:
        count = "1 report" if others == 1 else f"{others:,} reports"
        raise InvalidInputError(
            f"The store ({storage.describe()}) already has {count}, and demo data would be mixed with them. "
            "Confirm with --yes, or set LAVENDERTOWN_DATA_DIR to an empty folder."
        )


def _summarize_reports(reports: list[ShareableReport]) -> FilledDemo:
    annotations = [annotation for report in reports for annotation in report.annotations]
    people = {report.author for report in reports} | {annotation.author for annotation in annotations}
    times = [report.created_at for report in reports]
    return FilledDemo(
        reports=len(reports),
        findings=sum(len(report.findings) for report in reports),
        annotations=len(annotations),
        datasets=tuple(sorted({str(report.metadata["dataset"]) for report in reports})),
        people=tuple(sorted(people)),
        first=min(times),
        last=max(times),
    )
