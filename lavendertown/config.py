"""Settings, and where they come from.

The first that says something wins: environment, ``.env``, ``lavendertown.toml`` or
``lavendertown.yaml`` in the project root, ``config.toml`` in the data folder, default. The data
folder itself comes from the environment, ``.env`` or the root file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from dotenv import dotenv_values

from lavendertown.errors import ConfigurationError

PREFIX = "LAVENDERTOWN_"
CONFIG = "config.toml"
STORAGE_TYPES = ("file", "database")
_ROOT_FILES = ("lavendertown.toml", "lavendertown.yaml", "lavendertown.yml")
_KEYS = frozenset({"storage_type", "database_url", "data_dir", "database"})
_PARTS = frozenset({"driver", "path", "user", "password", "host", "port", "name"})
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mariadb": "mariadb",
    "mysql": "mariadb",
}


@dataclass(frozen=True)
class Settings:
    """The settings in force.

    Attributes:
        storage_type: ``"file"`` or ``"database"``.
        database_url: A SQLAlchemy URL; used when the storage type is ``"database"``.
        data_dir: The data folder.
        origins: For each setting, where its value came from, in words for people.
        root: The project root they were read in; None where they were not read from this machine's
            files and environment.
    """

    storage_type: str
    database_url: str = field(repr=False)
    data_dir: Path
    origins: Mapping[str, str]
    root: Path | None = field(default=None, compare=False)

    def __hash__(self) -> int:
        return hash((self.storage_type, self.database_url, self.data_dir))


def load_settings(root: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        root: The project root; the working directory by default.
        environ: Stands in for the process environment.

    Raises:
        ConfigurationError: A file cannot be read, or a key or value in it is not known.
    """
    given, root = environ, root or Path.cwd()
    layers = [_environment(environ if environ is not None else os.environ, "the environment")]
    layers.append(_environment(_dotenv(root / ".env"), ".env"))
    layers += [_file(root / name) for name in _ROOT_FILES]
    data_dir, data_origin = _first(layers, "data_dir", ".lavendertown")
    folder = Path(data_dir).expanduser()
    folder = folder if folder.is_absolute() else root / folder
    layers.append(_file(folder / CONFIG))
    kind, kind_origin = _first(layers, "storage_type", "file")
    url, url_origin = _first(layers, "database_url", f"sqlite:///{folder / 'lavendertown.db'}")
    if kind not in STORAGE_TYPES:
        raise ConfigurationError(
            f"The storage type {kind!r} (from {kind_origin}) is not known; "
            f"set {PREFIX}STORAGE_TYPE to 'file' or 'database'."
        )
    origins = {"storage_type": kind_origin, "database_url": url_origin, "data_dir": data_origin}
    return Settings(kind, url, folder, origins, root if given is None else None)


def settings_files(settings: Settings) -> list[Path]:
    """Return the files that settings which were read may come from, whether they exist or not."""
    root = settings.root or Path.cwd()
    return [root / ".env", *(root / name for name in _ROOT_FILES), settings.data_dir / CONFIG]


_Layer = tuple[str, Mapping[str, str]]


def _first(layers: list[_Layer], key: str, default: str) -> tuple[str, str]:
    for origin, values in layers:
        if values.get(key):
            return values[key], origin
    return default, "the default"


def _environment(environ: Mapping[str, str | None], origin: str) -> _Layer:
    found = {}
    for key in ("storage_type", "database_url", "data_dir"):
        value = (environ.get(PREFIX + key.upper()) or "").strip()
        if value:
            found[key] = value
    return origin, found


def _dotenv(path: Path) -> Mapping[str, str | None]:
    return dotenv_values(path) if path.is_file() else {}


def _file(path: Path) -> _Layer:
    if not path.is_file():
        return path.name, {}
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"The settings file {path} cannot be read: {error}.") from error
    data = data or {}
    if not isinstance(data, dict):
        raise ConfigurationError(f"The settings file {path} must hold keys and values.")
    return path.name, _known(data, path)


def _known(data: dict[str, Any], path: Path) -> dict[str, str]:
    data = {str(key).lower().removeprefix(PREFIX.lower()): value for key, value in data.items()}
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise ConfigurationError(
            f"{path} has the unknown setting {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}."
        )
    found = {key: str(value) for key, value in data.items() if key != "database" and value}
    database = data.get("database")
    if isinstance(database, dict):
        found["database_url"] = url_from_parts(database, str(path))
    elif database:
        found["database_url"] = str(database)
    return found


def url_from_parts(parts: Mapping[str, Any], where: str = "database") -> str:
    """Build a database URL from a mapping: driver and path, or driver, host, port, name, user, password.

    Raises:
        ConfigurationError: Keys are missing or not known; all of them are named at once.
    """
    unknown = sorted(set(parts) - _PARTS)
    driver = _DRIVERS.get(str(parts.get("driver", "")))
    needed = {"driver"} | ({"path"} if driver == "sqlite" else {"name"} if driver else set())
    missing = sorted(key for key in needed if not parts.get(key))
    if unknown or missing or driver is None:
        wrong = [f"{key} is missing" for key in missing] + [f"{key} is not known" for key in unknown]
        if parts.get("driver") and driver is None:
            wrong.append(f"driver {parts['driver']!r} is not one of {', '.join(sorted(_DRIVERS))}")
        raise ConfigurationError(f"The database settings in {where} are incomplete: {'; '.join(wrong)}.")
    if driver == "sqlite":
        return f"sqlite:///{parts['path']}"
    user = quote(str(parts.get("user") or ""), safe="")
    password = f":{quote(str(parts['password']), safe='')}" if parts.get("password") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    at = f"{user}{password}@" if user else ""
    return f"{driver}://{at}{parts.get('host') or 'localhost'}{port}/{parts['name']}"
