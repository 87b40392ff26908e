"""Results of other tools: previewed against earlier runs, and saved as reports."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lavendertown.collaboration.converters import read_exported_evidence
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.dataset_settings import DatasetSettings
from lavendertown.collaboration.parts.gate import Run
from lavendertown.collaboration.parts.reports import Reports
from lavendertown.core import clock, json_codec, statuses
from lavendertown.core.errors import ConflictError, InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.fingerprints import check_key, compute_fingerprint, executed_check_keys
from lavendertown.core.garbage_collection import gc_paused
from lavendertown.interchange import ImportedRun, ReadRun
from lavendertown.interchange.runs import ANNOTATIONS
from lavendertown.profile.evidence import Evidence
from lavendertown.records.identities import Identity
from lavendertown.records.queries import ReportQuery
from lavendertown.records.record_classes import Page, RecordKind, ReportSummary

MAPPING = "mapping"
"""The part of settings that has a mapping of columns."""
MAX_EARLIER_RUNS = 50
"""The maximum number of earlier runs that are read to learn in which state a finding was."""
_PAGE = 10


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import changes.

    Attributes:
        report_id: The id of the report; the same for the same results and dataset.
        dataset: The dataset that the results join.
        report_count: The number of reports that the dataset has before.
        title, tool: The title of the report, and the tool that wrote the file.
        is_saved: Whether a live report with this id exists already, so that an import changes nothing.
        findings: The number of findings in the file, those of crashed checks included.
        passed: The number of checks that passed.
        errored: The number of checks that crashed.
        not_run: The number of checks that did not run: those that the file lists as such, and those of
            earlier findings that it does not mention.
        new: The number of findings that the dataset did not have before.
        regressed: The number of findings that are back: they were fixed, or their check passed before.
        unchanged: The number of findings that the dataset had before, too.
        gone: The number of earlier findings whose check passed or found something else now.
    """

    report_id: str
    dataset: str
    report_count: int
    title: str
    tool: str
    is_saved: bool
    findings: int
    passed: int
    errored: int
    not_run: int
    new: int
    regressed: int
    unchanged: int
    gone: int


class Imports(StoragePart):
    """Imports of other tools' results. An import is one report, so deleting the report undoes it."""

    def __init__(self, context: StorageContext, reports: Reports, dataset_settings: DatasetSettings) -> None:
        super().__init__(context)
        self._reports = reports
        self._dataset_settings = dataset_settings

    def preview(self, results: ReadRun) -> ImportPreview:
        """Return what saving these results would change; nothing is written.

        Raises:
            InvalidInputError: The file contains a report that is incomplete.
        """
        return self._preview_report(results, self._build_report(results, author=""))

    def build_run(self, results: ReadRun) -> Run:
        """Return the run that these results are, to judge it by :meth:`Gate.judge_run`.

        Raises:
            InvalidInputError: The file contains a report that is incomplete.
        """
        with gc_paused():
            return _to_run(self._build_report(results, author=""))

    def save(self, results: Sequence[ReadRun], *, author: str = "") -> list[ImportPreview]:
        """Save results as reports, all of them or none, and return what that changed.

        A report that exists already is left alone. One in the trash is restored.

        Args:
            results: The runs that were read.
            author: The author of the reports; by default, the name of the tool.

        Raises:
            InvalidInputError: The file contains a report that is incomplete, or a value cannot be stored.
            ConflictError: Another report with the same id exists.
        """
        built = [(each, self._build_report(each, author)) for each in results]
        previews = [self._preview_report(each, report) for each, report in built]
        missing: dict[str, ShareableReport] = {}
        for (_, report), preview in zip(built, previews, strict=True):
            if not preview.is_saved:
                missing.setdefault(report.id, report)
        actor = author or None
        for report_id, report in missing.items():
            is_in_trash = self._reports.find(report_id) is not None
            if is_in_trash:
                self._reports.restore(report_id, actor=author or report.author)
            # 0 refuses a report that somebody else has saved since.
            report.version = None if is_in_trash else 0
        evidence = {each.id: found for each, found in _read_evidence(built) if each.id in missing}
        self._reports.save_many(missing.values(), actor=actor, evidence=evidence)
        return previews

    def load_mapping(self, columns: Sequence[str]) -> dict[str, str]:
        """Return the mapping that was last used for a table with these columns, in any order.

        It is empty if no mapping is stored.
        """
        # Earlier versions stored a mapping for the columns in their order.
        names = (_header_name(sorted(columns)), _header_name(columns))
        found = next(filter(None, (self._dataset_settings.load(name, MAPPING) for name in names)), {})
        return {str(role): str(name) for role, name in found.items()}

    def save_mapping(self, columns: Sequence[str], mapping: Mapping[str, str], *, actor: str) -> None:
        """Remember a mapping of columns to what they say, for the next table with these columns.

        Args:
            columns: The names of the table's columns, in any order.
            mapping: The columns by their role, see :class:`lavendertown.interchange.mapping.ResultMapping`.
            actor: The name in the audit log.
        """
        self._dataset_settings.save(_header_name(sorted(columns)), MAPPING, mapping, actor=actor)

    def _build_report(self, results: ReadRun, author: str) -> ShareableReport:
        if results.run.report is not None:
            return _read_own_report(results)
        run = self._with_known_details(results.run)
        report = _to_report(replace(results, run=run), author)
        stored = self._reports.find(report.id)
        if run.ran_at is None and stored is not None:
            report.created_at = stored["created_at"]
        report.annotations = [
            annotation
            for finding, each in zip(report.findings, run.findings, strict=True)
            for annotation in self._read_annotations(each, finding, results.file_name)
        ]
        return report

    def _read_annotations(
        self, imported: GhostFinding, finding: GhostFinding, file_name: str
    ) -> Iterator[Annotation]:
        """Yield the annotations of an imported finding that are not stored here: later edits are kept.

        Raises:
            InvalidInputError: An annotation is incomplete.
        """
        for data in imported.metadata.get(ANNOTATIONS) or ():
            try:
                annotation = Annotation.from_dict({**data, "finding_id": compute_fingerprint(finding)})
            except (InvalidInputError, TypeError, AttributeError) as error:
                raise InvalidInputError(
                    f"An annotation of a finding in {file_name} is incomplete: {str(error).rstrip('.')}."
                ) from error
            if self._context.read_record(RecordKind.ANNOTATION, annotation.id) is None:
                annotation.version = None
                yield annotation.mark_as_read()

    def _with_known_details(self, run: ImportedRun) -> ImportedRun:
        """Give findings the column and type under which their check is known already.

        A check with a stable id may be described in less detail in one file than in another, such as a dbt
        test without its manifest.
        """
        if not run.has_unique_check_ids or not run.findings:
            return run
        known: dict[tuple[str, bool], Identity] = {}
        for identity in self._context.store.read_identities(datasets=[run.dataset]):
            known.setdefault((identity.check_key, identity.ghost_type == "check_error"), identity)

        def adopt(finding: GhostFinding) -> GhostFinding:
            key = check_key(finding.metadata, run.dataset, finding.column)
            identity = known.get((key, finding.ghost_type == "check_error"))
            if not key or identity is None:
                return finding
            return replace(finding, column=identity.column, ghost_type=identity.ghost_type)

        return replace(run, findings=tuple(map(adopt, run.findings)))

    def _preview_report(self, results: ReadRun, report: ShareableReport) -> ImportPreview:
        run, dataset = results.run, str(report.metadata.get("dataset") or "")
        live = self._reports.query(dataset=dataset, limit=1) if dataset else []
        stored = self._reports.find(report.id)
        is_saved = stored is not None and stored["deleted_at"] is None
        if is_saved and run.report is not None:
            self._refuse_other_report(report)
        states = self._earlier_states(dataset, report)
        resolve = self._context.resolve_finding
        current = {resolve(compute_fingerprint(each, dataset)) for each in report.findings}
        counts = _count_changes(current, states, executed_check_keys(report.metadata, dataset))
        coverage = report.metadata.get("coverage")
        skipped = {check_key(each.to_dict(), dataset, each.column) for each in run.not_run}
        passed, errored = len(run.passed), len(run.errored)
        if run.report is not None and isinstance(coverage, Mapping):
            passed, errored = _as_count(coverage.get("passed")), _as_count(coverage.get("failed"))
        return ImportPreview(
            report.id,
            dataset,
            self._reports.count(dataset=dataset) if live else 0,
            report.title,
            run.tool,
            is_saved,
            len(report.findings),
            passed,
            errored,
            len(skipped | counts.not_run_keys),
            *((0, 0, len(current), 0) if is_saved else counts.numbers),
        )

    def _refuse_other_report(self, report: ShareableReport) -> None:
        stored = self._reports.load(report.id)
        if stored is None or _content_of(stored) != _content_of(report):
            raise ConflictError(
                f"Another version of report {report.id!r} is stored already; replace it with "
                "`lavendertown report import --overwrite`.",
                kind="report",
                record_id=report.id,
            )

    def _earlier_states(self, dataset: str, report: ShareableReport) -> dict[str, _EarlierState]:
        """Return each finding of the dataset that earlier runs had, and whether it was present at last."""
        if not dataset:
            return {}
        ran_at = clock.to_utc(report.created_at)
        identities = {
            each.finding_id: each
            for each in self._context.store.read_identities(datasets=[dataset])
            if each.first_seen < ran_at
        }
        pending, states = dict(identities), {}
        for earlier in self._iterate_earlier_runs(dataset, report):
            if not pending:
                break
            record = self._context.read_light_report(earlier.id)
            if record is None:
                continue
            found = {self._context.resolve_finding(each.fingerprint) for each in record.findings}
            executed = executed_check_keys(record.metadata, dataset)
            for finding_id, identity in list(pending.items()):
                if finding_id in found or identity.check_key in executed:
                    states[finding_id] = _EarlierState(
                        finding_id in found,
                        _was_fixed(identity, ran_at),
                        identity.check_key,
                    )
                    del pending[finding_id]
        return states | {
            key: _EarlierState(True, _was_fixed(each, ran_at), each.check_key)
            for key, each in pending.items()
        }

    def _iterate_earlier_runs(self, dataset: str, report: ShareableReport) -> Iterable[ReportSummary]:
        ran_at = clock.to_utc(report.created_at)
        query = ReportQuery(dataset=(dataset,), end_date=ran_at)
        for offset in range(0, MAX_EARLIER_RUNS, _PAGE):
            page = self._context.store.scan(query, Page(_PAGE, offset))
            yield from (each for each in page if (each.created_at, each.id) < (ran_at, report.id))
            if len(page) < _PAGE:
                return


def build_run_without_storage(results: ReadRun) -> Run:
    """Return the run that these results are, as far as the file tells.

    Raises:
        InvalidInputError: The file contains a report that is incomplete.
    """
    return _to_run(_read_own_report(results) if results.run.report is not None else _to_report(results))


def _to_run(report: ShareableReport) -> Run:
    found = report.metadata.get("coverage")
    coverage = found if isinstance(found, Mapping) else {}
    return Run(
        str(report.metadata.get("dataset") or ""),
        report.findings,
        _as_number(coverage.get("rows")),
        clock.to_utc(report.created_at),
        report.id,
        coverage,
    )


def _to_report(results: ReadRun, author: str = "") -> ShareableReport:
    """Return the report of another tool's results, without annotations."""
    run = results.run
    details = {"tool": run.tool, "tool_version": run.tool_version, "run_id": run.run_id}
    metadata = {
        "dataset": run.dataset,
        "tags": [],
        "coverage": run.coverage(),
        "file": results.file_name,
        "import": {key: value for key, value in details.items() if value},
    }
    return ShareableReport(
        id=_report_id(results),
        title=f"{run.tool}: {run.dataset}",
        author=author.strip() or run.tool,
        created_at=run.ran_at or clock.now(),
        findings=[_name_dataset(each, run) for each in run.findings],
        metadata=metadata,
    )


def _name_dataset(finding: GhostFinding, run: ImportedRun) -> GhostFinding:
    """Return a finding with the dataset of its run, and the tool that found it."""
    metadata = {"tool": run.tool, **finding.metadata, "dataset": run.dataset}
    metadata.pop(ANNOTATIONS, None)
    return replace(finding, metadata=metadata)


@dataclass(frozen=True, slots=True)
class _EarlierState:
    """A finding before an import.

    Attributes:
        is_present: Whether the last run that checked it found it.
        is_fixed: Whether it was set to fixed since.
        check_key: The key of its check.
    """

    is_present: bool
    is_fixed: bool
    check_key: str


@dataclass(frozen=True, slots=True)
class _Changes:
    numbers: tuple[int, int, int, int]
    not_run_keys: set[str]


def _count_changes(
    current: set[str], states: Mapping[str, _EarlierState], executed: frozenset[str]
) -> _Changes:
    """Count new, regressed, unchanged and gone findings, and collect the checks that did not run."""
    new = sum(1 for each in current if each not in states)
    known = [states[each] for each in current if each in states]
    regressed = sum(1 for state in known if not state.is_present or state.is_fixed)
    absent = [state for key, state in states.items() if key not in current and state.is_present]
    gone = sum(1 for state in absent if state.check_key in executed)
    not_run = {state.check_key for state in absent if state.check_key not in executed}
    return _Changes((new, regressed, len(known) - regressed, gone), not_run)


def _was_fixed(identity: Identity, ran_at: dt.datetime) -> bool:
    is_fixed = identity.status == statuses.FIXED.name
    return is_fixed and identity.fixed_at is not None and identity.fixed_at < ran_at


def _header_name(columns: Sequence[str]) -> str:
    """Return the name under which the settings of tables with these columns are stored."""
    return f"columns:{hashlib.sha256(json_codec.dumps_canonical(list(columns))).hexdigest()[:24]}"


def _report_id(results: ReadRun) -> str:
    """Return an id that is the same whenever the same results are imported into the same dataset."""
    run = results.run
    ran_at = run.ran_at.isoformat() if run.ran_at is not None else ""
    parts = json_codec.dumps_canonical([run.tool, run.dataset, run.run_id, ran_at, results.digest])
    return f"i-{hashlib.sha256(parts).hexdigest()[:16]}"


def _read_evidence(
    built: Sequence[tuple[ReadRun, ShareableReport]],
) -> Iterator[tuple[ShareableReport, Evidence]]:
    for results, report in built:
        evidence = read_exported_evidence(results.run.report or {})
        if results.run.samples:
            ids = [compute_fingerprint(each) for each in report.findings]
            samples = dict(results.run.samples)
            evidence = Evidence(samples=samples, first_row=results.run.first_row).named(ids)
        if evidence is not None:
            yield report, evidence


def _read_own_report(results: ReadRun) -> ShareableReport:
    try:
        return ShareableReport.from_dict(dict(results.run.report or {}))
    except (InvalidInputError, TypeError, AttributeError, KeyError) as error:
        raise InvalidInputError(
            f"{results.file_name} does not contain a complete report: {str(error).rstrip('.')}."
        ) from error


def _content_of(report: ShareableReport) -> dict[str, Any]:
    data = report.to_dict()
    kept = ("title", "author", "findings", "metadata", "ruleset")
    return {key: json_codec.to_jsonable(data[key]) for key in kept} | {
        "created_at": clock.to_utc(report.created_at)
    }


def _as_count(value: Any) -> int:
    return _as_number(value) or 0


def _as_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
