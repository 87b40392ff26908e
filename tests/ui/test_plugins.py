"""Pages of a project's own: found, run as one unit of work each, and their errors kept to themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool
from streamlit.testing.v1 import AppTest

from lavendertown.database import application
from lavendertown.stores.sql.connection.engine import read_url
from lavendertown.ui import plugins, queries
from tests.database.project_files import forget, write
from tests.support.markdown import shown_text

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import ModelAccessor

class Base(DeclarativeBase):
    pass

class Plant(Base):
    __tablename__ = "plants"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50), unique=True)

plants = ModelAccessor(Plant, "plants")
"""
HEAD = """
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from models.plants import Plant, plants

def page(db):
    first = "ran" not in st.session_state
    st.session_state["ran"] = True
    if first:
        db.add(Plant(name="sage"))
        db.flush()
"""
RAN = "    st.write('drawn')\n"
TAKEN = "Another row of plants has the same name already; nothing was written. Choose another value."
Show = Callable[..., AppTest]
Add = Callable[..., AppTest]


@pytest.fixture(params=["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The database pages work on, with the project's table: the team's, or beside plain files."""
    made = f"sqlite:///{tmp_path / 'app.db'}"
    if request.param == "postgres":
        made = request.getfixturevalue("postgres_url")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file" if request.param == "file" else "database")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", made)
    monkeypatch.setattr(application, "_chosen", None)
    write(tmp_path, {"models/plants.py": MODELS})
    application.current_database().prepare_schema()
    with application.get_engine().begin() as connection:
        name = sa.Column("name", sa.String(50), unique=True)
        sa.Table("plants", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), name).create(
            connection
        )
    yield made
    application.current_database().close()
    queries.close_storages()
    forget(tmp_path)


@pytest.fixture
def show(url: str, tmp_path: Path) -> Show:
    """Write a page and run it in a new session; or run it once more in a session that is there."""

    def run(text: str | None = None, app: AppTest | None = None, name: str = "garden.py") -> AppTest:
        if text is not None:
            write(tmp_path, {f"pages/{name}": text})
        if app is None:
            app = AppTest.from_function(_script, default_timeout=30, args=(str(tmp_path), name))
            app.session_state["person"] = ""
        app.run()
        assert not app.exception
        return app

    return run


def _script(root: str, name: str) -> None:
    from pathlib import Path

    from lavendertown.ui import plugins

    plugins.show_plugin_page(
        next(found for found in plugins.find_plugin_pages(Path(root)) if found.path.name == name)
    )


def plants(url: str) -> list[str]:
    engine = sa.create_engine(read_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT name FROM plants ORDER BY name")))


def in_use() -> int:
    """How many connections nobody has given back."""
    engines: list[Any] = [application.get_engine()]
    store: Any = queries.current_storage().store
    if hasattr(store, "engine"):
        engines.append(store.engine)
    return sum(engine.pool.checkedout() for engine in engines)


def test_a_page_that_ends_well_is_committed(show: Show, url: str) -> None:
    app = show(HEAD + RAN)
    assert [each.value for each in app.markdown] == ["drawn"]
    assert (plants(url), in_use()) == (["sage"], 0)


@pytest.mark.parametrize("ending", ["st.rerun()", "st.stop()", "st.switch_page(st.Page(page, default=True))"])
def test_a_page_that_ends_itself_is_committed(show: Show, url: str, ending: str) -> None:
    show(HEAD + f"    if first:\n        {ending}\n" + RAN)
    assert (plants(url), in_use()) == (["sage"], 0)


@pytest.mark.parametrize("request_", ["request_rerun(RerunData())", "request_stop()"])
def test_what_a_page_wrote_before_it_is_interrupted_is_kept(show: Show, url: str, request_: str) -> None:
    app = show(HEAD + f"    if first:\n        get_script_run_ctx().script_requests.{request_}\n" + RAN)
    assert not app.error
    assert (plants(url), in_use()) == (["sage"], 0)


@pytest.mark.parametrize("request_", ["request_rerun(RerunData())", "request_stop()"])
def test_a_nested_transaction_that_is_interrupted_is_undone(show: Show, url: str, request_: str) -> None:
    nested = f"""    if first:
        with db.begin_nested():
            db.add(Plant(name="rue"))
            get_script_run_ctx().script_requests.{request_}
            st.write("half done")
"""
    assert not show(HEAD + nested + RAN).error
    assert (plants(url), in_use()) == (["sage"], 0)


@pytest.mark.parametrize("fault", ["1 / 0", "import sys; sys.exit(3)", "raise ValueError('too dry')"])
def test_a_page_that_raises_is_undone_and_says_where(show: Show, url: str, fault: str) -> None:
    app = show(HEAD + RAN + f"    {fault}\n")
    (said,) = [shown_text(each.value) for each in app.error]
    assert said.startswith("The page pages/garden.py failed at line 14: ")
    assert any(reason in said for reason in ("ZeroDivisionError", "SystemExit: 3", "ValueError: too dry"))
    assert (plants(url), in_use()) == ([], 0)


def test_a_failed_page_does_not_poison_the_next(show: Show, url: str) -> None:
    twice = (
        HEAD
        + "    db.add(Plant(name='rue'))\n    db.flush()\n    db.add(Plant(name='rue'))\n    db.flush()\n"
    )
    assert shown_text(show(twice).error[0].value) == TAKEN
    for number in range(12):
        show(twice.replace("sage", f"sage {number}"))
    assert not show(HEAD + RAN, name="good.py").error
    assert (plants(url), in_use()) == (["sage"], 0)


def test_what_the_database_refuses_at_the_end_is_a_sentence_too(show: Show, url: str) -> None:
    text = HEAD + "    db.add(Plant(name='sage'))\n"
    assert shown_text(show(text).error[0].value) == TAKEN
    assert plants(url) == []


def test_an_accessor_takes_part_in_the_page_s_unit(show: Show, url: str) -> None:
    app = show(HEAD + "    plants.insert(Plant(name='rue'))\n    1 / 0\n")
    assert "ZeroDivisionError" in shown_text(app.error[0].value)
    assert plants(url) == []
    app = show(HEAD + "    plants.insert(Plant(name='rue'))\n")
    assert not app.error
    assert plants(url) == ["rue", "sage"]


CALLBACK = """
    def add():
        try:
            db.add(Plant(name="rue"))
            db.flush()
        except Exception as error:
            st.session_state["said"] = str(error)
    st.button("Add", on_click=add)
"""


def test_a_callback_with_an_ended_session_is_told_so(show: Show, url: str) -> None:
    app = show(HEAD + CALLBACK)
    app.button[0].click().run()
    assert "has ended" in app.session_state["said"]
    assert (plants(url), in_use()) == (["sage"], 0)


FORM_MODELS = (
    MODELS
    + """
@plants.before_insert()
def is_known(session, plant):
    if plant.name == "weed":
        raise ValueError("No weed in the garden. Choose another plant.")
    if plant.name == "bug":
        raise KeyError("bug")
"""
)
FORM = """
import streamlit as st
from lavendertown.ui import run_with_name, show_errors, visitor_name
from models.plants import Plant, plants

def plant(name, **options):
    plants.insert(Plant(name=name), **options)

def page(db):
    st.title("Garden")
"""
ADD = """    with st.form("new"):
        name = st.text_input("Plant")
        if st.form_submit_button("Add"):
            WRITE
    st.write("the rest")
"""
TAKEN_BY_ACCESSOR = "Another Plant already has the name 'sage'; nothing was written. Choose another name."


@pytest.fixture
def add(show: Show, tmp_path: Path) -> Callable[..., AppTest]:
    """Open a page with a form, as a visitor; or submit the form of a page that is open."""

    def submit(
        name: str = "", write_: str = "plant(name)", app: AppTest | None = None, **options: Any
    ) -> AppTest:
        if app is None:
            write(tmp_path, {"models/plants.py": FORM_MODELS})
            text = FORM + (options.get("before", "") + ADD).replace("WRITE", write_)
            write(tmp_path, {"pages/garden.py": text})
            app = AppTest.from_function(_script, default_timeout=30, args=(str(tmp_path), "garden.py"))
            app.session_state["person"] = options.get("person", "Ana Ferreira")
            app.run()
        if name:
            app.text_input[0].set_value(name)
            app.button[0].click().run()
        assert not app.exception
        return app

    return submit


def actors(component: str = "plants") -> list[str]:
    application.current_database()
    with application.transaction() as db:
        query = sa.text("SELECT actor FROM audit_log WHERE component = :component")
        return list(db.scalars(query, {"component": component}))


@pytest.mark.parametrize(
    ("person", "write_", "actor"),
    [
        ("Ana Ferreira", "plant(name)", "Ana Ferreira"),
        ("Ana Ferreira", "plant(name, actor='importer')", "importer"),
        ("Ana Ferreira", "plant(name, actor='internal')", "internal"),
        ("", "plant(name)", "visitor"),
    ],
)
def test_a_write_carries_the_visitor_s_name(add: Add, url: str, person: str, write_: str, actor: str) -> None:
    assert not add("sage", write_, person=person).error
    assert (plants(url), actors()) == (["sage"], [actor])


def test_every_write_of_an_accessor_carries_the_name(add: Add, url: str) -> None:
    all_of_them = (
        "row = plants.insert(Plant(name=name)); row.name = 'rue'; plants.save(row); plants.delete(row.id)"
    )
    assert not add("sage", all_of_them).error
    assert (plants(url), actors()) == ([], ["Ana Ferreira"] * 3)


def test_a_write_of_a_callback_carries_the_name(add: Add, url: str) -> None:
    app = add(before="    st.button('Sow', on_click=plant, args=('dill',))\n")
    app.button[0].click().run()
    assert (plants(url), actors()) == (["dill"], ["Ana Ferreira"])


def test_the_storage_s_writes_carry_the_name(show: Show, tmp_path: Path, url: str) -> None:
    text = """
import streamlit as st
from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.rules.models import RuleSet

def save():
    storage = get_storage_backend()
    storage.save_ruleset(RuleSet("water", "", []))
    storage.people.save("Cy Young")
    storage.people.delete("Cy Young")
    st.session_state["seen"] = [event["actor"] for event in storage.audit_log()]

def page(db):
    st.button("Save", on_click=save)
"""
    write(tmp_path, {"pages/garden.py": text})
    app = AppTest.from_function(_script, default_timeout=30, args=(str(tmp_path), "garden.py"))
    app.session_state["person"] = "Ana Ferreira"
    app.run().button[0].click().run()
    assert app.session_state["seen"] == ["Ana Ferreira"] * 3


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("weed", "No weed in the garden. Choose another plant."), ("sage", TAKEN_BY_ACCESSOR)],
)
def test_a_refused_write_is_its_own_sentence_and_the_text_stays(
    add: Add, url: str, name: str, sentence: str
) -> None:
    add("sage")
    app = add(name)
    assert [shown_text(each.value) for each in app.error] == [sentence]
    assert (app.text_input[0].value, plants(url), in_use()) == (name, ["sage"], 0)
    app.text_input[0].set_value("rue")
    app.button[0].click().run()
    assert (len(app.error), plants(url)) == (0, ["rue", "sage"])


def test_an_error_in_a_hook_that_is_no_refusal_is_the_page_s(add: Add) -> None:
    (said,) = [shown_text(each.value) for each in add("bug").error]
    assert said.startswith("The page pages/garden.py failed at line 7: KeyError")


def test_invalid_values_are_a_sentence(add: Add, url: str) -> None:
    app = add("x" * 51)
    assert [shown_text(each.value) for each in app.error] == [
        "Plant cannot be saved: name: it is longer than 50 characters."
    ]
    app = add(
        "7", "import pydantic; pydantic.create_model('Pot', size=(int, ...)).model_validate({'size': 'x'})"
    )
    (said,) = [shown_text(each.value) for each in app.error]
    assert said.startswith("Pot cannot be saved: size: Input should be a valid integer")
    assert plants(url) == []


@pytest.mark.parametrize(
    "write_", ["plant(name)", "db.add(Plant(name=name)); db.flush()", "db.add(Plant(name=name))"]
)
def test_after_a_block_that_shows_errors_the_page_goes_on(add: Add, url: str, write_: str) -> None:
    add("sage")
    app = add(
        "sage",
        f"db.add(Plant(name='rue'))\n            with show_errors():\n                {write_}\n"
        "            db.add(Plant(name='dill'))",
    )
    expected = TAKEN_BY_ACCESSOR if write_ == "plant(name)" else TAKEN
    assert [shown_text(each.value) for each in app.error] == [expected]
    assert app.markdown[-1].value == "the rest"
    assert (plants(url), in_use()) == (["dill", "rue", "sage"], 0)


@pytest.mark.parametrize("ending", ["st.rerun()", "st.stop()"])
def test_a_run_that_ends_in_such_a_block_keeps_what_it_wrote(add: Add, url: str, ending: str) -> None:
    add("sage", f"\n            with show_errors():\n                plant(name)\n                {ending}")
    assert (plants(url), in_use()) == (["sage"], 0)


def test_such_a_block_lets_other_errors_through(add: Add, url: str) -> None:
    app = add("sage", "\n            with show_errors():\n                plant(name)\n                1 / 0")
    assert "ZeroDivisionError" in shown_text(app.error[0].value)
    assert plants(url) == []


def test_a_callback_in_such_a_block_says_it_at_the_top(add: Add, url: str) -> None:
    before = """    def sow():
        with show_errors():
            plant("weed")
    st.button("Sow", on_click=sow)
"""
    app = add(before=before)
    app.button[0].click().run()
    notice = app.session_state["frame:notice:page"]
    assert shown_text(notice.text) == "No weed in the garden. Choose another plant."
    assert app.markdown[-1].value == "the rest"


ASKING = (
    FORM
    + """
    with show_errors():
        with st.form("new"):
            name = st.text_input("Plant")
            if st.form_submit_button("Add"):
                run_with_name(plant, name)
    st.write(f"the rest of {visitor_name()}")
"""
)


@pytest.fixture
def ask(tmp_path: Path, url: str) -> AppTest:
    """A page whose form was submitted by a visitor without a name, on whom the page waits."""
    write(tmp_path, {"models/plants.py": FORM_MODELS, "pages/garden.py": ASKING})
    app = AppTest.from_function(_script, default_timeout=30, args=(str(tmp_path), "garden.py"))
    app.session_state["person"] = ""
    app.run().text_input[0].set_value("sage")
    app.button[0].click().run()
    assert plants(url) == []
    return app


def answer(app: AppTest, name: str) -> AppTest:
    app.text_input(key="person:ask:name").set_value(name)
    app.button(key="person:ask:take").click().run()
    assert not app.exception
    return app


def test_a_write_without_a_name_asks_for_it_and_goes_on(ask: AppTest, url: str) -> None:
    assert ask.markdown[-1].value == "the rest of"
    answer(ask, "Ana Ferreira")
    assert ask.markdown[-1].value == "the rest of Ana Ferreira"
    assert (plants(url), actors(), len(ask.text_input)) == (["sage"], ["Ana Ferreira"], 1)


def test_a_name_that_cannot_be_is_asked_for_again(ask: AppTest, url: str) -> None:
    answer(ask, "x" * 81)
    assert any("shorten it" in each.value for each in ask.markdown)
    answer(ask, "Ana Ferreira")
    assert plants(url) == ["sage"]


def test_who_cancels_writes_nothing_and_keeps_the_text(ask: AppTest, url: str) -> None:
    ask.button(key="person:ask:cancel").click().run()
    assert (plants(url), [each.value for each in ask.text_input]) == ([], ["sage"])


def test_a_write_that_is_refused_after_the_name_says_so_beside_the_form(ask: AppTest, url: str) -> None:
    with application.get_engine().begin() as connection:
        connection.execute(sa.text("INSERT INTO plants (name) VALUES ('sage')"))
    answer(ask, "Ana Ferreira")
    assert [shown_text(each.value) for each in ask.error] == [TAKEN_BY_ACCESSOR]
    assert (ask.text_input[0].value, ask.markdown[-1].value) == ("sage", "the rest of Ana Ferreira")


def test_a_file_is_read_again_when_it_changed(show: Show, url: str) -> None:
    app = show("import no_such_thing\ndef page(db): pass\n")
    assert "cannot be imported at line 1: ModuleNotFoundError" in shown_text(app.error[0].value)
    app = show(HEAD + RAN, app)
    assert (len(app.error), app.markdown[0].value) == (0, "drawn")
    assert show(HEAD + "    st.write('new')\n", app).markdown[0].value == "new"


def test_models_that_cannot_be_imported_are_said(tmp_path: Path, url: str) -> None:
    write(tmp_path, {"models/bad.py": "1 / 0", "pages/garden.py": "def page(db): pass\n"})
    with pytest.raises(Exception, match=r"models/bad\.py cannot be imported: ZeroDivisionError"):
        plugins.run_plugin_page(plugins.find_plugin_pages(tmp_path)[0])


def test_pages_are_found_by_their_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pages/1_data_owners.py": "'''Who looks after what.\n\nMore.'''\ndef page(db): 1 / 0\n",
            "pages/zoo.py": "TITLE: str = 'The zoo'\nICON = ':material/pets:'\ndef page(db): pass\n",
            "pages/other.py": "import streamlit as st\nst.title('Not ours')\n",
            "pages/_helper.py": "def page(db): pass\n",
            "components/zoo/zoo_page.py": "def page(db): pass\n",
            "components/zoo/views.py": "def page(db): pass\n",
            "components/node_modules/x_page.py": "def page(db): pass\n",
        },
    )
    found = plugins.find_plugin_pages(tmp_path)
    assert [(own.relative_path, own.title, own.address, own.icon, own.description) for own in found] == [
        ("pages/1_data_owners.py", "Data owners", "page-data-owners", None, "Who looks after what."),
        ("pages/zoo.py", "The zoo", "page-zoo", ":material/pets:", ""),
        ("components/zoo/zoo_page.py", "Zoo", "page-zoo-2", None, ""),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def page(db:\n", "The page pages/bad.py cannot be read at line 1: "),
        ("async def page(db): pass\n", "The function page in pages/bad.py is async"),
    ],
)
def test_a_file_that_cannot_be_a_page_says_why(tmp_path: Path, text: str, problem: str) -> None:
    write(tmp_path, {"pages/bad.py": text})
    (own,) = plugins.find_plugin_pages(tmp_path)
    assert own.problem.startswith(problem)
    with pytest.raises(plugins.PluginPageError, match=r"Fix|make it"):
        plugins.run_plugin_page(own)


def test_a_wrong_icon_hurts_only_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"pages/a.py": "ICON = 'leaf'\ndef page(db): pass\n"})
    write(tmp_path, {"pages/b.py": "ICON = '🌿'\ndef page(db): pass\n"})
    monkeypatch.chdir(tmp_path)
    app = AppTest.from_function(_titles).run()
    assert [each.value for each in app.markdown] == ["A/", "B/🌿"]


def _titles() -> None:
    import streamlit as st

    from lavendertown.ui import plugins

    for page in plugins.navigation_pages():
        st.markdown(f"{page.title}/{page.icon}")


def test_the_frame_stands_beside_pages_that_are_broken(
    open_app: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"pages/bad.py": "def page(db:\n", "pages/raises.py": "1 / 0\ndef page(db): pass\n"})
    app = open_app()
    assert not app.exception
    assert not app.error


def test_without_the_database_libraries_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"pages/a.py": "def page(db): pass\n"})
    monkeypatch.setitem(sys.modules, "lavendertown.database.project.model_discovery", None)
    with pytest.raises(ImportError, match=r"pip install lavendertown\[database\]"):
        plugins.run_plugin_page(plugins.find_plugin_pages(tmp_path)[0])


def test_who_has_no_pages_loads_no_database_library(tmp_path: Path) -> None:
    code = "import sys; from lavendertown.ui import plugins; assert plugins.navigation_pages() == []; "
    code += "assert not {'sqlalchemy', 'alembic'} & sys.modules.keys()"
    environ = {"PYTHONPATH": str(ROOT), "PATH": ""}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, check=True, timeout=60)
