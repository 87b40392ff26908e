"""The classes of a project are found, once, and their tables seen as one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.database.project.model_discovery import ProjectModels, discover_models
from lavendertown.errors import ConfigurationError
from tests.database.project_files import GLOBAL_MODELS, USER_MODELS, forget, write

TEAM = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from components.user.user_models import User

class Base(DeclarativeBase):
    pass

class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    lead: Mapped[User] = relationship(User)
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    forget(tmp_path)


def found(root: Path, **texts: str) -> ProjectModels:
    write(root, {name.replace("__", "/") + ".py": text for name, text in texts.items()})
    return discover_models(root)


def test_models_and_components_are_imported(root: Path) -> None:
    models = found(
        root, models__deep__er__global_models=GLOBAL_MODELS, components__user__user_models=USER_MODELS
    )
    assert models.modules == ("models.deep.er.global_models", "components.user.user_models")
    assert sorted(models.metadata.tables) == ["system_settings", "users"]


def test_other_files_of_a_component_are_not_imported(root: Path) -> None:
    models = found(root, components__user__user="raise RuntimeError\n", components__user__x_models="")
    assert models.modules == ("components.user.x_models",)


def test_a_project_without_models_has_no_tables_and_no_place_on_the_path(root: Path) -> None:
    assert found(root).metadata.tables == {}
    assert str(root) not in sys.path


def test_importing_a_model_elsewhere_gives_the_same_class(root: Path) -> None:
    found(root, components__team__team_models=TEAM, components__user__user_models=USER_MODELS)
    user = importlib.import_module("components.user.user_models").User
    assert importlib.import_module("components.team.team_models").User is user


def test_discovering_twice_is_harmless(root: Path) -> None:
    first = found(root, components__user__user_models=USER_MODELS)
    again = discover_models(root)
    assert sorted(again.metadata.tables) == sorted(first.metadata.tables) == ["users"]
    assert sys.path.count(str(root)) == 1


@pytest.mark.parametrize("target", ["User.id", '"users.id"'])
def test_references_between_bases_hold(root: Path, target: str) -> None:
    team = TEAM.replace("ForeignKey(User.id)", f"ForeignKey({target})")
    models = found(root, components__team__team_models=team, components__user__user_models=USER_MODELS)
    teams, users = models.metadata.tables["teams"], models.metadata.tables["users"]
    assert [key.column for key in teams.foreign_keys] == [users.c.id]
    engine = sa.create_engine("sqlite://")
    models.metadata.create_all(engine)
    loaded = importlib.import_module("components.team.team_models")
    with sa.orm.Session(engine) as session:
        session.add(loaded.Team(lead=loaded.User(email="a@example.com", name="Ana")))
        session.commit()
        assert session.query(loaded.Team).one().lead.name == "Ana"
    engine.dispose()


def test_two_bases_with_the_same_table_are_refused(root: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        found(root, models__first=USER_MODELS, models__second=USER_MODELS)
    assert str(refused.value) == (
        "The table 'users' is defined twice, in models.first and in models.second. "
        "Give one of the classes another __tablename__."
    )


def test_one_base_with_the_same_table_twice_is_refused(root: Path) -> None:
    again = USER_MODELS.replace("class Base(DeclarativeBase):\n    pass", "from models.first import Base")
    with pytest.raises(
        ConfigurationError, match=r"'users' is defined twice, in models\.first and in models\.second"
    ):
        found(root, models__first=USER_MODELS, models__second=again)


def test_a_table_of_lavendertown_s_is_refused(root: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        found(root, models__mine=USER_MODELS.replace('"users"', '"Reports"'))
    assert "'Reports' of models.mine belongs to LavenderTown (lavendertown.stores.sql.schema.tables)" in str(
        refused.value
    )


def test_a_module_that_fails_names_file_and_reason(root: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        found(root, models__broken="1 / 0\n")
    assert str(refused.value) == (
        "The models in models/broken.py cannot be imported: ZeroDivisionError: division by zero. "
        "Fix the file and try again."
    )


def test_a_module_of_another_place_is_not_taken_for_the_project_s(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    found(other, models__users=USER_MODELS)
    with pytest.raises(ConfigurationError, match=r"the name 'models\.users' already means"):
        found(root, models__users=USER_MODELS)
    forget(other)


def test_lavendertown_s_base_and_sqlmodel_count_too(root: Path) -> None:
    ours = """
from lavendertown.database import AuditLog, Base, TableMixin
from sqlalchemy.orm import Mapped, mapped_column

class ProjectWarehouse(TableMixin, Base):
    id: Mapped[int] = mapped_column(primary_key=True)
"""
    theirs = """
from sqlmodel import Field, SQLModel

class ProjectCrate(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
"""
    tables = found(root, models__ours=ours, models__theirs=theirs).metadata.tables
    assert {"project_warehouses", "projectcrate"} <= set(tables)
