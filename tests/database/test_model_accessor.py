"""Rows of an application's own classes: stored, changed, deleted and audited by the one write path."""

from __future__ import annotations

import datetime as dt
import decimal
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel

from lavendertown.database import application
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.errors import ConfigurationError, ConflictError, InvalidInputError

UTC = dt.UTC


class Base(DeclarativeBase):
    pass


class User(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    email: str = Field(unique=True)
    deleted_at: dt.datetime | None = Field(default=None, index=True)


class Counter(Base):
    __tablename__ = "counters"
    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    label: Mapped[str] = mapped_column(sa.String(20), default="")


class Part(Base):
    __tablename__ = "parts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    price: Mapped[decimal.Decimal]
    made: Mapped[dt.date]
    version: Mapped[int] = mapped_column(default=0)


@pytest.fixture
def users(database: application.Database) -> ModelAccessor[User]:
    return ModelAccessor(User, "users")


def ann(**changes: Any) -> User:
    return User(**({"name": "Ann", "email": "ann@example.org"} | changes))


def log(component: str = "users") -> list[tuple[str, Any, str]]:
    """Return operation, record and actor of each event, oldest first."""
    with application.transaction() as session:
        found = session.exec(
            sa.select(AuditLog).where(AuditLog.component == component).order_by(AuditLog.id)
        ).all()
        return [(each.operation, each.record_id, each.actor) for each in found]


def test_a_row_lives_and_every_step_is_audited(users: ModelAccessor[User]) -> None:
    user = users.insert(ann(), actor="admin")
    assert user.id is not None
    user.name = "Ann Smith"
    users.save(user, actor="admin")
    assert [(u.id, u.name) for u in users.all()] == [(user.id, "Ann Smith")]
    assert users.delete(user.id, actor="Ben")
    assert users.get(user.id) is None
    deleted = users.get(user.id, include_deleted=True)
    assert deleted is not None
    assert deleted.deleted_at is not None
    assert users.all() == []
    assert len(users.all(include_deleted=True)) == 1
    assert users.restore(user.id, actor="Cy")
    assert users.get(user.id) is not None
    key = user.id
    assert log() == [
        ("create", key, "admin"),
        ("update", key, "admin"),
        ("soft_delete", key, "Ben"),
        ("restore", key, "Cy"),
    ]


def test_restoring_a_live_row_is_true_and_writes_nothing(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    assert users.restore(user.id)
    assert not users.restore(user.id + 1)  # type: ignore[operator]
    assert not users.delete(user.id + 1)  # type: ignore[operator]
    assert users.delete(user.id)
    assert not users.delete(user.id)
    assert len(log()) == 2


def test_the_audit_log_has_before_and_after(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    user.name = "Anna"
    users.save(user)
    with application.transaction() as session:
        last = session.exec(sa.select(AuditLog).order_by(AuditLog.id.desc())).first()
        assert (last.before["name"], last.after["name"]) == ("Ann", "Anna")
        assert last.timestamp.tzinfo is UTC


def test_ids_and_values_of_every_kind_survive_the_log(database: application.Database) -> None:
    parts = ModelAccessor(Part, "parts")
    part = Part(id=uuid.uuid4(), price=decimal.Decimal("9.90"), made=dt.date(2026, 3, 4))
    parts.insert(part)
    with application.transaction() as session:
        (event,) = session.exec(sa.select(AuditLog).where(AuditLog.component == "parts"))
        assert event.record_id == str(part.id)
        assert (event.after["id"], event.after["made"]) == (str(part.id), "2026-03-04")
        assert decimal.Decimal(event.after["price"]) == decimal.Decimal("9.90")
    assert parts.delete(part.id)
    assert parts.all(include_deleted=True) == []
    assert [operation for operation, _, _ in log("parts")] == ["create", "delete"]


def test_only_what_changed_is_written(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    mine, theirs = users.get(user.id), users.get(user.id)
    assert mine is not None
    assert theirs is not None
    mine.name, theirs.email = "Mine", "theirs@example.org"
    users.save(mine)
    users.save(theirs)
    both = users.get(user.id)
    assert both is not None
    assert (both.name, both.email) == ("Mine", "theirs@example.org")


def test_a_partial_instance_leaves_other_columns_alone(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    users.save(User(id=user.id, name="Only the name"))
    found = users.get(user.id)
    assert found is not None
    assert (found.name, found.email) == ("Only the name", "ann@example.org")


def test_an_edit_over_another_is_refused(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    mine, theirs = users.get(user.id), users.get(user.id)
    assert mine is not None
    assert theirs is not None
    theirs.name = "Theirs"
    users.save(theirs, actor="Ben")
    mine.name = "Mine"
    with pytest.raises(ConflictError, match=r"was changed by Ben .* since it was read"):
        users.save(mine)
    found = users.get(user.id)
    assert found is not None
    assert found.name == "Theirs"


def test_an_instance_can_be_saved_again_and_again(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    for number in range(3):
        user.name = f"Ann {number}"
        users.save(user)
    users.save(user)
    assert len(log()) == 4


def test_a_version_refuses_an_edit_of_another(database: application.Database) -> None:
    parts = ModelAccessor(Part, "parts")
    part = parts.insert(Part(id=uuid.uuid4(), price=decimal.Decimal(1), made=dt.date(2026, 1, 1)))
    mine, theirs = parts.get(part.id), parts.get(part.id)
    assert mine is not None
    assert theirs is not None
    assert mine.version == 1
    theirs.price, mine.made = decimal.Decimal(2), dt.date(2026, 2, 2)
    parts.save(theirs)
    with pytest.raises(ConflictError, match="version 2, you edited version 1"):
        parts.save(mine)


def test_saving_what_was_deleted_is_refused(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    users.delete(user.id, actor="Ben")
    user.name = "Back"
    with pytest.raises(ConflictError, match="was deleted by Ben"):
        users.save(user)


def test_a_deleted_rows_unique_value_is_free_again(users: ModelAccessor[User]) -> None:
    first = users.insert(ann())
    users.delete(first.id)
    second = users.insert(ann(name="Another Ann"))
    assert second.id != first.id
    with pytest.raises(ConflictError):
        users.insert(ann(name="A third Ann"))
    assert len(users.all()) == 1


def test_an_id_that_is_taken_is_refused(users: ModelAccessor[User]) -> None:
    user = users.insert(ann())
    with pytest.raises(ConflictError, match="already exists"):
        users.insert(ann(id=user.id, email="other@example.org"))


@pytest.mark.parametrize(
    ("user", "why"), [(User(id="no", name="x", email="y"), "id"), (User(name=None, email=7), "email")]
)
def test_what_is_not_valid_is_refused_and_named(users: ModelAccessor[User], user: User, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        users.insert(user)
    assert users.all() == []


def test_a_declarative_class_is_checked_too(database: application.Database) -> None:
    counters = ModelAccessor(Counter, "counters")
    with pytest.raises(
        InvalidInputError, match=r"count: 'many' is not of the type int; label: .* longer than 20"
    ):
        counters.insert(Counter(count="many", label="x" * 21))


def test_hooks_run_in_order_inside_the_transaction(users: ModelAccessor[User]) -> None:
    said: list[str] = []
    again = ModelAccessor(User, "users")

    @users.before_insert()
    def tidy(session: Any, instance: User) -> None:
        instance.email = instance.email.lower()
        said.append("tidied")

    @again.before_insert()
    def second(session: Any, instance: User) -> None:
        said.append("second")

    @users.after_insert()
    def count(session: Any, instance: User) -> None:
        said.append(f"{session.query(User).count()} {instance.id is not None}")

    user = users.insert(ann(email="ANN@example.org"))
    assert said == ["tidied", "second", "1 True"]
    assert user.email == "ann@example.org"
    found = users.get(user.id)
    assert found is not None
    assert found.email == "ann@example.org"


@pytest.mark.parametrize("when", ["before_insert", "after_insert"])
def test_a_hook_that_raises_undoes_row_and_audit(users: ModelAccessor[User], when: str) -> None:
    @getattr(users, when)()  # type: ignore[untyped-decorator]
    def refuse(session: Any, instance: User) -> None:
        raise ValueError("Not this one.")

    with pytest.raises(ValueError, match="Not this one"):
        users.insert(ann())
    assert users.all(include_deleted=True) == []
    assert log() == []


def test_a_raise_that_is_caught_outside_undoes_only_its_part(users: ModelAccessor[User]) -> None:
    with application.transaction():
        users.insert(ann())
        with pytest.raises(ConflictError):
            users.insert(ann(name="Same mail"))
        users.insert(ann(email="other@example.org"))
    assert len(users.all()) == 2
    assert [operation for operation, _, _ in log()] == ["create", "create"]


def test_calls_inside_a_transaction_take_part_in_it(users: ModelAccessor[User]) -> None:
    def work() -> None:
        with application.transaction() as outer:
            user = users.insert(ann())
            user.name = "Changed"
            users.save(user)
            with application.use_session() as inner:
                assert inner is outer
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert users.all(include_deleted=True) == []
    assert log() == []


def test_batches_are_one_unit_of_work(users: ModelAccessor[User]) -> None:
    made = users.insert_many([ann(email=f"{n}@example.org") for n in range(50)], actor="loader")
    assert len({user.id for user in made}) == 50
    assert len(log()) == 50
    with pytest.raises(ConflictError):
        users.insert_many([ann(email="new@example.org"), ann(email="1@example.org")])
    assert len(users.all()) == 50
    ids = [user.id for user in made[:10]]
    assert users.delete_many([*ids, *ids, 10**6]) == 10
    assert len(users.all()) == 40


def test_without_auditing_nothing_is_logged(database: application.Database) -> None:
    quiet = ModelAccessor(User, "users", enable_auditing=False)
    quiet.insert(ann())
    assert len(quiet.all()) == 1
    assert log() == []


def test_a_class_that_is_no_table_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not mapped"):
        ModelAccessor(dict, "dicts")


def at_once(threads: int, work: Callable[[], None]) -> None:
    running = [threading.Thread(target=work) for _ in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()


def test_concurrent_increments_are_counted_or_refused(database: application.Database) -> None:
    counters = ModelAccessor(Counter, "counters")
    row = counters.insert(Counter(count=0))
    refused: list[int] = []

    def work() -> None:
        for _ in range(25):
            mine = counters.get(row.id)
            assert mine is not None
            mine.count += 1
            try:
                counters.save(mine)
            except ConflictError:
                refused.append(1)

    at_once(8, work)
    found = counters.get(row.id)
    assert found is not None
    assert found.count + len(refused) == 200


def test_threads_do_not_share_a_session(users: ModelAccessor[User]) -> None:
    seen: list[bool] = []
    with application.transaction() as mine:
        other = threading.Thread(
            target=lambda: seen.append(application.current_database().current_session() is mine)
        )
        other.start()
        other.join()
    assert seen == [False]


def test_tasks_do_not_share_a_session(users: ModelAccessor[User]) -> None:
    import asyncio

    async def inside() -> bool:
        return application.current_database().current_session() is None

    async def main() -> bool:
        with application.transaction():
            return await asyncio.create_task(inside())

    assert asyncio.run(main())
