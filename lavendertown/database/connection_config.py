"""The mapping that says which database to connect to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from lavendertown.errors import ConfigurationError

_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_FILE_KEYS = ("path",)
_SERVER_KEYS = ("host", "name", "user")
_OPTIONAL_SERVER_KEYS = ("port", "password")
_ALL_KEYS = ("driver", *_FILE_KEYS, *_SERVER_KEYS, *_OPTIONAL_SERVER_KEYS)


def read(config: Mapping[str, Any]) -> URL:
    """Return the URL of the database that a mapping describes. A key without a value counts as missing.

    Raises:
        ConfigurationError: Keys are missing or unknown, or values wrong; all of them are named.
    """
    if not isinstance(config, Mapping):
        raise ConfigurationError(
            "The database configuration is not a mapping. "
            'It looks like {"driver": "sqlite", "path": "my.db"}.'
        )
    problems = [*_key_problems(config), *_value_problems(config)]
    if problems:
        raise ConfigurationError(
            f"The database configuration {', and '.join(problems)}. {_advice(config.get('driver'))}"
        )
    return _file_url(config) if config["driver"] == "sqlite" else _server_url(config)


def _keys(driver: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys that a driver's mapping must have, and those that it may have."""
    if driver == "sqlite":
        return ("driver", *_FILE_KEYS), ()
    if driver in ("postgresql", "mysql", "mariadb"):
        return ("driver", *_SERVER_KEYS), _OPTIONAL_SERVER_KEYS
    return ("driver",), _ALL_KEYS


def _key_problems(config: Mapping[str, Any]) -> Iterator[str]:
    required, optional = _keys(config.get("driver"))
    missing = [key for key in required if config.get(key) in (None, "")]
    unknown = [str(key) for key in config if key not in (*required, *optional)]
    if missing:
        yield f"lacks {_listed(missing)}"
    if unknown:
        yield f"has what is not known there: {', '.join(unknown)}"


def _value_problems(config: Mapping[str, Any]) -> Iterator[str]:
    given = {key: value for key, value in config.items() if value not in (None, "")}
    driver, path, port = given.get("driver"), given.get("path"), given.get("port")
    if driver is not None and driver not in tuple(_DRIVERS):
        yield f"has a driver that is not known, {driver!r}"
    if path is not None and (not isinstance(path, str | Path) or "\0" in str(path)):
        yield "has a path that is none"
    if port is not None and not (type(port) is int and 0 < port < 65536):
        yield "has a port that is not a whole number from 1 to 65535"
    for key in ("host", "name", "user", "password"):
        if key in given and (not isinstance(given[key], str) or "\0" in given[key]):
            yield f"has a {key} that is not text"


def _advice(driver: object) -> str:
    if driver not in tuple(_DRIVERS):
        return f"The driver is one of {', '.join(_DRIVERS)}."
    required, optional = _keys(driver)
    may = f", and may have {_listed(optional)}" if optional else ""
    return f"For {driver} it has {_listed(required)}{may}."


def _listed(words: list[str] | tuple[str, ...]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _file_url(config: Mapping[str, Any]) -> URL:
    path = str(config["path"])
    # Where the file is does not change with the working folder later on.
    return URL.create("sqlite", database=path if path == ":memory:" else str(Path(path).absolute()))


def _server_url(config: Mapping[str, Any]) -> URL:
    return URL.create(
        _DRIVERS[config["driver"]],
        username=config["user"],
        password=config.get("password") or None,
        host=config["host"],
        port=config.get("port"),
        database=config["name"],
    )
