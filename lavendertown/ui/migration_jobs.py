"""Migrations and dry runs of this server process. Each belongs to the browser that started it.

After a reload they are found by the browser's session key. Other users see only that a migration runs and
its progress; dry runs and finished migrations are hidden from them, as they contain a database password.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import load_settings
from lavendertown.transfer import store_switch
from lavendertown.transfer.migration_process import MigrationProcess
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest, OnConflict
from lavendertown.ui.components.shared import person
from lavendertown.ui.server.browser_session import session_key


@dataclass
class MigrationJob:
    """A dry run or a migration with its worker process.

    Attributes:
        source, target: Descriptions of the stores, without passwords.
        source_in_use: Whether the source was the current store when the job started.
        worker: The worker process.
        switch_message: The result of switching to the target; None before the switch.
    """

    source: str
    target: str
    source_in_use: bool
    worker: MigrationProcess = field(repr=False)
    switch_message: str | None = None

    @property
    def request(self) -> MigrationRequest:
        """The request, including passwords."""
        return self.worker.request

    @property
    def actor(self) -> str:
        """The user who started it."""
        return self.request.actor

    @property
    def outcome(self) -> MigrationOutcome:
        """The outcome of a finished job."""
        outcome = self.worker.outcome
        assert outcome is not None
        return outcome


_KEEP_FOR = dt.timedelta(days=1)
_lock = threading.RLock()
_switching = threading.Lock()
_dry_runs: dict[str, MigrationJob] = {}
_migrations: dict[str, MigrationJob] = {}
# The keys of both are session keys of browsers.


def may_migrate() -> bool:
    """Return whether the user may migrate: currently every user with a name."""
    return bool(person.current_name())


def start_dry_run(request: MigrationRequest, source: str, target: str, in_use: bool) -> None:
    """Start a dry run; it replaces the previous one of this browser."""
    _require_name()
    with _lock:
        _forget_expired()
        cancel_dry_run()
        _dry_runs[session_key()] = MigrationJob(
            source, target, in_use, MigrationProcess.start("plan", request)
        )


def own_dry_run() -> MigrationJob | None:
    """Return the dry run of this browser, running or finished, or None."""
    return dry_run_of_browser(session_key())


def dry_run_of_browser(key: str) -> MigrationJob | None:
    """Return the dry run of the browser with this key, or None."""
    return _dry_runs.get(key)


def cancel_dry_run() -> None:
    """Stop and remove the dry run of this browser."""
    with _lock:
        job = _dry_runs.pop(session_key(), None)
    if job is not None and job.worker.state == "running":
        job.worker.stop()


def start_migration(request: MigrationRequest, source: str, target: str, in_use: bool) -> None:
    """Start a migration that belongs to this browser.

    Raises:
        InvalidInputError: Another migration is running; only one may run at a time.
    """
    _require_name()
    with _lock:
        other = running_job()
        if other is not None:
            raise InvalidInputError(
                f"{other.actor} is already migrating {other.source} to {other.target}; "
                "wait until this migration finishes or is stopped."
            )
        _migrations[session_key()] = MigrationJob(
            source, target, in_use, MigrationProcess.start("move", request)
        )
    cancel_dry_run()


def repeat_dry_run(zone: str | None) -> None:
    """Repeat the dry run of this browser with another time zone for times without a zone."""
    job = own_dry_run()
    if job is not None:
        start_dry_run(replace(job.request, zone=zone), job.source, job.target, job.source_in_use)


def start_from_dry_run(
    dry_run_job: MigrationJob, on_conflict: OnConflict, choices: Mapping[str, OnConflict]
) -> None:
    """Start the migration prepared by a dry run, with the decisions about conflicts.

    Raises:
        InvalidInputError: As for :func:`start_migration`.
    """
    request = replace(dry_run_job.request, on_conflict=on_conflict, choices=dict(choices))
    start_migration(request, dry_run_job.source, dry_run_job.target, dry_run_job.source_in_use)


def resume_job() -> None:
    """Resume the failed or stopped migration of this browser."""
    job = own_job()
    if job is not None:
        request = replace(job.request, resume=True, actor=person.current_name())
        start_migration(request, job.source, job.target, job.source_in_use)


def own_job() -> MigrationJob | None:
    """Return the running migration of this browser, or its last one until dismissed; else None."""
    return job_of_browser(session_key())


def job_of_browser(key: str) -> MigrationJob | None:
    """Return the migration of the browser with this key, or None."""
    return _migrations.get(key)


def running_job() -> MigrationJob | None:
    """Return the running migration of any browser, or None."""
    with _lock:
        _forget_expired()
        return next((job for job in _migrations.values() if job.worker.state == "running"), None)


def current_job() -> MigrationJob | None:
    """Return the migration to show in this browser: its own, or a running one, or None."""
    return own_job() or running_job()


def is_own_job(job: MigrationJob) -> bool:
    """Return whether a migration was started in this browser."""
    return job is own_job()


def stop_job() -> None:
    """Stop the running migration of this browser; copied records stay."""
    _require_name()
    job = own_job()
    if job is not None and job.worker.state == "running":
        job.worker.stop()


def dismiss_job() -> None:
    """Remove the finished migration of this browser, including the password."""
    with _lock:
        job = own_job()
        if job is not None and job.worker.state != "running":
            del _migrations[session_key()]


def end_all_jobs() -> None:
    """Stop and remove all jobs when the process ends."""
    with _lock:
        for job in _migrations.values():
            job.worker.stop()
        _migrations.clear()
    _end_dry_runs()


def _forget_expired() -> None:
    """Remove finished jobs that started over a day ago: they contain passwords."""
    oldest = clock.now() - _KEEP_FOR
    for jobs in (_dry_runs, _migrations):
        for key, job in list(jobs.items()):
            if job.worker.state != "running" and job.worker.started_at < oldest:
                del jobs[key]


def _end_dry_runs() -> None:
    with _lock:
        for job in _dry_runs.values():
            job.worker.stop()
        _dry_runs.clear()


def switch_to_target() -> None:
    """Switch to the target of the finished migration of this browser.

    Raises:
        LavenderTownError: Recent changes could not be copied, or another user is switching; the
            current store stays in use.
    """
    _require_name()
    if not _switching.acquire(blocking=False):
        raise InvalidInputError("Another user is switching the storage; try again in a few seconds.")
    try:
        job = own_job()
        if job is not None and job.switch_message is None:
            job.switch_message = store_switch.switch_store(load_settings(), job.request, job.outcome)
            _end_dry_runs()
    finally:
        _switching.release()


def switch_back() -> str:
    """Switch back to the store before the last switch; return a message with the result.

    Raises:
        LavenderTownError: The previous store cannot be used; the current store stays in use.
    """
    _require_name()
    with _switching:
        message = store_switch.switch_back(load_settings())
    _end_dry_runs()
    dismiss_job()
    return message


def _require_name() -> None:
    if not may_migrate():
        raise InvalidInputError("Enter your name before you migrate; it is recorded with the migration.")
