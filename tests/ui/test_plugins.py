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
Show = Callable[..., AppTest]


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
        app = app or AppTest.from_function(_script, default_timeout=30, args=(str(tmp_path), name))
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
    assert "IntegrityError" in shown_text(show(twice).error[0].value)
    for number in range(12):
        show(twice.replace("sage", f"sage {number}"))
    assert not show(HEAD + RAN, name="good.py").error
    assert (plants(url), in_use()) == (["sage"], 0)


def test_what_the_database_refuses_at_the_end_is_a_sentence_too(show: Show, url: str) -> None:
    text = HEAD + "    db.add(Plant(name='sage'))\n"
    assert "failed: IntegrityError" in shown_text(show(text).error[0].value)
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
