"""Tables of results over RPC, read by a mapping of their columns, on files, SQLite and PostgreSQL."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import polars as pl
import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.settings import load_settings
from lavendertown.rpc import ConnectClient, RpcError
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team import files as team_files
from lavendertown.rpc.team.app import build_team_app
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.conftest import Serve
from tests.rpc.every_method import JUNIT

pytestmark = pytest.mark.slow
on_files = pytest.mark.parametrize("storage", ["files"], indirect=True)
"""For what does not depend on the store."""

CHECKS = b"""Test name,Field,Outcome,Failed rows
not empty,email,failed,12
unique,id,passed,0
"""
FILE = {"name": "checks_2026-11-01.csv", "content": CHECKS}
MAPPING = {"check": "Test name", "column": "Field", "status": "Outcome", "rows": "Failed rows"}


@pytest.fixture
def client(storage: Storage, serve: Serve) -> ConnectClient:
    return ConnectClient(serve(build_team_app(lambda: storage)).url)


def send(client: ConnectClient, *files: dict[str, Any], **request: Any) -> list[Any]:
    return list(client.call("ImportResults", {"files": files or [FILE], **request}).reports)


def test_a_table_is_imported_with_a_mapping(client: ConnectClient, storage: Storage) -> None:
    [tried] = send(client, mapping=MAPPING, dry_run=True)
    assert (tried.dataset, tried.findings, tried.passed, tried.new) == ("checks", 1, 1, 1)
    assert storage.query_reports() == []
    assert storage.imports.load_mapping(["Test name", "Field", "Outcome", "Failed rows"]) == {}
    [made] = send(client, mapping=MAPPING, dataset="customers", actor="Maya")
    assert (made.dataset, made.findings, made.is_saved) == ("customers", 1, False)
    [finding] = client.call("GetReport", {"id": made.report_id}).report.findings
    assert (finding.column, finding.severity) == ("email", "error")
    assert [each.is_saved for each in send(client, mapping=MAPPING, dataset="customers")] == [True]


def test_the_mapping_is_remembered_for_the_same_columns(
    storage: Storage, client: ConnectClient, serve: Serve
) -> None:
    with pytest.raises(RpcError, match="no known format of results"):
        send(client)
    text, _ = TokenStore(load_settings().data_dir).create_token("ci-bot", Role.WRITER)
    bot = ConnectClient(serve(build_team_app(lambda: storage)).url, token=text)
    send(bot, mapping=MAPPING, actor="Maya")
    [event] = storage.audit_log(component="dataset_settings")
    assert (event["actor"], event["after"]["on_behalf_of"]) == ("ci-bot", "Maya")
    later = CHECKS.replace(b"passed,0", b"failed,3")
    [made] = send(client, {"name": "checks_2026-11-08.csv", "content": later})
    assert (made.dataset, made.findings, made.new, made.unchanged) == ("checks", 2, 1, 1)
    with pytest.raises(RpcError, match="no known format of results"):
        send(client, {"name": "other.csv", "content": CHECKS.replace(b"Outcome", b"Result")})


@on_files
def test_a_workbook_and_a_packed_file_are_read(client: ConnectClient) -> None:
    workbook, packed = io.BytesIO(), io.BytesIO()
    pl.read_csv(CHECKS).write_excel(workbook)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("checks.csv", CHECKS)
    for name, content in (("checks.xlsx", workbook.getvalue()), ("checks.zip", packed.getvalue())):
        file = {"name": name, "content": content}
        [made] = send(client, file, mapping=MAPPING, dry_run=True)
        assert (made.findings, made.passed) == (1, 1), name


def test_several_tables_are_imported_all_or_none(client: ConnectClient, storage: Storage) -> None:
    wrong = {"name": "shop.csv", "content": CHECKS.replace(b"failed,12", b"maybe,12")}
    with pytest.raises(RpcError, match=r"shop\.csv, row 2: the status 'maybe' is unknown"):
        send(client, FILE, wrong, mapping=MAPPING)
    assert storage.query_reports() == []
    right = {"name": "shop.csv", "content": CHECKS}
    assert [each.dataset for each in send(client, FILE, right, mapping=MAPPING)] == ["checks", "shop"]


@on_files
@pytest.mark.parametrize(
    ("file", "request_", "words"),
    [
        (FILE, {"mapping": {}}, "needs the column with the check"),
        (FILE, {"mapping": {"check": "Test name"}}, "needs the column with the status"),
        (FILE, {"mapping": {**MAPPING, "status": "State"}}, "has no column 'State'"),
        (FILE, {"mapping": MAPPING, "format": "junit"}, "exclude each other"),
        ({"name": "x.parquet", "content": b"PAR1"}, {"mapping": MAPPING}, "x.parquet"),
        ({"name": "x.xlsx", "content": b"PK\x03\x04"}, {}, "x.xlsx"),
        ({"name": "../../x.csv", "content": b"\0\0"}, {}, "no known format of results"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_in_one_sentence(
    client: ConnectClient, storage: Storage, file: dict[str, Any], request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(RpcError, match=words) as refused:
        send(client, file, **request_)
    assert refused.value.code.value == "invalid_argument"
    assert storage.query_reports() == []


@on_files
def test_a_table_above_the_limit_is_refused(client: ConnectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_LIMITS_CELLS", "4")
    with pytest.raises(RpcError, match=r"has 8 cells .*; the limit is 4"):
        send(client, mapping=MAPPING)


@on_files
@pytest.mark.spawn  # a fork has ended before the server looks whether it stops
def test_a_server_that_stops_ends_the_import(
    client: ConnectClient, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_files, "is_stopping", lambda: True)
    with pytest.raises(RpcError, match="The server is stopping; nothing was written") as refused:
        send(client, mapping=MAPPING)
    assert refused.value.code.value == "unavailable"
    assert storage.query_reports() == []


@on_files
def test_results_of_a_known_format_need_no_mapping(client: ConnectClient) -> None:
    assert [each.tool for each in send(client, {"name": "junit.xml", "content": JUNIT})] == ["JUnit"]
