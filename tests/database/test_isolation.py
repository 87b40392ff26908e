"""A server that somebody else named gets nothing of ours: neither a password nor a file."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from lavendertown.errors import ConfigurationError, StorageError, StorageUnavailableError
from lavendertown.stores.sql.connection import engine, postgres
from lavendertown.stores.sql.connection.errors import driver_reason, translate_errors
from lavendertown.stores.sql.schema.revisions import SchemaState, inspect_schema
from tests.support.stub_servers import FileThief, PasswordThief


@pytest.fixture
def thief() -> Iterator[PasswordThief]:
    with PasswordThief() as server:
        yield server


@pytest.fixture
def our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, thief: PasswordThief) -> Path:
    """Passwords of ours in every place where libpq looks for one."""
    home = tmp_path / "home"
    home.mkdir()
    for name, text in {
        ".pgpass": "*:*:*:*:from-pgpass\n",
        "passes": "*:*:*:*:from-passfile\n",
        ".pg_service.conf": f"[ours]\nhostaddr=127.0.0.1\nport={thief.port}\npassword=from-service\n",
    }.items():
        (home / name).write_text(text)
        (home / name).chmod(0o600)
    return home


@pytest.mark.parametrize(
    ("variable", "value", "secret"),
    [
        ("PGPASSWORD", "from-environment", b"from-environment"),
        ("HOME", "~", b"from-pgpass"),
        ("PGPASSFILE", "~/passes", b"from-passfile"),
        ("PGSERVICEFILE", "~/.pg_service.conf", b"from-service"),
    ],
)
def test_an_isolated_connection_gives_no_password_of_ours(
    our_secrets: Path,
    thief: PasswordThief,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    secret: bytes,
) -> None:
    monkeypatch.setenv(variable, value.replace("~", str(our_secrets)))
    if variable == "PGSERVICEFILE":
        monkeypatch.setenv("PGSERVICE", "ours")
    url = engine.read_url(thief.login_url())
    with pytest.raises(StorageUnavailableError):
        inspect_schema(url)
    assert secret in thief.received_bytes, "without isolation the stub server gets it"
    thief.received.clear()
    with pytest.raises(StorageUnavailableError):
        inspect_schema(postgres.isolate_url(url))
    assert b"quality" in thief.received_bytes
    assert secret not in thief.received_bytes
    assert b"from-" not in thief.received_bytes


def test_an_isolated_connection_sends_the_password_of_its_url(
    thief: PasswordThief, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "from-environment")
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.2")
    with pytest.raises(StorageUnavailableError):
        inspect_schema(postgres.isolate_url(engine.read_url(thief.login_url("ana:typed"))))
    assert b"typed\0" in thief.received_bytes


class _Option(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_char_p) for name in ("keyword", "variable", "compiled", "value", "label", "kind")
    ]
    _fields_ += [("size", ctypes.c_int)]


def test_nothing_that_libpq_takes_from_a_variable_is_left_open() -> None:
    folder = Path(psycopg2.__file__).parents[1] / "psycopg2_binary.libs"
    libpq = ctypes.CDLL(str(next(folder.glob("libpq-*"))))
    libpq.PQconndefaults.restype = ctypes.POINTER(_Option)
    options, number, known = libpq.PQconndefaults(), 0, {}
    while options[number].keyword:
        known[options[number].keyword.decode()] = options[number].variable
        number += 1
    arguments = {postgres.DEFAULTS_OPTION: postgres.DEFAULTS_OFF, "host": "h", "user": "u", "dbname": "d"}
    postgres.isolate_arguments(arguments)
    # A service fills in only what has no value.
    open_ones = {name for name, variable in known.items() if variable and name not in arguments}
    assert open_ones - {"service", "servicefile"} == set()
    assert set(arguments) - set(known) == set()


def test_a_password_in_the_wrong_part_of_a_url_is_not_shown() -> None:
    for text in (
        "postgresql://ana:hunter2/db",
        "postgresql://ana:a@hunter2@h/db",
        "postgresql://a/x:hunter2@h/d",
    ):
        with pytest.raises(ConfigurationError) as refused:
            engine.read_url(text)
        assert "hunter2" not in str(refused.value)
        assert refused.value.__cause__ is None


def test_an_application_error_hides_the_passwords_of_urls() -> None:
    said = driver_reason(
        ValueError("invalid dsn: host=h password='hunter2 x' at postgresql://ana:hunter2@h/db")
    )
    assert "hunter2" not in said
    assert "postgresql://ana:***@h/db" in said


def test_a_drivers_error_hides_the_password_of_the_connection() -> None:
    url = engine.read_url("postgresql://ana:hunter2@h/db")
    said = psycopg2.ProgrammingError("invalid dsn: no '=' after \"hunter2\" in password=geheim host=h")
    with pytest.raises(StorageError) as refused, translate_errors(url):
        raise sa.exc.ProgrammingError("", {}, said)
    assert "invalid dsn" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert "geheim" not in str(refused.value)


@pytest.mark.postgres
def test_an_isolated_connection_works(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSSLMODE", "PGOPTIONS"):
        monkeypatch.setenv(name, "nonsense")
    assert inspect_schema(postgres.isolate_url(engine.read_url(postgres_url))).state is SchemaState.EMPTY


@pytest.mark.parametrize("options", ["", "?local_infile=1"])
def test_a_mariadb_server_gets_no_file(tmp_path: Path, options: str) -> None:
    pytest.importorskip("pymysql")
    secret = tmp_path / "secret"
    secret.write_text("ours alone")
    with FileThief(str(secret)) as server:
        with pytest.raises(StorageUnavailableError, match="requested a file of this machine"):
            inspect_schema(server.login_url(options=options))
        assert b"SET time_zone" in server.received_bytes
        assert b"ours alone" not in server.received_bytes
