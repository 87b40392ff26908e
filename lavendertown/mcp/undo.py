"""Undo a write by a reference that the caller keeps.

The former state comes from the audit log: a caller could alter a state that it keeps, and so bypass the
rules for decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lavendertown.collaboration.parts.triage import Undo, undo_from_events
from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import ConflictError, InvalidInputError, NotFoundError
from lavendertown.records.record_classes import RecordKind
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.schema import Call

MAX_FINDINGS = 100
"""The maximum number of findings that one call lists or changes."""
_NOTHING = "Nothing was undone: it was undone already, or somebody has made a later decision."


class UndoReference(BaseModel):
    """Names what a write changed. Pass it on unchanged."""

    model_config = ConfigDict(extra="forbid")

    versions: dict[str, int] = Field(default_factory=dict, max_length=MAX_FINDINGS)
    annotation_ids: list[str] = Field(default_factory=list, max_length=MAX_FINDINGS)


def undo_reference(undo: Undo) -> UndoReference:
    """Return the reference to a decision that was just made."""
    return UndoReference(versions=dict(undo.versions), annotation_ids=sorted(undo.annotations))


def answer_with_undo(undo: Undo) -> dict[str, Any]:
    """Return a tool's answer about a decision that was just made: its findings, and what `undo` takes."""
    return {"finding_ids": list(undo.finding_ids), "undo": undo_reference(undo).model_dump()}


def undo_decision(storage: Storage, reference: UndoReference, call: Call, on_behalf_of: str = "") -> int:
    """Undo a decision of the caller; return the number of findings that it changed.

    Findings with a later decision stay as they are.

    Raises:
        InvalidInputError: The reference is empty, or is not what the write returned.
        NotFoundError: The caller made no such decision.
        ConflictError: There is nothing left to undo.
    """
    actor = call.actor(on_behalf_of)
    if not reference.versions and not reference.annotation_ids:
        raise InvalidInputError("The undo is empty: the write changed nothing.")
    undo = undo_from_events(_find_events(storage, reference, actor))
    if undo_reference(undo) != reference:
        raise InvalidInputError("The undo is not what the write returned; pass it on unchanged.")
    with acting_for(call.on_behalf_of(on_behalf_of)):
        changed = storage.triage.undo(undo, actor=actor)
    if not changed:
        raise ConflictError(_NOTHING)
    return changed


def _find_events(storage: Storage, reference: UndoReference, actor: str) -> Sequence[dict[str, Any]]:
    """Return all events of the write that a reference names; the events of one commit share their time."""
    kinds = (RecordKind.TRIAGE.value, RecordKind.ANNOTATION.value)
    record_id = next(iter([*reference.versions, *reference.annotation_ids]))
    for event in storage.audit.query(component=kinds, record_id=record_id, actor=actor, limit=None):
        if _is_named(event, reference):
            return storage.audit.query_commit(event["at"], actor)
    raise NotFoundError(
        f"{actor} made no such decision on {record_id[:200]!r}; pass on the undo that the write returned."
    )


def _is_named(event: dict[str, Any], reference: UndoReference) -> bool:
    if event["component"] == RecordKind.ANNOTATION.value:
        return event["operation"] == "create" and event["record_id"] in reference.annotation_ids
    return (event["after"] or {}).get("version") == reference.versions.get(event["record_id"])
