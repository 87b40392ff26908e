"""The tool ``undo`` takes back every write, on files, SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import clock
from lavendertown.transfer.bundles.writing import export_bundle
from tests.contract.builders import finding, report
from tests.mcp.conftest import Connect
from tests.mcp.test_file_tools import TABLE, fill, pack
from tests.mcp.test_tools import current, find_ids
from tests.support.mcp import McpClient, ToolRefused

pytestmark = pytest.mark.usefixtures("backend")
UNDO_TOOLS = {"undo", "undo_worklists", "undo_bundle"}
NOTHING = "Nothing was undone: it was undone already, or somebody has changed it since."


@pytest.fixture
def client(backend: str, storage: Storage, connect: Connect) -> McpClient:
    return connect()


@pytest.fixture
def bundle(tmp_path: Path) -> dict[str, str]:
    """A bundle of another team, with one report that is not stored here."""
    other = FileStorage(tmp_path / "other")
    other.save_report(report("r-9", [finding("email")], metadata={"dataset": "shop"}))
    return pack("shop.bundle.zip", export_bundle(other.store, ["r-9"]))


def give_out(client: McpClient, finding_id: str) -> dict[str, Any]:
    request = {"report_id": "r-1", "finding_ids": [finding_id], "key": ["id"]}
    made: dict[str, Any] = client.call("create_worklists", file=pack("orders.csv", TABLE), **request)
    return made


def read_state(client: McpClient, storage: Storage) -> list[Any]:
    """Return what the tools show of everything that they write."""
    names = sorted(find_ids(client))
    reads = [("read_finding", {"finding_id": name}) for name in names]
    *findings, incidents, worklists = (
        result.structured_content
        for result in client.call_all(*reads, ("list_incidents", {}), ("list_worklists", {}))
    )
    return [
        [each["finding"] for each in findings],
        [storage.get_annotations(name) for name in names],
        incidents["incidents"],
        [(each["id"], each["done_count"]) for each in worklists["worklists"]],
    ]


def test_every_write_is_undone(client: McpClient, storage: Storage, bundle: dict[str, str]) -> None:
    names = find_ids(client)
    end = clock.now() + dt.timedelta(days=2)
    storage.triage.decide(names, Decision(assignee="Cy", note="Ask Cy.", snooze_until=end), actor="Ana")
    [price, city, zip_code] = names
    storage.triage.decide(city, Decision(status="fixed", reason="Done."), actor="Ana")
    incident = storage.incidents.create("Till offline", [price, city], actor="Ana")
    filled = fill(give_out(client, price)["worklists"][0]["file"])
    later = (end + dt.timedelta(days=9)).isoformat()
    writes: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("comment", {"finding_ids": names, "comment": "The import.", "tags": ["a"]}, {"changed_findings": 3}),
        (
            "set_status",
            {"finding_ids": names, "status": "fixed", "reason": "Mended."},
            {"changed_findings": 3},
        ),
        ("assign", {"finding_ids": names, "assignee": "Ben"}, {"changed_findings": 3}),
        ("assign", {"finding_ids": names, "assignee": ""}, {"changed_findings": 3}),
        ("snooze", {"finding_ids": names, "until": later}, {"changed_findings": 3}),
        ("snooze", {"finding_ids": names, "factor": 2}, {"changed_findings": 3}),
        ("unsnooze", {"finding_ids": [price, zip_code]}, {"changed_findings": 2}),
        ("group_findings", {"finding_ids": [zip_code], "title": "Zip codes"}, {"deleted_incidents": 1}),
        (
            "close_incident",
            {"incident_id": incident, "status": "fixed", "reason": "Loaded again."},
            {"changed_findings": 1},
        ),
        ("reopen_incident", {"incident_id": incident, "comment": "Still there."}, {"changed_findings": 1}),
        (
            "create_worklists",
            {"report_id": "r-1", "file": pack("orders.csv", TABLE), "finding_ids": [price]},
            {"deleted_worklists": 1},
        ),
        ("read_worklists", {"files": [filled]}, {"undone_answers": 1}),
        (
            "import_bundle",
            {"file": bundle},
            {
                "file": "shop.bundle.zip",
                "reports": 1,
                "annotations": 0,
                "triage": 0,
                "incidents": 0,
                "kept": 0,
            },
        ),
    ]
    tools = {tool.name for tool in client.list_tools() if not tool.annotations.read_only_hint}
    assert {tool for tool, _, _ in writes} == tools - UNDO_TOOLS
    before = read_state(client, storage)
    for tool, arguments, undone in writes:
        made = client.call(tool, **arguments)
        assert read_state(client, storage) != before, tool
        assert client.call("undo", undo=made["undo"]) == undone, tool
        assert read_state(client, storage) == before, tool
        with pytest.raises(ToolRefused, match="Nothing was undone"):
            client.call("undo", undo=made["undo"])


def test_findings_can_be_grouped_again_after_an_undo(client: McpClient, storage: Storage) -> None:
    names = find_ids(client)
    for _ in range(2):
        made = client.call("group_findings", title="Till offline", finding_ids=names, on_behalf_of="Maya")
        client.call("undo", undo=made["undo"], on_behalf_of="Maya")
    events = storage.audit.query(component="incident", operation="delete")
    assert [(each["actor"], each["after"]["on_behalf_of"]) for each in events] == [("triage-bot", "Maya")] * 2


def test_an_incident_that_somebody_worked_on_stays(client: McpClient, storage: Storage) -> None:
    for name, work in (
        (find_ids(client)[0], lambda id: storage.incidents.set_title(id, "Loader down", actor="Ben")),
        (find_ids(client)[1], lambda id: storage.incidents.comment(id, "I know why.", author="Ben")),
    ):
        made = client.call("group_findings", title="Till offline", finding_ids=[name])
        work(made["incident_id"])
        with pytest.raises(ToolRefused, match=NOTHING):
            client.call("undo", undo=made["undo"])
    assert client.call("list_incidents")["total"] == 2


def test_a_worklist_with_answers_stays(client: McpClient) -> None:
    made = give_out(client, find_ids(client, column=["price"])[0])
    saved = client.call("read_worklists", files=[fill(made["worklists"][0]["file"])])
    with pytest.raises(ToolRefused, match=NOTHING):
        client.call("undo", undo=made["undo"])
    client.call("undo", undo=saved["undo"])
    assert [each["done_count"] for each in client.call("list_worklists")["worklists"]] == [0]


def test_a_write_of_somebody_else_is_not_undone(
    client: McpClient, connect: Connect, bundle: dict[str, str]
) -> None:
    names = find_ids(client)
    worklists = give_out(client, names[0])
    filled = fill(worklists["worklists"][0]["file"])
    other = connect("other-bot")
    for made in (
        client.call("group_findings", title="Till offline", finding_ids=names),
        worklists,
        client.call("read_worklists", files=[filled]),
        client.call("import_bundle", file=bundle),
    ):
        with pytest.raises(ToolRefused, match="other-bot made no such"):
            other.call("undo", undo=made["undo"])


def test_a_dry_run_and_an_import_without_changes_have_nothing_to_undo(
    client: McpClient, storage: Storage, bundle: dict[str, str]
) -> None:
    made = give_out(client, find_ids(client, column=["price"])[0])
    filled = fill(made["worklists"][0]["file"])
    for tool, arguments in (
        ("read_worklists", {"files": [filled], "dry_run": True}),
        ("import_bundle", {"file": bundle, "dry_run": True}),
    ):
        with pytest.raises(ToolRefused, match="The undo is empty"):
            client.call("undo", undo=client.call(tool, **arguments)["undo"])
    client.call("import_bundle", file=bundle)
    again = client.call("import_bundle", file=bundle)
    with pytest.raises(ToolRefused, match="The undo is empty"):
        client.call("undo", undo=again["undo"])
    assert storage.load_report("r-9") is not None


def test_an_undo_of_an_earlier_import_is_refused(
    client: McpClient, storage: Storage, bundle: dict[str, str]
) -> None:
    first = client.call("import_bundle", file=bundle)
    client.call("undo", undo=first["undo"])
    client.call("import_bundle", file=bundle)
    with pytest.raises(ToolRefused, match="or the bundle was imported again"):
        client.call("undo", undo=first["undo"])
    assert storage.load_report("r-9") is not None


def test_an_altered_undo_is_refused(client: McpClient, bundle: dict[str, str]) -> None:
    names = find_ids(client)
    grouped = client.call("group_findings", title="Till offline", finding_ids=names)["undo"]
    imported = client.call("import_bundle", file=bundle)["undo"]
    assigned = client.call("assign", finding_ids=names, assignee="Ben")["undo"]
    for altered in (
        {**grouped, "versions": assigned["versions"]},
        {**imported, "versions": assigned["versions"]},
        {**assigned, "incident_versions": grouped["incident_versions"]},
    ):
        with pytest.raises(ToolRefused, match="is not what the write returned"):
            client.call("undo", undo=altered)
    [incident] = client.call("list_incidents")["incidents"]
    assert (incident["finding_count"], current(client, names[0])["assignee"]) == (3, "Ben")
