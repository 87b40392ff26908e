"""One database for an application's own classes: its engine, and the session of the unit of work at hand."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.engine import URL, Engine

from lavendertown.config import load_settings
from lavendertown.database import schema
from lavendertown.database.engine import make_engine, make_folder, read_url
from lavendertown.database.errors import translated
from lavendertown.database.gate import Gate
from lavendertown.database.sessions import Session
from lavendertown.errors import StorageError

_Owner = tuple[int, int]


@dataclass(frozen=True)
class _Running:
    """A session at work, and whose it is: a task started inside a unit of work inherits the variable."""

    session: Session
    owner: _Owner
    after_commit: list[Callable[[], None]]
    actor: str | None = None


class Database:
    """An engine with units of work that join: the innermost calls take part in the outermost transaction.

    Args:
        database_url: SQLite or PostgreSQL. Nothing is connected to before the first use.
        engine: One that is there already, for the same database.
    """

    def __init__(self, database_url: str | URL, engine: Engine | None = None) -> None:
        self.url = database_url if isinstance(database_url, URL) else read_url(database_url)
        make_folder(self.url)
        self.engine: Engine = engine or make_engine(self.url)
        self._gate = Gate(self.url)
        self._running: ContextVar[_Running | None] = ContextVar("lavendertown_session", default=None)

    def running(self) -> Session | None:
        """Return the session of this thread's and task's unit of work; None outside of one."""
        found = self._mine()
        return found.session if found is not None else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a unit of work, or join the one at hand: then a raise undoes only what was done inside.

        Committed when the outermost block ends well, undone when it raises, closed in any case. A
        ``commit()`` inside commits what was done so far, by the outer blocks too; what follows is
        another transaction, which is ended in the same way.
        """
        outer = self._mine()
        if outer is not None:
            with _savepoint(outer.session):
                yield outer.session
            return
        after_commit: list[Callable[[], None]] = []
        with (
            self._gate.held(),
            Session(self.engine, expire_on_commit=False) as session,
            self._at_work(_Running(session, _owner(), after_commit)),
        ):
            # Not begin(): after somebody's commit() it would refuse all further use.
            yield session
            session.commit()
        for work in after_commit:
            work()

    @contextlib.contextmanager
    def sealed(self, actor: str | None = None) -> Iterator[Session]:
        """Open a unit of work that is kept whole or not at all, whatever is called inside.

        A ``commit()`` inside only marks how far a ``rollback()`` inside goes back. The session's
        ``get_bind()`` is the connection, for what no ``rollback()`` inside shall take back. On MariaDB
        making a table commits all the same.

        Args:
            actor: Who does what :class:`~lavendertown.database.ModelAccessor` is called for inside.

        Raises:
            StorageError: A unit of work is open already; this one cannot be a part of it.
        """
        if self._mine() is not None:
            raise StorageError("A unit of work is open already, so another cannot begin; end that one first.")
        after_commit: list[Callable[[], None]] = []
        with (
            self._gate.held(),
            self.engine.begin() as connection,
            Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session,
            self._at_work(_Running(session, _owner(), after_commit, actor)),
        ):
            yield session
            session.commit()
        for work in after_commit:
            work()

    def actor(self) -> str | None:
        """Return who acts in the unit of work at hand; None where it does not say."""
        found = self._mine()
        return found.actor if found is not None else None

    @contextlib.contextmanager
    def use_session(self, session: Session | None = None) -> Iterator[Session]:
        """Use the session handed in, or the one at hand, or open a unit of work."""
        chosen = session or self.running()
        if chosen is not None:
            yield chosen
            return
        with self.transaction() as opened:
            yield opened

    def after_commit(self, work: Callable[[], None]) -> None:
        """Do this when the outermost unit of work is committed; at once outside of one."""
        outer = self._mine()
        if outer is None:
            work()
        else:
            outer.after_commit.append(work)

    def prepare(self) -> None:
        """Make LavenderTown's own tables, the audit log among them, where there are none.

        Raises:
            SchemaError: The database has another schema; nothing was changed.
            StorageUnavailableError: It does not answer.
        """
        with translated(self.url):
            schema.ensure(self.engine, self._gate)

    def close(self) -> None:
        """Let go of connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _at_work(self, running: _Running) -> Iterator[None]:
        token, at_hand = self._running.set(running), _at_hand.set(self)
        try:
            yield
        finally:
            running.session.end()
            _at_hand.reset(at_hand)
            self._running.reset(token)

    def _mine(self) -> _Running | None:
        found = self._running.get()
        return found if found is not None and found.owner == _owner() else None


@contextlib.contextmanager
def _savepoint(session: Session) -> Iterator[None]:
    """Undo what the block did when it raises; what it committed itself stays."""
    nested = session.begin_nested()
    try:
        yield
    except BaseException:
        # Closed by a commit() or rollback() inside.
        if nested is session.get_nested_transaction():
            nested.rollback()
        else:
            session.rollback()
        raise
    if nested is session.get_nested_transaction():
        nested.commit()


def _owner() -> _Owner:
    try:
        task = id(asyncio.current_task())
    except RuntimeError:
        task = 0
    return threading.get_ident(), task


_at_hand: ContextVar[Database | None] = ContextVar("lavendertown_database", default=None)
_chosen: Database | None = None
_choosing = threading.Lock()


def set_database_url(url: str) -> None:
    """Choose the application's database; another one chosen before is let go of.

    Raises:
        ConfigurationError: The URL is not one, or of a database that is not supported.
    """
    global _chosen
    made = Database(url)
    with _choosing:
        former, _chosen = _chosen, made
    if former is not None:
        former.close()


def current() -> Database:
    """Return the application's database: the one chosen, else the configured one.

    Inside a unit of work on the same database, which a storage's ``session()`` may have opened, the one
    that holds it, so that calls take part in it.
    """
    with _choosing:
        chosen = _chosen
    if chosen is None:
        set_database_url(load_settings().database_url)
        return current()
    found = _at_hand.get()
    if found is not None and found.url == chosen.url and found.running() is not None:
        return found
    return chosen


def get_engine() -> Engine:
    """Return the engine of the application's database."""
    return current().engine


@contextlib.contextmanager
def transaction() -> Iterator[Session]:
    """Open a unit of work on the application's database, or join the one at hand."""
    with current().transaction() as session:
        yield session


@contextlib.contextmanager
def use_session(session: Session | None = None) -> Iterator[Session]:
    """Use the session handed in, or the one at hand, or open a unit of work."""
    with current().use_session(session) as chosen:
        yield chosen
