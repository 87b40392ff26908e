"""The examples of the Vention Storage document run, with this package's import paths; RPC comes later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

import pytest
from sqlmodel import Field, SQLModel, select

from lavendertown.database import application
from lavendertown.database.model_accessor import _HOOKS
from tests.support import mariadb


class Product(SQLModel, table=True):
    __tablename__ = "vention_products"
    id: Optional[int] = Field(default=None, primary_key=True)  # noqa: UP045 - as the document has it
    title: str


class Worker(SQLModel, table=True):
    __tablename__ = "vention_users"
    id: Optional[int] = Field(default=None, primary_key=True)  # noqa: UP045 - as the document has it
    name: str
    email: str
    deleted_at: Optional[datetime] = Field(default=None, index=True)  # noqa: UP045 - as the document has it


@pytest.fixture(
    params=[
        "sqlite:///./my_app.db",
        pytest.param("postgres", marks=pytest.mark.postgres),
        *mariadb.PARAMS,
    ]
)
def user_accessor(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The quickstart: a model, bootstrap, an accessor."""
    monkeypatch.chdir(tmp_path)
    url = request.param
    if "/" not in url:
        url = request.getfixturevalue(f"{url}_url")

    from lavendertown.database import ModelAccessor, bootstrap

    bootstrap(database_url=url, create_tables=True)
    yield ModelAccessor(Worker, "users")
    application.current_database().close()
    _HOOKS.clear()


def test_using_the_model_accessors(user_accessor: Any) -> None:
    user = user_accessor.insert(Worker(name="Alice", email="alice@example.com"), actor="admin")
    user = user_accessor.get(user.id)
    user.name = "Alice Smith"
    user_accessor.save(user, actor="admin")
    assert user_accessor.get(user.id).name == "Alice Smith"
    user_accessor.delete(user.id, actor="admin")
    assert user_accessor.get(user.id) is None
    user_accessor.restore(user.id, actor="admin")
    assert user_accessor.get(user.id).email == "alice@example.com"


def test_lifecycle_hooks(user_accessor: Any, capsys: pytest.CaptureFixture[str]) -> None:
    @user_accessor.before_insert()
    def validate_email(session: Any, instance: Any) -> None:
        if "@" not in instance.email:
            raise ValueError("Invalid email")

    @user_accessor.after_insert()
    def log_creation(session: Any, instance: Any) -> None:
        print(f"User created: {instance.name}")

    with pytest.raises(ValueError, match="Invalid email"):
        user_accessor.insert(Worker(name="Bob", email="nowhere"))
    user_accessor.insert(Worker(name="Alice", email="alice@example.com"))
    assert capsys.readouterr().out == "User created: Alice\n"
    assert [user.name for user in user_accessor.all()] == ["Alice"]


def test_query_audit_logs(user_accessor: Any) -> None:
    from lavendertown.database import AuditLog, transaction

    user_accessor.insert(Worker(name="Alice", email="alice@example.com"), actor="admin")
    with transaction() as session:
        logs = session.exec(select(AuditLog).where(AuditLog.component == "users")).all()
        assert [(log.operation, log.actor, log.before) for log in logs] == [("create", "admin", None)]
        assert logs[0].after["name"] == "Alice"


def test_bootstrap_multiple_models(user_accessor: Any) -> None:
    from lavendertown.database import ModelAccessor

    product_accessor = ModelAccessor(Product, "products")
    product = product_accessor.insert(Product(title="Gear"))
    user_accessor.insert(Worker(name="Alice", email="alice@example.com"))
    assert [each.title for each in product_accessor.all()] == ["Gear"]
    assert product_accessor.delete(product.id)
    assert product_accessor.all(include_deleted=True) == []


def test_database_helpers(user_accessor: Any) -> None:
    from lavendertown.database import get_engine, set_database_url, transaction, use_session

    url = get_engine().url.render_as_string(hide_password=False)
    set_database_url(url)
    assert get_engine().url.render_as_string(hide_password=False) == url
    with transaction() as session, use_session() as same, use_session(session) as given:
        assert same is session is given
