"""Which hooks an accessor runs, and what happens when their module runs again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import application, startup
from lavendertown.database.model_accessor import _HOOKS, ModelAccessor


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "hooked_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))


@pytest.fixture(autouse=True)
def database(tmp_path: Path) -> Iterator[None]:
    startup.bootstrap(database_url=f"sqlite:///{tmp_path / 'app.db'}")
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    yield
    application.current_database().close()
    _HOOKS.clear()


PAGE = """
@items.before_insert()
def add_mark(session, item):
    item.text += "+"

items.after_insert()(lambda session, item: seen.append(item.text))
"""


def test_a_page_that_runs_again_registers_its_hooks_once() -> None:
    seen: list[str] = []
    for _ in range(3):
        items = ModelAccessor(Item, "items")
        exec(compile(PAGE, "page.py", "exec"), {"items": items, "seen": seen, "__name__": "__main__"})
    assert items.insert(Item(text="a")).text == "a+"
    assert seen == ["a+"]


def test_the_function_that_was_defined_last_counts() -> None:
    items = ModelAccessor(Item, "items")
    for mark in ("old", "new"):
        source = PAGE.replace('"+"', repr(mark))
        exec(compile(source, "page.py", "exec"), {"items": items, "seen": [], "__name__": "page"})
    assert items.insert(Item(text="a ")).text == "a new"


def test_hooks_run_for_every_accessor_of_the_component_only() -> None:
    first, second, other = (ModelAccessor(Item, name) for name in ("items", "items", "drafts"))

    @first.before_insert()
    def add_mark(session: object, item: Item) -> None:
        item.text += "+"

    assert second.insert(Item(text="a")).text == "a+"
    assert other.insert(Item(text="b")).text == "b"


def test_functions_of_other_names_or_modules_all_run() -> None:
    items = ModelAccessor(Item, "items")
    for module in ("one", "two"):
        exec(PAGE, {"items": items, "seen": [], "__name__": module})
    assert items.insert(Item(text="a")).text == "a++"
