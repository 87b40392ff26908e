"""Incidents over RPC, on files, SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.settings import load_settings
from lavendertown.rpc import ConnectClient, RpcError
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.app import build_team_app
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.conftest import Serve

COLUMNS = ("email", "phone", "fax")


@pytest.fixture
def client(storage: Storage, serve: Serve) -> ConnectClient:
    return ConnectClient(serve(build_team_app(lambda: storage)).url)


@pytest.fixture
def ids(client: ConnectClient) -> list[str]:
    """The ids of the findings on the columns."""
    findings = [
        {
            "ghost_type": "null",
            "column": column,
            "severity": "error",
            "description": "12 values are missing.",
            "metadata_json": '{"check": "nulls", "dataset": "customers"}',
        }
        for column in COLUMNS
    ]
    report = {"id": "r-1", "title": "Customers", "findings": findings}
    client.call("SaveReport", {"report": {**report, "metadata_json": '{"dataset": "customers"}'}})
    found = client.call("GetReport", {"id": "r-1"}).report.findings
    return [each.finding_id for each in found]


def create(client: ConnectClient, ids: list[str], **changes: Any) -> Any:
    request = {"title": "Loader down", "finding_ids": ids, "actor": "Ana", **changes}
    return client.call("CreateIncident", request).incident


def test_findings_are_grouped_and_the_incident_is_read(client: ConnectClient, ids: list[str]) -> None:
    made = create(client, ids, assignee=" Ben ")
    assert (made.title, made.assignee, made.created_by, made.version) == ("Loader down", "Ben", "Ana", 1)
    assert (made.finding_ids, made.state, made.status, made.open_count) == (ids, "open", "open", 3)
    assert made.deleted_at is None
    said = {"incident_id": made.id, "comment": "The loader was killed.", "actor": "Cy"}
    answer = client.call("CommentOnIncident", said)
    assert answer.incident.comment_count == 1
    read = client.call("GetIncident", {"incident_id": made.id})
    assert [(each.finding_id, each.column, each.status) for each in read.findings] == [
        (name, column, "open") for name, column in zip(ids, COLUMNS, strict=True)
    ]
    [note] = read.comments
    assert (note.id, note.author, note.comment) == (answer.annotation_id, "Cy", "The loader was killed.")
    assert read.incident == answer.incident


def test_the_findings_of_an_incident_are_read_in_pages(
    client: ConnectClient, storage: Storage, ids: list[str]
) -> None:
    made = create(client, ids)
    request: dict[str, Any] = {"incident_id": made.id, "page_size": 2}
    first = client.call("GetIncident", request)
    rest = client.call("GetIncident", {**request, "page_token": first.next_page_token})
    assert [each.finding_id for each in (*first.findings, *rest.findings)] == ids
    assert (rest.incident.finding_ids, rest.next_page_token) == (ids, "")
    storage.delete_report("r-1")
    gone = client.call("GetIncident", {"incident_id": made.id})
    assert (gone.findings, gone.incident.absent_count, gone.incident.state) == ([], 3, "closed")


def test_incidents_are_listed_open_ones_first_and_in_pages(client: ConnectClient, ids: list[str]) -> None:
    first = create(client, ids[:1], assignee="Ana")
    second = create(client, ids[1:2], title="Till offline", assignee="Ben")
    client.call("CloseIncident", {"incident_id": second.id, "reason": "Loaded again."})
    listed = client.call("QueryIncidents", {"page_size": 1})
    assert ([each.id for each in listed.incidents], listed.total) == ([first.id], 2)
    rest = client.call("QueryIncidents", {"page_size": 1, "page_token": listed.next_page_token})
    assert ([each.id for each in rest.incidents], rest.next_page_token) == ([second.id], "")

    def found(**filters: Any) -> list[str]:
        return [each.title for each in client.call("QueryIncidents", filters).incidents]

    assert found(state="closed") == ["Till offline"]
    assert found(assignee=["Ana"]) == ["Loader down"]
    client.call("DeleteIncident", {"incident_id": first.id})
    assert found() == ["Till offline"]
    assert found(include_deleted=True) == ["Loader down", "Till offline"]


def test_findings_are_added_and_removed_and_the_incident_renamed_and_assigned(
    client: ConnectClient, ids: list[str]
) -> None:
    name = {"incident_id": create(client, ids[:1]).id}
    added = client.call("AddToIncident", {**name, "finding_ids": ids[1:]}).incident
    assert (added.finding_ids, added.version) == (ids, 2)
    removed = client.call("RemoveFromIncident", {**name, "finding_ids": ids[:1], "version": 2}).incident
    assert (removed.finding_ids, removed.version) == (ids[1:], 3)
    assert client.call("RenameIncident", {**name, "title": " Till offline "}).incident.title == "Till offline"
    assert client.call("AssignIncident", {**name, "assignee": "Ben"}).incident.assignee == "Ben"
    assert client.call("AssignIncident", {**name}).incident.assignee == ""
    for method, change in (
        ("AddToIncident", {"finding_ids": ids[:1]}),
        ("RemoveFromIncident", {"finding_ids": ids[1:2]}),
        ("RenameIncident", {"title": "Late"}),
        ("AssignIncident", {"assignee": "Late"}),
    ):
        with pytest.raises(RpcError, match="you edited version 1") as refused:
            client.call(method, {**name, **change, "version": 1})
        assert refused.value.code.value == "aborted"


def test_an_incident_is_closed_and_opened_in_one_act(
    client: ConnectClient, storage: Storage, ids: list[str]
) -> None:
    name = {"incident_id": create(client, ids[:2]).id}
    closed = client.call("CloseIncident", {**name, "reason": "Loaded again.", "actor": "Ben"})
    assert (closed.finding_ids, closed.incident.state, closed.incident.status) == (ids[:2], "closed", "fixed")
    assert storage.triage.load(ids[0])["close_reason"] == "Loaded again."
    assert len({event["at"] for event in storage.audit.query(component="annotation", actor="Ben")}) == 1
    opened = client.call("ReopenIncident", {**name, "comment": "It is back."})
    assert (opened.finding_ids, opened.incident.state, opened.incident.status) == (ids[:2], "open", "open")
    accepted = client.call("CloseIncident", {**name, "status": "accepted", "reason": "By design."})
    assert accepted.incident.status == "accepted"


def test_a_deleted_incident_is_restored(client: ConnectClient, ids: list[str]) -> None:
    name = {"incident_id": create(client, ids).id}
    assert client.call("DeleteIncident", name).incident.deleted_at is not None
    with pytest.raises(RpcError, match="There is no incident") as refused:
        client.call("GetIncident", name)
    assert refused.value.code.value == "not_found"
    assert client.call("RestoreIncident", name).incident.deleted_at is None
    assert client.call("GetIncident", name).incident.finding_ids == ids


def test_writes_are_those_of_the_token(serve: Serve, storage: Storage, ids: list[str]) -> None:
    tokens = TokenStore(load_settings().data_dir)
    writer, _ = tokens.create_token("ci-bot", Role.WRITER)
    reader, _ = tokens.create_token("viewer", Role.READER)
    url = serve(build_team_app(lambda: storage)).url
    made = create(ConnectClient(url, token=writer), ids)
    assert made.created_by == "ci-bot"
    [event] = storage.audit.query(component="incident")
    assert (event["actor"], event["after"]["on_behalf_of"]) == ("ci-bot", "Ana")
    viewer = ConnectClient(url, token=reader)
    assert viewer.call("GetIncident", {"incident_id": made.id}).incident.title == "Loader down"
    with pytest.raises(RpcError) as refused:
        create(viewer, ids)
    assert refused.value.code.value == "permission_denied"


@pytest.mark.parametrize(
    ("method", "request_", "code", "words"),
    [
        ("CreateIncident", {"finding_ids": ["{1}"]}, "invalid_argument", "has no title"),
        ("CreateIncident", {"title": "x"}, "invalid_argument", "No finding is chosen"),
        ("CreateIncident", {"title": "x", "finding_ids": ["none"]}, "not_found", "no finding 'none'"),
        ("CreateIncident", {"title": "x", "finding_ids": ["{0}"]}, "invalid_argument", "is in the incident"),
        ("AddToIncident", {"finding_ids": ["none"]}, "not_found", "no finding 'none'"),
        ("RemoveFromIncident", {"finding_ids": ["{0}"]}, "invalid_argument", "no finding left"),
        ("RenameIncident", {"title": " "}, "invalid_argument", "has no title"),
        ("CommentOnIncident", {"comment": " "}, "invalid_argument", "comment"),
        ("CloseIncident", {}, "invalid_argument", "needs a reason"),
        ("CloseIncident", {"status": "open", "reason": "x"}, "invalid_argument", "is closed with one of"),
        ("ReopenIncident", {}, "invalid_argument", "No finding of the incident 'Loader down' is closed."),
        ("RestoreIncident", {"incident_id": "none"}, "not_found", "There is no incident 'none'"),
        ("DeleteIncident", {"incident_id": "none"}, "not_found", "There is no incident 'none'"),
        ("CloseIncident", {"incident_id": "../x", "reason": "x"}, "not_found", "There is no incident"),
        ("QueryIncidents", {"state": "fixed"}, "invalid_argument", "use open or closed"),
        ("QueryIncidents", {"page_size": 1001}, "invalid_argument", "page_size"),
        ("GetIncident", {"page_token": "x"}, "invalid_argument", "page_token"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence_and_changes_nothing(
    client: ConnectClient, ids: list[str], method: str, request_: dict[str, Any], code: str, words: str
) -> None:
    before = create(client, ids[:1])
    request = {"incident_id": before.id, **request_}
    if method in ("CreateIncident", "QueryIncidents"):
        del request["incident_id"]
    if "finding_ids" in request:
        request["finding_ids"] = [name.format(*ids) for name in request["finding_ids"]]
    with pytest.raises(RpcError) as caught:
        client.call(method, request)
    assert (caught.value.code.value, words in caught.value.message) == (code, True), caught.value.message
    assert client.call("GetIncident", {"incident_id": before.id}).incident == before
