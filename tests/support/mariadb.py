"""A real MariaDB for one run of tests: ``python -m tests.support.mariadb COMMAND …``.

The server works in a temporary folder and on a free loopback port. The command finds its address in
``LAVENDERTOWN_TEST_MARIADB_URL``; only where that is set do tests run on MariaDB.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from uuid import uuid4

import sqlalchemy as sa

from tests.support.dashboard import free_port

URL = "LAVENDERTOWN_TEST_MARIADB_URL"
PARAMS = ["mariadb"] if os.environ.get(URL) else []
"""What a fixture adds to its databases."""
START_SECONDS = 60.0
FOR_TESTS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=64M",
    "--skip-name-resolve",
    "--max-connections=300",
)


def create_database(server: str) -> str:
    """Make a new, empty database on the server; return its URL."""
    name = f"test_{uuid4().hex[:12]}"
    # The worst that a server may be set to: neither all letters, nor telling a from A.
    _run(server, f"CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_swedish_ci")
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    """Drop the database, whoever is still connected to it."""
    name = sa.make_url(url).database
    others = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    for (number,) in _run(server, others):
        _run(server, f"KILL {number}", gone=True)
    _run(server, f"DROP DATABASE IF EXISTS {name}")


def empty(url: str) -> None:
    """Delete every row but the schema's version."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        for name in sa.inspect(connection).get_table_names():
            if name != "alembic_version":
                connection.exec_driver_sql(f"DELETE FROM {name}")
    engine.dispose()


def _run(server: str, statement: str, *, gone: bool = False) -> Sequence[sa.Row[tuple[int]]]:
    engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        try:
            result = connection.exec_driver_sql(statement)
        except sa.exc.OperationalError:
            # Whom a KILL is meant for may have left.
            if not gone:
                raise
            return []
        return result.all() if result.returns_rows else []


@contextmanager
def server() -> Iterator[str]:
    """Run a server while the block runs; yield the URL of its database ``mysql``, as root.

    Raises:
        RuntimeError: It did not start; the message carries its log.
    """
    folder = Path(tempfile.mkdtemp(prefix="lavendertown-mariadb-"))
    port, log = free_port(), folder / "log"
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder / 'data'}", *user]
    made = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    with log.open("wb") as out:
        subprocess.run([_program("mariadb-install-db"), *common, *made], check=True, stdout=out, stderr=out)
        place = [f"--socket={folder / 's'}", "--bind-address=127.0.0.1", f"--port={port}"]
        command = [_program("mariadbd"), *common, *place, f"--pid-file={folder / 'pid'}", *FOR_TESTS]
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        url = f"mariadb+pymysql://root@127.0.0.1:{port}/mysql"
        _wait_for(url, process, log)
        yield url
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise RuntimeError(f"There is no {name}; run: sudo apt-get install -y mariadb-server")
    return found


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _run(url, "SELECT 1")
            return
        except sa.exc.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text("utf-8", "replace")
                raise RuntimeError(f"The MariaDB server for the tests did not start:\n{said}") from error
            time.sleep(0.05)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(command: Sequence[str]) -> int:
    """Run a command beside a server; return its exit status."""
    signal.signal(signal.SIGTERM, _end)
    with server() as url:
        return subprocess.run(command, env={**os.environ, URL: url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
