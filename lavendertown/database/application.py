"""The database of an application's own classes: its engine, and the session of the current unit of work."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import orm
from sqlalchemy.engine import URL, Engine

from lavendertown.core.errors import InvalidInputError, StorageError
from lavendertown.core.settings import load_settings
from lavendertown.database.session import Session, remove_assigned_keys
from lavendertown.stores.sql.connection.engine import make_database_folder, make_engine, read_url
from lavendertown.stores.sql.connection.errors import translate_errors
from lavendertown.stores.sql.connection.write_locks import WriteLock
from lavendertown.stores.sql.schema import revisions

_OwnerId = tuple[int, int]


@dataclass(frozen=True)
class _OpenTransaction:
    """The session of a unit of work, and its owner: a task inherits the context variable of its parent."""

    session: Session
    owner: _OwnerId
    actor: str | None = None
    ends_with_block: bool = True


class Database:
    """An engine with nested units of work: inner ones take part in the transaction of the outermost.

    Args:
        database_url: The database; it is first connected to when it is used.
        engine: An existing engine for the same database.
    """

    def __init__(self, database_url: str | URL, engine: Engine | None = None) -> None:
        self.url = database_url if isinstance(database_url, URL) else read_url(database_url)
        make_database_folder(self.url)
        self.engine: Engine = engine or make_engine(self.url)
        self._write_lock = WriteLock(self.url)
        self._open_transaction: ContextVar[_OpenTransaction | None] = ContextVar(
            "lavendertown_session", default=None
        )

    def current_session(self) -> Session | None:
        """Return the session of the unit of work in this thread and task; None outside of one."""
        own = self._own_transaction()
        return own.session if own is not None else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a unit of work, or join the current one; then an exception undoes only the inner block.

        The outermost block is committed at its end, rolled back if it raises, and closed in any case. A
        ``commit()`` inside commits all changes so far, those of outer blocks too, and later changes belong
        to another transaction that ends in the same way.
        """
        outer = self._own_transaction()
        if outer is not None:
            with open_savepoint(outer.session):
                yield outer.session
            return
        # Not session.begin(): after a commit() in the block, it would refuse all further use.
        with (
            self._write_lock.acquire(),
            Session(self.engine, expire_on_commit=False) as session,
            self._register_transaction(_OpenTransaction(session, _current_owner())),
            _commit_or_undo(session),
        ):
            yield session

    @contextlib.contextmanager
    def atomic(self, actor: str | None = None) -> Iterator[Session]:
        """Open a unit of work that is committed as a whole or not at all, even if the block commits.

        A ``commit()`` inside only limits what a later ``rollback()`` inside undoes. The session's
        ``get_bind()`` is the connection, for writes that no ``rollback()`` inside may undo. On MariaDB,
        creating a table commits nevertheless.

        Args:
            actor: The actor of changes through :class:`~lavendertown.database.ModelAccessor` in the block.

        Raises:
            StorageError: A unit of work is open already.
        """
        if self._own_transaction() is not None:
            raise StorageError("A unit of work is already open. End it before you open another one.")
        with (
            self._write_lock.acquire(),
            self.engine.begin() as connection,
            Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session,
            self._register_transaction(_OpenTransaction(session, _current_owner(), actor)),
            _commit_or_undo(session),
        ):
            yield session

    def current_actor(self) -> str | None:
        """Return the actor of the current unit of work; None if it has none."""
        own = self._own_transaction()
        return own.actor if own is not None else None

    @contextlib.contextmanager
    def use_session(self, session: Session | orm.scoped_session[Any] | None = None) -> Iterator[Session]:
        """Use the given session, or the current one, or open a unit of work.

        Calls of :class:`~lavendertown.database.ModelAccessor` and ``transaction()`` in the block join a given
        session. Its owner commits it, rolls it back and closes it.
        """
        if isinstance(session, orm.scoped_session):
            session = cast(Session, session())
        if session is not None and not isinstance(session, orm.Session):
            raise InvalidInputError(
                f"use_session takes a session of SQLAlchemy, not a {type(session).__name__}; open one with "
                "open_session."
            )
        current = self.current_session()
        if session is not None and session is not current:
            with self._join_session(session):
                yield session
        elif current is not None:
            yield current
        else:
            with self.transaction() as opened:
                yield opened

    @contextlib.contextmanager
    def _join_session(self, session: Session) -> Iterator[None]:
        """Let calls in the block join a session that its owner ends."""
        remove_assigned_keys(session)
        actor = self.current_actor()
        with self._register_transaction(
            _OpenTransaction(session, _current_owner(), actor, ends_with_block=False)
        ):
            yield

    def prepare_schema(self) -> None:
        """Create LavenderTown's own tables, which include the audit log, if they are missing.

        Raises:
            SchemaError: The database has another schema; nothing was changed.
            StorageUnavailableError: The database does not answer.
        """
        with translate_errors(self.url):
            revisions.ensure_schema(self.engine, self._write_lock)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _register_transaction(self, opened: _OpenTransaction) -> Iterator[None]:
        token, database_token = self._open_transaction.set(opened), _active_database.set(self)
        try:
            yield
        finally:
            if opened.ends_with_block:
                opened.session.mark_ended()
            _active_database.reset(database_token)
            self._open_transaction.reset(token)

    def _own_transaction(self) -> _OpenTransaction | None:
        opened = self._open_transaction.get()
        return opened if opened is not None and opened.owner == _current_owner() else None


@contextlib.contextmanager
def _commit_or_undo(session: Session) -> Iterator[None]:
    """Commit at the end of the block, or roll back if it or the commit raises."""
    try:
        yield
        session.commit()
    except BaseException:
        session.undo_changes()
        raise


@contextlib.contextmanager
def open_savepoint(session: Session) -> Iterator[None]:
    """Open a savepoint, to which an exception rolls back; changes that the block commits stay."""
    nested = session.begin_nested()
    try:
        yield
        # Otherwise a commit() or rollback() inside has closed the savepoint.
        if nested is session.get_nested_transaction():
            nested.commit()
    except BaseException:
        if nested is session.get_nested_transaction():
            nested.rollback()
        else:
            session.rollback()
        raise


def _current_owner() -> _OwnerId:
    try:
        task = id(asyncio.current_task())
    except RuntimeError:
        task = 0
    return threading.get_ident(), task


_active_database: ContextVar[Database | None] = ContextVar("lavendertown_database", default=None)
_chosen: Database | None = None
_choice_lock = threading.Lock()


def set_database_url(url: str) -> None:
    """Set the application's database and close the connections of the previous one.

    Raises:
        ConfigurationError: The URL is invalid, or names an unsupported database.
    """
    global _chosen
    database = Database(url)
    with _choice_lock:
        previous, _chosen = _chosen, database
    if previous is not None:
        previous.close()


def current_database() -> Database:
    """Return the application's database: the one that was set, or the configured one.

    Inside a unit of work on the same database, which a storage's ``session()`` may have opened, return the
    object of that unit of work, so that calls take part in it.
    """
    global _chosen
    with _choice_lock:
        if _chosen is None:
            _chosen = Database(load_settings().database_url)
        chosen = _chosen
    active = _active_database.get()
    if active is not None and active.url == chosen.url and active.current_session() is not None:
        return active
    return chosen


def get_engine() -> Engine:
    """Return the engine of the application's database."""
    return current_database().engine


@contextlib.contextmanager
def transaction() -> Iterator[Session]:
    """Open a unit of work on the application's database, or join the current one."""
    with current_database().transaction() as session:
        yield session


@contextlib.contextmanager
def use_session(session: Session | orm.scoped_session[Any] | None = None) -> Iterator[Session]:
    """Use the given session, or the current one, or open a unit of work on the application's database."""
    with current_database().use_session(session) as chosen:
        yield chosen
