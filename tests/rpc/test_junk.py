"""Junk in every field of every method: the answer is a code and one sentence, never an internal error."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lavendertown.collaboration.storage import Storage
from lavendertown.database import ModelAccessor, application
from lavendertown.database.startup import create_missing_tables
from lavendertown.rpc import ConnectClient, RpcApp, RpcError, build_collaboration_bundle, build_storage_bundle
from lavendertown.rpc.protocol.messages import fill_message, is_repeated
from tests.rpc.conftest import Serve
from tests.rpc.every_method import JUNIT
from tests.rpc.models import Base, Named, Part, RpcUser

LARGE = 10**30
POSITIONS: tuple[Any, ...] = (
    *(
        None,
        0,
        {},
        [],
        [None],
        [[]],
        [{}],
        ["a\0"],
        [True],
        [-1],
        [1.5],
        [2**40],
        [2**63],
        [LARGE],
        ["x" * 5000],
    ),
    *(["2026-01-01", LARGE], ["2026-13-01", 1], ["0001-01-01T00:00:00+14:00", 1], ["2026-01-01", -1]),
    *([1, 1], [{}, 1], [1, 2, 3]),
)
TOKENS = (
    *("x", "é", "\0", "====", base64.urlsafe_b64encode(b"[" * 5000).decode(), "_w=="),
    *(base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in POSITIONS),
)
TEXTS = ("\0", "\x1b[31m", "x" * 100_000, "../../etc/passwd", "'; DROP TABLE x; --", " ", "\u2028", "%", "[")
JUNK: Mapping[int, Sequence[Any]] = {
    1: (math.nan, math.inf, -math.inf, 1e308),
    3: (-1, 2**63 - 1, -(2**63)),
    5: (-1, 2**31 - 1, -(2**31)),
    8: (True,),
    9: TEXTS,
    12: (b"\0", b"PK\x03\x04", b"x" * 1000),
}
"""By the number of the type in protobuf: double, int64, int32, bool, string, bytes."""
TIMES = (
    (10**15, 0),
    (2**62, 0),
    (-(2**62), 0),
    (-62_135_596_800, 0),
    (253_402_300_799, 999_999_999),
    (0, -1),
)
REFUSALS = {
    *("invalid_argument", "not_found", "failed_precondition", "aborted", "already_exists", "out_of_range"),
    "resource_exhausted",
}
Path = tuple[str, ...]


def junk_values(descriptor: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the path of each field of a message with each value to try there."""
    for field in descriptor.fields:
        here = (*path, field.name)
        kind = field.message_type
        if kind is None:
            is_token = field.name in ("page_token", "cursor")
            yield from ((here, value) for value in (TOKENS if is_token else JUNK[field.type]))
        elif kind.full_name == "google.protobuf.Timestamp":
            yield from ((here, {"seconds": seconds, "nanos": nanos}) for seconds, nanos in TIMES)
        elif kind.full_name == "google.protobuf.Value":
            yield from ((here, {"number_value": value}) for value in JUNK[1])
            yield here, {"string_value": "\0"}
            yield here, {"struct_value": {"fields": {}}}
        elif len(path) < 3:
            yield here, {}
            yield from junk_values(kind, here)


def set_junk(message: Any, path: Path, value: Any) -> None:
    """Set a field in the parts of a message; a list gets the value as one more item."""
    name, *rest = path
    field = message.DESCRIPTOR.fields_by_name[name]
    part = getattr(message, name)
    if field.message_type is None:
        if is_repeated(field):
            part.append(value)
        else:
            setattr(message, name, value)
        return
    if is_repeated(field):
        part = part[0] if part and rest else part.add()
    if rest:
        set_junk(part, tuple(rest), value)
        return
    part.SetInParent()
    for inner, plain in value.items():
        if isinstance(plain, Mapping):
            getattr(part, inner).SetInParent()
        else:
            setattr(part, inner, plain)


def send(client: ConnectClient, method: Any, message: Any) -> tuple[str, str]:
    """Send a request as it is; return the code and the sentence of the refusal, or ``ok``."""
    try:
        if method.stream_type.name == "SERVER_STREAM":
            list(client._sync.execute_server_stream(request=message, method=method, headers=client._headers))
        else:
            client._sync.execute_unary(request=message, method=method, headers=client._headers)
    except RpcError as error:
        return error.code.value, error.message
    return "ok", ""


def check_all_methods(client: ConnectClient, requests: Mapping[str, Mapping[str, Any]]) -> int:
    """Send each method its request with junk in each field; return how many were sent."""
    wrong, count = [], 0
    for name in client.method_names():
        method = client._schema_sync().methods[name]
        base = fill_message(method.input(), requests.get(name.partition("/")[2], {}))
        for path, value in junk_values(method.input.DESCRIPTOR):
            message = method.input()
            message.CopyFrom(base)
            set_junk(message, path, value)
            code, sentence = send(client, method, message)
            count += 1
            if code not in REFUSALS | {"ok"} or "\n" in sentence or (code != "ok" and not sentence):
                wrong.append(f"{name} {'.'.join(path)}={str(value)[:60]!r}: {code} {sentence}")
    assert not wrong, "\n".join(wrong)
    return count


def test_no_request_about_models_ends_in_an_internal_error(
    database: application.Database, users: ModelAccessor[RpcUser], serve: Serve
) -> None:
    create_missing_tables(database.engine, Base.metadata)
    accessors = [users, ModelAccessor(Part, "parts"), ModelAccessor(Named, "named")]
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=accessors, max_records_per_model=None))
    client = ConnectClient(serve(app).url)
    key = "6f1c7b1e-0000-4000-8000-000000000001"
    records: dict[str, tuple[Any, dict[str, Any]]] = {
        "Users": (1, {"name": "Ann", "email": "ann@example.org"}),
        "Parts": (key, {"id": key, "label": "bolt"}),
        "Named": ("a", {"name": "a"}),
    }
    requests: dict[str, dict[str, Any]] = {}
    for prefix, (record_id, record) in records.items():
        client.call(f"{prefix}CreateRecord", {"record": record})
        requests[f"{prefix}CreateRecord"] = {"record": record}
        requests[f"{prefix}UpdateRecord"] = {"record_id": record_id, "record": {}}
        for verb in ("Get", "Delete", "Restore"):
            requests[f"{prefix}{verb}Record"] = {"record_id": record_id}
    assert check_all_methods(client, requests) > 500
    assert client.call("UsersListRecords").records[0].name


def test_no_request_about_findings_ends_in_an_internal_error(storage: Storage, serve: Serve) -> None:
    app = RpcApp()
    app.add_bundle(build_collaboration_bundle(lambda: storage))
    client = ConnectClient(serve(app).url)
    finding = {"ghost_type": "null", "column": "price", "severity": "error", "description": "12 are missing."}
    report = {"id": "r-1", "title": "Orders", "findings": [finding]}
    client.call("SaveReport", {"report": report})
    [saved] = client.call("QueryFindings").findings
    ids = {"finding_ids": [saved.finding_id]}
    incident = {"incident_id": client.call("CreateIncident", {"title": "Loader down", **ids}).incident.id}
    requests: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("GetIncident", "DeleteIncident", "RestoreIncident"), incident),
        "CreateIncident": {"title": "Other", **ids},
        "AddToIncident": {**incident, **ids},
        "RemoveFromIncident": {**incident, **ids},
        "RenameIncident": {**incident, "title": "Renamed"},
        "AssignIncident": {**incident, "assignee": "Ben"},
        "CommentOnIncident": {**incident, "comment": "Hm."},
        "CloseIncident": {**incident, "reason": "Loaded again."},
        "ReopenIncident": {**incident, "comment": "It is back."},
        "SaveReport": {"report": report},
        "ImportResults": {"files": [{"name": "junit.xml", "content": JUNIT}]},
        "GetReport": {"id": "r-1"},
        "GetEvidence": {"report_id": "r-1"},
        "Annotate": {"finding_id": saved.finding_id, "comment": "Known."},
        "SetStatus": {"finding_ids": [saved.finding_id], "status": "reviewed"},
        "Assign": {"finding_ids": [saved.finding_id], "assignee": "Ben"},
        "StreamChanges": {"stop_at_end": True},
    }
    assert check_all_methods(client, requests) > 300
    assert client.call("GetReport", {"id": "r-1"}).report.id == "r-1"
