"""Settings: environment > .env > root file > data folder's config.toml > default."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from lavendertown.core import settings
from lavendertown.core.owner_rules import parse_owner_rule
from lavendertown.core.settings import (
    Setting,
    Settings,
    build_database_url,
    list_settings_files,
    load_settings,
)
from lavendertown.database.connections import url_from_config
from lavendertown.errors import ConfigurationError
from lavendertown.stores.sql.connection.engine import read_url
from lavendertown.stores.sql.connection.errors import store_name


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
    assert build_database_url({"driver": "sqlite", "path": "data/x.db"}) == "sqlite:///data/x.db"
    assert build_database_url({"driver": "sqlite", "path": "/data/x.db"}) == "sqlite:////data/x.db"


def test_everything_that_is_wrong_with_the_parts_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_database_url({"driver": "postgresql", "hots": "db", "pasword": "secret"})
    for word in ("name is missing", "hots", "pasword"):
        assert word in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("driver", ["mysql", "mariadb"])
def test_mysql_and_mariadb_are_one_driver(driver: str) -> None:
    parts = {"driver": driver, "host": "db", "name": "quality", "user": "ana", "password": "a/b"}
    assert build_database_url(parts) == "mariadb://ana:a%2Fb@db/quality"


def test_an_unknown_driver_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'oracle'.*postgresql.*sqlite"):
        build_database_url({"driver": "oracle", "name": "x"})


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


def test_a_list_is_a_list_in_a_file_and_separated_by_commas_in_a_variable(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('migration_folders = ["/srv/a", "stores"]\n')
    assert load(tmp_path).migration_folders == (Path("/srv/a"), tmp_path / "stores")
    settings = load(tmp_path, MIGRATION_FOLDERS="/srv/b, c,")
    assert settings.migration_folders == (Path("/srv/b"), tmp_path / "c")
    assert settings.origins["migration_folders"] == "the environment"


@pytest.mark.parametrize(
    ("text", "patterns", "owner"),
    [
        ("dataset:orders* column:email = Ana", "dataset:orders* column:email", "Ana"),
        ("column:a = b=Ana", "column:a = b", "Ana"),
        ("  dataset:my orders.csv=李 ", "dataset:my orders.csv", "李"),
        ("column:*_id = Ana B.", "column:*_id", "Ana B."),
        ("dataset:col column:x=y", "dataset:col column:x", "y"),
        ("dataset:db.column:x = y", "dataset:db.column:x", "y"),
        ("orders = Ana", "", ""),
        ("dataset: = Ana", "", ""),
        ("dataset:orders =", "", ""),
        ("dataset:orders", "", ""),
        ("", "", ""),
    ],
)
def test_an_owner_rule_names_a_dataset_or_a_column_and_a_person(
    tmp_path: Path, text: str, patterns: str, owner: str
) -> None:
    (tmp_path / "lavendertown.toml").write_text(f"[triage]\nowners = [{text!r}]\n")
    if owner:
        (loaded,) = load(tmp_path).triage_owners
        rule = parse_owner_rule(loaded)
        assert (rule.patterns, rule.owner) == (patterns, owner)
    else:
        with pytest.raises(ConfigurationError, match=r"is not of the form 'dataset:orders\* column:email"):
            load(tmp_path)


def test_an_owner_rule_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="at most 255 characters"):
        load(tmp_path, TRIAGE_OWNERS=f"dataset:{'x' * 250} = Ana")


def test_a_value_of_the_wrong_kind_is_refused_by_name_without_its_text(tmp_path: Path) -> None:
    for text, kind in [('server_names = "db"', "a list of texts"), ("data_dir = [1]", "text")]:
        (tmp_path / "lavendertown.toml").write_text(text)
        with pytest.raises(ConfigurationError, match=rf"'{text.split()[0]}' in .* must be {kind}\."):
            load(tmp_path)


def test_a_table_in_a_file_sets_settings_named_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings._SETTINGS_BY_NAME, "limits.rows", Setting("limits.rows", int, 10, ""))
    path = tmp_path / "lavendertown.toml"
    path.write_text("[limits]\nrows = 20\n")
    assert settings._file_layer(path) == ("lavendertown.toml", {"limits.rows": 20})
    path.write_text("[limits]\nrows = true\n")
    with pytest.raises(ConfigurationError, match=r"'limits\.rows' in .* must be a whole number"):
        settings._file_layer(path)


def test_an_unknown_key_in_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('storage_typ = "database"\n')
    with pytest.raises(ConfigurationError, match=r"lavendertown\.toml.*'storage_typ'"):
        load(tmp_path)


BROKEN = {
    "a toml value without quotes": ("lavendertown.toml", "a = 1\ndatabase_url = URL", "line 2, column 16"),
    "a toml text without an end": ("lavendertown.toml", 'database_url = "URL', ""),
    "a duplicate toml key": ("lavendertown.toml", '"URL" = 1\n"URL" = 2', "not TOML"),
    "a yaml list without an end": ("lavendertown.yaml", "storage_type: [URL\n", "line 2, column 1"),
    "a yaml key without a blank": (
        "lavendertown.yaml",
        "data_dir: x\ndatabase_url:URL\n",
        "line 3, column 1",
    ),
    "a yaml alias": ("lavendertown.yaml", "database_url: *URL\n", "line 1, column"),
    "a yaml tag": ("lavendertown.yaml", "database_url: !!URL x\n", "line 1, column"),
    "a yaml control character": ("lavendertown.yaml", "database_url: URL\x01\n", ""),
    "a yaml date that is none": ("lavendertown.yaml", "data_dir: 2026-02-30\n", ""),
    "a yaml text": ("lavendertown.yaml", "URL\n", "keys and values"),
    "a yaml list": ("lavendertown.yaml", "- URL\n", "keys and values"),
    "no utf-8": ("lavendertown.toml", "a = 1\nb = 'URL\udcff'\n", "line 2 is not UTF-8"),
    "no utf-8 in .env": (".env", "\nLAVENDERTOWN_DATABASE_URL=URL\udcff\n", "line 2 is not UTF-8"),
    "a line of .env that sets nothing": (".env", "A=1\n\n\n  LAVENDERTOWN_DATABASE_URL URL\nB=2", "line 4"),
    "a quote in .env without an end": (".env", "LAVENDERTOWN_DATABASE_URL='URL\n", "line 1"),
    "an unknown key": ("lavendertown.toml", '"URL" = 1', "unknown setting"),
    "an unknown storage type": ("lavendertown.toml", 'storage_type = "URL"', "storage type"),
    "an unknown driver": ("lavendertown.toml", '[database]\ndriver = "URL"', "driver"),
    "an unknown part": ("lavendertown.toml", '[database]\n"URL" = "URL"', "is unknown"),
    "a list of databases": ("lavendertown.toml", 'database = ["URL"]', "must be a URL or a mapping"),
    "a list": ("lavendertown.toml", 'database_url = ["URL"]', "must be text"),
    "a text": ("lavendertown.toml", 'server_names = "URL"', "must be a list"),
}
SECRET = "postgresql://ana:hunter2@db/ghosts"


@pytest.mark.parametrize(("name", "text", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_settings_file_is_named_with_the_place_and_without_its_text(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_bytes(text.replace("URL", SECRET).encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path)
    shown = "".join(traceback.format_exception(refused.value))
    assert name in str(refused.value)
    assert said in str(refused.value)
    assert "hunter2" not in shown


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


@pytest.mark.parametrize("text", ["database_url: sqlite:///a.db", "database: {driver: sqlite, path: a.db}"])
def test_a_database_without_a_storage_type_means_the_database(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, DATABASE_URL="sqlite:///a.db").storage_type == "database"
    (tmp_path / "lavendertown.yaml").write_text(text)
    assert load(tmp_path).storage_type == "database"
    assert load(tmp_path, STORAGE_TYPE="file").storage_type == "file"


def test_a_file_that_names_two_databases_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lavendertown.yaml"
    path.write_text("database_url: sqlite:///a.db\ndatabase: sqlite:///b.db\n")
    with pytest.raises(ConfigurationError, match="names two databases"):
        load(tmp_path)
    path.write_text("database_url: sqlite:///a.db\ndatabase: {driver: sqlite, path: a.db}\n")
    assert load(tmp_path).database_url == "sqlite:///a.db"


CONFIG_YAML = 'database: "sqlite:///./noventa.db"\n'


def test_the_database_of_config_yaml_is_used_unless_another_source_sets_one(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"name: shop\n{CONFIG_YAML}plugins: [a, b]\n")
    settings = load(tmp_path)
    assert (settings.storage_type, settings.database_url) == ("database", "sqlite:///./noventa.db")
    assert settings.origins["storage_type"] == "config.yaml"
    assert tmp_path / "config.yaml" in list_settings_files(load_settings(tmp_path))
    (tmp_path / ".lavendertown").mkdir()
    (tmp_path / ".lavendertown" / "config.toml").write_text('database_url = "sqlite:///data.db"\n')
    assert load(tmp_path).database_url == "sqlite:///data.db"
    assert load(tmp_path).notices == (
        "The database is set by config.toml; the database in config.yaml is not used.",
    )


def test_config_yaml_may_have_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "database: {driver: postgres, host: db, name: n, sslmode: require}\n"
    )
    assert load(tmp_path).database_url == "postgresql://db/n?sslmode=require"


@pytest.mark.parametrize(
    ("text", "notices"),
    [
        ("logging: !include log.yaml\n", 0),
        ("server:\n  database: sqlite:///a.db\n", 0),
        ("database:\n", 0),
        ("database: {host: db, user: ana}\n", 1),
        ("database: production\n", 1),
    ],
)
def test_a_config_yaml_of_another_program_changes_nothing(tmp_path: Path, text: str, notices: int) -> None:
    (tmp_path / "config.yaml").write_text(text)
    settings = load(tmp_path)
    assert (settings.storage_type, len(settings.notices)) == ("file", notices)


def test_a_broken_config_yaml_with_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"{CONFIG_YAML}broken: [\n")
    with pytest.raises(ConfigurationError, match=r"config\.yaml cannot be read: it is not YAML at line 3"):
        load(tmp_path)


def test_databases_that_are_not_used_are_named_with_their_sources(tmp_path: Path) -> None:
    write_layers(tmp_path)
    assert load(tmp_path, DATABASE_URL="sqlite:///env.db").notices == (
        "The database is set by the environment; the database in .env is not used.",
        "The database is set by the environment; the database in lavendertown.toml is not used.",
        "The database is set by the environment; the database in config.toml is not used.",
    )
    assert load(tmp_path, STORAGE_TYPE="file").notices[0] == (
        "The storage type is set by the environment; the database in .env is not used."
    )
    assert load(tmp_path / "elsewhere", DATABASE_URL="sqlite:///env.db").notices == ()


def test_a_database_and_files_in_two_sources_are_refused_with_both_names(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('storage_type = "file"\n')
    with pytest.raises(
        ConfigurationError, match=r"by the environment, but the storage type 'file' by lavendertown\.toml"
    ):
        load(tmp_path, DATABASE_URL="sqlite:///env.db")
    settings = load(tmp_path, DATABASE_URL="sqlite:///env.db", STORAGE_TYPE="database")
    assert settings.storage_type == "database"
    assert load(tmp_path, DATABASE_URL="sqlite:///env.db", STORAGE_TYPE="file").storage_type == "file"


def test_two_settings_files_in_the_project_must_not_disagree(tmp_path: Path) -> None:
    (tmp_path / "lavendertown.toml").write_text('database_url = "sqlite:///a.db"\n')
    other = tmp_path / "lavendertown.yaml"
    other.write_text("database_url: sqlite:///a.db\ndata_dir: ghosts\n")
    assert load(tmp_path).data_dir == tmp_path / "ghosts"
    other.write_text("database: sqlite:///b.db\n")
    with pytest.raises(
        ConfigurationError, match=r"lavendertown\.toml and lavendertown\.yaml set database_url differently"
    ):
        load(tmp_path)


def test_a_mapping_may_have_options_for_tls_and_a_home_folder() -> None:
    given = {"driver": "postgres", "host": "db", "name": "n", "user": "u", "sslmode": "require"}
    assert build_database_url(given) == "postgresql://u@db/n?sslmode=require"
    assert url_from_config(given).query == {"sslmode": "require"}
    assert url_from_config(given).drivername == "postgresql+psycopg2"
    home = str(Path.home() / "a.db")
    assert build_database_url({"driver": "sqlite", "path": "~/a.db"}) == f"sqlite:///{home}"
    assert url_from_config({"driver": "sqlite", "path": "~/a.db"}).database == home
    assert read_url("sqlite:///~/a.db").database == home


@pytest.mark.parametrize(
    ("driver", "option"), [("postgresql", "sslrootcert"), ("mariadb", "ssl_ca"), ("mysql", "ssl_key")]
)
def test_paths_of_tls_files_may_start_with_the_home_folder(driver: str, option: str) -> None:
    given = {"driver": driver, "host": "db", "name": "n", "user": "u", option: "~/ca.pem"}
    home = str(Path.home() / "ca.pem")
    assert read_url(build_database_url(given)).query == {option: home}
    assert url_from_config(given).query == {option: home}
    assert read_url("postgresql://u@db/n?sslmode=verify-full").query == {"sslmode": "verify-full"}


@pytest.mark.parametrize("host", ["::1", "[::1]", "2001:db8::5"])
def test_an_ipv6_address_is_written_in_brackets(host: str) -> None:
    given = {"driver": "postgresql", "host": host, "port": 5432, "name": "n", "user": "u"}
    bare = host.strip("[]")
    assert build_database_url(given) == f"postgresql://u@[{bare}]:5432/n"
    for url in (read_url(build_database_url(given)), url_from_config(given)):
        assert (url.host, url.port) == (bare, 5432)
        assert store_name(url) == f"PostgreSQL at [{bare}]:5432/n"
