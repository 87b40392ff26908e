"""Run the inspections of dashboard users in worker processes, a limited number at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from lavendertown.core.configured_sources import ConfiguredSource, find_source
from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import (
    InvalidInputError,
    LavenderTownError,
)
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.findings import GhostFinding
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.settings import load_settings
from lavendertown.data_sources import INSPECT_SOURCE, pack_source
from lavendertown.drift.baseline import ProfileBaseline
from lavendertown.inspection.affected_files import RowsFormat
from lavendertown.inspection.imported_results import load_results
from lavendertown.inspection.result_files import InspectionResult, read_result
from lavendertown.inspection.tasks import (
    CHECK_RULE,
    COLLECT_WORKLIST_ROWS,
    INSPECT_FILE,
    MAP_RESULTS,
    READ_WORKLIST,
    SUGGEST_RULES,
    WRITE_ROWS,
)
from lavendertown.inspection.worker_limits import create_failure, resource_limits
from lavendertown.inspection.worklist_rows import RowOptions
from lavendertown.interchange import ReadRun
from lavendertown.interchange.worklists.answers import FilledRows, RowAnswer, RowProblem
from lavendertown.interchange.worklists.worklist_file import FindingRows
from lavendertown.rules.models import Rule
from lavendertown.ui import errors, queries
from lavendertown.ui.components.shared import layout
from lavendertown.ui.server import uploads
from lavendertown.ui.server.uploads import Upload
from lavendertown.worker import QueuedTask, WorkerPool

CHECKS_PLACE, KEY_PLACE = "inspect:checks", "inspect:key"
"""Where the page of a result says which stored settings of the dataset were not used."""

_POLL_SECONDS = 0.1
_lock = threading.Lock()
_pool: WorkerPool | None = None
_inspections: dict[str, Inspection] = {}


@dataclass(frozen=True)
class Comparison:
    """What an inspection compares its file with: another file, or the profiles of a report.

    Attributes:
        name: What people call it.
        upload: The other file; None for a report.
        baseline: The profiles of the report; None for a file.
    """

    name: str
    upload: Upload | None = None
    baseline: ProfileBaseline | None = None

    def to_argument(self) -> dict[str, Any]:
        """Return the argument of the task that inspects the file."""
        if self.upload is not None:
            return {"path": str(self.upload.path), "name": self.upload.name}
        assert self.baseline is not None
        return {"profiles": self.baseline.to_dict()}

    def delete_file(self) -> None:
        """Delete the other file, if there is one, from this session."""
        if self.upload is not None:
            uploads.upload_folders.delete_path(uploads.session_id(), self.upload.path)


@dataclass(frozen=True)
class Inspection:
    """An inspection that is queued, running or finished.

    Attributes:
        upload: The upload or the configured source to inspect.
        task: The task of the worker.
        folder: The folder of the result.
        session: The browser session that it belongs to.
        remembered: The settings that were stored for the dataset when the file was uploaded.
        keeps_upload: Whether the file belongs to an earlier inspection, so that discarding this one keeps it.
        comparison: What the file is compared with; None for nothing.
    """

    upload: Upload | ConfiguredSource
    task: QueuedTask
    folder: Path
    session: str
    remembered: Reading = DETECT
    keeps_upload: bool = False
    comparison: Comparison | None = None

    def current_progress(self) -> tuple[float, str]:
        """Return the progress (0 to 1) and a description of the current step."""
        if self.task.state == "queued":
            ahead = self.task.tasks_ahead()
            others = "1 other file is" if ahead == 1 else f"{ahead} other files are"
            return 0.0, f"Waiting for a free slot; {others} ahead" if ahead else "Waiting for a free slot"
        reported = self.task.progress or {"share": 0.0, "text": "Reading the file"}
        return float(reported["share"]), str(reported["text"])

    def tables_to_choose(self) -> list[str]:
        """Return the tables of the file, if it has several and one has to be chosen first."""
        tables: list[str] = self.task.result.get("tables", []) if self.task.state == "done" else []
        return tables

    def has_results_to_import(self) -> bool:
        """Return whether the files turned out to be results of another tool, which can be imported."""
        return self.task.state == "done" and bool(self.task.result.get("results"))

    def load_runs(self) -> list[ReadRun]:
        """Return the runs to import; see :meth:`has_results_to_import`."""
        return load_results(self.folder)

    def load_result(self) -> InspectionResult:
        """Return the result of a finished inspection.

        Raises:
            InvalidInputError: The inspection failed; the message gives the reason. Its files remain.
        """
        if self.task.state == "done":
            source = self.upload.path if isinstance(self.upload, Upload) else self.folder
            name = "" if isinstance(self.upload, Upload) else self.upload.name
            result = read_result(self.folder, source, self.task.result)
            return replace(result, remembered=self.remembered.to_dict(), source_name=name)
        raise create_failure(self.task, self.upload.name)

    def discard(self) -> None:
        """Cancel the inspection and delete its files."""
        self.task.cancel()
        uploads.upload_folders.delete_path(self.session, self.folder)
        if isinstance(self.upload, Upload) and not self.keeps_upload:
            uploads.upload_folders.delete_path(self.session, self.upload.path)

    def replaced_by(self, repeated: Inspection) -> Inspection:
        """Delete the result of this inspection, and hand its file over to one that repeats it."""
        uploads.upload_folders.delete_path(self.session, self.folder)
        return replace(repeated, keeps_upload=False)


def discard_result(result: InspectionResult) -> None:
    """Delete the files of a result of this session, and the inspected file."""
    uploads.upload_folders.delete_path(uploads.session_id(), result.folder)
    uploads.upload_folders.delete_path(uploads.session_id(), result.source)


def prepare_worker() -> None:
    """Start a spare worker, so that the start of a process does not delay small files."""
    _worker_pool().start_spare_worker()


def start_inspection(
    upload: Upload | ConfiguredSource,
    reading: Reading = DETECT,
    *,
    remembered: Reading = DETECT,
    keeps_upload: bool = False,
    comparison: Comparison | None = None,
    may_import: bool = False,
) -> Inspection:
    """Queue the inspection of an upload or a configured source; the session's previous one is cancelled.

    Args:
        upload: The upload or the source.
        reading: The settings to read it with; the others are detected.
        remembered: The settings that are stored for the dataset.
        keeps_upload: Whether the file belongs to an earlier inspection.
        comparison: What to compare the file with.
        may_import: Whether the upload may be results of another tool, which are offered for import.

    Raises:
        InvalidInputError: The file, or the one to compare with, was deleted in the meantime, or the source is
            no longer configured.
    """
    settings = load_settings()
    if isinstance(upload, ConfiguredSource):
        upload = find_source(settings.sources, upload.name)
    for needed in (upload, comparison.upload if comparison else None):
        if isinstance(needed, Upload) and not needed.path.exists():
            raise InvalidInputError(f"{needed.name} is no longer on the server. Upload it again.")
    session = uploads.session_id()
    cancel_inspection(session)
    folder = uploads.upload_folders.result_folder(session)
    arguments: dict[str, Any] = {
        "name": upload.name,
        "folder": str(folder),
        "limits": asdict(limits_from_settings(settings)),
        "reading": reading.to_dict(),
        **({"compare_to": comparison.to_argument()} if comparison else {}),
        "checks": _checks_to_run(_dataset_of(upload)),
        "key": _row_key(_dataset_of(upload)),
    }
    if isinstance(upload, ConfiguredSource):
        inspect = INSPECT_SOURCE
        arguments |= {"source": pack_source(upload), "dataset": upload.name}
    else:
        inspect = INSPECT_FILE
        arguments |= {"path": str(upload.path), "parts": upload.parts, "table": upload.table}
        arguments |= {"may_import": may_import}
    limits = resource_limits(settings)
    task = _worker_pool().submit_task(inspect, arguments, limits)
    inspection = Inspection(upload, task, folder, session, remembered, keeps_upload, comparison)
    with _lock:
        _inspections[session] = inspection
    uploads.upload_folders.on_session_end(session, lambda: cancel_inspection(session))
    return inspection


def _dataset_of(upload: Upload | ConfiguredSource) -> str:
    if isinstance(upload, ConfiguredSource):
        return upload.name
    name = upload.table or (upload.parts[0] if upload.parts else upload.name)
    return dataset_name(PurePath(name).name)


def _row_key(dataset: str) -> list[str]:
    """Return the stored row key; if it cannot be used, say so and let the inspection suggest one."""
    try:
        return queries.stored_row_key(dataset)
    except LavenderTownError as error:
        reason = errors.error_message(error)[0]
        layout.queue_notice(reason, "problem", place=KEY_PLACE, lead="The stored row key is not used.")
        return []


def _checks_to_run(dataset: str) -> dict[str, Any]:
    """Return the stored check configuration; if it cannot be used, say so and check everything."""
    try:
        return queries.checks_to_run(dataset).to_dict()
    except LavenderTownError as error:
        reason = errors.error_message(error)[0]
        lead = "The stored check configuration is not used."
        layout.queue_notice(reason, "problem", place=CHECKS_PLACE, lead=lead)
        return {}


def write_affected_rows(
    result: InspectionResult, place: int, file_format: RowsFormat, wait: Callable[[], object]
) -> Path:
    """Write all affected rows of a finding to a file, in a worker.

    Args:
        result: The result of the inspection.
        place: The index of the finding in the result.
        file_format: The format of the file.
        wait: Called repeatedly until the worker is done. If it raises, the worker is cancelled.

    Raises:
        InvalidInputError: The rows cannot be written; the message gives the reason.
    """
    arguments = {
        "folder": str(result.folder),
        "place": place,
        "key": result.evidence.key,
        "format": file_format,
    }
    return Path(run_on_file(WRITE_ROWS, result, arguments, wait))


def collect_worklist_rows(
    result: InspectionResult,
    findings: Sequence[tuple[str, GhostFinding]],
    dataset: str,
    key: Sequence[str],
) -> list[FindingRows]:
    """Return the affected rows of findings for a worklist, read in a worker.

    Args:
        result: The result of the inspection.
        findings: The findings with their ids and all their row positions.
        dataset: The dataset of their report.
        key: The columns that the visitor chose as key.

    Raises:
        InvalidInputError: The rows cannot be read; the message gives the reason.
    """
    settings = load_settings()
    options = RowOptions(
        dataset,
        list(key),
        list(key),
        result.evidence.first_row,
        list(settings.evidence_mask),
        settings.evidence_samples,
    )
    arguments = {
        "folder": str(result.folder),
        "findings": [(finding_id, finding.to_dict()) for finding_id, finding in findings],
        "options": asdict(options),
    }
    return [FindingRows(**each) for each in run_on_file(COLLECT_WORKLIST_ROWS, result, arguments)]


def read_worklist(content: bytes, name: str) -> FilledRows:
    """Return the answers in a filled worklist, read in a worker.

    Raises:
        InvalidInputError: The file cannot be read, or is no worklist; the message gives the reason.
    """
    settings, session = load_settings(), uploads.session_id()
    upload = uploads.upload_folders.write_upload(session, name, content)
    arguments = {"path": str(upload.path), "name": name, "limits": asdict(limits_from_settings(settings))}
    running = _worker_pool().submit_task(READ_WORKLIST, arguments, resource_limits(settings))
    try:
        while not running.wait(_POLL_SECONDS):
            pass
    finally:
        running.cancel()
        uploads.upload_folders.delete_path(session, upload.path)
    if running.state != "done":
        raise create_failure(running, name)
    return FilledRows(
        tuple(RowAnswer(**each) for each in running.result["answers"]),
        tuple(RowProblem(**each) for each in running.result["problems"]),
        frozenset((worklist_id, number) for worklist_id, number in running.result["rows"]),
    )


def check_rule(result: InspectionResult, rule: Rule) -> dict[str, Any]:
    """Check a rule on an inspected file, in a worker; the answer is that of
    :func:`lavendertown.inspection.tasks.check_rule`.

    Raises:
        InvalidInputError: The file cannot be read again; the message gives the reason.
    """
    answer: dict[str, Any] = run_on_file(CHECK_RULE, result, {"rule": rule.to_dict()})
    return answer


def suggest_rules(result: InspectionResult) -> list[Rule]:
    """Return rules that an inspected file meets, found in a worker.

    Raises:
        InvalidInputError: The file cannot be read again; the message gives the reason.
    """
    return [Rule.from_dict(each) for each in run_on_file(SUGGEST_RULES, result, {})]


def map_results(result: InspectionResult, mapping: Mapping[str, str], dataset: str) -> list[ReadRun]:
    """Return an inspected table as results of checks, read in a worker.

    Args:
        result: The result of the inspection of the table.
        mapping: The columns by their role, see :class:`lavendertown.interchange.mapping.ResultMapping`.
        dataset: The dataset of rows that name none.

    Raises:
        InvalidInputError: The file cannot be read as results; the message gives the reason.
    """
    arguments = {"folder": str(result.folder), "mapping": dict(mapping), "dataset": dataset}
    run_on_file(MAP_RESULTS, result, arguments)
    return load_results(result.folder)


def run_on_file(
    task: str, result: InspectionResult, arguments: dict[str, Any], wait: Callable[[], object] = lambda: None
) -> Any:
    """Run a task of a worker on an inspected file, and return its answer.

    Args:
        task: The task.
        result: The result of the inspection of the file.
        arguments: The arguments of the task besides those that say how to read the file.
        wait: Called repeatedly until the worker is done. If it raises, the worker is cancelled.

    Raises:
        InvalidInputError: The task failed; the message gives the reason.
    """
    if result.source_name and task not in (WRITE_ROWS, COLLECT_WORKLIST_ROWS):
        raise InvalidInputError(
            f"{result.name} is a configured source, which is not read a second time; rules can be tried on "
            "an uploaded file."
        )
    if not result.source.exists():
        raise InvalidInputError(f"{result.name} is no longer on the server. Upload it again.")
    settings = load_settings()
    arguments = {
        **arguments,
        "path": str(result.source),
        "name": result.name,
        "parts": result.parts,
        "table": result.table,
        "limits": asdict(limits_from_settings(settings)),
        "reading": result.given,
    }
    limits = resource_limits(settings)
    running = _worker_pool().submit_task(task, arguments, limits)
    try:
        while not running.wait(_POLL_SECONDS):
            wait()
    finally:
        running.cancel()
    if running.state == "done":
        return running.result
    raise create_failure(running, result.name)


def cancel_inspection(session: str) -> None:
    """Cancel the inspection of a session if it is queued or running."""
    with _lock:
        inspection = _inspections.pop(session, None)
    if inspection is not None and inspection.task.state in ("queued", "running"):
        inspection.discard()


def end_all_inspections() -> None:
    """End all inspections and workers when the server stops."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
        _inspections.clear()
    if pool is not None:
        pool.close()


def _worker_pool() -> WorkerPool:
    global _pool
    with _lock:
        if _pool is None:
            _pool = WorkerPool(["lavendertown.data_sources"], load_settings().limits_inspections)
        return _pool
