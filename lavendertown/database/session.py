"""The session class for application code."""

from __future__ import annotations

import contextlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core.errors import StorageError

_MISSING_KEYS = "lavendertown_missing_keys"


class Session(orm.Session):
    """SQLAlchemy's session with SQLModel's ``exec`` method.

    New objects are transient again after a rollback, without the primary key that the database had assigned.
    """

    _ended = False

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._written: set[orm.InstanceState[Any]] = set()

    def mark_ended(self) -> None:
        """Refuse all further use, which would open a transaction that is never ended."""
        self._ended = True

    def undo_changes(self) -> None:
        """Roll back before the session is closed; objects that were only read keep their loaded values."""
        for instance in list(self.identity_map.values()):
            state = orm.attributes.instance_state(instance)
            if state.session is self and self._written.isdisjoint(_expunged_together(state)):
                self.expunge(instance)
        # A broken connection cannot roll back, and its server has done so already.
        with contextlib.suppress(sa.exc.DBAPIError):
            self.rollback()

    def get_bind(self, *args: Any, **named: Any) -> sa.Engine | sa.Connection:
        """Return the engine or connection of the session.

        Raises:
            StorageError: The unit of work that the session belongs to has ended.
        """
        if self._ended:
            raise StorageError(
                "The unit of work of this session has ended. Open another one with: "
                "with lavendertown.database.transaction() as db"
            )
        return super().get_bind(*args, **named)

    def exec(self, statement: sa.Executable, **options: Any) -> Any:
        """Execute a statement; return values instead of rows for a SELECT of one entity or column."""
        result = self.execute(statement, **options)
        has_one_value = isinstance(statement, sa.Select) and len(statement.column_descriptions) == 1
        return result.scalars() if has_one_value else result


def remove_assigned_keys(session: orm.Session) -> None:
    """Let a rollback of a session also remove the primary keys that the database assigned to new objects.

    Otherwise saving such an object again could overwrite a row that got the same key meanwhile.
    """
    if not isinstance(session, Session) and not sa.event.contains(
        session, "persistent_to_transient", _remove_assigned_key
    ):
        _listen_for_keys(session)


def _listen_for_keys(target: Any) -> None:
    sa.event.listen(target, "transient_to_pending", _note_missing_key)
    sa.event.listen(target, "persistent_to_transient", _remove_assigned_key)


def _note_missing_key(_: orm.Session, instance: Any) -> None:
    state = orm.attributes.instance_state(instance)
    names = [state.mapper.get_property_by_column(column).key for column in state.mapper.primary_key]
    state.info[_MISSING_KEYS] = [name for name in names if state.dict.get(name) is None]


def _remove_assigned_key(_: orm.Session, instance: Any) -> None:
    state = orm.attributes.instance_state(instance)
    for name in state.info.pop(_MISSING_KEYS, ()):
        orm.attributes.set_committed_value(instance, name, None)
    for relation in state.mapper.relationships:
        # Assigned again, so that the next flush sets the foreign keys to the new primary keys.
        if not relation.viewonly and relation.key in state.dict:
            setattr(instance, relation.key, state.dict.pop(relation.key))


def _note_written(session: Session, _: orm.UOWTransaction) -> None:
    changed = (*session.new, *session.dirty, *session.deleted)
    session._written.update(orm.attributes.instance_state(each) for each in changed)


def _forget_written(session: Session) -> None:
    # It is also called for savepoints.
    if not session.in_nested_transaction():
        session._written.clear()


def _expunged_together(state: orm.InstanceState[Any]) -> set[orm.InstanceState[Any]]:
    return {state, *(each for _, _, each, _ in state.mapper.cascade_iterator("expunge", state))}


_listen_for_keys(Session)
sa.event.listen(Session, "after_flush", _note_written)
sa.event.listen(Session, "after_commit", _forget_written)
