"""What has to be done regularly: check the sources that are due, and notify people.

``lavendertown tick`` does it once, for cron; the dashboard's server does it every few minutes if
``tick_minutes`` is set. Snoozes and acceptances need nothing: they end by the clock.
"""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import portalocker

from lavendertown.collaboration.parts.notifications import DeliveryCounts
from lavendertown.collaboration.parts.source_checks import FailedCheck
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.core.configured_sources import ConfiguredSource
from lavendertown.core.settings import Settings

LOCK_FILE = "tick.lock"
_EXTRA_SECONDS = 60

log = logging.getLogger("lavendertown.tick")


@dataclass(frozen=True, slots=True)
class TickResult:
    """What a tick did.

    Attributes:
        is_running_elsewhere: Whether another process on this machine is at it, so that nothing was done.
        checked: The names of the sources that were checked and saved as reports.
        problems: One sentence for each source that could not be checked.
        postponed: One sentence for each source that failed before, and is not tried again yet.
        new: The number of new messages.
        delivered: The number of messages that were delivered.
        failed: The number of messages that could not be delivered; they are sent again, or given up.
        removed: The number of old messages that were removed, see the setting ``notifications.keep_days``.
    """

    is_running_elsewhere: bool = False
    checked: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()
    new: int = 0
    delivered: int = 0
    failed: int = 0
    removed: int = 0

    @property
    def has_failed(self) -> bool:
        """Whether something could not be done."""
        return bool(self.problems or self.failed)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON."""
        return asdict(self)


def run_tick(storage: Storage, settings: Settings, now: dt.datetime | None = None) -> TickResult:
    """Check the sources that are due, find what to notify people about, and send what is due.

    Args:
        storage: The storage of the settings.
        settings: The settings with sources and channels.
        now: The time that counts as the current one.

    Raises:
        StorageError: The store does not respond.
    """
    with _lock_tick(settings) as is_locked:
        if not is_locked:
            return TickResult(is_running_elsewhere=True)
        checked, problems, postponed = [], [], []
        for source, failed in find_due_sources(storage, settings, now):
            if failed is not None and failed.next_attempt_at > (now or clock.now()):
                postponed.append(_describe_postponed(failed))
                continue
            problem = _check_source(source, settings)
            if problem:
                log.warning("%s", problem)
                problems.append(problem)
                storage.source_checks.save_failure(source.name, problem, now or clock.now())
            else:
                checked.append(source.name)
                storage.source_checks.clear_failure(source.name)
        new, counts = 0, DeliveryCounts()
        if settings.notifications:
            new = sum(storage.notifications.collect(each, now) for each in settings.notifications)
            counts = storage.notifications.deliver_due(settings.notifications, settings.dashboard_url, now)
        return TickResult(
            checked=tuple(checked),
            problems=tuple(problems),
            postponed=tuple(postponed),
            new=new,
            delivered=counts.delivered,
            failed=counts.failed,
            removed=storage.notifications.remove_old(settings.notifications_keep_days, now),
        )


def find_due_sources(
    storage: Storage, settings: Settings, now: dt.datetime | None = None
) -> list[tuple[ConfiguredSource, FailedCheck | None]]:
    """Return the configured sources whose last report is older than their interval, or that have none.

    Each has the check that failed since that report; None if none did.
    """
    now = clock.now() if now is None else now
    due = []
    for source in settings.sources:
        if not source.minutes:
            continue
        last = storage.reports.query(dataset=source.name, limit=1)
        if not last or last[0]["created_at"] + dt.timedelta(minutes=source.minutes) <= now:
            failed = storage.source_checks.find_failed(source.name)
            is_newer = failed is not None and (not last or last[0]["created_at"] < failed.failed_at)
            due.append((source, failed if is_newer else None))
    return due


def _describe_postponed(failed: FailedCheck) -> str:
    times = "once" if failed.attempts == 1 else f"{failed.attempts:,} times"
    return (
        f"{failed.source} failed {times}; it is tried again at {failed.next_attempt_at:%Y-%m-%d %H:%M} UTC."
    )


@contextmanager
def _lock_tick(settings: Settings) -> Iterator[bool]:
    """Lock ticks on this machine; yield whether this process has the lock."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    lock = portalocker.Lock(settings.data_dir / LOCK_FILE, timeout=0, fail_when_locked=True)
    try:
        lock.acquire()
    except portalocker.exceptions.LockException:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _check_source(source: ConfiguredSource, settings: Settings) -> str:
    """Check a source and save the report; return why that was not possible, else an empty text.

    It has a process of its own, so that a table that exhausts the memory ends neither the server nor the
    other sources.
    """
    command = [
        *(sys.executable, "-m", "lavendertown", "analyze", "--source", source.name),
        *("--save", "--author", AUTOMATIC_ACTOR, "--json"),
    ]
    seconds = settings.limits_seconds + _EXTRA_SECONDS
    try:
        done = subprocess.run(
            command, cwd=settings.root, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return f"The source {source.name} was not checked within {seconds:,} seconds."
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    reason = lines[-1].removeprefix("Error: ") if lines else f"exit code {done.returncode}"
    return f"The source {source.name} could not be checked: {reason}"
