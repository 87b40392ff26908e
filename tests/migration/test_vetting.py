"""A visitor names stores in the folders that migrations may use, and servers by their URL alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.core.settings import Settings, load_settings
from lavendertown.errors import InvalidInputError, LavenderTownError, StorageUnavailableError
from lavendertown.stores.sql.connection.engine import read_url
from lavendertown.stores.sql.schema.revisions import inspect_schema
from lavendertown.transfer import locations
from lavendertown.transfer.vetting import vet_store
from tests.support.stub_servers import FileThief, PasswordThief


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A project with one more folder for migrations, and a home folder with what must stay untouched."""
    project, more, home = (tmp_path / name for name in ("project", "more", "home"))
    for folder in (project / ".lavendertown", more, home / ".ssh"):
        folder.mkdir(parents=True)
    (home / ".ssh" / "authorized_keys").write_text("ssh-ed25519 AAAA ana\n")
    (more / "link.db").symlink_to(home / ".ssh" / "authorized_keys")
    (more / "linked").symlink_to(home)
    (more / "loop").symlink_to(more / "loop")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(project)
    return load_settings(project, {"LAVENDERTOWN_MIGRATION_FOLDERS": str(more)})


OUTSIDE = [
    "~/.ssh/authorized_keys",
    "sqlite:///~/.ssh/authorized_keys",
    "~",
    "~nobody-of-this-name/store",
    "HOME/.ssh/authorized_keys",
    "HOME/.ssh/new.db",
    "sqlite:////etc/shadow",
    "sqlite:////etc/no-such-file.db",
    "sqlite:////etc/%73hadow",
    "sqlite:///%2Fetc%2Fshadow",
    "sqlite+pysqlite:////etc/shadow",
    "/etc/shadow",
    "/etc/no-such-file",
    "MORE/../home/new",
    "sqlite:///MORE/../home/new.db",
    "MORE/linked/new",
    "sqlite:///MORE/linked/new.db",
    "sqlite:///MORE/link.db",
    "MORE/loop",
    "MORE/nul\0",
    "MOREover",
    ".",
    "..",
    "elsewhere",
    "sqlite:///elsewhere.db",
    "postgresql:/ana:hunter2@db/quality",
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_a_place_outside_of_the_folders_is_refused_whether_it_exists_or_not(
    settings: Settings, tmp_path: Path, text: str
) -> None:
    text = text.replace("HOME", str(tmp_path / "home")).replace("MORE", str(tmp_path / "more"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidInputError) as refused:
        vet_store(text, settings)
    assert str(refused.value) == (
        f"Migrations started in the browser can only use {settings.data_dir} and {tmp_path / 'more'}. "
        "Choose a path inside, ask an administrator to add the folder to LAVENDERTOWN_MIGRATION_FOLDERS, or "
        "use `lavendertown migrate`."
    )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:///file:/etc/shadow?uri=true",
        "sqlite:///file:.lavendertown/x.db?mode=memory&uri=true",
        "sqlite:///.lavendertown/x.db?uri=true",
        "sqlite:///file:.lavendertown/x.db",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite://host/.lavendertown/x.db",
        "sqlite+aiosqlite:///.lavendertown/x.db",
        "sqlite+pysqlcipher:///.lavendertown/x.db",
        "sqlite:///.lavendertown/x.txt",
        "sqlite:///.lavendertown/config.toml",
        "sqlite:///.lavendertown/.db",
        "postgresql+psycopg://ana@db/quality",
        "postgresql+asyncpg://ana@db/quality",
        "mysql+mysqldb://ana@db/quality",
        "oracle://ana@db/quality",
        "postgresql://db/quality",
        "postgresql:///quality",
        "postgresql://ana@db",
        "postgresql://ana@%2Ftmp/quality",
        "postgresql://ana@one,two/quality",
        "mariadb:///quality",
        "",
    ],
)
def test_what_names_no_plain_store_is_refused(settings: Settings, text: str) -> None:
    with pytest.raises(LavenderTownError):
        vet_store(text, settings)


@pytest.mark.parametrize(
    "option",
    [
        "service",
        "passfile",
        "hostaddr",
        "host",
        "options",
        "sslkey",
        "sslcert",
        "password",
        "libpq_defaults",
        "local_infile",
        "read_default_file",
        "unix_socket",
        "init_command",
        "PGPASSFILE",
    ],
)
@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_every_other_option_is_refused_by_name(settings: Settings, scheme: str, option: str) -> None:
    with pytest.raises(InvalidInputError, match=f"'{option}' is not allowed"):
        vet_store(f"{scheme}://ana:hunter2@db/quality?{option}=x", settings)


@pytest.mark.parametrize(
    "option",
    [
        "sslmode=off",
        "sslmode=require&sslmode=disable",
        "connect_timeout=x",
        "connect_timeout=0",
        "connect_timeout=999999",
        "sslrootcert=/etc/hostname",
        "sslrootcert=/etc/no-such-file",
    ],
)
def test_a_wrong_value_of_an_option_is_refused(settings: Settings, option: str) -> None:
    with pytest.raises(InvalidInputError, match=option.partition("=")[0]):
        vet_store(f"postgresql://ana:hunter2@db/quality?{option}", settings)


def test_a_place_in_the_folders_comes_back_resolved(settings: Settings, tmp_path: Path) -> None:
    more = tmp_path / "more"
    assert vet_store(".lavendertown/new", settings) == str(settings.data_dir / "new")
    assert vet_store(f"{more}/a/../b c", settings) == f"{more}/b c"
    for name in ("x.db", "x.sqlite", "x.SQLITE3", "a#b.db"):
        url = vet_store(f"sqlite:///{more}/{name}", settings)
        assert locations.parse_location(url).file == more / name


def test_the_allowed_options_of_a_url_stay(settings: Settings, tmp_path: Path) -> None:
    certificate = tmp_path / "more" / "root.crt"
    certificate.write_text("")
    options = f"sslmode=verify-full&connect_timeout=5&sslrootcert={certificate}"
    url = read_url(vet_store(f"postgres://ana:p%40s@db:5433/q?{options}", settings))
    assert (url.password, url.host, url.port, url.database) == ("p@s", "db", 5433, "q")
    assert url.query == {
        "sslmode": "verify-full",
        "connect_timeout": "5",
        "sslrootcert": str(certificate),
        "libpq_defaults": "off",
    }


def test_the_store_in_use_is_taken_as_it_is(tmp_path: Path, settings: Settings) -> None:
    url = "postgresql://db/quality?service=ours"
    own = load_settings(tmp_path, {"LAVENDERTOWN_DATABASE_URL": url, "LAVENDERTOWN_STORAGE_TYPE": "database"})
    assert vet_store(url, own) == url
    file = tmp_path / "team"
    own = load_settings(
        tmp_path,
        {"LAVENDERTOWN_DATABASE_URL": f"sqlite:///{file}", "LAVENDERTOWN_STORAGE_TYPE": "database"},
    )
    assert vet_store(f"sqlite:///{tmp_path}/x/../team", own) == f"sqlite:///{file}"


def test_a_server_that_a_visitor_names_gets_no_password_of_ours(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "ours")
    with PasswordThief() as thief:
        with pytest.raises(StorageUnavailableError):
            inspect_schema(vet_store(thief.login_url(), settings))
        assert b"quality" in thief.received_bytes
        assert b"ours" not in thief.received_bytes


def test_a_server_that_a_visitor_names_gets_no_file(settings: Settings, tmp_path: Path) -> None:
    pytest.importorskip("pymysql")
    with FileThief(str(tmp_path / "home" / ".ssh" / "authorized_keys")) as thief:
        with pytest.raises(StorageUnavailableError):
            inspect_schema(vet_store(thief.login_url(), settings))
        assert b"SET time_zone" in thief.received_bytes
        assert b"ssh-ed25519" not in thief.received_bytes
