"""Checks of the database URLs that visitors of the dashboard enter."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import URL

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import quote_or_hide
from lavendertown.stores.sql.connection.engine import read_url
from lavendertown.stores.sql.connection.postgres import isolate_url

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_ALLOWED_OPTIONS: dict[str, tuple[str, ...]] = {
    "postgresql": ("sslmode", "sslrootcert", "connect_timeout"),
    "mariadb": ("connect_timeout",),
    "sqlite": (),
}
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql+psycopg2", "mariadb+pymysql")
_MAX_TIMEOUT = 60
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_:")

VetPath = Callable[[str], str]
"""Returns the resolved path of a file; raises InvalidInputError if the file may not be used."""


def vet_url(text: str, vet_file: VetPath, vet_certificate: VetPath) -> str:
    """Return a checked URL whose connections use no settings, credentials or other files of this machine.

    Args:
        text: The URL.
        vet_file: Checks the path of a SQLite file.
        vet_certificate: Checks the path in the option ``sslrootcert``.

    Raises:
        InvalidInputError: An option or a part of the URL is not allowed.
        ConfigurationError: The URL is invalid, or names an unsupported database.
    """
    url = read_url(text)
    if url.drivername not in _DRIVERS:
        raise InvalidInputError(
            f"The driver {url.drivername!r} is not available here. Start the URL with sqlite://, "
            "postgresql:// or mariadb://."
        )
    backend = url.get_backend_name()
    _check_options(url, _ALLOWED_OPTIONS[backend])
    if backend == "sqlite":
        url = _vet_sqlite(url, vet_file)
    else:
        _check_server(url)
    certificate = url.query.get("sslrootcert", "system")
    if certificate != "system":
        url = url.update_query_dict({"sslrootcert": vet_certificate(str(certificate))})
    if backend == "postgresql":
        url = isolate_url(url)
    return url.render_as_string(hide_password=False)


def _check_options(url: URL, allowed: tuple[str, ...]) -> None:
    refused = [name for name, value in url.query.items() if name not in allowed or not isinstance(value, str)]
    if refused:
        advice = f"Use only {', '.join(allowed)}." if allowed else "Remove all options."
        raise InvalidInputError(f"The option {quote_or_hide(refused[0])} is not allowed here. {advice}")
    mode = str(url.query.get("sslmode", "prefer"))
    if mode not in _SSL_MODES:
        raise InvalidInputError(f"The option sslmode must be one of {', '.join(_SSL_MODES)}.")
    seconds = str(url.query.get("connect_timeout", "10"))
    if not (seconds.isascii() and seconds.isdigit() and 1 <= int(seconds) <= _MAX_TIMEOUT):
        raise InvalidInputError(f"The option connect_timeout must be 1 to {_MAX_TIMEOUT} seconds.")


def _check_server(url: URL) -> None:
    # libpq would fill missing parts from this machine: a local socket, and this process's user.
    parts = {"host": url.host, "user": url.username, "database": url.database}
    missing = [name for name, value in parts.items() if not value]
    if missing:
        raise InvalidInputError(
            f"The database URL lacks the {' and the '.join(missing)}. Write it like "
            "postgresql://user:password@host:5432/database."
        )
    if not set(str(url.host).lower()) <= _HOST_CHARACTERS:
        raise InvalidInputError("The host in the database URL must be one host name or IP address.")


def _vet_sqlite(url: URL, vet_file: VetPath) -> URL:
    name = url.database or ""
    if url.host or url.username or url.password:
        raise InvalidInputError("Write a SQLite URL like sqlite:///file.db or sqlite:////folder/file.db.")
    if not name or name.startswith((":", "file:")):
        raise InvalidInputError("The SQLite URL has no file path. Write it like sqlite:///file.db.")
    return url.set(drivername="sqlite", database=vet_file(name))
