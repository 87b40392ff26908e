"""Sources that an administrator configured by name: settings, reading, and what visitors see of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lavendertown.core.configured_sources import ConfiguredSource, find_source
from lavendertown.core.file_limits import FileLimits
from lavendertown.core.settings import load_settings
from lavendertown.data_sources import inspect_source, pack_source, read_configured_source
from lavendertown.errors import ConfigurationError, InvalidInputError, LavenderTownError, UnreadableTableError
from lavendertown.inspection.result_files import read_result
from lavendertown.inspection.tasks import write_rows

ORDERS = "order_id,customer_id\n1,7\n2,\n3,9\n4,\n"


def configure(folder: Path, text: str, **variables: str) -> dict[str, ConfiguredSource]:
    (folder / "lavendertown.toml").write_text(text)
    return {source.name: source for source in load_settings(folder, variables).sources}


def inspect(source: ConfiguredSource, folder: Path, **limits: int) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    arguments = {
        "source": pack_source(source),
        "name": source.name,
        "dataset": source.name,
        "folder": str(folder),
        "limits": asdict(FileLimits(**limits)),
    }
    return inspect_source(arguments, lambda _: None)


def test_sources_are_read_from_the_settings_files(tmp_path: Path) -> None:
    (tmp_path / ".lavendertown").mkdir()
    (tmp_path / ".lavendertown" / "config.toml").write_text(
        '[sources.orders]\npath = "other.csv"\n[sources.stock]\npath = "/srv/stock.csv"\n'
    )
    sources = configure(
        tmp_path,
        '[sources.orders]\npath = "exports/*.parquet"\n'
        '[sources."live orders"]\nurl = "postgresql://ana@host/shop"\ntable = "orders"\n',
    )
    assert list(sources) == ["live orders", "orders", "stock"]
    assert sources["orders"].path == str(tmp_path / "exports" / "*.parquet")
    assert sources["stock"].path == "/srv/stock.csv"
    assert (sources["live orders"].url, sources["live orders"].table) == (
        "postgresql://ana@host/shop",
        "orders",
    )


def test_passwords_come_from_variables_and_are_never_printed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SHOP_URL=https://host/o.csv?sig=s3crt\n")
    sources = configure(
        tmp_path,
        '[sources.a]\nurl = "postgresql://ana:${SHOP_PASSWORD}@host/shop"\n'
        '[sources.b]\nurl = "${SHOP_URL}"\n[sources.c]\nurl = "postgresql://ana:${GONE}@host/shop"\n',
        SHOP_PASSWORD="p@ss/word",
    )
    assert sources["a"].url == "postgresql://ana:p%40ss%2Fword@host/shop"
    assert sources["b"].url == "https://host/o.csv?sig=s3crt"
    with pytest.raises(InvalidInputError, match="The source c needs the environment variable GONE"):
        read_configured_source(sources["c"])
    assert "word" not in repr(sources)
    assert "s3crt" not in repr(load_settings(tmp_path, {}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources = 3", "must have a table for each name"),
        ("[sources.a]", "needs either a path or a url"),
        ('[sources.a]\npath = "a.csv"\nurl = "https://host/s3crt"', "needs either a path or a url"),
        ('[sources.a]\nurl = "https://host/s3crt"\npassword = "s3crt"', "has the unknown key 'password'"),
        ('[sources.a]\npath = "a.db"\ntable = "a"\nquery = "SELECT 1"', "both a table and a query"),
        ('[sources.a]\npath = ["a.csv"]', "must be a table with texts"),
        ('[sources]\na = "a.csv"', "must be a table with texts"),
        ('[sources." "]\npath = "a.csv"', "needs a name"),
    ],
)
def test_a_malformed_source_is_refused_by_name_without_its_url(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        configure(tmp_path, text)
    assert "s3crt" not in str(caught.value)


@pytest.mark.parametrize("name", ["/etc/passwd", "https://host/o.csv", "orders\x1b[31m", "", "x" * 10_000])
def test_another_name_is_one_sentence(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        find_source([ConfiguredSource("orders", path="/srv/orders.csv")], name)
    message = str(caught.value)
    assert message.startswith("There is no configured source")
    assert message.endswith("the configured sources: orders.")
    assert len(message) < 300
    assert message.isprintable()
    assert "/srv" not in message


def test_files_patterns_folders_and_databases_are_read_under_the_name_of_the_source(tmp_path: Path) -> None:
    for month in ("may", "june"):
        (tmp_path / f"{month}.csv").write_text(ORDERS)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript("CREATE TABLE a (id); CREATE TABLE b (id); INSERT INTO b VALUES (1), (2);")
    sources = configure(
        tmp_path,
        '[sources.one]\npath = "may.csv"\n[sources.all]\npath = "*.csv"\n[sources.folder]\npath = "."\n'
        '[sources.table]\npath = "shop.db"\ntable = "b"\n'
        '[sources.query]\npath = "shop.db"\nquery = "SELECT id FROM b WHERE id > 1"\n'
        f'[sources.url]\nurl = "sqlite:///{tmp_path / "shop.db"}"\ntable = "b"\n',
    )
    found = {name: read_configured_source(source) for name, source in sources.items()}
    rows = {name: table.row_count for name, table in found.items()}
    assert rows == {"one": 4, "all": 8, "folder": 8, "table": 2, "query": 1, "url": 2}
    assert {name: table.name for name, table in found.items()} == {name: name for name in sources}


def test_the_affected_rows_stay_those_of_the_inspection(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    folder = tmp_path / "result"
    facts = inspect(ConfiguredSource("orders", str(tmp_path / "orders.csv")), folder)
    result = read_result(folder, folder, facts)
    assert (result.name, result.dataset, result.row_count) == ("orders", "orders", 4)
    (tmp_path / "orders.csv").write_text("order_id,customer_id\n")
    place = next(i for i, each in enumerate(result.findings) if each.column == "customer_id")
    arguments = {"folder": str(folder), "place": place, "limits": asdict(FileLimits())}
    arguments |= {"key": ["order_id"], "format": "csv"}
    header, *rows = Path(write_rows(arguments, lambda _: None)).read_text("utf-8-sig").splitlines()
    assert header == "finding,row,order_id,customer_id"
    assert [row.split(",", 1)[1] for row in rows] == ["3,2,", "5,4,"]


@pytest.mark.parametrize(
    "source",
    [
        {"path": "{folder}/gone.csv"},
        {"path": "{folder}/gone-*.csv"},
        {"path": "{folder}/empty"},
        {"path": "{folder}/shop.db", "query": "SELECT s3crt"},
        {"url": "sqlite:///{folder}/gone.db"},
        {"url": "postgresql://ana:s3crt@127.0.0.1:1/shop", "table": "orders"},
        {"url": "https://ana:s3crt@127.0.0.1:1/orders.csv"},
        {"url": "nosuch://ana:s3crt@127.0.0.1/orders"},
        {"url": "", "missing": ("SHOP_PASSWORD",)},
    ],
)
def test_a_visitor_sees_neither_folder_nor_server_nor_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, source: dict[str, Any]
) -> None:
    (tmp_path / "empty").mkdir()
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript("CREATE TABLE a (id)")
    values = {k: v.format(folder=tmp_path) if isinstance(v, str) else v for k, v in source.items()}
    with pytest.raises(LavenderTownError) as caught:
        inspect(ConfiguredSource("orders", **values), tmp_path / "result")
    message = str(caught.value)
    assert message.startswith("The source orders cannot be read. Ask your administrator")
    (logged,) = caplog.messages
    assert logged.startswith("The source orders cannot be read: ")
    assert logged != message
    assert "ana:s3crt" not in logged


def test_what_is_wrong_with_the_content_is_said(tmp_path: Path) -> None:
    (tmp_path / "orders.parquet").write_text("a,b\n1,2\n")
    source = ConfiguredSource("orders", str(tmp_path / "orders.parquet"))
    with pytest.raises(UnreadableTableError, match=r"^orders\.parquet is not a Parquet file"):
        inspect(source, tmp_path / "result")


def test_a_source_over_a_limit_of_the_server_is_one_sentence(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript("CREATE TABLE a (b, c)")
    source = ConfiguredSource("orders", url=f"sqlite:///{tmp_path / 'shop.db'}")
    with pytest.raises(UnreadableTableError, match="The source orders exceeds a limit of this server"):
        inspect(source, tmp_path / "result", columns=1)
