"""The moves of this process and their dry runs: a reload, or another visitor, finds them again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lavendertown.config import load_settings
from lavendertown.errors import InvalidInputError
from lavendertown.migration import switch
from lavendertown.migration.job import Job
from lavendertown.migration.values import OnConflict, Outcome, Request
from lavendertown.ui.components import person


@dataclass
class Work:
    """A dry run or a move: what was asked for, by whom, and the worker that does it.

    Attributes:
        source, target: In words, without passwords.
        in_use: Whether the source was the store in use when the work began.
        job: The worker process.
        switched: What came of switching to the target; None before that.
    """

    source: str
    target: str
    in_use: bool
    job: Job = field(repr=False)
    switched: str | None = None

    @property
    def request(self) -> Request:
        """What was asked for, passwords included."""
        return self.job.request

    @property
    def who(self) -> str:
        """Who asked for it."""
        return self.request.actor

    @property
    def outcome(self) -> Outcome:
        """What came of work that is done."""
        outcome = self.job.outcome
        assert outcome is not None
        return outcome


_lock = threading.RLock()
_switching = threading.Lock()
_dry_runs: dict[str, Work] = {}
_moves: list[Work] = []


def may_move() -> bool:
    """Tell whether this visitor may move stores: today everybody who gave a name."""
    return bool(person.me())


def dry_run(request: Request, source: str, target: str, in_use: bool) -> None:
    """Start a dry run in place of this person's former one."""
    _ask()
    with _lock:
        cancel_dry_run(request.actor)
        _dry_runs[request.actor] = Work(source, target, in_use, Job.start("plan", request))


def dry_run_of(who: str) -> Work | None:
    """Return a person's dry run, running or done, or None."""
    return _dry_runs.get(who)


def cancel_dry_run(who: str) -> None:
    """End and forget a person's dry run."""
    with _lock:
        work = _dry_runs.pop(who, None)
    if work is not None and work.job.state == "running":
        work.job.stop()


def move(request: Request, source: str, target: str, in_use: bool) -> None:
    """Start a move.

    Raises:
        InvalidInputError: Another one is running; there is one at a time.
    """
    _ask()
    with _lock:
        running = current()
        if running is not None and running.job.state == "running":
            raise InvalidInputError(
                f"{running.who} is moving {running.source} to {running.target} already; "
                "wait until that is done, or stop it."
            )
        _moves[:] = [Work(source, target, in_use, Job.start("move", request))]
    cancel_dry_run(request.actor)


def try_again(who: str, zone: str | None) -> None:
    """Repeat a person's dry run, reading times without a zone in this one."""
    work = dry_run_of(who)
    if work is not None:
        dry_run(replace(work.request, zone=zone), work.source, work.target, work.in_use)


def move_as_tried(tried: Work, on_conflict: OnConflict, choices: Mapping[str, OnConflict]) -> None:
    """Start the move that a dry run was made for, with what was decided about conflicts.

    Raises:
        InvalidInputError: As :func:`move`.
    """
    request = replace(tried.request, on_conflict=on_conflict, choices=dict(choices))
    move(request, tried.source, tried.target, tried.in_use)


def go_on() -> None:
    """Go on with the move that failed or was stopped, where it ended."""
    work = current()
    if work is not None:
        request = replace(work.request, resume=True, actor=person.me())
        move(request, work.source, work.target, work.in_use)


def current() -> Work | None:
    """Return the move that is running, or the last one until somebody leaves it; else None."""
    return _moves[0] if _moves else None


def stop() -> None:
    """Stop the running move; what is copied stays."""
    _ask()
    work = current()
    if work is not None and work.job.state == "running":
        work.job.stop()


def leave() -> None:
    """Forget a move that is over, with the password in it."""
    with _lock:
        work = current()
        if work is not None and work.job.state != "running":
            _moves.clear()


def end() -> None:
    """Stop and forget everything, as when the process ends."""
    with _lock:
        for work in _moves:
            work.job.stop()
        _moves.clear()
    _end_dry_runs()


def _end_dry_runs() -> None:
    with _lock:
        for work in _dry_runs.values():
            work.job.stop()
        _dry_runs.clear()


def use_target() -> None:
    """Make the target of the finished move the store in use.

    Raises:
        LavenderTownError: What was written meanwhile could not be carried over, or somebody else
            is switching at this moment; the store in use stays.
    """
    _ask()
    if not _switching.acquire(blocking=False):
        raise InvalidInputError(
            "Somebody is switching the store at this moment; look again in a few seconds."
        )
    try:
        work = current()
        if work is not None and work.switched is None:
            work.switched = switch.switch(load_settings(), work.request, work.outcome)
            _end_dry_runs()
    finally:
        _switching.release()


def use_former() -> str:
    """Make the store before the last switch the one in use again; return what was done.

    Raises:
        LavenderTownError: It cannot be used any more; the store in use stays.
    """
    _ask()
    with _switching:
        said = switch.switch_back(load_settings())
    _end_dry_runs()
    leave()
    return said


def _ask() -> None:
    if not may_move():
        raise InvalidInputError("Say who you are before you move a store.")
