"""A move in a process of its own, as the dashboard starts it."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import psutil
import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from lavendertown.transfer.migration_process import (
    MigrationProcess,
    outcome_from_json,
    request_from_json,
    request_to_json,
    run_migration_task,
)
from lavendertown.transfer.values import (
    COUNT_NAMES,
    Conflict,
    MigrationOutcome,
    MigrationRequest,
    OnConflict,
    QuarantinedItem,
    RecordCounts,
    TimeSample,
)
from tests.contract.builders import report

pytestmark = pytest.mark.slow


def source(tmp_path: Path, reports: int = 3) -> str:
    storage = FileStorage(tmp_path / "source")
    storage.save_reports(report(f"r{number}") for number in range(reports))
    return str(tmp_path / "source")


def test_a_job_tells_how_far_it_is_and_what_came_of_it(tmp_path: Path) -> None:
    job = MigrationProcess.start("move", MigrationRequest(source(tmp_path), f"sqlite:///{tmp_path / 'x.db'}"))
    assert job.wait(60)
    assert (job.state, job.error) == ("done", None)
    assert job.outcome is not None
    assert job.outcome.verified
    assert job.progress is not None
    assert job.progress.phase == "verifying"


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    job = MigrationProcess.start(
        "plan", MigrationRequest(str(tmp_path / "nothing"), str(tmp_path / "target"))
    )
    assert job.wait(60)
    assert job.state == "failed"
    assert job.error == f"There is no store to migrate from: {tmp_path / 'nothing'} does not exist."


def test_the_password_is_not_in_the_arguments_or_the_environment(tmp_path: Path) -> None:
    job = MigrationProcess.start(
        "move", MigrationRequest(source(tmp_path), "postgresql://ana:geheim@192.0.2.1/quality")
    )
    worker = psutil.Process(job.pid)
    told = " ".join([*worker.cmdline(), *worker.environ().values(), repr(job.request)])
    job.stop()
    assert "geheim" not in told


def test_a_stopped_job_is_taken_up_again(tmp_path: Path) -> None:
    request = MigrationRequest(source(tmp_path, 400), f"sqlite:///{tmp_path / 'x.db'}")
    job = MigrationProcess.start("move", request)
    while job.progress is None and job.state == "running":
        job.wait(0.01)
    job.stop()
    assert job.wait(10)
    again = MigrationProcess.start("move", request)
    assert again.wait(60)
    assert again.state == "done"
    storage = DatabaseStorage(request.target)
    assert storage.count_reports() == 400
    storage.close()


def test_a_worker_that_is_killed_is_told_as_one_sentence(tmp_path: Path) -> None:
    job = MigrationProcess.start(
        "move", MigrationRequest(source(tmp_path, 400), f"sqlite:///{tmp_path / 'x.db'}")
    )
    os.kill(job.pid, 9)
    assert job.wait(10)
    assert job.state == "failed"
    assert job.error is not None
    assert "stopped from outside" in job.error


SKIP = OnConflict.SKIP
MOMENT = dt.datetime(2026, 11, 28, 9, 30, 0, 5, tzinfo=dt.UTC)
OUTCOME = MigrationOutcome(
    "m1",
    "files",
    "SQLite",
    True,
    dict.fromkeys(COUNT_NAMES, RecordCounts(4, 3, 2, 1)),
    (
        Conflict(
            "report:r1", "report", "r1", "T", 1, MOMENT, "a", False, 2, MOMENT, "b", True, OnConflict.FAIL
        ),
    ),
    (QuarantinedItem("report r2", "broken"),),
    Path("quarantine"),
    ("r3 differs",),
    True,
    False,
    (TimeSample("report r1", "2026-11-28", MOMENT),),
    1.5,
    frozenset({"report:r1", "report:r2"}),
)


def test_an_outcome_passes_the_pipe_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "lavendertown.transfer.migration_process.preview_migration", lambda request, report: OUTCOME
    )
    sent = run_migration_task(
        {"kind": "plan", "request": request_to_json(MigrationRequest("a", "b"))}, lambda progress: None
    )
    assert outcome_from_json(json.loads(json.dumps(sent))) == OUTCOME


def test_a_request_passes_the_pipe_whole() -> None:
    request = MigrationRequest(
        "a", "b", OnConflict.OVERWRITE, "Asia/Tokyo", {"report:r1": OnConflict.SKIP}, "Ana", True
    )
    assert request_from_json(json.loads(json.dumps(request_to_json(request)))) == request
