"""Run a command with a real MariaDB server: ``python -m tests.support.mariadb COMMAND …``.

The server runs in a temporary folder on a free loopback port. The command gets its URL in
``LAVENDERTOWN_TEST_MARIADB_URL``; tests run on MariaDB only if this variable is set.
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

URL_VARIABLE = "LAVENDERTOWN_TEST_MARIADB_URL"
PARAMS = ["mariadb"] if os.environ.get(URL_VARIABLE) else []
"""Additional databases for parametrized fixtures."""

START_SECONDS = 60.0
TEST_OPTIONS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=64M",
    "--skip-name-resolve",
    "--max-connections=300",
)


def create_database(server: str) -> str:
    """Create an empty database on the server; return its URL."""
    name = f"test_{uuid4().hex[:12]}"
    # The worst possible defaults: an incomplete character set and a case-insensitive collation.
    _run_statement(server, f"CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_swedish_ci")
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, url: str) -> None:
    """Drop the database, even with open connections."""
    name = sa.make_url(url).database
    others = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    for (number,) in _run_statement(server, others):
        _run_statement(server, f"KILL {number}", ignore_errors=True)
    _run_statement(server, f"DROP DATABASE IF EXISTS {name}")


def delete_all_rows(url: str) -> None:
    """Delete all rows except the schema version."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        for name in sa.inspect(connection).get_table_names():
            if name != "alembic_version":
                connection.exec_driver_sql(f"DELETE FROM {name}")
    engine.dispose()


def _run_statement(
    server: str, statement: str, *, ignore_errors: bool = False
) -> Sequence[sa.Row[tuple[int]]]:
    engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        try:
            result = connection.exec_driver_sql(statement)
        except sa.exc.OperationalError:
            # The connection for a KILL may already be closed.
            if not ignore_errors:
                raise
            return []
        return result.all() if result.returns_rows else []


@contextmanager
def run_server() -> Iterator[str]:
    """Run a server during the block; yield the root URL of its database ``mysql``.

    Raises:
        RuntimeError: The server did not start; the message contains its log.
    """
    folder = Path(tempfile.mkdtemp(prefix="lavendertown-mariadb-"))
    port, log = free_port(), folder / "log"
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder / 'data'}", *user]
    install_options = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    with log.open("wb") as out:
        subprocess.run(
            [_find_program("mariadb-install-db"), *common, *install_options],
            check=True,
            stdout=out,
            stderr=out,
        )
        network = [f"--socket={folder / 's'}", "--bind-address=127.0.0.1", f"--port={port}"]
        command = [
            _find_program("mariadbd"),
            *common,
            *network,
            f"--pid-file={folder / 'pid'}",
            *TEST_OPTIONS,
        ]
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        url = f"mariadb+pymysql://root@127.0.0.1:{port}/mysql"
        _wait_for(url, process, log)
        yield url
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _find_program(name: str) -> str:
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise RuntimeError(f"{name} is not installed; run: sudo apt-get install -y mariadb-server")
    return program


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _run_statement(url, "SELECT 1")
            return
        except sa.exc.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                output = log.read_text("utf-8", "replace")
                raise RuntimeError(f"The MariaDB server for the tests did not start:\n{output}") from error
            time.sleep(0.05)


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(command: Sequence[str]) -> int:
    """Run a command with a server; return the exit status of the command."""
    signal.signal(signal.SIGTERM, _exit_on_signal)
    with run_server() as url:
        return subprocess.run(command, env={**os.environ, URL_VARIABLE: url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
