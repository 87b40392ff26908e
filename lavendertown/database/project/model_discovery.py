"""Discovery of a project's models in ``models/`` and ``components/``."""

from __future__ import annotations

import importlib
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa

from lavendertown.core.errors import ConfigurationError
from lavendertown.database.base import Base
from lavendertown.database.startup import free_unique_values
from lavendertown.stores.sql.schema import tables

VERSION_TABLE = "lavendertown_project_version"
"""The table with the revision of the project's own migrations."""
OWN_TABLES = {*tables.metadata.tables, "alembic_version", VERSION_TABLE}
"""The tables that no model may have: LavenderTown's and alembic's."""

_DEFINED_TWICE = re.compile(r"Table '([^']+)' is already defined")
_discovering = threading.RLock()


@dataclass(frozen=True)
class ProjectModels:
    """The models of a project.

    Attributes:
        root: The project root.
        modules: The names of the imported modules, in the order of their paths.
        metadata: Copies of the tables of all their Bases, for the comparison with a database.
    """

    root: Path
    modules: tuple[str, ...]
    metadata: sa.MetaData


def discover_models(root: Path) -> ProjectModels:
    """Import a project's models and return their merged tables.

    Models are ``models/**/*.py`` and ``components/**/*_models.py``. Their import names follow these paths
    (``from components.user.user_models import User``), and each is imported only once. Folders need no
    ``__init__.py``. The root becomes the first entry of ``sys.path``. A foreign key may name a table of
    another Base; a relationship to such a table needs the class, not its name.

    Args:
        root: The project root.

    Raises:
        ConfigurationError: A module cannot be imported, or two classes have the same table, or a class has a
            table of LavenderTown.
    """
    root = root.resolve()
    with _discovering:
        paths = list(_model_paths(root))
        if paths and str(root) not in sys.path:
            sys.path.insert(0, str(root))
            importlib.invalidate_caches()
        modules: list[ModuleType] = []
        for path in paths:
            modules.append(_import_model_module(path, root, modules))
        return ProjectModels(root, tuple(module.__name__ for module in modules), _merge_tables(modules))


def _model_paths(root: Path) -> Iterator[Path]:
    for folder, pattern in (("models", "*.py"), ("components", "*_models.py")):
        for path in sorted((root / folder).rglob(pattern)):
            inside = path.relative_to(root).parts[:-1]
            if not any(part.startswith(".") or part == "__pycache__" for part in inside):
                yield path


def _import_model_module(path: Path, root: Path, imported: Iterable[ModuleType]) -> ModuleType:
    relative_path = path.relative_to(root)
    name = ".".join(relative_path.with_suffix("").parts).removesuffix(".__init__")
    try:
        module = importlib.import_module(name)
    # User code may raise anything.
    except Exception as error:
        duplicate = _DEFINED_TWICE.search(str(error))
        if duplicate:
            owner = _find_table_owners(imported).get(duplicate[1], "another class")
            raise ConfigurationError(_taken_message(duplicate[1], owner, name)) from error
        reason = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
        raise ConfigurationError(
            f"The models in {relative_path} cannot be imported: {type(error).__name__}: {reason}. "
            "Fix the file and try again."
        ) from error
    if Path(module.__file__ or "").resolve() != path:
        raise ConfigurationError(
            f"The models in {relative_path} cannot be imported: the name {name!r} already means "
            f"{module.__file__}. Rename the file, or remove the other module."
        )
    return module


def _merge_tables(modules: Iterable[ModuleType]) -> sa.MetaData:
    modules = list(modules)
    owners = _find_table_owners(modules)
    merged = sa.MetaData()
    taken: dict[str, sa.Table] = {}
    sources = _collect_metadata(modules)
    for source in sources:
        for table in source.tables.values():
            owner = owners.get(_owner_key(source, table), "another module")
            name = table.key.lower()
            if name in OWN_TABLES and source is Base.metadata:
                # The copy in lavendertown.database.user; Base refuses such a table for any other class.
                continue
            if name in OWN_TABLES:
                raise ConfigurationError(
                    f"The table {table.key!r} of {owner} belongs to LavenderTown "
                    f"({tables.__name__}). Give the class another __tablename__."
                )
            if name in taken:
                other = owners.get(_owner_key(taken[name].metadata, taken[name]), "another module")
                raise ConfigurationError(_taken_message(table.key, other, owner))
            taken[name] = table
            table.to_metadata(merged)
    _link_foreign_keys(sources)
    for table in merged.tables.values():
        free_unique_values(table)
    return merged


def _link_foreign_keys(sources: Iterable[sa.MetaData]) -> None:
    """Link foreign keys to tables of other Bases; SQLAlchemy looks up their names in one Base only."""
    all_tables = {name: table for source in sources for name, table in source.tables.items()}
    for table in all_tables.values():
        for key in table.foreign_keys:
            name, _, column = key.target_fullname.rpartition(".")
            target = all_tables[name].columns.get(column) if name in all_tables else None
            if name in table.metadata.tables or target is None:
                continue
            key.column = target  # type: ignore[misc]
            if isinstance(key.parent.type, sa.types.NullType):
                key.parent.type = target.type


def _taken_message(table: str, first: str, second: str) -> str:
    return (
        f"The table {table!r} is defined twice, in {first} and in {second}. "
        "Give one of the classes another __tablename__."
    )


def _collect_metadata(modules: Iterable[ModuleType]) -> list[sa.MetaData]:
    """Return the distinct metadata of the modules' classes and tables."""
    by_id: dict[int, sa.MetaData] = {}
    for module in modules:
        for value in vars(module).values():
            source = getattr(value, "metadata", None) if isinstance(value, (type, sa.Table)) else value
            if isinstance(source, sa.MetaData) and source is not tables.metadata:
                by_id[id(source)] = source
    return list(by_id.values())


def _find_table_owners(modules: Iterable[ModuleType]) -> dict[str, str]:
    """Return the module of each table, by table name and by :func:`_owner_key`."""
    owners: dict[str, str] = {}
    for module in modules:
        for value in vars(module).values():
            table = getattr(value, "__table__", None) if isinstance(value, type) else value
            if isinstance(table, sa.Table):
                owner = value.__module__ if isinstance(value, type) else module.__name__
                owners.setdefault(_owner_key(table.metadata, table), owner)
                owners.setdefault(table.key, owner)
    return owners


def _owner_key(source: sa.MetaData, table: sa.Table) -> str:
    return f"{id(source)} {table.key}"
