"""Settings: environment > .env > root file > data folder's config.toml > default."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.config import Settings, load_settings, url_from_parts
from lavendertown.errors import ConfigurationError


def load(root: Path, **environ: str) -> Settings:
    return load_settings(root, {f"LAVENDERTOWN_{key}": value for key, value in environ.items()})


def test_with_nothing_set_it_is_files_in_the_hidden_folder(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.storage_type == "file"
    assert settings.data_dir == tmp_path / ".lavendertown"
    assert settings.database_url == f"sqlite:///{tmp_path / '.lavendertown' / 'lavendertown.db'}"


def test_the_process_environment_is_read_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", "sqlite:///elsewhere.db")
    settings = load_settings()
    assert (settings.storage_type, settings.database_url) == ("database", "sqlite:///elsewhere.db")


def write_layers(root: Path) -> dict[str, Path]:
    data = root / ".lavendertown"
    data.mkdir()
    layers = {
        ".env": root / ".env",
        "lavendertown.toml": root / "lavendertown.toml",
        "config.toml": data / "config.toml",
    }
    layers[".env"].write_text("LAVENDERTOWN_DATABASE_URL=sqlite:///dotenv.db\n")
    layers["lavendertown.toml"].write_text('database_url = "sqlite:///root.db"\n')
    layers["config.toml"].write_text('database_url = "sqlite:///data.db"\n')
    return layers


def test_the_first_place_that_says_something_wins(tmp_path: Path) -> None:
    layers = write_layers(tmp_path)
    assert load(tmp_path, DATABASE_URL="sqlite:///env.db").database_url == "sqlite:///env.db"
    assert load(tmp_path).database_url == "sqlite:///dotenv.db"
    layers[".env"].unlink()
    assert load(tmp_path).database_url == "sqlite:///root.db"
    layers["lavendertown.toml"].unlink()
    assert load(tmp_path).database_url == "sqlite:///data.db"
    layers["config.toml"].unlink()
    assert load(tmp_path).database_url.endswith("/.lavendertown/lavendertown.db")


def test_each_setting_says_where_it_came_from(tmp_path: Path) -> None:
    write_layers(tmp_path)
    origins = load(tmp_path, STORAGE_TYPE="database").origins
    assert "environment" in origins["storage_type"]
    assert ".env" in origins["database_url"]
    assert "default" in origins["data_dir"]


def test_an_empty_setting_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, STORAGE_TYPE="  ", DATABASE_URL="").storage_type == "file"


def test_a_yaml_root_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.yaml").write_text("storage_type: database\ndatabase_url: sqlite:///y.db\n")
    settings = load(tmp_path)
    assert (settings.storage_type, settings.database_url) == ("database", "sqlite:///y.db")


def test_the_same_keys_as_in_the_environment_work_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('LAVENDERTOWN_STORAGE_TYPE = "database"\n')
    assert load(tmp_path).storage_type == "database"


def test_a_database_can_be_given_in_parts(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.yaml").write_text(
        "storage_type: database\ndatabase:\n  driver: postgresql\n  host: db\n  port: 5433\n"
        "  name: ghosts\n  user: ann\n  password: 'p@ss/w:rd%'\n"
    )
    assert load(tmp_path).database_url == "postgresql://ann:p%40ss%2Fw%3Ard%25@db:5433/ghosts"


def test_a_sqlite_database_is_given_by_its_path() -> None:
    assert url_from_parts({"driver": "sqlite", "path": "data/x.db"}) == "sqlite:///data/x.db"
    assert url_from_parts({"driver": "sqlite", "path": "/data/x.db"}) == "sqlite:////data/x.db"


def test_everything_that_is_wrong_with_the_parts_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        url_from_parts({"driver": "postgresql", "hots": "db", "pasword": "secret"})
    for word in ("name is missing", "hots", "pasword"):
        assert word in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("driver", ["mysql", "mariadb"])
def test_mysql_and_mariadb_are_one_driver(driver: str) -> None:
    parts = {"driver": driver, "host": "db", "name": "quality", "user": "ana", "password": "a/b"}
    assert url_from_parts(parts) == "mariadb://ana:a%2Fb@db/quality"


def test_an_unknown_driver_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'oracle'.*postgresql.*sqlite"):
        url_from_parts({"driver": "oracle", "name": "x"})


def test_the_data_folder_comes_from_environment_or_root_file(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('data_dir = "ghosts"\n')
    assert load(tmp_path).data_dir == tmp_path / "ghosts"
    assert load(tmp_path, DATA_DIR=str(tmp_path / "other")).data_dir == tmp_path / "other"


def test_the_data_folder_cannot_name_another_data_folder(tmp_path: Path) -> None:
    (tmp_path / ".lavendertown").mkdir()
    (tmp_path / ".lavendertown" / "config.toml").write_text('data_dir = "ghosts"\n')
    assert load(tmp_path).data_dir == tmp_path / ".lavendertown"


def test_the_default_database_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert load(tmp_path, DATA_DIR="ghosts").database_url == f"sqlite:///{tmp_path}/ghosts/lavendertown.db"


def test_an_unknown_storage_type_is_one_sentence_not_a_fallback(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"'redis'.*environment.*'file' or 'database'"):
        load(tmp_path, STORAGE_TYPE="redis")


def test_an_unknown_key_in_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('storage_typ = "database"\n')
    with pytest.raises(ConfigurationError, match=r"lavendertown\.toml.*'storage_typ'"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lavendertown.toml", "storage_type = \n"),
        ("lavendertown.yaml", "storage_type: [unclosed\n"),
        ("lavendertown.yaml", "- a\n- b\n"),
        ("lavendertown.toml", "\ufeff\udcff"),
    ],
)
def test_a_broken_settings_file_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=name):
        load(tmp_path)


def test_a_refusal_never_shows_a_password(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.yaml").write_text(
        "database:\n  driver: postgresql\n  password: hunter2\n  sslmode: require\n"
    )
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path)
    assert "hunter2" not in str(refused.value)


def test_a_password_never_shows_when_settings_are_printed(tmp_path: Path) -> None:
    settings = load(tmp_path, DATABASE_URL="postgresql://ann:hunter2@db/ghosts")
    assert "hunter2" not in repr(settings)


def test_settings_can_key_a_cache(tmp_path: Path) -> None:
    assert hash(load(tmp_path)) == hash(load(tmp_path))
    assert load(tmp_path) == load(tmp_path)
