"""A move in a process of its own, as the dashboard starts it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage
from lavendertown.migration.job import Job
from lavendertown.migration.values import Request
from tests.contract.builders import report


def source(tmp_path: Path, reports: int = 3) -> str:
    storage = FileStorage(tmp_path / "source")
    storage.save_reports(report(f"r{number}") for number in range(reports))
    return str(tmp_path / "source")


def test_a_job_tells_how_far_it_is_and_what_came_of_it(tmp_path: Path) -> None:
    job = Job.start("move", Request(source(tmp_path), f"sqlite:///{tmp_path / 'x.db'}"))
    assert job.wait(60)
    assert (job.state, job.error) == ("done", None)
    assert job.outcome is not None
    assert job.outcome.verified
    assert job.progress is not None
    assert job.progress.phase == "verifying"


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    job = Job.start("plan", Request(str(tmp_path / "nothing"), str(tmp_path / "target")))
    assert job.wait(60)
    assert job.state == "failed"
    assert job.error == f"There is no store to move from: {tmp_path / 'nothing'} does not exist."


def test_the_password_is_not_in_the_arguments_or_the_environment(tmp_path: Path) -> None:
    job = Job.start("move", Request(source(tmp_path), "postgresql://ana:geheim@192.0.2.1/quality"))
    worker = psutil.Process(job._process.pid)
    told = " ".join([*worker.cmdline(), *worker.environ().values(), repr(job.request)])
    job.stop()
    assert "geheim" not in told


def test_a_stopped_job_is_taken_up_again(tmp_path: Path) -> None:
    request = Request(source(tmp_path, 400), f"sqlite:///{tmp_path / 'x.db'}")
    job = Job.start("move", request)
    while job.progress is None and job.state == "running":
        job.wait(0.01)
    job.stop()
    assert job.wait(10)
    again = Job.start("move", request)
    assert again.wait(60)
    assert again.state == "done"
    storage = DatabaseStorage(request.target)
    assert storage.count_reports() == 400
    storage.close()


def test_a_worker_that_is_killed_is_told_as_one_sentence(tmp_path: Path) -> None:
    job = Job.start("move", Request(source(tmp_path, 400), f"sqlite:///{tmp_path / 'x.db'}"))
    os.kill(job._process.pid, 9)
    assert job.wait(10)
    assert job.state == "failed"
    assert job.error is not None
    assert "ended from outside" in job.error
