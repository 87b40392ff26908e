"""A project's own pages in a browser: a form that writes, a page that fails, one that is interrupted."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from lavendertown.collaboration.database_storage import DatabaseStorage
from tests.browser.screens import FIRST_VISIT_MS, open_as_visitor
from tests.database.project_files import write
from tests.support.dashboard import Dashboard, free_port, serve_dashboard

OWNERS = """
import streamlit as st
from sqlalchemy import text

TITLE = "Dataset owners"
ICON = ":material/badge:"

def page(db):
    st.title("Dataset owners")
    with st.form("new", clear_on_submit=True):
        name = st.text_input("Owner")
        if st.form_submit_button("Add"):
            db.execute(text("INSERT INTO owners VALUES (:name)"), {"name": name})
            st.rerun()
    for name in db.scalars(text("SELECT name FROM owners")):
        st.markdown(name)
"""
FAILING = """
from sqlalchemy import text

def page(db):
    db.execute(text("INSERT INTO owners VALUES ('nobody')"))
    raise ValueError("The supplier is unknown")
"""
SLOW = """
import threading
import streamlit as st
from sqlalchemy import text

def page(db):
    st.button("Enough")
    if st.button("Go"):
        db.execute(text("INSERT INTO owners VALUES ('done')"))
        with db.begin_nested():
            db.execute(text("INSERT INTO owners VALUES ('half done')"))
            st.markdown("At work")
            while True:
                threading.Event().wait(0.02)
                st.empty()
    st.markdown("At rest")
"""

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from lavendertown.database import Base, ModelAccessor

class Supplier(Base):
    __tablename__ = "suppliers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)

suppliers = ModelAccessor(Supplier, "suppliers")

@suppliers.before_insert()
def is_known(session, supplier):
    if supplier.name == "nobody":
        raise ValueError("Nobody supplies nothing. Enter another name.")
"""
SUPPLIERS = """
import streamlit as st
from lavendertown.ui import run_with_name, show_errors
from models.suppliers import Supplier, suppliers

def add(name):
    suppliers.insert(Supplier(name=name))

def page(db):
    st.title("Suppliers")
    with show_errors():
        with st.form("new"):
            name = st.text_input("Supplier")
            if st.form_submit_button("Add"):
                run_with_name(add, name)
    with st.form("plain"):
        plain = st.text_input("Plain")
        if st.form_submit_button("Add plainly"):
            add(plain)
    for row in db.query(Supplier):
        st.markdown(row.name)
"""


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Dashboard]:
    """The dashboard of a project with four pages, as ``lavendertown ui`` starts it in its folder."""
    files = {"owners.py": OWNERS, "failing.py": FAILING, "slow.py": SLOW, "suppliers.py": SUPPLIERS}
    write(tmp_path, {f"pages/{name}": text for name, text in files.items()})
    write(tmp_path, {"models/suppliers.py": MODELS})
    url = f"sqlite:///{tmp_path / 'team.db'}"
    storage = DatabaseStorage(url)
    with storage.session() as db:
        db.connection().exec_driver_sql("CREATE TABLE owners (name TEXT)")
        db.connection().exec_driver_sql(
            "CREATE TABLE suppliers (id INTEGER PRIMARY KEY, name VARCHAR(50) UNIQUE)"
        )
    storage.close()
    port = free_port()
    command = [Path(sys.executable).with_name("lavendertown"), "ui", "--port", str(port), "--host"]
    settings = {"LAVENDERTOWN_STORAGE_TYPE": "database", "LAVENDERTOWN_DATABASE_URL": url}
    started = serve_dashboard(
        [*command, "127.0.0.1", "--", "--server.headless", "true"],
        port,
        settings,
        tmp_path / "dashboard.log",
        tmp_path,
    )
    yield started
    started.stop()


def go_to(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_text("Project").click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title).click()


def test_what_a_page_writes_is_seen_by_others_and_a_failing_one_hurts_nobody(
    dashboard: Dashboard, visitor: Callable[..., Page]
) -> None:
    ana, ben = visitor(), visitor()
    open_as_visitor(ana, dashboard.url, "Ana Ferreira")
    go_to(ana, "Dataset owners")
    ana.get_by_role("textbox", name="Owner").fill("Chiyo Tanaka")
    ana.get_by_role("button", name="Add").click()
    expect(ana.get_by_text("Chiyo Tanaka", exact=True)).to_be_visible()

    open_as_visitor(ben, f"{dashboard.url}/page-owners", "Ben Okafor")
    expect(ben.get_by_text("Chiyo Tanaka", exact=True)).to_be_visible()
    go_to(ben, "Failing")
    sentence = "The page pages/failing.py failed at line 6: ValueError: The supplier is unknown."
    expect(ben.get_by_text(sentence)).to_be_visible()
    expect(ben.get_by_role("button", name="Ben Okafor")).to_be_visible()
    assert not Axe().run(ben).response["violations"]

    go_to(ben, "Dataset owners")
    expect(ben.get_by_text("Chiyo Tanaka", exact=True)).to_be_visible()
    expect(ben.get_by_text("nobody", exact=True)).to_have_count(0)
    ben.get_by_role("navigation").get_by_role("link", name="Inspect").click()
    expect(ben.get_by_role("heading", name="Inspect")).to_be_visible()


def test_a_page_that_a_visitor_interrupts_keeps_what_it_had_finished(
    dashboard: Dashboard, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    page = visitor()
    open_as_visitor(page, f"{dashboard.url}/page-slow", "Ana Ferreira")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_text("At work")).to_be_visible()
    page.get_by_role("button", name="Enough").click()
    expect(page.get_by_text("At rest")).to_be_visible()
    with closing(sqlite3.connect(tmp_path / "team.db")) as connection:
        assert connection.execute("SELECT * FROM owners").fetchall() == [("done",)]

    write(tmp_path, {"pages/slow.py": OWNERS})
    page.reload()
    expect(page.get_by_role("heading", name="Dataset owners")).to_be_visible()


def expect_just_below(lower: Locator, upper: Locator) -> None:
    """Wait until an element is just below another; until it is redrawn, it may be elsewhere."""
    for _ in range(100):
        low, high = lower.bounding_box(), upper.bounding_box()
        if low is not None and high is not None and 0 < low["y"] - high["y"] < 250:
            return
        lower.page.wait_for_timeout(100)
    raise AssertionError(f"{lower.bounding_box()} is not just below {upper.bounding_box()}.")


def test_a_refused_write_is_a_sentence_below_its_form_and_writes_carry_the_name(
    dashboard: Dashboard, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    page = visitor()
    page.goto(f"{dashboard.url}/page-suppliers")
    field = page.get_by_role("textbox", name="Supplier")
    field.fill("Acme", timeout=FIRST_VISIT_MS)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("textbox", name="Your name").fill("Ana Ferreira")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Acme", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Your name")).to_have_count(0)

    for label, button, name, sentence in (
        ("Supplier", "Add", "nobody", "Nobody supplies nothing. Enter another name."),
        ("Supplier", "Add", "Acme", "Another Supplier already has the name 'Acme'"),
        ("Plain", "Add plainly", "Acme", "Another Supplier already has the name 'Acme'"),
    ):
        field = page.get_by_role("textbox", name=label)
        field.fill(name)
        page.get_by_role("button", name=button, exact=True).click()
        alert = page.get_by_role("alert").filter(has_text=sentence)
        # While the page is drawn anew, what stood there before may still be seen beside it.
        expect(alert).to_have_count(1)
        expect(field).to_have_count(1)
        expect(field).to_have_value(name)
        expect_just_below(alert, field)
        if button == "Add":
            expect(page.get_by_text("Acme", exact=True)).to_be_visible()
    expect(page.get_by_text("Fix the file")).to_have_count(0)
    assert not Axe().run(page).response["violations"]
    with closing(sqlite3.connect(tmp_path / "team.db")) as connection:
        query = "SELECT actor FROM audit_log WHERE component = 'suppliers'"
        assert connection.execute(query).fetchall() == [("Ana Ferreira",)]
