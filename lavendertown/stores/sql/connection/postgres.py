"""Engine settings for PostgreSQL, and connections isolated from this machine's settings.

libpq fills every parameter that a connection leaves open from ``PG*`` variables, the password file, service
files and a client certificate. With a URL that somebody else entered, this would send our own credentials
to their server. The URL option ``libpq_defaults=off`` prevents it.
"""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from lavendertown.core import locks
from lavendertown.core.errors import StorageError
from lavendertown.stores.sql.connection.errors import store_name

DEFAULTS_OPTION = "libpq_defaults"
"""The option of a PostgreSQL URL that isolates its connections when set to ``off``."""
DEFAULTS_OFF = "off"
NO_FILE = f"{os.devnull}/none"
"""A path at which no file can exist."""

# Name: the libpq version that introduced the parameter, and its explicit value. libpq treats an empty value
# as set, so it reads no default from the environment.
_EXPLICIT_DEFAULTS: dict[str, tuple[int, str]] = {
    "password": (0, ""),
    "passfile": (0, NO_FILE),
    "hostaddr": (0, ""),
    "port": (0, "5432"),
    "options": (0, ""),
    "client_encoding": (0, "utf8"),
    "application_name": (0, "lavendertown"),
    "connect_timeout": (0, "10"),
    "sslmode": (0, "prefer"),
    "sslcompression": (0, "0"),
    "sslcert": (0, NO_FILE),
    "sslkey": (0, NO_FILE),
    "sslrootcert": (0, ""),
    "sslcrl": (0, ""),
    "requirepeer": (0, ""),
    "krbsrvname": (0, "postgres"),
    "gsslib": (0, ""),
    "target_session_attrs": (10, "any"),
    "gssencmode": (12, "disable"),
    "channel_binding": (13, "prefer"),
    "ssl_min_protocol_version": (13, "TLSv1.2"),
    "ssl_max_protocol_version": (13, ""),
    "sslcrldir": (14, ""),
    "sslsni": (14, "1"),
    "require_auth": (16, "none,password,md5,scram-sha-256"),
    "sslcertmode": (16, "disable"),
    "gssdelegation": (16, "0"),
    "load_balance_hosts": (16, "disable"),
    "sslnegotiation": (17, "postgres"),
}


def is_isolated(url: URL) -> bool:
    """Return whether connections of this URL ignore the libpq settings of this machine."""
    return url.query.get(DEFAULTS_OPTION) == DEFAULTS_OFF


def isolate_url(url: URL) -> URL:
    """Return the URL with the option that isolates its connections."""
    return url.update_query_dict({DEFAULTS_OPTION: DEFAULTS_OFF})


def without_isolation_option(url: URL) -> URL:
    """Return the URL without the isolation option, which other programs do not know."""
    return url.difference_update_query([DEFAULTS_OPTION])


def isolate_arguments(arguments: dict[str, Any]) -> None:
    """Remove the isolation option from driver arguments; if it was set, set every open parameter."""
    if arguments.pop(DEFAULTS_OPTION, None) != DEFAULTS_OFF:
        return
    from psycopg2.extensions import libpq_version

    version = libpq_version() // 10_000
    for name, (since, value) in _EXPLICIT_DEFAULTS.items():
        if since <= version:
            arguments.setdefault(name, value)


def client_environment(url: URL) -> dict[str, str]:
    """Return the environment variables for a client program that connects with this URL."""
    if not is_isolated(url):
        return dict(os.environ)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {
        "PGPASSFILE": NO_FILE,
        "PGSSLCERT": NO_FILE,
        "PGSSLKEY": NO_FILE,
        "PGGSSENCMODE": "disable",
    }


# libpq's PQTRANS_INERROR.
TRANSACTION_STATUS_INERROR = 3


def engine_options(url: URL) -> dict[str, Any]:
    """Return the engine options for this URL."""
    # psycopg2 chooses its quoting once per connection, from standard_conforming_strings at connect time.
    setup = "-c standard_conforming_strings=on -c timezone=UTC -c jit=off"
    setup += " -c default_transaction_isolation=read\\ committed"
    setup += f" -c lock_timeout={round(locks.waiting_times.get().give_up * 1000)}"
    arguments: dict[str, Any] = {"options": setup, "client_encoding": "utf8"}
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = 10
    return {"connect_args": arguments, "pool_size": 10, "pool_pre_ping": True}


def configure_engine(engine: Engine) -> None:
    """Isolate the engine's connections if its URL has the isolation option."""

    @sa.event.listens_for(engine, "do_connect")
    def isolate_connection(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        isolate_arguments(options)


def refuse_failed_transaction(connection: sa.Connection) -> None:
    """Refuse to commit a transaction in which a statement failed, even if its error was ignored.

    PostgreSQL would roll back such a transaction at COMMIT without an error.

    Raises:
        StorageError: A statement failed.
    """
    driver: Any = connection.connection.dbapi_connection
    if driver.info.transaction_status == TRANSACTION_STATUS_INERROR:
        raise StorageError(
            f"{store_name(connection.engine.url)} cannot commit: a statement failed, and its error was "
            "ignored; nothing was written. Fix the hook that ran the statement, then try again."
        )
