"""The team's records over RPC, on files, SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.core.settings import load_settings
from lavendertown.profile.evidence import Evidence, FindingSamples, SampleRow
from lavendertown.records.record_classes import AuditEvent
from lavendertown.rpc import ConnectClient, RpcError
from lavendertown.rpc.protocol.schema import Call, Caller, Role
from lavendertown.rpc.team import collaboration_service
from lavendertown.rpc.team.app import build_team_app
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.conftest import Serve
from tests.rpc.every_method import JUNIT

FINDING = {
    "ghost_type": "null",
    "column": "price",
    "severity": "error",
    "description": "12 of 100 values are missing.",
    "row_indices": [3, 5, 8],
    "metadata_json": json.dumps({"check": "nulls", "params": {"most": 3.0}, "dataset": "orders"}),
}
REQUEST = SimpleNamespace(cursor="", from_now=False, component=(), stop_at_end=True)
REPORT = {"id": "r-1", "title": "Orders", "findings": [FINDING], "metadata_json": '{"dataset": "orders"}'}


@pytest.fixture
def client(storage: Storage, serve: Serve) -> ConnectClient:
    return ConnectClient(serve(build_team_app(lambda: storage)).url)


def save(client: ConnectClient, **changes: Any) -> str:
    report = client.call("SaveReport", {"report": {**REPORT, **changes}, "actor": "Maya"})
    found = client.call("GetReport", {"id": report.id}).report
    return str(found.findings[0].finding_id)


def test_the_evidence_of_a_report_is_read(client: ConnectClient, storage: Storage) -> None:
    name = save(client)
    assert client.call("GetEvidence", {"report_id": "r-1"}).evidence_json == ""
    report = storage.load_report("r-1")
    assert report is not None
    evidence = Evidence(samples={name: FindingSamples("price", [SampleRow(3, {"price": None})])}, first_row=2)
    storage.save_report(report, evidence=evidence)
    read = json.loads(client.call("GetEvidence", {"report_id": "r-1"}).evidence_json)
    assert Evidence.from_dict(read) == evidence
    storage.delete_report("r-1")
    with pytest.raises(RpcError, match="There is no report 'r-1'"):
        client.call("GetEvidence", {"report_id": "r-1"})


def test_evidence_is_sent_with_its_report(client: ConnectClient, storage: Storage) -> None:
    evidence = Evidence(samples={"f": FindingSamples("price", [SampleRow(3, {"price": 7})])}, first_row=2)
    sent = json.dumps(evidence.to_dict())
    client.call("SaveReport", {"report": REPORT, "actor": "Maya", "evidence_json": sent})
    assert json.loads(client.call("GetEvidence", {"report_id": "r-1"}).evidence_json) == evidence.to_dict()
    client.call("SaveReport", {"report": {**REPORT, "title": "Again"}, "actor": "Maya"})
    assert storage.reports.load_evidence("r-1") == evidence
    for wrong in ("[1]", '{"columns": [3]}', '{"samples": {"f": 1}}', "{"):
        with pytest.raises(RpcError, match="evidence_json"):
            client.call("SaveReport", {"report": REPORT, "actor": "Maya", "evidence_json": wrong})


def test_a_report_is_saved_and_read_as_it_was(client: ConnectClient, storage: Storage) -> None:
    save(client)
    found = client.call("GetReport", {"id": "r-1"}).report
    assert (found.title, found.author, found.version) == ("Orders", "Maya", 1)
    [finding] = found.findings
    assert (finding.row_indices, finding.column) == ([3, 5, 8], "price")
    assert json.loads(finding.metadata_json)["params"] == {"most": 3.0}
    assert "3.0" in finding.metadata_json
    before = finding.finding_id
    client.call("SaveReport", {"report": {**found, "title": "Orders again"}, "actor": "Maya"})
    again = client.call("GetReport", {"id": "r-1"}).report
    assert (again.title, again.version, again.findings[0].finding_id) == ("Orders again", 2, before)


def test_results_of_another_tool_are_imported(client: ConnectClient, serve: Serve, storage: Storage) -> None:
    file = {"name": "junit.xml", "content": JUNIT}
    [tried] = client.call("ImportResults", {"files": [file], "dry_run": True}).reports
    assert (tried.dataset, tried.findings, tried.passed, tried.new) == ("orders", 1, 1, 1)
    assert storage.query_reports() == []
    text, _ = TokenStore(load_settings().data_dir).create_token("ci-bot", Role.WRITER)
    bot = ConnectClient(serve(build_team_app(lambda: storage)).url, token=text)
    request = {"files": [{**file, "content": gzip.compress(JUNIT)}], "actor": "Maya"}
    [made] = bot.call("ImportResults", request).reports
    assert made.report_id != ""
    assert bot.call("GetReport", {"id": made.report_id}).report.author == "ci-bot"
    events = storage.audit_log(component="report")
    assert [(each["actor"], each["after"]["on_behalf_of"]) for each in events] == [("ci-bot", "Maya")]
    assert [each.is_saved for each in bot.call("ImportResults", request).reports] == [True]
    [joined] = bot.call("ImportResults", {"files": [file], "dataset": "shop"}).reports
    assert (joined.dataset, joined.is_saved) == ("shop", False)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "has no files"),
        ({"files": [{"content": b"{}"}]}, "has no name"),
        ({"files": [{"name": "x.json", "content": b"{}"}]}, "x.json"),
        ({"files": [{"name": "x.xml", "content": b"<a"}]}, "x.xml"),
        ({"files": [{"name": "x" * 201, "content": b"{}"}]}, "longer than 200"),
        ({"files": [{"name": "x.xml", "content": b"<testsuite/>"}], "format": "csv"}, "csv"),
    ],
)
def test_a_file_that_is_no_result_is_refused_and_nothing_is_saved(
    client: ConnectClient, storage: Storage, request_: dict[str, Any], words: str
) -> None:
    files = [{"name": "good.xml", "content": JUNIT}, *request_.get("files", ())]
    whole = {**request_, "files": files} if request_ else {}
    with pytest.raises(RpcError, match=words) as refused:
        client.call("ImportResults", whole)
    assert refused.value.code.value == "invalid_argument"
    assert storage.query_reports() == []


@pytest.mark.slow
def test_a_report_with_many_rows_is_saved(client: ConnectClient, storage: Storage) -> None:
    rows = list(range(0, 6_000_000, 5))
    save(client, findings=[{**FINDING, "row_indices": rows}])
    [finding] = client.call("GetReport", {"id": "r-1"}).report.findings
    assert finding.row_indices == rows


def test_an_older_version_is_refused(client: ConnectClient) -> None:
    save(client)
    save(client, title="Other")
    with pytest.raises(RpcError, match="it is at version 2, you edited version 1") as caught:
        client.call("SaveReport", {"report": {**REPORT, "version": 1}})
    assert caught.value.code.value == "aborted"


def test_an_answer_has_the_version_that_was_saved_and_not_a_later_one(
    client: ConnectClient, storage: Storage
) -> None:
    finding = save(client)
    calls = ["SaveReport", "Annotate"]

    def change_at_once(events: Sequence[AuditEvent]) -> None:
        if calls and calls[0] == "SaveReport":
            calls.pop(0)
            report = storage.load_report("r-1")
            assert report is not None
            storage.save_report(replace(report, title="Other"))
        elif calls and events[0].component == "annotation":
            calls.pop(0)
            [said] = storage.get_annotations(finding)
            storage.save_annotation(replace(said, comment="Other"))

    storage.write_path.hooks.after_commit.append(change_at_once)
    saved = client.call("SaveReport", {"report": REPORT})
    assert saved.version == 2
    with pytest.raises(RpcError, match="it is at version 3, you edited version 2"):
        client.call("SaveReport", {"report": {**REPORT, "version": saved.version}})
    said = client.call("Annotate", {"finding_id": finding, "comment": "Known."}).annotation
    assert (said.comment, said.version) == ("Known.", 1)
    assert storage.get_annotations(finding)[0].comment == "Other"


def test_reports_and_findings_are_queried_in_pages(client: ConnectClient) -> None:
    for n in range(3):
        save(client, id=f"r-{n}", author="Ana" if n else "Ben")
    found = client.call("QueryReports", {"author": ["Ana"], "page_size": 1})
    assert (found.total, len(found.reports), found.reports[0].finding_count) == (2, 1, 1)
    more = client.call(
        "QueryReports", {"author": ["Ana"], "page_size": 1, "page_token": found.next_page_token}
    )
    assert {found.reports[0].id, more.reports[0].id} == {"r-1", "r-2"}
    assert more.next_page_token == ""
    seen = client.call("QueryFindings", {"report_id": "r-0"})
    assert (seen.total, seen.findings[0].times_seen, seen.findings[0].status) == (1, 3, "open")


def test_a_finding_is_discussed_decided_and_assigned(client: ConnectClient, storage: Storage) -> None:
    finding = save(client)
    said = client.call(
        "Annotate", {"finding_id": finding, "comment": "Known.", "tags": ["vendor"], "actor": "Ben"}
    ).annotation
    assert (said.author, said.comment, said.tags, said.status) == ("Ben", "Known.", ["vendor"], None)
    client.call("Assign", {"finding_ids": [finding], "assignee": "Ana", "actor": "Ben"})
    client.call(
        "SetStatus", {"finding_ids": [finding], "status": "fixed", "reason": "Loaded again.", "actor": "Ana"}
    )
    assert storage.triage.load(finding)["assignee"] == "Ana"
    assert storage.query_findings()[0]["status"] == "fixed"
    assert [each.author for each in storage.get_annotations(finding)] == ["Ben", "Ana"]


@pytest.mark.parametrize(
    ("method", "request_", "code", "words"),
    [
        ("GetReport", {"id": "none"}, "not_found", "There is no report 'none'"),
        ("SaveReport", {}, "invalid_argument", "has no report"),
        ("SaveReport", {"report": {**REPORT, "id": "../x"}}, "invalid_argument", "slash"),
        (
            "SaveReport",
            {"report": {**REPORT, "metadata_json": "["}},
            "invalid_argument",
            "metadata_json must be a JSON object, such as {}.",
        ),
        (
            "SaveReport",
            {"report": {"findings": [{**FINDING, "severity": "bad"}]}},
            "invalid_argument",
            "use one of info, warning, error",
        ),
        (
            "SaveReport",
            {"report": {"findings": [{**FINDING, "row_indices": [3, -1]}]}},
            "invalid_argument",
            "The row_indices of findings[0] have -1; give positions counted from 0.",
        ),
        ("Annotate", {"finding_id": "none", "comment": "x"}, "not_found", "no finding 'none'"),
        ("Annotate", {"finding_id": "\0", "comment": "x"}, "not_found", "no finding"),
        ("SetStatus", {"finding_ids": ["none"], "status": "fixed"}, "not_found", "no finding 'none'"),
        ("SetStatus", {"finding_ids": [], "status": "open"}, "invalid_argument", "No finding is chosen"),
        ("QueryReports", {"page_token": "x"}, "invalid_argument", "page_token"),
        ("ListChanges", {"cursor": "x"}, "invalid_argument", "cursor"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence(
    client: ConnectClient, method: str, request_: dict[str, Any], code: str, words: str
) -> None:
    with pytest.raises(RpcError) as caught:
        client.call(method, request_)
    assert (caught.value.code.value, words in caught.value.message) == (code, True), caught.value.message


def test_closing_needs_a_reason(client: ConnectClient) -> None:
    finding = save(client)
    with pytest.raises(RpcError, match="reason"):
        client.call("SetStatus", {"finding_ids": [finding], "status": "fixed"})


def test_changes_are_read_on_from_a_cursor(client: ConnectClient) -> None:
    save(client)
    first = client.call("ListChanges", {"page_size": 1})
    assert [(c.event.component, c.event.operation) for c in first.changes] == [("report", "create")]
    save(client, id="r-2")
    save(client, id="r-3")
    rest = client.call("ListChanges", {"cursor": first.cursor, "page_size": 1})
    assert ([c.event.record_id for c in rest.changes], rest.has_more) == (["r-2"], True)
    last = client.call("ListChanges", {"cursor": rest.cursor})
    assert [c.event.record_id for c in last.changes] == ["r-3"]
    assert client.call("ListChanges", {"cursor": last.cursor}).changes == []
    assert client.call("ListChanges", {"from_now": True}).cursor == last.cursor


def test_a_stream_brings_changes_as_they_are_made(client: ConnectClient) -> None:
    finding = save(client)
    save(client, id="r-2")
    streamed = client.stream_sync("StreamChanges", {"stop_at_end": True})
    assert [each.event.record_id for each in streamed] == ["r-1", "r-2"]
    start = client.call("ListChanges", {"from_now": True}).cursor
    stream = client.stream_sync("StreamChanges", {"cursor": start, "component": ["annotation"]})
    client.call("Annotate", {"finding_id": finding, "comment": "Now.", "actor": "Ben"})
    change = next(stream)
    assert (change.event.actor, change.event.after["comment"]) == ("Ben", "Now.")
    assert client.call("ListChanges", {"cursor": change.cursor}).changes == []


def test_an_authenticated_caller_writes_under_the_tokens_name(
    storage: Storage, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAVENDERTOWN_RPC_AUTHENTICATION")
    server = serve(build_team_app(lambda: storage))
    text, _ = TokenStore(load_settings().data_dir).create_token("ci-bot", Role.WRITER)
    save(ConnectClient(server.url, token=text))
    [event] = storage.audit_log()
    assert (event["actor"], event["after"]["on_behalf_of"]) == ("ci-bot", "Maya")
    with pytest.raises(RpcError, match="needs a token"):
        ConnectClient(server.url).call("GetReport", {"id": "r-1"})


@pytest.mark.parametrize("reason", ["revoked", "stopping"])
def test_a_stream_that_has_much_to_send_ends_too(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(collaboration_service, "_PAGE", 1)
    monkeypatch.setattr(collaboration_service, "is_stopping", lambda: "stopping" in ended)
    for n in range(3):
        storage.save_report(ShareableReport(f"r-{n}", "Orders", "Maya", clock.now()))
    caller = Caller("viewer", Role.READER, is_still_valid=lambda: "revoked" not in ended)

    async def read() -> None:
        stream = collaboration_service._Collaboration(lambda: storage).stream_changes(REQUEST, Call(caller))
        first = await anext(stream)
        assert first["event"]["record_id"] == "r-0"
        ended.append(reason)
        with pytest.raises(RpcError, match=reason):
            await anext(stream)

    asyncio.run(read())


def test_a_stream_ends_when_its_token_is_revoked(
    storage: Storage, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAVENDERTOWN_RPC_AUTHENTICATION")
    server = serve(build_team_app(lambda: storage))
    tokens = TokenStore(load_settings().data_dir)
    text, made = tokens.create_token("ci-bot", Role.WRITER)
    client = ConnectClient(server.url, token=text)
    save(client)
    stream = client.stream_sync("StreamChanges")
    assert next(stream).event.record_id == "r-1"
    tokens.revoke_token(made.id)
    with pytest.raises(RpcError, match="was revoked"):
        next(stream)
