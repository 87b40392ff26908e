"""The harness itself: nothing required is skipped, and no server outlives its run."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from lavendertown.worker import Worker
from tests.support import fork_server, no_skips, postgres
from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CONFTEST = """
import pytest
from tests.support import no_skips

def pytest_configure(config):
    config.addinivalue_line("markers", "postgres: -")
    config.addinivalue_line("markers", "browser: -")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(no_skips.RequiredTestCounter())

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    no_skips.record_required_marks(item, report)
    return report
"""
BOTH = "import pytest\n@pytest.mark.postgres\n@pytest.mark.browser\ndef test_both(): {}\n"
Run = subprocess.CompletedProcess[str]


@pytest.fixture
def run_tests(tmp_path: Path) -> Callable[..., Run]:
    """Run pytest on one file of tests in a folder of its own; ``strict`` as CI does."""

    def run(source: str, strict: bool) -> Run:
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_it.py").write_text(source)
        environ = {key: value for key, value in os.environ.items() if key != no_skips.VARIABLE}
        environ |= {"PYTHONPATH": str(ROOT), **({no_skips.VARIABLE: "1"} if strict else {})}
        command = [sys.executable, "-m", "pytest", "-n", "1", "-p", "no:playwright", str(tmp_path)]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    return run


def test_a_skipped_required_test_fails_a_strict_run(run_tests: Callable[..., Run]) -> None:
    ran = run_tests(BOTH.format("pytest.skip('no server')"), strict=True)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "must run here" in ran.stdout
    assert "no server" in ran.stdout


def test_a_skipped_required_test_is_a_skip_elsewhere(run_tests: Callable[..., Run]) -> None:
    assert run_tests(BOTH.format("pytest.skip('no server')"), strict=False).returncode == pytest.ExitCode.OK


def test_a_strict_run_without_required_tests_fails(run_tests: Callable[..., Run]) -> None:
    ran = run_tests("def test_other(): pass\n", strict=True)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "no browser test passed" in ran.stdout
    assert "no postgres test passed" in ran.stdout
    assert "1 passed" in ran.stdout.splitlines()[-1]


def test_a_strict_run_with_all_passes(run_tests: Callable[..., Run]) -> None:
    assert run_tests(BOTH.format("pass"), strict=True).returncode == pytest.ExitCode.OK


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    """A process that a server can belong to."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.postgres
def test_a_server_is_gone_when_its_run_was_killed(owner: subprocess.Popen[bytes]) -> None:
    if postgres.find_binaries() is None:
        pytest.skip("No PostgreSQL was found.")
    directory = postgres.make_run_directory()
    url = postgres.server_url(directory, owner.pid)
    psycopg2.connect(url).close()
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 30
    while directory.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not directory.exists()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


@pytest.mark.postgres
def test_binaries_in_a_closed_folder_are_copied_where_the_server_may_read_them(tmp_path: Path) -> None:
    binaries = postgres.find_binaries()
    assert binaries is not None
    # pytest's own folder is closed to everybody else.
    site, package = binaries.parents[1], binaries.parent.name
    for name in (package, f"{package}.libs"):
        (tmp_path / name).symlink_to(site / name)
    directory = postgres.make_run_directory()
    keeper = postgres.Keeper(directory, tmp_path / package / binaries.name)
    server, url = keeper.create_and_start(postgres.TEST_SETTINGS)
    try:
        postgres.wait_until_ready(url, server)
        assert (directory in keeper.binaries.parents) == (os.geteuid() == 0)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(directory)


@pytest.mark.postgres
def test_each_test_has_a_database_of_its_own(postgres_url: str, postgres_server: str) -> None:
    other = postgres.create_database(postgres_server)
    assert other != postgres_url
    postgres.drop_database(postgres_server, other)
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(other)


@pytest.fixture(scope="module")
def loop_left_running() -> Iterator[None]:
    """Mark an event loop as running, as Playwright does from its first page to the end of the session."""
    loop = asyncio.new_event_loop()
    asyncio._set_running_loop(loop)
    yield
    asyncio._set_running_loop(None)
    loop.close()


@pytest.mark.usefixtures("loop_left_running")
def test_a_test_may_run_coroutines_after_a_browser_test() -> None:
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"


_PROGRAM = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ.get("PLANT"), __name__)
print("an error", file=sys.stderr)
if sys.argv[-1] == "kill":
    os.kill(os.getpid(), 9)
sys.exit(int(sys.argv[-1]))
"""


def test_a_fork_is_a_program_of_its_own(tmp_path: Path) -> None:
    done = run_python("-c", _PROGRAM, "3", folder=tmp_path, environ={"PLANT": "sage"})
    assert (done.returncode, done.stderr) == (3, "an error\n")
    assert done.stdout == f"['3'] {tmp_path} sage __main__\n"
    # What was not flushed is lost, as in any program.
    killed = run_python("-c", _PROGRAM, "kill", folder=tmp_path, environ={})
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    failed = run_python("-c", "raise ValueError('sage')")
    assert (failed.returncode, failed.stderr.splitlines()[-1]) == (1, "ValueError: sage")


@pytest.mark.skipif(not fork_server.IS_SUPPORTED, reason="forks are used on Linux only")
def test_workers_are_forks_unless_a_test_asks_for_real_ones() -> None:
    forked = Worker.spawn()
    try:
        assert isinstance(forked._process, fork_server.ForkedProcess)
    finally:
        forked.stop()


@pytest.mark.spawn
def test_a_test_may_start_workers_as_users_do() -> None:
    started = Worker.spawn()
    try:
        assert isinstance(started._process, subprocess.Popen)
    finally:
        started.stop()
