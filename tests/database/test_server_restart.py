"""A PostgreSQL server that is stopped and started again: nobody has to be restarted with it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from tests.contract.builders import refusal, report
from tests.support import postgres

pytestmark = pytest.mark.postgres
SETTINGS = ["fsync=off", "max_connections=40"]


class Server:
    """A server of the test's own, which it may stop."""

    def __init__(self) -> None:
        binaries = postgres.find_binaries()
        if binaries is None:
            pytest.skip("There are no PostgreSQL programs to start a server with.")
        self.directory = postgres.make_run_directory()
        self._keeper = postgres.Keeper(self.directory, binaries)
        self._process, self.url = self._keeper.create_and_start(SETTINGS)
        postgres.wait_until_ready(self.url, self._process)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def start(self) -> None:
        port = sa.make_url(self.url).port
        assert port is not None
        self._process, _ = self._keeper.start_server(port, SETTINGS)
        postgres.wait_until_ready(self.url, self._process)

    def end(self) -> None:
        self.stop()
        subprocess.run(["rm", "-rf", str(self.directory)], check=True)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.end()


def test_storage_and_sessions_go_on_after_a_restart(server: Server) -> None:
    with closing(DatabaseStorage(server.url)) as storage:
        storage.save_report(report("before"))
        with storage.session() as session:
            session.execute(sa.text("SELECT 1"))
        server.stop()
        for call in (lambda: storage.save_report(report("while")), storage.query_reports):
            assert refused(call)
        server.start()
        # A connection from before may be met once more; it says so in a sentence, and the next call works.
        refused(storage.query_reports)
        storage.save_report(report("after"))
        with storage.session() as session:
            found = session.execute(sa.text("SELECT id FROM reports ORDER BY id")).scalars().all()
        assert found == ["after", "before"]


def test_no_connection_is_left_idle_in_a_transaction(server: Server) -> None:
    with closing(DatabaseStorage(server.url)) as storage:
        storage.save_report(report("r1"))
        storage.inbox.query()
        with storage.session() as session:
            session.execute(sa.text("SELECT count(*) FROM reports"))
        with pytest.raises(sa.exc.ProgrammingError), storage.session() as session:
            session.execute(sa.text("SELECT count(*) FROM nothing_of_that_name"))
        with closing(psycopg2.connect(server.url)) as watching, watching.cursor() as cursor:
            cursor.execute("SELECT state FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            states = {state for (state,) in cursor.fetchall() if state is not None}
        assert states <= {"idle", "active"}


def refused(call: Callable[[], object]) -> bool:
    """Tell whether a call was refused with one sentence of ours."""
    said = refusal(call)
    return said is not None and "\n" not in said
