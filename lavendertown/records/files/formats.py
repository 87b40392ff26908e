"""What is written in the files, format 2, and what 0.7 wrote, which is read as well.

Reports have a module of their own, :mod:`.report_format`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lavendertown import codec
from lavendertown.errors import InvalidInputError
from lavendertown.records.files import fields
from lavendertown.records.files.fields import UnreadableError
from lavendertown.records.plain import from_plain, plain
from lavendertown.records.rules import MAX_COMPONENT, MAX_ID_BYTES, MAX_NAME, MAX_OPERATION
from lavendertown.records.values import (
    AnnotationRecord,
    AuditEvent,
    Kind,
    Move,
    PlainRecord,
    RuleSetRecord,
)

FORMAT = 2
_NUL = b"\\u0000"


def parse(data: bytes) -> Any:
    """Read JSON.

    Raises:
        UnreadableError: It is none.
    """
    if not data:
        raise UnreadableError("the file is empty")
    try:
        found = codec.loads_old(data)
        # PostgreSQL keeps no NUL, wherever it stands.
        return codec.plain(found, "the file") if _NUL in data else found
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"not JSON, or cut off: {error}") from error
    except InvalidInputError as error:
        raise UnreadableError(str(error)) from error


def write_thread(annotations: list[AnnotationRecord]) -> bytes:
    """Return the file of a finding's annotations."""
    return codec.dumps([_annotation(annotation) for annotation in annotations], indent=True)


def _annotation(annotation: AnnotationRecord) -> dict[str, Any]:
    return {
        "id": annotation.id,
        "finding_id": annotation.finding_id,
        "author": annotation.author,
        "timestamp": annotation.created_at.isoformat(),
        "comment": annotation.comment,
        "tags": list(annotation.tags),
        "status": annotation.status,
        "report_id": annotation.report_id,
        "updated_at": annotation.updated_at.isoformat(),
        "version": annotation.version,
        "deleted_at": fields.iso(annotation.deleted_at),
    }


def read_thread(data: Any) -> list[AnnotationRecord]:
    """Return the annotations in a file's data.

    Raises:
        UnreadableError: They are not there, or not whole.
    """
    fields.expect(isinstance(data, list), "no list of annotations in it")
    return [read_annotation(found, None) for found in data]


def read_annotation(data: Any, report_id: str | None, zone: dt.tzinfo | None = None) -> AnnotationRecord:
    """Return one annotation, 0.7's too; ``zone`` as for reports.

    Raises:
        UnreadableError: It is not whole.
    """
    fields.expect(isinstance(data, dict), "an annotation is no object")
    try:
        created_at = fields.moment(data, "timestamp", zone)
        return AnnotationRecord(
            id=fields.text(data, "id"),
            finding_id=fields.text(data, "finding_id"),
            author=fields.text(data, "author"),
            created_at=created_at,
            comment=fields.some_text(data, "comment") or "",
            tags=fields.texts(data, "tags"),
            status=fields.some_text(data, "status"),
            report_id=fields.some_text(data, "report_id", MAX_ID_BYTES) or report_id,
            updated_at=fields.some_moment(data, "updated_at") or created_at,
            version=fields.version(data),
            deleted_at=fields.some_moment(data, "deleted_at"),
        )
    except fields.BAD as error:
        raise UnreadableError(fields.why(error)) from error


def write_ruleset(ruleset: RuleSetRecord) -> bytes:
    """Return a rule set's file; 0.7 reads it too."""
    return codec.dumps(
        {
            "name": ruleset.id,
            "description": ruleset.description,
            "rules": list(ruleset.rules),
            "updated_at": ruleset.updated_at.isoformat(),
            "version": ruleset.version,
            "deleted_at": fields.iso(ruleset.deleted_at),
        },
        indent=True,
    )


def read_ruleset(data: Any, seen_at: dt.datetime) -> RuleSetRecord:
    """Return the rule set in a file's data; ``seen_at`` stands in where 0.7 kept no time.

    Raises:
        UnreadableError: It is not there, or not whole.
    """
    fields.expect(isinstance(data, dict), "no rule set in it")
    try:
        return RuleSetRecord(
            id=fields.text(data, "name"),
            description=fields.some_text(data, "description") or "",
            rules=fields.mappings(data, "rules"),
            updated_at=fields.some_moment(data, "updated_at") or seen_at,
            version=fields.version(data),
            deleted_at=fields.some_moment(data, "deleted_at"),
        )
    except fields.BAD as error:
        raise UnreadableError(fields.why(error)) from error


def write_plain(record: PlainRecord) -> bytes:
    """Return the file of a record that is one flat row."""
    return codec.dumps({"format": FORMAT, **plain(record)}, indent=True)


def read_plain(kind: Kind, data: Any) -> PlainRecord:
    """Return the flat record in a file's data.

    Raises:
        UnreadableError: It is not there, or not whole.
    """
    fields.expect(isinstance(data, dict), f"no {kind.value} in it")
    try:
        fields.expect(data["format"] == FORMAT, f"written by a newer version (format {data['format']!r})")
        return from_plain(kind, data)
    except fields.BAD as error:
        raise UnreadableError(fields.why(error)) from error


def write_aliases(aliases: Mapping[str, str]) -> bytes:
    """Return the file of older finding ids."""
    return codec.dumps(dict(sorted(aliases.items())), indent=True)


def read_aliases(data: Any) -> dict[str, str]:
    """Return older finding ids with today's.

    Raises:
        UnreadableError: They are not there.
    """
    fields.expect(isinstance(data, dict), "no object in it")
    return {str(old): fields.text(data, old, MAX_ID_BYTES) for old in data}


def write_event(event: AuditEvent) -> bytes:
    """Return one line of the audit file."""
    line = codec.dumps(
        {
            "at": event.at.isoformat(),
            "actor": event.actor,
            "component": event.component,
            "record_id": event.record_id,
            "operation": event.operation,
            "before": event.before,
            "after": event.after,
        }
    )
    return line + b"\n"


def read_event(line: bytes, key: str) -> AuditEvent:
    """Return the event in one line of the audit file.

    Raises:
        UnreadableError: It is not whole.
    """
    data = parse(line)
    fields.expect(isinstance(data, dict), "no event in it")
    try:
        return AuditEvent(
            at=fields.moment(data, "at"),
            actor=fields.text(data, "actor", MAX_NAME),
            component=fields.text(data, "component", MAX_COMPONENT),
            record_id=fields.text(data, "record_id", MAX_ID_BYTES),
            operation=fields.text(data, "operation", MAX_OPERATION),
            before=fields.some_mapping(data, "before"),
            after=fields.some_mapping(data, "after"),
            key=key,
        )
    except fields.BAD as error:
        raise UnreadableError(fields.why(error)) from error


def write_move(move: Move) -> bytes:
    """Return the file of a move into the store."""
    return codec.dumps(
        {
            "id": move.id,
            "source": move.source,
            "target": move.target,
            "actor": move.actor,
            "started_at": move.started_at.isoformat(),
            "finished_at": fields.iso(move.finished_at),
            "options": move.options,
            "outcome": move.outcome,
        },
        indent=True,
    )


def read_move(data: Any) -> Move:
    """Return the move in a file's data.

    Raises:
        UnreadableError: It is not there, or not whole.
    """
    fields.expect(isinstance(data, dict), "no move in it")
    try:
        return Move(
            id=fields.text(data, "id"),
            source=fields.text(data, "source"),
            target=fields.text(data, "target"),
            actor=fields.text(data, "actor"),
            started_at=fields.moment(data, "started_at"),
            options=fields.mapping(data, "options"),
            finished_at=fields.some_moment(data, "finished_at"),
            outcome=fields.some_mapping(data, "outcome"),
        )
    except fields.BAD as error:
        raise UnreadableError(fields.why(error)) from error
