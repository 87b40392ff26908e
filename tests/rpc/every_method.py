"""Every method of a server that serves everything: its paths, and a request that it answers.

The methods are read from the schema that the server publishes, so that a new one is part of the tests. It
needs an entry in :func:`valid_request`, or the tests fail and name it.
"""

from __future__ import annotations

import base64
import io
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, json_format
from openpyxl import load_workbook

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core import clock
from lavendertown.database import ModelAccessor, application, bootstrap
from lavendertown.database.startup import create_missing_tables
from lavendertown.rpc import ConnectClient, RpcApp, build_collaboration_bundle, build_storage_bundle
from lavendertown.rpc.bundle import RpcBundle
from lavendertown.rpc.protocol.descriptors import PACKAGE, MessageClasses
from lavendertown.transfer.bundles.writing import export_bundle
from tests.rpc.models import Base, Part, RpcUser

APP_FILE = "from tests.rpc.every_method import make_app\n\napp = make_app()\n"
PART = "6f1c7b1e-0000-4000-8000-000000000001"
FINDING = {
    "ghostType": "null",
    "column": "price",
    "severity": "error",
    "description": "12 of 100 values are missing.",
    "rowIndices": [3, 5, 8],
    "metadataJson": '{"check": "nulls", "dataset": "orders"}',
}
REPORT = {"id": "r-1", "title": "Orders", "findings": [FINDING], "metadataJson": '{"dataset": "orders"}'}
JUNIT = b"""<testsuite name="orders" timestamp="2026-11-01T10:00:00">
<testcase classname="orders" name="total"><failure message="3 rows"/></testcase>
<testcase classname="orders" name="id"/></testsuite>"""
TABLE = b"id,price\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(12))
READS_FOR_WRITERS = ("DatabaseExportZip", "DatabaseBackup", "DatabaseBackupSqlite")
"""Methods that hand out everything: they write nothing, but a reader may not call them."""


def make_bundles() -> list[RpcBundle]:
    """Return all that can be served: models, the actions of their database, and the team's records."""
    accessors = [ModelAccessor(RpcUser, "users"), ModelAccessor(Part, "spare_parts")]
    storage = build_storage_bundle(accessors=accessors, max_records_per_model=None)
    return [storage, build_collaboration_bundle()]


def make_app() -> RpcApp:
    """Return the app; its models are in the database that keeps the team's records."""
    bootstrap()
    create_missing_tables(application.get_engine(), Base.metadata)
    app = RpcApp(name="everything")
    for bundle in make_bundles():
        app.add_bundle(bundle)
    return app.finalize()


@dataclass(frozen=True)
class Method:
    """A method as the schema publishes it.

    Attributes:
        paths: Where it is called: its own path first, then those of its older names.
        reads: Whether a reader may call it; all that is not marked as reading, or a stream, is a write.
        is_large: Whether it takes or returns a file.
        message: The class of its request.
    """

    name: str
    paths: Sequence[str]
    reads: bool
    is_stream: bool
    is_large: bool
    message: Any

    @property
    def protocols(self) -> Sequence[str]:
        """The protocols it can be called in."""
        if self.is_stream:
            return ("connect-json", "connect-proto", "grpc-web")
        return ("json", "proto", "grpc-web", *(("get",) if self.reads else ()))

    def encode(self, protocol: str, request: Mapping[str, Any]) -> bytes:
        """Return a request as bytes of the protocol."""
        message = json_format.ParseDict(request, self.message())
        if protocol in ("proto", "connect-proto", "grpc-web"):
            return bytes(message.SerializeToString())
        return json_format.MessageToJson(message).encode()


def published_methods(client: ConnectClient) -> list[Method]:
    """Return the methods of the schema that a server publishes."""
    file = descriptor_pb2.FileDescriptorProto.FromString(client.call("GetSchema").file_descriptor)
    classes = MessageClasses(file)
    declared = {
        (service.name, each.name): each
        for bundle in make_bundles()
        for service in bundle.services
        for each in service.methods
    }
    found = []
    for service in file.service:
        for each in service.method:
            spec = declared.get((service.name, each.name))
            names = (each.name, *(spec.aliases if spec else ()))
            found.append(
                Method(
                    each.name,
                    [f"/{PACKAGE}.{service.name}/{name}" for name in names],
                    each.server_streaming
                    or each.options.idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS,
                    each.server_streaming,
                    bool(spec and spec.is_large),
                    classes.find_class(each.input_type.lstrip(".")),
                )
            )
    return found


def user(n: int | str) -> dict[str, Any]:
    """Return a record of a user that no other has."""
    return {"name": f"User {n}", "email": f"{n}@example.org"}


def part(n: int | str) -> dict[str, Any]:
    """Return a record of a part that no other has."""
    key = uuid.uuid5(uuid.NAMESPACE_URL, str(n))
    return {"id": str(key), "label": "bolt", "price": "1.50", "color": "RED", "extra": [1]}


_RECORDS: Mapping[str, tuple[Any, Callable[[int | str], dict[str, Any]], dict[str, Any]]] = {
    "Users": (1, user, {"name": "Another name"}),
    "SpareParts": (PART, part, {"label": "nut"}),
}
"""By model: the key of its first record, further records, and a change."""


def seed(client: ConnectClient) -> dict[str, Any]:
    """Save what the requests are about; return what :func:`valid_request` needs to know of it."""
    client.call("UsersCreateRecord", {"record": user("first")})
    client.call(
        "SparePartsCreateRecord", {"record": {**part("first"), "id": PART, "pieces": 7, "extra": [1]}}
    )
    finding = {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in FINDING.items()}
    report = {"id": "r-1", "title": "Orders", "findings": [finding], "metadata_json": '{"dataset": "orders"}'}
    client.call("SaveReport", {"report": report})
    [found] = client.call("QueryFindings").findings
    return {
        "finding_id": found.finding_id,
        "backup": "",
        **_seed_incident(client, finding),
        **_seed_worklists(client),
        **_seed_bundle(client),
    }


def _seed_incident(client: ConnectClient, finding: Mapping[str, Any]) -> dict[str, Any]:
    """Save three findings of another report, of which one is in an incident."""
    metadata = '{"check": "nulls", "dataset": "shop"}'
    findings = [{**finding, "column": column, "metadata_json": metadata} for column in ("a", "b", "c")]
    report = {"id": "r-2", "title": "Shop", "findings": findings, "metadata_json": '{"dataset": "shop"}'}
    client.call("SaveReport", {"report": report})
    members = [each.finding_id for each in client.call("GetReport", {"id": "r-2"}).report.findings]
    made = client.call("CreateIncident", {"title": "Loader down", "finding_ids": members[:1]}).incident
    return {"incident_id": made.id, "members": members}


def _seed_worklists(client: ConnectClient) -> dict[str, Any]:
    """Give rows out twice; return the file of one worklist with an answer, and the ids of both."""
    file = {"name": "orders.csv", "content": TABLE}
    request = {"report_id": "r-1", "file": file}
    kept, deleted = (client.call("CreateWorklists", request).worklists[0] for _ in range(2))
    book = load_workbook(io.BytesIO(kept.file.content))
    heads = [cell.value for cell in book["Rows"][1]]
    book["Rows"].cell(2, heads.index("done") + 1, "x")
    filled = io.BytesIO()
    book.save(filled)
    encoded = base64.b64encode(filled.getvalue()).decode()
    return {"worklist_id": kept.id, "worklist": encoded, "other_worklist_id": deleted.id}


def _seed_bundle(client: ConnectClient) -> dict[str, Any]:
    """Import a bundle of another team; return its id, and another bundle."""
    imported, other = make_bundle("r-imported"), make_bundle("r-other")
    made = client.call("ImportBundle", {"file": {"name": "imported.bundle.zip", "content": imported}})
    return {"bundle_id": made.bundle_id, "bundle": base64.b64encode(other).decode()}


def make_bundle(report_id: str) -> bytes:
    """Return a bundle of another team."""
    with tempfile.TemporaryDirectory() as folder:
        other = FileStorage(Path(folder))
        other.save_report(ShareableReport(report_id, "Orders of a team", "Ana", clock.now()))
        return export_bundle(other.store, [report_id])


def valid_request(name: str, n: int | str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request, as JSON, that the method answers.

    Args:
        name: The method's name.
        n: What makes new records of the request different from those of other requests.
        known: What :func:`seed` returned.
    """
    for prefix, (key, make, change) in _RECORDS.items():
        requests: dict[str, dict[str, Any]] = {
            "ListRecords": {},
            "GetRecord": {"recordId": key},
            "CreateRecord": {"record": make(n)},
            "UpdateRecord": {"recordId": key, "record": change},
            "DeleteRecord": {"recordId": key},
            "RestoreRecord": {"recordId": key},
        }
        if name.startswith(prefix) and name.removeprefix(prefix) in requests:
            return requests[name.removeprefix(prefix)]
    ids = [known["finding_id"]]
    _, other, third = known["members"]
    incident = {"incidentId": known["incident_id"]}
    worklist, other_worklist = (known[name] for name in ("worklist_id", "other_worklist_id"))
    table = {"name": "orders.csv", "content": base64.b64encode(TABLE).decode()}
    restore = {"bytes": known["backup"], "filename": "backup.zip"}
    return {
        "DatabaseHealth": {},
        "DatabaseReadAudit": {"component": ["users"]},
        "DatabaseSchemaDiagram": {"format": "dot"},
        "DatabaseExportZip": {},
        "DatabaseBackup": {},
        "DatabaseRestore": restore,
        "DatabaseBackupSqlite": {},
        "DatabaseRestoreSqlite": restore,
        "SaveReport": {"report": {**REPORT, "id": f"r-{n}"}},
        "ImportResults": {"files": [{"name": f"{n}.xml", "content": base64.b64encode(JUNIT).decode()}]},
        "GetReport": {"id": "r-1"},
        "GetEvidence": {"reportId": "r-1"},
        "QueryReports": {},
        "QueryFindings": {},
        "QueryInbox": {},
        "QueryIncidents": {},
        "GetIncident": incident,
        "CreateIncident": {"title": f"Cause {n}", "findingIds": [third]},
        "AddToIncident": {**incident, "findingIds": [other]},
        "RemoveFromIncident": {**incident, "findingIds": [other]},
        "RenameIncident": {**incident, "title": f"Title {n}"},
        "AssignIncident": {**incident, "assignee": f"Cy {n}"},
        "CommentOnIncident": {**incident, "comment": f"Seen {n}."},
        "CloseIncident": {**incident, "reason": f"Loaded {n}."},
        "ReopenIncident": {**incident, "comment": f"Back {n}."},
        "DeleteIncident": incident,
        "RestoreIncident": incident,
        "QueryWorklists": {},
        "CreateWorklists": {"reportId": "r-1", "findingIds": ids, "file": table},
        "ReadWorklists": {"files": [{"name": "worklist.xlsx", "content": known["worklist"]}]},
        "UndoWorklists": {"worklists": [{"worklistId": worklist, "version": 2}]},
        "DeleteWorklist": {"worklistId": other_worklist},
        "RestoreWorklist": {"worklistId": other_worklist},
        "ExportBundle": {"reportIds": ["r-1"]},
        "ImportBundle": {"file": {"name": "other.bundle.zip", "content": known["bundle"]}},
        "UndoBundle": {"bundleId": known["bundle_id"]},
        "Annotate": {"findingId": ids[0], "comment": f"Seen {n}."},
        "SetStatus": {"findingIds": ids, "status": "accepted", "reason": f"Known {n}."},
        "Assign": {"findingIds": ids, "assignee": f"Ben {n}"},
        "ListChanges": {},
        "StreamChanges": {"stopAtEnd": True},
        "GetSchema": {},
    }[name]


def wrong_types(descriptor: Any, depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each field of a message with a request, as JSON, in which its value has another type."""
    for field in descriptor.fields:
        for value in _wrong_values(field):
            yield field.name, {field.json_name: [value] if field.is_repeated else value}
        if field.is_repeated:
            yield field.name, {field.json_name: "no list"}
        kind = field.message_type
        if kind is not None and not kind.full_name.startswith("google.") and depth < 3:
            for name, request in wrong_types(kind, depth + 1):
                inner = [request] if field.is_repeated else request
                yield f"{field.name}.{name}", {field.json_name: inner}


def _wrong_values(field: Any) -> Sequence[Any]:
    if field.message_type is not None:
        full = field.message_type.full_name
        if full == "google.protobuf.Value":
            return ()  # Any JSON fits.
        return (7, "", [], "yesterday") if full == "google.protobuf.Timestamp" else (7, "", "text", [], [[]])
    return {
        field.TYPE_STRING: (7, {}, True),
        field.TYPE_BYTES: (7, "!"),
        field.TYPE_BOOL: ("maybe", 7),
        field.TYPE_INT32: ("seven", 1.5, 2**31, {}),
        field.TYPE_INT64: ("seven", 1.5, 2**63, {}),
        field.TYPE_DOUBLE: ("seven", {}),
    }[field.type]
