"""A server that is down, or stops in the middle: one clear sentence, nothing lost."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import StorageUnavailableError
from lavendertown.records.record_classes import Record, RecordKind
from lavendertown.records.store import UnitOfWork
from tests.contract.builders import annotation, ids, report, sentence


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_a_server_that_is_down_is_one_sentence_without_the_password(free_port: int) -> None:
    url = f"postgresql://ann:hunter2@127.0.0.1:{free_port}/ghosts"
    with pytest.raises(StorageUnavailableError) as refused:
        DatabaseStorage(url)
    words = sentence(refused)
    assert f"127.0.0.1:{free_port}" in words
    assert "hunter2" not in words


@pytest.mark.postgres
def test_a_database_that_does_not_exist_is_one_sentence_without_the_password(postgres_url: str) -> None:
    url = sa.make_url(postgres_url).set(database="no_such_town", password="hunter2")
    with pytest.raises(StorageUnavailableError) as refused:
        DatabaseStorage(url.render_as_string(hide_password=False))
    words = sentence(refused)
    assert "no_such_town" in words
    assert "hunter2" not in words


class Wire:
    """A wire to the server that can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.whole = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if not self.whole:
                    near.close()
                    continue
                far = socket.create_connection(self.target)
                self.open += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                for source in select.select([near, far], [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        raise OSError
                    (far if source is near else near).sendall(data)
        near.close()
        far.close()

    def cut(self) -> None:
        self.whole = False
        for end in self.open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.whole = True


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    url = sa.make_url(postgres_url)
    made = Wire(url.host or "127.0.0.1", url.port or 5432)
    yield made
    made.cut()
    made.listener.close()


@pytest.fixture
def wired(wire: Wire, postgres_url: str) -> Iterator[Storage]:
    url = sa.make_url(postgres_url).set(host="127.0.0.1", port=wire.port, password="hunter2")
    storage = DatabaseStorage(url.render_as_string(hide_password=False))
    storage.save_report(report("r1"))
    yield storage
    storage.close()


@pytest.mark.postgres
def test_a_server_that_stops_between_two_calls_is_one_sentence_and_comes_back(
    wire: Wire, wired: Storage
) -> None:
    wire.cut()
    calls: list[Callable[[], object]] = [
        wired.query_reports,
        lambda: wired.load_report("r1"),
        lambda: wired.save_report(report("r2")),
        lambda: wired.save_annotation(annotation()),
        lambda: wired.delete_report("r1"),
        wired.revision,
        wired.check,
        wired.reports.count_by_value,
        wired.audit_log,
    ]
    for call in calls:
        with pytest.raises(StorageUnavailableError) as refused:
            call()
        assert "hunter2" not in sentence(refused)
    wire.mend()
    assert ids(wired.query_reports()) == ["r1"]
    wired.save_report(report("r2"))


@pytest.mark.postgres
def test_a_server_that_stops_in_the_middle_of_a_save_loses_nothing(
    wire: Wire, wired: Storage, postgres_url: str
) -> None:
    def cut(unit: UnitOfWork, record: Record) -> None:
        wire.cut()

    wired.write_path.hooks.add_after(RecordKind.REPORT, "update", cut)
    with pytest.raises(StorageUnavailableError) as refused:
        wired.save_report(report("r1", title="New", annotations=[annotation(id="a1")]))
    assert "hunter2" not in sentence(refused)
    direct = DatabaseStorage(postgres_url)
    assert [row["title"] for row in direct.query_reports()] == ["Week 12"]
    assert direct.annotations.load("a1") is None
    assert len(direct.audit_log()) == 1
    direct.close()
