"""Finding the classes that a project keeps in ``models/`` and ``components/``."""

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

from lavendertown.database import tables
from lavendertown.database.base import Base
from lavendertown.database.starting import free_unique_values
from lavendertown.errors import ConfigurationError

VERSION_TABLE = "lavendertown_project_version"
"""Holds the revision of the project's own migrations."""

_OURS = {*tables.metadata.tables, "alembic_version", VERSION_TABLE}
_DEFINED_TWICE = re.compile(r"Table '([^']+)' is already defined")
_discovering = threading.RLock()


@dataclass(frozen=True)
class Models:
    """What a project defines.

    Attributes:
        root: The project root.
        modules: The names of the modules that were imported, in the order of their paths.
        metadata: All tables of all their Bases, as copies. Migrations compare with it.
    """

    root: Path
    modules: tuple[str, ...]
    metadata: sa.MetaData


def discover(root: Path) -> Models:
    """Import a project's models and return their tables, merged.

    Models are ``models/**/*.py`` and ``components/**/*_models.py``. They can be imported by these paths
    (``from components.user.user_models import User``) and are imported once, however often this is called.
    Folders need no ``__init__.py``. The root is put first on ``sys.path``. A foreign key may name a table of
    another Base; a relationship to its class is given the class, not its name.

    Args:
        root: The project root. Without models in it, no table is returned.

    Raises:
        ConfigurationError: A module cannot be imported, or two classes claim the same table, or one
            claims a table of LavenderTown.
    """
    root = root.resolve()
    with _discovering:
        paths = list(_paths(root))
        if paths and str(root) not in sys.path:
            sys.path.insert(0, str(root))
            importlib.invalidate_caches()
        modules: list[ModuleType] = []
        for path in paths:
            modules.append(_load(path, root, modules))
        return Models(root, tuple(module.__name__ for module in modules), _merge(modules))


def _paths(root: Path) -> Iterator[Path]:
    for folder, pattern in (("models", "*.py"), ("components", "*_models.py")):
        for path in sorted((root / folder).rglob(pattern)):
            inside = path.relative_to(root).parts[:-1]
            if not any(part.startswith(".") or part == "__pycache__" for part in inside):
                yield path


def _load(path: Path, root: Path, before: Iterable[ModuleType]) -> ModuleType:
    inside = path.relative_to(root)
    name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
    try:
        module = importlib.import_module(name)
    # Whatever somebody's module raises ends here, as one sentence.
    except Exception as error:
        twice = _DEFINED_TWICE.search(str(error))
        if twice:
            owner = _owners(before).get(twice[1], "another class")
            raise ConfigurationError(_taken(twice[1], owner, name)) from error
        reason = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
        raise ConfigurationError(
            f"The models in {inside} cannot be imported: {type(error).__name__}: {reason}. "
            "Mend the file and try again."
        ) from error
    if Path(module.__file__ or "").resolve() != path:
        raise ConfigurationError(
            f"The models in {inside} cannot be imported: the name {name!r} already means "
            f"{module.__file__}. Rename the file, or remove the other module."
        )
    return module


def _merge(modules: Iterable[ModuleType]) -> sa.MetaData:
    modules = list(modules)
    owners = _owners(modules)
    merged = sa.MetaData()
    taken: dict[str, sa.Table] = {}
    sources = _sources(modules)
    for source in sources:
        for table in source.tables.values():
            owner = owners.get(_key(source, table), "another module")
            name = table.key.lower()
            if name in _OURS and source is Base.metadata:
                # Our own copy, of lavendertown.database.user; Base lets nobody else have such a table.
                continue
            if name in _OURS:
                raise ConfigurationError(
                    f"The table {table.key!r} of {owner} is LavenderTown's own "
                    f"({tables.__name__}). Give the class another __tablename__."
                )
            if name in taken:
                other = owners.get(_key(taken[name].metadata, taken[name]), "another module")
                raise ConfigurationError(_taken(table.key, other, owner))
            taken[name] = table
            table.to_metadata(merged)
    _link(sources)
    for table in merged.tables.values():
        free_unique_values(table)
    return merged


def _link(sources: Iterable[sa.MetaData]) -> None:
    """Let ``ForeignKey("users.id")`` mean a table of another Base: SQLAlchemy looks in one Base only."""
    every = {name: table for source in sources for name, table in source.tables.items()}
    for table in every.values():
        for key in table.foreign_keys:
            name, _, column = key.target_fullname.rpartition(".")
            target = every[name].columns.get(column) if name in every else None
            if name in table.metadata.tables or target is None:
                continue
            key.column = target  # type: ignore[misc]
            if isinstance(key.parent.type, sa.types.NullType):
                key.parent.type = target.type


def _taken(table: str, first: str, second: str) -> str:
    return (
        f"The table {table!r} is defined twice, in {first} and in {second}. "
        "Give one of the classes another __tablename__."
    )


def _sources(modules: Iterable[ModuleType]) -> list[sa.MetaData]:
    """Return the collections of tables that the modules' classes and tables belong to, each once."""
    found: dict[int, sa.MetaData] = {}
    for module in modules:
        for value in vars(module).values():
            source = getattr(value, "metadata", None) if isinstance(value, (type, sa.Table)) else value
            if isinstance(source, sa.MetaData) and source is not tables.metadata:
                found[id(source)] = source
    return list(found.values())


def _owners(modules: Iterable[ModuleType]) -> dict[str, str]:
    """Return the module of each table, by its name, and by its name and the collection it belongs to."""
    found: dict[str, str] = {}
    for module in modules:
        for value in vars(module).values():
            table = getattr(value, "__table__", None) if isinstance(value, type) else value
            if isinstance(table, sa.Table):
                owner = value.__module__ if isinstance(value, type) else module.__name__
                found.setdefault(_key(table.metadata, table), owner)
                found.setdefault(table.key, owner)
    return found


def _key(source: sa.MetaData, table: sa.Table) -> str:
    return f"{id(source)} {table.key}"
