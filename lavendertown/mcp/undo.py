"""Undo a write by a reference that the caller keeps.

The former state comes from the audit log: a caller could alter a state that it keeps, and so bypass the
rules for decisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lavendertown.collaboration.parts.triage import Undo, undo_from_events
from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import ConflictError, InvalidInputError, NotFoundError
from lavendertown.records.record_classes import RecordKind
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.schema import Call
from lavendertown.transfer.bundles.importing import IMPORT_BUNDLE, find_last_act
from lavendertown.transfer.bundles.undoing import undo_bundle

MAX_FINDINGS = 100
"""The maximum number of findings that one call lists or changes."""
FIRST_VERSION = 1
"""The version of a new record."""
_NOTHING = "Nothing was undone: it was undone already, or somebody has made a later decision."
_CHANGED = "Nothing was undone: it was undone already, or somebody has changed it since."
_OTHER = "The undo is not what the write returned; pass it on unchanged."


class UndoReference(BaseModel):
    """Names what a write changed. Pass it on unchanged."""

    model_config = ConfigDict(extra="forbid")

    versions: dict[str, int] = Field(default_factory=dict, max_length=MAX_FINDINGS)
    annotation_ids: list[str] = Field(default_factory=list, max_length=MAX_FINDINGS)
    incident_versions: dict[str, int] = Field(default_factory=dict, max_length=MAX_FINDINGS)
    worklist_versions: dict[str, int] = Field(default_factory=dict)
    bundle_id: str = ""
    bundle_imported_at: str = ""


_NOTHING_CHANGED = UndoReference()
_VERSIONED = {
    RecordKind.TRIAGE.value: ("versions", ("create", "update")),
    RecordKind.INCIDENT.value: ("incident_versions", ("create",)),
    RecordKind.WORKLIST.value: ("worklist_versions", ("create", "update")),
}
"""By component, the field of a reference with the versions, and the operations that can be undone."""


def decision_reference(undo: Undo) -> UndoReference:
    """Return the reference to a decision that was just made."""
    return UndoReference(versions=dict(undo.versions), annotation_ids=sorted(undo.annotations))


def bundle_reference(storage: Storage, bundle_id: str) -> UndoReference:
    """Return the reference to an import of a bundle that just changed something."""
    act = find_last_act(storage.store, bundle_id)
    assert act is not None
    return UndoReference(bundle_id=bundle_id, bundle_imported_at=act.at.isoformat())


def answer_with_undo(
    answer: Mapping[str, Any], reference: UndoReference = _NOTHING_CHANGED
) -> dict[str, Any]:
    """Return a tool's answer about a write that was just made, with what `undo` takes."""
    return {**answer, "undo": reference.model_dump()}


def answer_about_decision(undo: Undo) -> dict[str, Any]:
    """Return a tool's answer about a decision that was just made: its findings, and what `undo` takes."""
    return answer_with_undo({"finding_ids": list(undo.finding_ids)}, decision_reference(undo))


def undo_write(
    storage: Storage, reference: UndoReference, call: Call, on_behalf_of: str = ""
) -> dict[str, Any]:
    """Undo a write of the caller; return what was undone.

    What was changed since stays as it is.

    Raises:
        InvalidInputError: The reference is empty, or is not what the write returned.
        NotFoundError: The caller made no such write.
        ConflictError: There is nothing left to undo.
    """
    if reference == _NOTHING_CHANGED:
        raise InvalidInputError("The undo is empty: the write changed nothing.")
    actor = call.actor(on_behalf_of)
    undo = _undo_import if reference.bundle_id or reference.bundle_imported_at else _undo_records
    with acting_for(call.on_behalf_of(on_behalf_of)):
        return undo(storage, reference, actor)


def _undo_import(storage: Storage, reference: UndoReference, actor: str) -> dict[str, Any]:
    only_bundle = UndoReference(
        bundle_id=reference.bundle_id, bundle_imported_at=reference.bundle_imported_at
    )
    if reference != only_bundle:
        raise InvalidInputError(_OTHER)
    act = find_last_act(storage.store, reference.bundle_id)
    if act is None or act.actor != actor:
        raise NotFoundError(
            f"{actor} made no such import of {reference.bundle_id[:200]!r}; pass on the undo that the write "
            "returned."
        )
    if act.operation != IMPORT_BUNDLE or act.at.isoformat() != reference.bundle_imported_at:
        raise ConflictError("Nothing was undone: it was undone already, or the bundle was imported again.")
    done = undo_bundle(storage, reference.bundle_id, actor=actor)
    if done is None:
        raise ConflictError(_CHANGED)
    return done.to_dict()


def _undo_records(storage: Storage, reference: UndoReference, actor: str) -> dict[str, Any]:
    events = _find_events(storage, reference, actor)
    undo = undo_from_events(events)
    if _read_reference(undo, events) != reference:
        raise InvalidInputError(_OTHER)
    if reference.incident_versions:
        count = storage.incidents.undo_create(reference.incident_versions, actor=actor)
        return _count_undone("deleted_incidents", count, _CHANGED)
    if reference.worklist_versions:
        if any(each["operation"] == "create" for each in events):
            count = storage.worklists.undo_create(reference.worklist_versions, actor=actor)
            return _count_undone("deleted_worklists", count, _CHANGED)
        count = storage.worklists.undo(reference.worklist_versions, actor=actor)
        return _count_undone("undone_answers", count, _CHANGED)
    return _count_undone("changed_findings", storage.triage.undo(undo, actor=actor), _NOTHING)


def _count_undone(name: str, count: int, nothing: str) -> dict[str, Any]:
    if not count:
        raise ConflictError(nothing)
    return {name: count}


def _find_events(storage: Storage, reference: UndoReference, actor: str) -> Sequence[dict[str, Any]]:
    """Return all events of the write that a reference names; the events of one commit share their time."""
    kinds = (RecordKind.ANNOTATION.value, *_VERSIONED)
    named = (
        *reference.versions,
        *reference.annotation_ids,
        *reference.incident_versions,
        *reference.worklist_versions,
    )
    record_id = named[0]
    for event in storage.audit.query(component=kinds, record_id=record_id, actor=actor, limit=None):
        if _is_named(event, reference):
            return storage.audit.query_commit(event["at"], actor)
    raise NotFoundError(
        f"{actor} made no such decision on {record_id[:200]!r}; pass on the undo that the write returned."
    )


def _is_named(event: Mapping[str, Any], reference: UndoReference) -> bool:
    if event["component"] == RecordKind.ANNOTATION.value:
        return event["operation"] == "create" and event["record_id"] in reference.annotation_ids
    field, operations = _VERSIONED[event["component"]]
    version = getattr(reference, field).get(event["record_id"])
    if version is None or event["operation"] not in operations:
        return False
    return bool((event["after"] or {}).get("version") == version)


def _read_reference(undo: Undo, events: Sequence[Mapping[str, Any]]) -> UndoReference:
    """Return the reference to a write, from all audit events of its commit."""
    reference = decision_reference(undo)
    for kind in (RecordKind.INCIDENT.value, RecordKind.WORKLIST.value):
        field, operations = _VERSIONED[kind]
        for each in events:
            if each["component"] == kind and each["operation"] in operations:
                getattr(reference, field)[each["record_id"]] = each["after"]["version"]
    return reference
