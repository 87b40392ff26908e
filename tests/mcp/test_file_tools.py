"""Worklists and bundles, called with the SDK's client over HTTP, on files, SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.rpc.protocol.schema import Role
from lavendertown.transfer.bundles.writing import export_bundle
from tests.contract.builders import finding, report
from tests.mcp.conftest import Connect
from tests.support.mcp import McpClient, ToolRefused

pytestmark = pytest.mark.usefixtures("backend")
TABLE = b"id,price\n" + b"".join(b"%d,%s\n" % (n, b"" if n < 2 else b"7") for n in range(12))


@pytest.fixture
def client(backend: str, storage: Storage, connect: Connect) -> McpClient:
    return connect()


def pack(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content_base64": base64.b64encode(content).decode()}


def fill(file: dict[str, str]) -> dict[str, str]:
    """Return the file as CSV, with its first row done."""
    book = load_workbook(io.BytesIO(base64.b64decode(file["content_base64"])))
    rows = [[cell or "" for cell in row] for row in book["Rows"].iter_rows(values_only=True)]
    rows[1][rows[0].index("done")] = "x"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return pack("filled.csv", out.getvalue().encode())


def test_rows_are_given_out_and_the_answers_read_back_and_undone(client: McpClient, storage: Storage) -> None:
    [price] = client.call("search_findings", column=["price"])["findings"]
    request = {"report_id": "r-1", "finding_ids": [price["finding_id"]], "key": ["id"]}
    made = client.call("create_worklists", file=pack("orders.csv", TABLE), on_behalf_of="Ana", **request)
    [worklist] = made["worklists"]
    assert (worklist["owner"], worklist["row_count"]) == ("", 2)
    filled = fill(worklist["file"])
    preview = client.call("read_worklists", files=[filled], dry_run=True)
    assert (preview["saved"], len(preview["changes"]), preview["worklists"]) == (0, 1, [])
    saved = client.call("read_worklists", files=[filled])
    assert (saved["saved"], saved["open_count"], saved["problems"]) == (1, 1, [])
    [listed] = client.call("list_worklists", report_id="r-1")["worklists"]
    assert (listed["id"], listed["done_count"]) == (worklist["worklist_id"], 1)
    assert client.call("undo_worklists", worklists=saved["worklists"]) == {"undone_answers": 1}
    assert client.call("list_worklists")["worklists"][0]["done_count"] == 0
    event = storage.audit.query(component="worklist", operation="create")[0]
    assert (event["actor"], event["after"]["on_behalf_of"]) == ("triage-bot", "Ana")


def test_a_bundle_is_exported_imported_and_undone(
    client: McpClient, storage: Storage, tmp_path: Path
) -> None:
    exported = client.call("export_bundle", report_ids=["r-1"])
    assert client.call("import_bundle", file=exported["file"])["changes_nothing"] is True
    other = FileStorage(tmp_path / "other")
    other.save_report(report("r-9", [finding("email")], metadata={"dataset": "shop"}))
    (found,) = other.query_findings()
    other.incidents.create("Loader down", found["finding_id"], actor="Ana")
    file = pack("shop.bundle.zip", export_bundle(other.store, ["r-9"]))
    preview = client.call("import_bundle", file=file, dry_run=True)
    assert (preview["changes_nothing"], storage.load_report("r-9")) == (False, None)
    done = client.call("import_bundle", file=file)
    assert (done["bundle_id"], done["reports"]["new"]) == (preview["bundle_id"], 1)
    assert (done["incidents"]["new"], done["deletions"]["trashed"]) == (1, 0)
    undone = client.call("undo_bundle", bundle_id=done["bundle_id"])
    assert (undone["undone"], undone["reports"], undone["incidents"]) == (True, 1, 1)
    assert client.call("undo_bundle", bundle_id=done["bundle_id"]) == {"undone": False}


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("create_worklists", {"report_id": "r-1", "file": {"name": "a"}}, "file.content_base64"),
        (
            "create_worklists",
            {"report_id": "r-1", "file": {"name": "a.csv", "content_base64": "!"}},
            "The content_base64 of a.csv is not Base64.",
        ),
        (
            "create_worklists",
            {"report_id": "r-1", "file": {"name": "a.csv", "content_base64": "A" * 4_000_005}},
            "file.content_base64 is not valid",
        ),
        ("read_worklists", {"files": []}, "The argument files is not valid"),
        ("read_worklists", {"files": [pack("a.csv", TABLE)]}, "a.csv is not a worklist"),
        ("undo_worklists", {"worklists": [{"worklist_id": "w-0", "version": 1}]}, "no worklist 'w-0'"),
        ("export_bundle", {"report_ids": ["r-0"]}, "There is no report 'r-0'"),
        ("import_bundle", {"file": pack("a.zip", b"PK\x03\x04")}, "a.zip"),
        ("undo_bundle", {"bundle_id": "b-0"}, "No bundle 'b-0' was imported"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence(
    client: McpClient, tool: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ToolRefused) as caught:
        client.call(tool, **arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reader_may_not_write(backend: str, storage: Storage, connect: Connect) -> None:
    reader = connect("viewer", Role.READER)
    assert reader.call("list_worklists")["total"] == 0
    for tool, arguments in (
        ("import_bundle", {"file": pack("a.zip", b"")}),
        ("undo_bundle", {"bundle_id": "b-0"}),
        ("read_worklists", {"files": [pack("a.csv", TABLE)]}),
        ("undo_worklists", {"worklists": [{"worklist_id": "w-0", "version": 1}]}),
        ("create_worklists", {"report_id": "r-1", "file": pack("a.csv", TABLE)}),
    ):
        with pytest.raises(ToolRefused, match="writer"):
            reader.call(tool, **arguments)
