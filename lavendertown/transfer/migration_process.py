"""Run a migration or its dry run in a worker process, and follow its progress.

Requests, progress and outcomes pass through pipes as JSON, so passwords appear neither in the arguments nor
in the environment of the process. The process ends with the dashboard that started it; the migration can then
be resumed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, Literal

from lavendertown.core import clock, json_codec
from lavendertown.transfer.migrator import migrate_store, preview_migration
from lavendertown.transfer.values import (
    Conflict,
    MigrationOutcome,
    MigrationProgress,
    MigrationRequest,
    OnConflict,
    QuarantinedItem,
    RecordCounts,
    TimeSample,
)
from lavendertown.worker import Worker

MIGRATE_TASK = "lavendertown.transfer.migration_process:run_migration_task"

JobKind = Literal["plan", "move"]
JobState = Literal["running", "done", "failed", "stopped"]

_PROCESS_ENDED = (
    "The migration process was stopped from outside. Records copied so far are kept; resume the migration to "
    "continue."
)
_UNEXPECTED_ERROR = (
    "The migration failed with an unexpected error. The source is unchanged, and records copied so far are "
    "kept; see the server's log for details."
)


class MigrationProcess:
    """A worker process that runs a migration or its dry run."""

    def __init__(self, kind: JobKind, request: MigrationRequest, worker: Worker) -> None:
        self.kind = kind
        self.request = request
        self.started_at: dt.datetime = clock.now()
        self._worker = worker
        self._outcome: MigrationOutcome | None = None

    @classmethod
    def start(cls, kind: JobKind, request: MigrationRequest) -> MigrationProcess:
        """Start a worker process for a request."""
        job = cls(kind, request, Worker.spawn())
        job._worker.run_task(MIGRATE_TASK, {"kind": kind, "request": request_to_json(request)})
        return job

    @property
    def state(self) -> JobState:
        """Return ``"running"``, ``"done"`` (with an outcome), ``"failed"`` (with an error) or ``"stopped"``
        (by :meth:`stop`)."""
        return self._worker.state

    @property
    def progress(self) -> MigrationProgress | None:
        """Return the latest progress; None before the first report."""
        data = self._worker.progress
        return None if data is None else progress_from_json(data)

    @property
    def outcome(self) -> MigrationOutcome | None:
        """Return the outcome; None until the process is done."""
        if self._outcome is None and self._worker.result is not None:
            self._outcome = outcome_from_json(self._worker.result)
        return self._outcome

    @property
    def pid(self) -> int:
        """Return the worker's process id."""
        return self._worker.pid

    @property
    def error(self) -> str | None:
        """Return what went wrong, as a message for users; None unless the process failed."""
        if self.state != "failed":
            return None
        return self._worker.error or (
            _UNEXPECTED_ERROR if self._worker.failure == "unexpected" else _PROCESS_ENDED
        )

    def stop(self) -> None:
        """Stop the worker. Copied records stay, and a later run continues from there."""
        if self.state == "running":
            self._worker.stop()
            self._worker.wait()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the worker is done; return False on timeout."""
        return self._worker.wait(seconds)


def run_migration_task(arguments: Mapping[str, Any], report: Callable[[Any], None]) -> dict[str, Any]:
    """Run a migration or its dry run, in the worker process.

    Args:
        arguments: ``kind`` is ``"plan"`` or ``"move"``; ``request`` is what :func:`request_to_json` returned.
        report: Called with progress, for :func:`progress_from_json`.

    Returns:
        The outcome, for :func:`outcome_from_json`.
    """
    run = {"plan": preview_migration, "move": migrate_store}[arguments["kind"]]
    outcome = run(request_from_json(arguments["request"]), lambda progress: report(asdict(progress)))
    plain = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
    nested = ("counts", "conflicts", "quarantined", "times")
    return json_codec.to_jsonable(plain | {name: _to_dicts(plain[name]) for name in nested}, "outcome")  # type: ignore[no-any-return]


def _to_dicts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: asdict(each) for name, each in value.items()}
    return [asdict(each) for each in value]


def request_to_json(request: MigrationRequest) -> dict[str, Any]:
    """Return a request as plain JSON data, passwords included."""
    return asdict(request)


def request_from_json(data: Mapping[str, Any]) -> MigrationRequest:
    """Return the request from the data that :func:`request_to_json` returned."""
    choices = {key: OnConflict(choice) for key, choice in data["choices"].items()}
    return replace(MigrationRequest(**data), on_conflict=OnConflict(data["on_conflict"]), choices=choices)


def progress_from_json(data: Mapping[str, Any]) -> MigrationProgress:
    """Return the progress that a worker reported."""
    return MigrationProgress(**data)


def outcome_from_json(data: Mapping[str, Any]) -> MigrationOutcome:
    """Return the outcome that a worker returned."""
    folder = data["quarantine_folder"]
    nested = {
        "counts": {name: RecordCounts(**count) for name, count in data["counts"].items()},
        "conflicts": tuple(_conflict_from_json(each) for each in data["conflicts"]),
        "quarantined": tuple(QuarantinedItem(**each) for each in data["quarantined"]),
        "times": tuple(
            TimeSample(**(each | {"read_as": clock.parse_time(each["read_as"])})) for each in data["times"]
        ),
        "quarantine_folder": Path(folder) if folder is not None else None,
        "differences": tuple(data["differences"]),
        "left_out": frozenset(data["left_out"]),
    }
    return MigrationOutcome(**(dict(data) | nested))


def _conflict_from_json(data: dict[str, Any]) -> Conflict:
    times = {name: clock.parse_time(data[name]) for name in ("source_changed_at", "target_changed_at")}
    return Conflict(**(data | times | {"decision": OnConflict(data["decision"])}))
