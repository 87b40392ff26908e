"""TLS options of a database in a mapping, with a real PostgreSQL that takes encrypted connections only."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa

from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.database import application, bootstrap
from lavendertown.database.connections import connect, install_tables
from lavendertown.errors import ConfigurationError, StorageUnavailableError
from tests.support import postgres
from tests.support.dashboard import ROOT
from tests.support.fork_server import run_python

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

IS_ENCRYPTED = sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
_ACCESS = "hostssl all all 127.0.0.1/32 trust\nhostnossl all all 127.0.0.1/32 reject\n"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder: Path) -> None:
    """Make two authorities, and a server's certificate by the first that names 127.0.0.1 only."""
    for name in ("ca", "other"):
        request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}")
        openssl(folder, *request, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1")
    openssl(folder, *request, "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    sign = ("x509", "-req", "-days", "2", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    openssl(folder, *sign, "-in", "server.csr", "-out", "server.pem", "-extfile", "names")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The folder of the server and of the certificates."""
    made = postgres.make_run_directory()
    make_certificates(made)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def config(folder: Path) -> Iterator[dict[str, Any]]:
    """A server that takes encrypted connections only, as a mapping that trusts its authority."""
    # The PostgreSQL of the wheel is built without OpenSSL.
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not system:
        pytest.skip("No PostgreSQL with TLS was found; run: sudo apt-get install -y postgresql.")
    keeper = postgres.Keeper(folder, system[-1].parents[1])
    access = folder / "access.conf"
    access.write_text(_ACCESS)
    key = folder / "server.key"
    key.chmod(0o600)
    if keeper.as_user:
        os.chown(key, keeper.as_user["user"], keeper.as_user["group"])
    options = [
        *(f"hba_file={access}", "ssl=on", f"ssl_cert_file={folder / 'server.pem'}", f"ssl_key_file={key}"),
        *postgres.TEST_SETTINGS,
    ]
    server, url = keeper.create_and_start(options)
    try:
        postgres.wait_until_ready(f"{url}?sslmode=require", server)
        yield {
            "driver": "postgresql",
            "host": "127.0.0.1",
            "port": sa.make_url(url).port,
            "name": "postgres",
            "user": "postgres",
            "sslmode": "verify-full",
            "sslrootcert": str(folder / "ca.pem"),
        }
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(20)


def write_settings(path: Path, config: dict[str, Any]) -> None:
    lines = "".join(f"  {name}: {value}\n" for name, value in config.items())
    path.write_text(f"database:\n{lines}")


def run_command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, without settings from the environment."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LAVENDERTOWN_")}
    environ["PYTHONPATH"] = str(ROOT)
    return run_python("-m", "lavendertown", *arguments, folder=folder, environ=environ)


def test_connect_takes_the_options(
    config: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(config).connect() as connection:
        assert connection.execute(IS_ENCRYPTED).scalar_one() is True
    monkeypatch.setenv("HOME", str(folder))
    engine = connect({**config, "sslrootcert": "~/ca.pem"})
    install_tables(engine)
    with engine.connect() as connection:
        assert connection.execute(IS_ENCRYPTED).scalar_one() is True


@pytest.mark.parametrize("name", ["lavendertown.yaml", "config.yaml"])
def test_the_mapping_of_a_settings_file_encrypts_storage_and_accessors(
    config: dict[str, Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(application, "_chosen", None)
    write_settings(tmp_path / name, config)
    storage = get_storage_backend()
    assert storage.query_reports() == []
    bootstrap()
    with application.transaction() as session:
        assert session.execute(IS_ENCRYPTED).scalar_one() is True
        # The storage's connection and this one.
        encrypted = sa.text("SELECT count(*) FROM pg_stat_ssl WHERE ssl")
        assert session.execute(encrypted).scalar_one() >= 2
    application.current_database().close()
    storage.close()


def test_a_backup_is_made_and_restored_by_encrypted_connections(
    config: dict[str, Any], tmp_path: Path
) -> None:
    """pg_dump and pg_restore get the options too."""
    write_settings(tmp_path / "lavendertown.yaml", config)
    run_command(tmp_path, "db", "init")
    made = run_command(tmp_path, "db", "backup", "--json")
    assert made.returncode == 0, made.stderr
    tried = run_command(tmp_path, "db", "restore", json.loads(made.stdout)["backup"], "--dry-run")
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sslrootcert": "other.pem"}, "certificate verify failed"),
        ({"host": "localhost"}, 'does not match host name "localhost"'),
        ({"sslmode": "disable"}, "no encryption"),
        ({"sslrootcert": "missing.pem"}, "does not exist"),
    ],
)
def test_a_connection_that_is_not_trusted_ends_in_one_sentence(
    config: dict[str, Any], folder: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    wrong = {**config, **changes}
    wrong["sslrootcert"] = str(folder / wrong["sslrootcert"])
    with pytest.raises(StorageUnavailableError) as refused:
        connect(wrong)
    sentence = str(refused.value)
    assert sentence.startswith(f"PostgreSQL at {wrong['host']}:{config['port']}/postgres cannot be used with")
    assert reason in sentence
    assert sentence.endswith("such as sslmode and sslrootcert, and the name of the host.")
    assert "\n" not in sentence

    write_settings(tmp_path / "lavendertown.yaml", wrong)
    done = run_command(tmp_path, "report", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.sub(r"^Error: ", "", done.stderr).strip() == sentence


def test_a_mode_that_there_is_not_is_named(config: dict[str, Any]) -> None:
    with pytest.raises((ConfigurationError, StorageUnavailableError), match=r"sslmode.*sometimes"):
        connect({**config, "sslmode": "sometimes"})


def test_the_server_takes_no_plain_connection(config: dict[str, Any]) -> None:
    """Without this, the other tests would prove nothing."""
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(host="127.0.0.1", port=config["port"], user="postgres", sslmode="disable")
