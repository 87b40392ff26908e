"""The tools, called with the SDK's client over HTTP, on files, SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.profile.evidence import Evidence, FindingSamples, SampleRow, ValueCount
from tests.mcp.conftest import Connect, make_report
from tests.support.mcp import McpClient, ToolRefused

pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture
def client(backend: str, storage: Storage, connect: Connect) -> McpClient:
    return connect()


def find_ids(client: McpClient, **filters: Any) -> list[str]:
    return [each["finding_id"] for each in client.call("search_findings", **filters)["findings"]]


def current(client: McpClient, finding_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.call("read_finding", finding_id=finding_id)["finding"]
    return found


def test_findings_are_searched_in_pages(client: McpClient) -> None:
    found = client.call("search_findings", order="severity", limit=2)
    assert [each["column"] for each in found["findings"]] == ["price", "city"]
    assert (found["total"], found["next_offset"], found["findings"][0]["affected_rows"]) == (3, 2, 2)
    last = client.call("search_findings", order="severity", limit=2, offset=2)
    assert ([each["column"] for each in last["findings"]], last["next_offset"]) == (["zip"], None)


@pytest.mark.parametrize(
    ("filters", "columns"),
    [
        ({"severity": ["error", "info"]}, {"price", "zip"}),
        ({"column": ["city"]}, {"city"}),
        ({"search": "city"}, {"city"}),
        ({"status": ["reviewed"]}, {"price"}),
        ({"assignee": ["Ben"]}, {"city"}),
        ({"is_unassigned": True}, {"price", "zip"}),
        ({"dataset": ["customers"]}, set()),
        ({"run_state": ["new"]}, {"price", "city", "zip"}),
        ({"seen_since": "2199-01-01"}, set()),
    ],
)
def test_findings_are_filtered(client: McpClient, filters: dict[str, Any], columns: set[str]) -> None:
    client.call("set_status", finding_ids=find_ids(client, column=["price"]), status="reviewed")
    client.call("assign", finding_ids=find_ids(client, column=["city"]), assignee="Ben")
    found = client.call("search_findings", **filters)["findings"]
    assert {each["column"] for each in found} == columns


def test_a_finding_is_read_with_its_history(client: McpClient, storage: Storage) -> None:
    storage.save_report(make_report("r-2"))
    [name] = find_ids(client, column=["price"])
    client.call("set_status", finding_ids=[name], status="accepted", reason="Known.", on_behalf_of="Maya")
    client.call("assign", finding_ids=[name], assignee="Ben")
    read = client.call("read_finding", finding_id=name)
    finding = read["finding"]
    assert (finding["status"], finding["close_reason"], finding["assignee"]) == ("accepted", "Known.", "Ben")
    assert (finding["times_seen"], finding["first_affected_positions"]) == (2, [0, 1])
    assert {each["report_id"] for each in read["occurrences"]} == {"r-1", "r-2"}
    assert [(each["author"], each["status"]) for each in read["comments"]] == [("triage-bot", "accepted")]
    newest, *older = read["history"]
    assert (newest["actor"], newest["changes"]) == ("triage-bot", {"assignee": {"from": "", "to": "Ben"}})
    assert {(each["actor"], each["on_behalf_of"]) for each in older} == {("triage-bot", "Maya")}


def test_a_finding_is_read_with_sample_rows(client: McpClient, storage: Storage) -> None:
    report = make_report("r-2")
    [name] = find_ids(client, column=["price"])
    samples = FindingSamples("price", [SampleRow(1, {"id": 7, "price": None})], [ValueCount("n/a", 3)])
    assert client.call("read_finding", finding_id=name)["finding"]["sample_rows"] == []
    storage.save_report(report, evidence=Evidence(samples={name: samples}, first_row=2))
    finding = client.call("read_finding", finding_id=name)["finding"]
    assert finding["sample_rows"] == [{"row": 3, "values": {"id": 7, "price": None}}]
    assert finding["frequent_values"] == [{"value": "n/a", "rows": 3}]


def test_every_write_carries_the_tokens_actor(client: McpClient, storage: Storage) -> None:
    names = find_ids(client)
    made = client.call("set_status", finding_ids=names, status="reviewed", on_behalf_of="Maya")
    client.call("assign", finding_ids=names, assignee="Ben", on_behalf_of="Maya")
    client.call("undo", undo=made["undo"], on_behalf_of="Maya")
    events = [each for each in storage.audit_log() if each["component"] in ("annotation", "finding")]
    assert len(events) == 9
    assert {each["actor"] for each in events} == {"triage-bot"}
    assert {each["after"]["on_behalf_of"] for each in events} == {"Maya"}


def test_a_decision_of_somebody_else_is_not_undone(connect: Connect, client: McpClient, backend: str) -> None:
    [name, *_] = find_ids(client)
    assigned = client.call("assign", finding_ids=[name], assignee="Ben")["undo"]
    commented = client.call("comment", finding_ids=[name], comment="Mine.")["undo"]
    other = connect("other-bot")
    with pytest.raises(ToolRefused, match="other-bot made no such decision"):
        other.call("undo", undo=assigned)
    with pytest.raises(ToolRefused, match="other-bot made no such decision"):
        other.call("undo", undo=commented)
    assert current(client, name)["assignee"] == "Ben"


def test_a_part_of_an_undo_is_refused(client: McpClient) -> None:
    """Undoing the triage alone would leave a closed finding without a reason."""
    [name, *_] = find_ids(client)
    undo = client.call("set_status", finding_ids=[name], status="fixed", reason="Mended.")["undo"]
    for part in ("versions", "annotation_ids"):
        with pytest.raises(ToolRefused, match="is not what the write returned"):
            client.call("undo", undo={part: undo[part]})
    assert current(client, name)["close_reason"] == "Mended."


def test_an_undo_is_refused_once_there_is_a_later_decision(client: McpClient, storage: Storage) -> None:
    [name, *_] = find_ids(client)
    made = client.call("assign", finding_ids=[name], assignee="Ben")
    again = client.call("assign", finding_ids=[name], assignee="Cy")
    with pytest.raises(ToolRefused, match="somebody has made a later decision"):
        client.call("undo", undo=made["undo"])
    client.call("undo", undo=again["undo"])
    with pytest.raises(ToolRefused, match="Nothing was undone"):
        client.call("undo", undo=again["undo"])
    assert current(client, name)["assignee"] == "Ben"


def test_a_write_that_changes_nothing_has_nothing_to_undo(client: McpClient) -> None:
    [name, *_] = find_ids(client)
    made = client.call("unsnooze", finding_ids=[name])
    with pytest.raises(ToolRefused, match="The undo is empty"):
        client.call("undo", undo=made["undo"])


def test_a_closing_status_needs_a_reason(client: McpClient) -> None:
    names = find_ids(client)
    with pytest.raises(ToolRefused, match="reason"):
        client.call("set_status", finding_ids=names, status="fixed")
    assert {current(client, name)["status"] for name in names} == {"open"}


@pytest.mark.parametrize("name", ["\x00", "", "../x", "x" * 5000])
def test_an_id_that_cannot_be_one_is_not_found(client: McpClient, name: str) -> None:
    for tool, arguments in (("read_finding", {"finding_id": name}), ("unsnooze", {"finding_ids": [name]})):
        with pytest.raises(ToolRefused, match="There is no finding"):
            client.call(tool, **arguments)


def test_findings_are_grouped_and_closed_together(client: McpClient, storage: Storage) -> None:
    names = find_ids(client, column=["price", "city"])
    made = client.call(
        "group_findings", title="Till offline", finding_ids=names, assignee="Ben", on_behalf_of="Maya"
    )
    [listed] = client.call("list_incidents", state="open")["incidents"]
    assert current(client, names[0])["incident_title"] == "Till offline"
    assert (listed["incident_id"], listed["title"], listed["assignee"]) == (
        made["incident_id"],
        "Till offline",
        "Ben",
    )
    assert (listed["finding_count"], listed["open_count"]) == (2, 2)
    storage.incidents.comment(made["incident_id"], "Hm, @Cy.", author="Ben")
    assert set(find_ids(client, mentions="Cy")) == set(names)
    closed = client.call(
        "close_incident", incident_id=made["incident_id"], status="fixed", reason="Loaded again."
    )
    assert set(closed["finding_ids"]) == set(names)
    read = client.call("read_incident", incident_id=made["incident_id"])
    assert (read["incident"]["state"], read["incident"]["status"]) == ("closed", "fixed")
    assert {each["finding_id"] for each in read["findings"]} == set(names)
    assert [each["comment"] for each in read["comments"]] == ["Hm, @Cy."]
    assert client.call("undo", undo=closed["undo"]) == {"changed_findings": 2}
    assert storage.inbox.count(state="open") == 3
    client.call("close_incident", incident_id=made["incident_id"], status="fixed", reason="Loaded again.")
    opened = client.call("reopen_incident", incident_id=made["incident_id"], comment="Still there.")
    assert set(opened["finding_ids"]) == set(names)
    assert storage.inbox.count(state="open") == 3
    assert client.call("undo", undo=opened["undo"]) == {"changed_findings": 2}
    assert storage.inbox.count(state="open") == 1
    (event,) = storage.audit.query(component="incident")
    assert event["after"]["on_behalf_of"] == "Maya"


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("read_incident", {"incident_id": "x"}, "There is no incident 'x'"),
        (
            "close_incident",
            {"incident_id": "x", "status": "fixed", "reason": "y"},
            "There is no incident 'x'",
        ),
        ("close_incident", {"incident_id": "x", "status": "open", "reason": "y"}, "status is not valid"),
        ("reopen_incident", {"incident_id": "x", "comment": "y"}, "There is no incident 'x'"),
        ("group_findings", {"title": "x", "finding_ids": ["f1-x"]}, "There is no finding 'f1-x'"),
    ],
)
def test_wrong_calls_about_incidents_are_refused(
    client: McpClient, tool: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ToolRefused, match=message):
        client.call(tool, **arguments)
