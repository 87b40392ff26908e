"""One PostgreSQL per run, settings that do not leak in, and the rule that CI skips nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.worker import Worker
from tests.support import fork_server, mariadb, no_skips, postgres

RUN = pytest.StashKey[Path]()
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 << 30
# A busy machine is no failure.
hypothesis.settings.register_profile(
    "lavendertown", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("lavendertown")
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]


def pytest_configure(config: pytest.Config) -> None:
    for name in [key for key in os.environ if key.startswith("LAVENDERTOWN_")]:
        if name != no_skips.VARIABLE and not name.startswith("LAVENDERTOWN_TEST_"):
            del os.environ[name]
    if not hasattr(config, "workerinput"):
        in_memory = _has_memory()
        if in_memory:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
        config.stash[RUN] = postgres.make_run_directory(MEMORY if in_memory else None)
        config.pluginmanager.register(no_skips.RequiredTestCounter())


def _has_memory() -> bool:
    """Whether files and databases fit into memory: tests of stores wait for disks a quarter of the time."""
    if not os.access(MEMORY, os.W_OK):
        return False
    # Some tests run programs that they have written there.
    allows_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return allows_programs and shutil.disk_usage(MEMORY).free > MEMORY_BYTES


# Optional: without xdist nobody calls it.
@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["run_directory"] = str(node.config.stash[RUN])
    node.workerinput["owner"] = os.getpid()


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        postgres.stop_server(config.stash[RUN])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Reporting:
    report = yield
    no_skips.record_required_marks(item, report)
    return report


@pytest.fixture(autouse=True)
def own_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test run coroutines after a browser test in the same process.

    Playwright leaves its event loop marked as running in the main thread until the end of the session, so
    ``asyncio.run`` would refuse to start, and code that asks for a running loop would find that one.
    """
    if request.node.get_closest_marker("browser"):
        yield
        return
    left_by_playwright = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(left_by_playwright)


@pytest.fixture(autouse=True)
def forked_workers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fork the worker processes that this process starts: their imports take a second each.

    Tests marked ``spawn``, and the servers that tests start as processes, start them as users do.
    """
    if not fork_server.IS_SUPPORTED or request.node.get_closest_marker("spawn"):
        yield
        return

    def fork(preload: Sequence[str] = ()) -> Worker:
        process = fork_server.shared_fork_server().start_with_pipes(["-m", "lavendertown.worker", *preload])
        return Worker(cast("subprocess.Popen[bytes]", process))

    # Not the fixture monkeypatch, which would then end after the databases of a test.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "spawn", fork)
        yield


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> str:
    """The URL of this run's PostgreSQL server: its database ``postgres``, as a superuser."""
    explicit = os.environ.get(postgres.URL_VARIABLE)
    if explicit:
        return explicit
    if postgres.find_binaries() is None:
        pytest.skip(f"No PostgreSQL was found; run `make test`, or set {postgres.URL_VARIABLE}.")
    given = getattr(pytestconfig, "workerinput", None)
    if given is None:
        return postgres.server_url(pytestconfig.stash[RUN], os.getpid())
    return postgres.server_url(Path(given["run_directory"]), given["owner"])


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a new, empty database, dropped after the test."""
    url = postgres.create_database(postgres_server)
    yield url
    postgres.drop_database(postgres_server, url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with LavenderTown's tables, to be copied: to make the tables takes longer."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    DatabaseStorage(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a PostgreSQL database with LavenderTown's tables, to be copied."""
    url = postgres.create_database(postgres_server)
    DatabaseStorage(url).close()
    yield url.rpartition("/")[2]
    postgres.drop_database(postgres_server, url)


@pytest.fixture
def postgres_store_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a new database with LavenderTown's tables and no records, dropped after the test."""
    url = postgres.create_database(postgres_server, postgres_template)
    yield url
    postgres.drop_database(postgres_server, url)


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """The URL of a new, empty database on the server of `make test-mariadb`, dropped after the test."""
    server = os.environ[mariadb.URL_VARIABLE]
    url = mariadb.create_database(server)
    yield url
    mariadb.drop_database(server, url)
