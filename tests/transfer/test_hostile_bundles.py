"""Whatever is wrong with a bundle, it is refused in one sentence, and nothing is changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core import clock
from lavendertown.core.errors import FileLimitError, InvalidInputError
from lavendertown.core.file_limits import FileLimits
from lavendertown.profile.evidence import ColumnProfile, Evidence
from lavendertown.records.field_kinds import PACKED_ROWS
from lavendertown.records.record_classes import IncidentRecord
from lavendertown.records.write_path import SaveRecord
from lavendertown.transfer.backups.archive import write_archive
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.bundles.reading import is_bundle, open_bundle
from lavendertown.transfer.bundles.writing import export_bundle
from lavendertown.transfer.locations import parse_location
from tests.contract.builders import annotation, finding, report, sentence

Members = dict[str, bytes]
Change = Callable[[dict[str, Any], Members], None]
NAME = "week.bundle.zip"
FINDING = get_finding_id(finding())
THREAD = f"annotations/{FINDING}.json"
TRIAGE = f"triage/{FINDING}.json"
INCIDENT = "incident-0123456789ab"
INCIDENT_FILE = f"incidents/{INCIDENT}.json"
DELETIONS = "deletions/deletions.json"
FOREIGN = "f1-" + "0" * 32
FAR = (clock.now() + dt.timedelta(days=400)).isoformat()


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    made = FileStorage(tmp_path / "store")
    first = report("r1", annotations=[annotation(id="n1")])
    made.save_report(first, evidence=Evidence([ColumnProfile("email", "text", 4, 2, 2)]))
    made.triage.decide(FINDING, Decision(assignee="Ana"), actor="Ana")
    record = IncidentRecord(INCIDENT, "Loader down", "", (FINDING,), "Ana", clock.now(), clock.EPOCH)
    made.write_path.commit([SaveRecord(record, 0, "Ana")])
    made.save_annotation(annotation(id="n2"))
    made.delete_annotation("n2", actor="Ana")
    return made


@pytest.fixture
def data(storage: FileStorage) -> bytes:
    return export_bundle(storage.store, ["r1"])


def changed(data: bytes, change: Change, *, fit: bool = True) -> io.BytesIO:
    """Change the manifest and the members of a bundle; ``fit`` makes the checksums fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        members = {name: found.read(name) for name in found.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    if fit:
        manifest["members"] = {name: hashlib.sha256(each).hexdigest() for name, each in members.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, each in (*members.items(), ("manifest.json", json.dumps(manifest).encode())):
            zip_file.writestr(name, each)
    return file


def added(name: str, content: bytes = b"{}") -> Change:
    return lambda _, members: members.update({name: content})


def edited(name: str, **values: Any) -> Change:
    """Change values of a record, the first one of a thread."""

    def change(_: dict[str, Any], members: Members) -> None:
        content = json.loads(members[name])
        (content[0] if isinstance(content, list) else content).update(values)
        members[name] = json.dumps(content).encode()

    return change


def deleted(*changes: dict[str, Any]) -> Change:
    """Replace the deletions by the first one, changed in these ways."""

    def change(_: dict[str, Any], members: Members) -> None:
        (first,) = json.loads(members[DELETIONS])
        members[DELETIONS] = json.dumps([first | each for each in changes]).encode()

    return change


def with_finding(**values: Any) -> Change:
    def change(_: dict[str, Any], members: Members) -> None:
        content = json.loads(members["reports/r1.json"])
        content["findings"][0].update(values)
        members["reports/r1.json"] = json.dumps(content).encode()

    return change


def packed(positions: BitMap) -> Any:
    assert PACKED_ROWS.to_json is not None
    return PACKED_ROWS.to_json(b"R0" + positions.serialize())


def moved_thread(finding_id: str) -> Change:
    def change(_: dict[str, Any], members: Members) -> None:
        thread = json.loads(members.pop(THREAD))
        thread[0]["finding_id"] = finding_id
        members["annotations/x.json"] = json.dumps(thread).encode()

    return change


def deep(levels: int) -> Any:
    """Return nested lists, one in another."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


PROFILE = {"name": "email", "kind": "text", "count": 4, "nulls": 2, "distinct": 2}
HOSTILE: list[tuple[str, Change, bool, str]] = [
    ("wrong checksum", edited(THREAD, comment="Forged"), False, "does not match its checksum"),
    ("unlisted member", added("reports/r2.json"), False, "is not listed in the manifest"),
    ("missing member", lambda _, members: members.pop(THREAD), False, "is missing"),
    ("path", added("../reports/r2.json"), True, "is not a member"),
    ("path in a folder", added("reports/../../r2.json"), True, "is not a member"),
    ("absolute path", added("/etc/cron.d/x"), True, "is not a member"),
    ("audit log", added("audit/2026-01.jsonl"), True, "is not a member"),
    ("people", added("people/Ana.json"), True, "is not a member"),
    ("settings", added("config.toml"), True, "is not a member"),
    ("journal", added(".journal/intent.json"), True, "is not a member"),
    ("quarantine", added("quarantine/x"), True, "is not a member"),
    ("table", added("tables/x.csv"), True, "is not a member"),
    ("bomb", added("reports/r2.json", b" " * (300 << 20)), True, "would unpack to"),
    ("no JSON", added("reports/r2.json", b"{"), True, "not JSON"),
    ("no report", added("reports/r2.json", b"[]"), True, "not a report"),
    ("empty", lambda _, members: members.clear(), True, "it has no report"),
    ("report id", edited("reports/r1.json", id="../r1"), True, "slash"),
    ("hidden id", edited(THREAD, id=".n1"), True, "begins with a dot"),
    ("NUL", edited(THREAD, comment="a\0b"), True, "NUL"),
    ("long comment", edited(THREAD, comment="a" * 20_001), True, "20,001 characters"),
    ("unknown status", edited(THREAD, status="owned"), True, "'owned' is unknown"),
    ("future change", edited(THREAD, updated_at=FAR), True, "updated_at is in the future"),
    ("future comment", edited(THREAD, timestamp=FAR), True, "created_at is in the future"),
    ("future decision", edited(TRIAGE, updated_at=FAR), True, "updated_at is in the future"),
    ("future report", edited("reports/r1.json", created_at=FAR), True, "created_at is in the future"),
    ("deleted", edited(THREAD, deleted_at="2026-03-04T12:00:00+00:00"), True, "it is deleted"),
    ("last version", edited(THREAD, version=2**31 - 1), True, "more than any record has"),
    ("foreign thread", moved_thread("f1-" + "0" * 32), True, "belongs to none of its findings"),
    ("foreign triage", edited(TRIAGE, id="f1-" + "0" * 32), True, "belongs to none of its findings"),
    ("foreign evidence", edited("evidence/r1.json", id="r9"), True, "belongs to none of its reports"),
    ("broken evidence", edited("evidence/r1.json", content={"columns": [1]}), True, "cannot be read"),
    ("large evidence", edited("evidence/r1.json", content={"x": "a" * 2_000_000}), True, "are allowed"),
    ("deep evidence", edited("evidence/r1.json", content={"x": deep(900)}), True, "nested too deeply"),
    ("deep metadata", edited("reports/r1.json", metadata={"x": deep(300)}), True, "nested too deeply"),
    ("deeper", added("reports/r2.json", b"[" * 5_000 + b"]" * 5_000), True, "not JSON"),
    (
        "odd column",
        edited("evidence/r1.json", content={"columns": [{**PROFILE, "name": 1}]}),
        True,
        "columns",
    ),
    ("odd guesses", edited("reports/r1.json", metadata={"coverage": {"guesses": 1}}), True, "columns"),
    ("hijacked id", added("identities/aliases.json", json.dumps({FINDING: "f1-x"}).encode()), True, "alias"),
    ("merge into itself", edited(TRIAGE, merged_into=FINDING), True, "merged into itself"),
    ("all rows", with_finding(rows=packed(BitMap(range(11_000_000)))), True, "row positions"),
    ("broken rows", with_finding(rows=PACKED_ROWS.to_json and PACKED_ROWS.to_json(b"RZxx")), True, "row pos"),
    ("incident id", edited(INCIDENT_FILE, id=FOREIGN), True, "has the id of another record"),
    ("foreign incident", edited(INCIDENT_FILE, members=[FOREIGN]), True, "belongs to none of its findings"),
    ("empty incident", edited(INCIDENT_FILE, members=[]), True, "has no finding"),
    ("many members", edited(INCIDENT_FILE, members=[FINDING, *map(str, range(1000))]), True, "1,001"),
    ("no title", edited(INCIDENT_FILE, title=" "), True, "has no title"),
    ("long title", edited(INCIDENT_FILE, title="a" * 501), True, "501"),
    ("future incident", edited(INCIDENT_FILE, created_at=FAR), True, "created_at is in the future"),
    ("foreign incident's thread", moved_thread("incident-" + "1" * 12), True, "belongs to none"),
    ("deletions", added(DELETIONS, b'{"n1": 1}'), True, "not a list of deletions"),
    ("odd deletion", added(DELETIONS, b"[1]"), True, "1 is not a deletion"),
    ("broken deletions", added(DELETIONS, b"["), True, DELETIONS),
    ("deleted decision", deleted({"kind": "finding", "id": FINDING}), True, "is not a deletion"),
    ("deleted id", deleted({"id": "../r1"}), True, "slash"),
    ("deleted text", deleted({"id": 1}), True, "is not a deletion"),
    ("no time", deleted({"deleted_at": "today"}), True, "today"),
    ("far time", deleted({"deleted_at": "0001-01-01T00:00:00+14:00"}), True, DELETIONS),
    ("future deletion", deleted({"deleted_at": FAR}), True, "deleted_at is in the future"),
    ("foreign deletion", deleted({"belongs_to": FOREIGN}), True, "belongs to none of its findings"),
    (
        "foreign report",
        deleted({"kind": "report", "belongs_to": "x"}),
        True,
        "belongs to none of its datasets",
    ),
    ("deleted twice", deleted({}, {}), True, "deleted twice"),
    ("deleted and not", deleted({"id": "n1"}), True, "is in the bundle, too"),
    ("newer format", lambda manifest, _: manifest.update(bundle=3), True, "bundle format 3"),
    ("odd format", lambda manifest, _: manifest.update(bundle=[1]), True, "bundle format [1]"),
    ("backup, too", lambda manifest, _: manifest.update(archive=1), True, "that of a backup"),
    ("tables", lambda manifest, _: manifest.update(tables=[{"name": "x"}]), True, "that of a backup"),
    ("no tables", lambda manifest, _: manifest.pop("tables"), True, "lists no tables"),
    ("no members", lambda manifest, _: manifest.update(members=[]), False, "members in the manifest"),
]


@pytest.mark.parametrize(
    ("change", "fit", "reason"), [pytest.param(*rest, id=name) for name, *rest in HOSTILE]
)
def test_a_hostile_bundle_is_refused_in_one_sentence(
    data: bytes, change: Change, fit: bool, reason: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        open_bundle(changed(data, change, fit=fit), NAME)
    assert reason in sentence(refused)
    assert str(refused.value).startswith(NAME)
    assert "othing was imported" in str(refused.value)


def test_the_unchanged_bundle_is_read(data: bytes) -> None:
    bundle = open_bundle(changed(data, lambda _, __: None), NAME)
    assert [each.id for each in bundle.content.reports] == ["r1"]


@pytest.mark.parametrize("end", [0, 3, 30, 200, -1])
def test_a_truncated_file_is_refused(data: bytes, end: int) -> None:
    with pytest.raises(InvalidInputError) as refused:
        open_bundle(io.BytesIO(data[:end]), NAME)
    assert sentence(refused)


def test_a_bundle_above_the_limit_is_refused(data: bytes) -> None:
    with pytest.raises(FileLimitError) as refused:
        open_bundle(io.BytesIO(data), NAME, FileLimits(uncompressed_bytes=100))
    assert NAME in sentence(refused)


def test_a_bundle_is_recognized_by_its_content(data: bytes) -> None:
    assert is_bundle(io.BytesIO(data), NAME)
    for other in (b"", b"a,b\n1,2\n", b"PK\x03\x04 torn", data[:40]):
        assert not is_bundle(io.BytesIO(other), NAME)


def test_bundles_and_backups_are_not_taken_for_each_other(
    storage: FileStorage, data: bytes, tmp_path: Path
) -> None:
    (tmp_path / NAME).write_bytes(data)
    target = FileStorage(tmp_path / "target")
    target.save_report(report("theirs"))
    with pytest.raises(InvalidInputError) as refused:
        restore_store(str(tmp_path / "target"), tmp_path / NAME)
    assert f"lavendertown import {tmp_path / NAME}" in sentence(refused)
    assert [row["id"] for row in target.query_reports()] == ["theirs"]
    backup = write_archive(parse_location(str(tmp_path / "store")), tmp_path / "backup.zip").file
    with pytest.raises(InvalidInputError) as refused, backup.open("rb") as file:
        is_bundle(file, "backup.zip")
    assert "lavendertown db restore" in sentence(refused)
    assert "lavendertown migrate" in sentence(refused)
