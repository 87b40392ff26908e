"""Worklists over RPC, on files, SQLite and PostgreSQL: rows are given out, filled, read back and undone."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from lavendertown import Inspector
from lavendertown.collaboration.api import create_shareable_report
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.core.settings import load_settings
from lavendertown.rpc import ConnectClient, RpcError
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.app import build_team_app
from lavendertown.rpc.tokens import TokenStore
from lavendertown.tables import read_table
from tests.rpc.conftest import Serve

ORDERS = b"order_id,price,city\n" + b"".join(
    b"A-%d,%s,%s\n" % (n, b"" if n in (3, 5) else b"%d" % (n + 10), b"" if n == 7 else b"Rome")
    for n in range(1, 31)
)


@pytest.fixture
def client(storage: Storage, serve: Serve) -> ConnectClient:
    return ConnectClient(serve(build_team_app(lambda: storage)).url)


@pytest.fixture
def report(storage: Storage) -> str:
    """The id of a report of the file, with its evidence; the finding on the city belongs to Ben."""
    inspector = Inspector(read_table(ORDERS, "orders.csv"), dataset="orders")
    findings = inspector.detect()
    metadata = {"dataset": "orders", "coverage": inspector.coverage()}
    made = create_shareable_report(title="Orders", author="Ana", findings=findings, metadata=metadata)
    ids = [get_finding_id(each, "orders") for each in findings]
    storage.save_report(made, evidence=inspector.evidence().named(ids))
    for row in storage.findings.query(made.id):
        if row["column"] == "city":
            storage.triage.decide(row["finding_id"], Decision(assignee="Ben"), actor="Ana")
    return made.id


def create(client: ConnectClient, report: str, content: bytes = ORDERS, **changes: Any) -> dict[str, Any]:
    """Return the worklists by their owners."""
    file = {"name": "orders.csv", "content": content}
    request = {"report_id": report, "file": file, "key": ["order_id"], "actor": "Ana", **changes}
    return {each.owner: each for each in client.call("CreateWorklists", request).worklists}


def fill(file: Any, *answers: tuple[str, str, str]) -> dict[str, Any]:
    """Return a filled file: each answer by the key of its row."""
    book = load_workbook(io.BytesIO(file.content))
    sheet = book["Rows"]
    heads = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        for key, answer, reason in answers:
            if row[heads.index("order_id")].value == key:
                row[heads.index(answer)].value = "x"
                row[heads.index("reason")].value = reason or None
    out = io.BytesIO()
    book.save(out)
    return {"name": file.name, "content": out.getvalue()}


def test_rows_are_given_out_and_the_answers_read_back_and_undone(client: ConnectClient, report: str) -> None:
    made = create(client, report)
    assert {owner: each.row_count for owner, each in made.items()} == {"": 2, "Ben": 1}
    assert made["Ben"].file.name.startswith("worklist-Ben-")
    [listed] = [
        each for each in client.call("QueryWorklists", {"report_id": report}).worklists if each.owner == ""
    ]
    assert (listed.id, listed.row_count, listed.done_count, listed.created_by) == (made[""].id, 2, 0, "Ana")

    file = fill(made[""].file, ("A-3", "done", ""), ("A-5", "cannot", "The supplier is closed."))
    preview = client.call("ReadWorklists", {"files": [file], "dry_run": True, "actor": "Ben"})
    assert (preview.dry_run, preview.saved, len(preview.changes), preview.worklists) == (True, 0, 2, [])
    saved = client.call("ReadWorklists", {"files": [file], "actor": "Ben"})
    assert (saved.saved, saved.unchanged, saved.open_count, saved.problems) == (2, 0, 0, [])
    assert {(each.answer, each.reason) for each in saved.changes} == {
        ("done", ""),
        ("cannot", "The supplier is closed."),
    }
    assert client.call("ReadWorklists", {"files": [file], "actor": "Ben"}).unchanged == 2

    changed = fill(made[""].file, ("A-3", "cannot", "Lost."))
    clash = client.call("ReadWorklists", {"files": [changed], "actor": "Cy"})
    [conflict] = clash.conflicts
    assert (clash.saved, conflict.key, conflict.stored_answer, conflict.stored_by) == (
        0,
        "A-3",
        "done",
        "Ben",
    )
    over = client.call("ReadWorklists", {"files": [changed], "actor": "Cy", "overwrite": True})
    assert (over.saved, over.overwritten) == (1, 1)
    versions = [{"worklist_id": each.worklist_id, "version": each.version} for each in over.worklists]
    assert client.call("UndoWorklists", {"worklists": versions, "actor": "Cy"}).undone == 1
    assert client.call("UndoWorklists", {"worklists": versions, "actor": "Cy"}).undone == 0
    [listed] = [each for each in client.call("QueryWorklists").worklists if each.owner == ""]
    assert (listed.done_count, listed.cannot_count) == (1, 1)


def test_a_worklist_is_deleted_and_restored(client: ConnectClient, report: str) -> None:
    made = create(client, report, first=1)
    assert {each.row_count for each in made.values()} == {1}
    name = {"worklist_id": made["Ben"].id}
    assert client.call("DeleteWorklist", name).worklist.deleted_at is not None
    assert [each.owner for each in client.call("QueryWorklists").worklists] == [""]
    assert client.call("RestoreWorklist", name).worklist.deleted_at is None
    page = client.call("QueryWorklists", {"page_size": 1})
    assert (len(page.worklists), page.total) == (1, 2)
    rest = client.call("QueryWorklists", {"page_size": 1, "page_token": page.next_page_token})
    assert (len(rest.worklists), rest.next_page_token) == (1, "")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ORDERS + b"A-99,1,Rome\n", "has 31 rows, and the report was made of 30"),
        (ORDERS.replace(b"price", b"cost", 1), "has other columns than the table of the report"),
        (ORDERS.replace(b"A-3,,", b"A-3,5,"), "has other values than the report in the rows of"),
        (b"", "orders.csv"),
        (b"\x00\x01", "orders.csv"),
    ],
)
def test_another_file_is_refused(client: ConnectClient, report: str, content: bytes, problem: str) -> None:
    with pytest.raises(RpcError, match=problem) as refused:
        create(client, report, content)
    assert refused.value.code.value == "invalid_argument"
    assert client.call("QueryWorklists").worklists == []


def test_what_is_wrong_with_a_request_is_said(client: ConnectClient, report: str) -> None:
    file = {"name": "orders.csv", "content": ORDERS}
    for method, request, problem in (
        ("CreateWorklists", {"report_id": report}, "The request has no files"),
        ("CreateWorklists", {"report_id": report, "file": {"content": b"x"}}, "has no name"),
        ("CreateWorklists", {"report_id": "nonsense", "file": file}, "There is no report 'nonsense'"),
        ("CreateWorklists", {"report_id": report, "file": file, "key": ["x"]}, "'x'"),
        ("CreateWorklists", {"report_id": report, "file": file, "first": -1}, "give 1 or more"),
        ("CreateWorklists", {"report_id": report, "file": file, "finding_ids": ["f"]}, "has no finding 'f'"),
        ("ReadWorklists", {}, "The request has no files"),
        ("ReadWorklists", {"files": [file]}, "orders.csv is not a worklist"),
        ("ReadWorklists", {"files": [file] * 101}, "send at most 100"),
        ("UndoWorklists", {}, "has no worklists"),
        ("DeleteWorklist", {"worklist_id": "w-0"}, "There is no worklist 'w-0'"),
    ):
        with pytest.raises(RpcError, match=problem):
            client.call(method, request)


def test_only_writers_change_worklists_and_are_the_actors(
    storage: Storage, serve: Serve, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", "required")
    url = serve(build_team_app(lambda: storage)).url
    tokens = TokenStore(load_settings().data_dir)
    writer = ConnectClient(url, token=tokens.create_token("bot", Role.WRITER)[0])
    reader = ConnectClient(url, token=tokens.create_token("viewer", Role.READER)[0])
    with pytest.raises(RpcError) as refused:
        create(reader, report)
    assert refused.value.code.value == "permission_denied"
    create(writer, report)
    assert {each.created_by for each in reader.call("QueryWorklists").worklists} == {"bot"}
    event = storage.audit.query(component="worklist")[0]
    assert (event["actor"], event["after"]["on_behalf_of"]) == ("bot", "Ana")
