"""The fields of every record, declared once.

These are derived from the declarations: the checks of stored values and the limits for new texts
(:mod:`lavendertown.records.field_checks`), the files (:mod:`lavendertown.records.json_records`), the
database rows (:mod:`lavendertown.stores.sql.schema.record_mapping`), summaries
(:mod:`lavendertown.records.summaries`), searched texts (:mod:`lavendertown.records.search_text`), digests
(:mod:`lavendertown.transfer.record_digests`), and the dictionaries of the public classes
(:mod:`lavendertown.collaboration.converters`). CSV archives have the columns of the databases. The section
"Add a record field" of CONTRIBUTING.md describes how to add one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Any

from lavendertown.records import field_kinds
from lavendertown.records.field_kinds import FieldKind, optional_kind, sized_text
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    ChannelRecord,
    DatasetSettingsRecord,
    EvidenceRecord,
    FindingRecord,
    IncidentRecord,
    MigrationRecord,
    NotificationRecord,
    PersonRecord,
    ReportRecord,
    RuleSetRecord,
    TriageRecord,
    ViewRecord,
    WorklistRecord,
)

MAX_ID_BYTES = 200
MAX_NAME = 255
MAX_GHOST_TYPE = 80
MAX_MAIL = 320
MAX_INITIALS = 4
MAX_COMPONENT = 40
MAX_OPERATION = 20
MAX_COMMENT = 20_000
MAX_TITLE = 500
MAX_DESCRIPTION = 10_000

REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record.

    Attributes:
        name: The attribute name.
        kind: The kind of values.
        default: The value if the field is missing or null in a file; ``REQUIRED`` if the file must have
            the field, unless the dataclass has its own default.
        added_later: Whether older records lack the field. While it has its default it is omitted from
            files, summaries and digests, so that those of older records do not change.
        limit: The maximum length of a new or changed text; None for no limit.
        size: The maximum length of any stored text; the maximum of the kind by default.
        label: The name in messages; the name of the field by default.
        file_key: The key in files and public dictionaries; the name of the field by default.
        column: The column in the databases; the name of the field by default.
        summary_key: The key in the summary; the name of the field by default.
        in_file: Whether the field is in files.
        in_summary: Whether the field is in the summary, which the audit log stores and versions are
            compared by.
        in_digest: Whether the field is in the digest.
        searched: The position in the searched text, counted from 1; 0 if the field is not searched.
    """

    name: str
    kind: FieldKind
    default: Any = REQUIRED
    added_later: bool = False
    limit: int | None = None
    size: int | None = None
    label: str = ""
    file_key: str = ""
    column: str = ""
    summary_key: str = ""
    in_file: bool = True
    in_summary: bool = True
    in_digest: bool = True
    searched: int = 0

    def __post_init__(self) -> None:
        for attribute in ("label", "file_key", "column", "summary_key"):
            if not getattr(self, attribute):
                object.__setattr__(self, attribute, self.name)
        if self.size is None:
            object.__setattr__(self, "size", self.kind.size)

    def is_omitted(self, value: object) -> bool:
        """Return whether files, summaries and digests omit the field with this value."""
        return self.added_later and bool(value == self.default)


_UPDATED = Field("updated_at", field_kinds.UTC_TIME, in_summary=False)
_VERSION = Field("version", field_kinds.VERSION, default=1, in_digest=False)
_DELETED = Field("deleted_at", optional_kind(field_kinds.UTC_TIME), default=None)
_FLAT_VERSION = replace(_VERSION, kind=field_kinds.VERSION_OR_NEW, default=REQUIRED)
_FLAT_DELETED = replace(_DELETED, default=REQUIRED)
_FLAT_ID = Field("id", field_kinds.SIZED_ID)

FIELDS: dict[type, tuple[Field, ...]] = {
    ReportRecord: (
        Field("id", field_kinds.ID, size=MAX_ID_BYTES, label="report id"),
        Field("title", field_kinds.TEXT, limit=MAX_TITLE, searched=1),
        Field("author", field_kinds.TEXT, size=MAX_NAME),
        Field("dataset", field_kinds.TEXT, size=MAX_NAME, searched=2),
        Field("created_at", field_kinds.UTC_TIME),
        Field("tags", field_kinds.TAGS, default=()),
        Field("metadata", field_kinds.OBJECT, in_summary=False),
        Field("ruleset", optional_kind(field_kinds.OBJECT), default=None, in_summary=False),
        Field("findings", field_kinds.CHILDREN, default=(), in_summary=False),
        _UPDATED,
        _VERSION,
        _DELETED,
    ),
    FindingRecord: (
        Field("fingerprint", sized_text(MAX_ID_BYTES)),
        Field("legacy_id", field_kinds.COMPUTED_TEXT, in_file=False, in_digest=False),
        Field("dataset", field_kinds.TEXT, size=MAX_NAME, searched=3),
        Field("ghost_type", field_kinds.TEXT, size=MAX_GHOST_TYPE),
        Field("column", field_kinds.TEXT, column="column_name", searched=2),
        Field("severity", field_kinds.SEVERITY),
        Field("description", field_kinds.TEXT, limit=MAX_DESCRIPTION, searched=1),
        Field("rows", field_kinds.PACKED_ROWS),
        Field("row_count", optional_kind(field_kinds.COUNT)),
        Field("share", optional_kind(field_kinds.NUMBER)),
        Field("metadata", field_kinds.OBJECT),
    ),
    AnnotationRecord: (
        Field("id", field_kinds.ID, size=MAX_ID_BYTES, label="annotation id"),
        Field("finding_id", field_kinds.ID, size=MAX_ID_BYTES, label="finding id"),
        Field("author", field_kinds.TEXT, size=MAX_NAME),
        Field("created_at", field_kinds.UTC_TIME, file_key="timestamp", label="timestamp"),
        Field("comment", field_kinds.TEXT, default="", limit=MAX_COMMENT, searched=1),
        Field("tags", field_kinds.TAGS, default=()),
        Field("status", field_kinds.STATUS, default=None),
        Field("report_id", optional_kind(sized_text(MAX_ID_BYTES)), default=None, in_summary=False),
        _UPDATED,
        _VERSION,
        _DELETED,
    ),
    RuleSetRecord: (
        Field(
            "id",
            field_kinds.ID,
            size=MAX_ID_BYTES,
            label="rule set name",
            file_key="name",
            column="name",
            summary_key="name",
            searched=1,
        ),
        Field("description", field_kinds.TEXT, default="", limit=MAX_DESCRIPTION, searched=2),
        Field("rules", field_kinds.OBJECTS, default=(), in_summary=False),
        _UPDATED,
        _VERSION,
        _DELETED,
    ),
    TriageRecord: (
        replace(_FLAT_ID, label="finding id"),
        _UPDATED,
        Field("assignee", sized_text(MAX_NAME)),
        Field("close_reason", field_kinds.CLEAN_TEXT, limit=MAX_COMMENT, label="reason"),
        Field("snooze_until", optional_kind(field_kinds.UTC_TIME)),
        Field("snooze_factor", optional_kind(field_kinds.FACTOR)),
        Field("snooze_count", optional_kind(field_kinds.COUNT)),
        Field("snooze_share", optional_kind(field_kinds.NUMBER)),
        Field("note", field_kinds.CLEAN_TEXT, limit=MAX_COMMENT),
        Field("merged_into", sized_text(MAX_ID_BYTES)),
        Field("stands_alone", field_kinds.FLAG),
        _FLAT_VERSION,
        _FLAT_DELETED,
        Field("accepted_until", optional_kind(field_kinds.UTC_TIME), default=None, added_later=True),
        Field("ceiling_count", optional_kind(field_kinds.COUNT), default=None, added_later=True),
        Field("ceiling_share", optional_kind(field_kinds.NUMBER), default=None, added_later=True),
        Field("has_no_ceiling", field_kinds.FLAG, default=False, added_later=True),
        Field("owner_rule", sized_text(MAX_NAME), default="", added_later=True),
    ),
    PersonRecord: (
        replace(_FLAT_ID, label="name of a person"),
        _UPDATED,
        Field("mail", sized_text(MAX_MAIL)),
        Field("initials", sized_text(MAX_INITIALS)),
        _FLAT_VERSION,
        _FLAT_DELETED,
        Field("hidden_columns", field_kinds.TAGS, default=(), added_later=True),
    ),
    ViewRecord: (
        replace(_FLAT_ID, label="name of a view"),
        Field("author", sized_text(MAX_NAME)),
        Field("query", field_kinds.OBJECT),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    DatasetSettingsRecord: (
        replace(_FLAT_ID, label="name of a dataset"),
        Field("settings", field_kinds.OBJECT),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    EvidenceRecord: (
        replace(_FLAT_ID, label="report id"),
        Field("size", field_kinds.COUNT),
        Field("content", field_kinds.OBJECT, in_summary=False),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    IncidentRecord: (
        replace(_FLAT_ID, label="incident id"),
        Field("title", field_kinds.CLEAN_TEXT, limit=MAX_TITLE),
        Field("assignee", sized_text(MAX_NAME)),
        Field("members", field_kinds.TAGS),
        Field("created_by", sized_text(MAX_NAME)),
        Field("created_at", field_kinds.UTC_TIME),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    WorklistRecord: (
        replace(_FLAT_ID, label="worklist id"),
        Field("report_id", sized_text(MAX_ID_BYTES)),
        Field("dataset", sized_text(MAX_NAME)),
        Field("owner", sized_text(MAX_NAME)),
        Field("created_by", sized_text(MAX_NAME)),
        Field("created_at", field_kinds.UTC_TIME),
        Field("row_count", field_kinds.COUNT),
        Field("done_count", field_kinds.COUNT),
        Field("cannot_count", field_kinds.COUNT),
        Field("findings", field_kinds.OBJECTS, in_summary=False),
        Field("answers", field_kinds.OBJECT, in_summary=False),
        Field("last_read", field_kinds.OBJECT, in_summary=False),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    NotificationRecord: (
        replace(_FLAT_ID, label="notification id"),
        Field("channel", sized_text(MAX_NAME)),
        Field("event", sized_text(MAX_COMPONENT)),
        Field("recipient", sized_text(MAX_NAME)),
        Field("title", field_kinds.CLEAN_TEXT),
        Field("content", field_kinds.OBJECT, in_summary=False),
        Field("created_at", field_kinds.UTC_TIME),
        Field("attempts", field_kinds.COUNT),
        Field("next_attempt_at", optional_kind(field_kinds.UTC_TIME), default=None),
        Field("delivered_at", optional_kind(field_kinds.UTC_TIME), default=None),
        Field("problem", field_kinds.CLEAN_TEXT),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    ChannelRecord: (
        replace(_FLAT_ID, label="channel"),
        Field("cursor", field_kinds.CLEAN_TEXT),
        Field("checked_until", field_kinds.UTC_TIME),
        _UPDATED,
        _FLAT_VERSION,
        _FLAT_DELETED,
    ),
    AuditEvent: (
        Field("at", field_kinds.UTC_TIME),
        Field("actor", sized_text(MAX_NAME)),
        Field("component", sized_text(MAX_COMPONENT)),
        Field("record_id", sized_text(MAX_ID_BYTES)),
        Field("operation", sized_text(MAX_OPERATION)),
        Field("before", optional_kind(field_kinds.OBJECT), default=None),
        Field("after", optional_kind(field_kinds.OBJECT), default=None),
        Field("key", field_kinds.TEXT, in_file=False, in_digest=False),
    ),
    MigrationRecord: (
        Field("id", field_kinds.TEXT, size=MAX_ID_BYTES),
        Field("source", field_kinds.TEXT),
        Field("target", field_kinds.TEXT),
        Field("actor", field_kinds.TEXT, size=MAX_NAME),
        Field("started_at", field_kinds.UTC_TIME),
        Field("finished_at", optional_kind(field_kinds.UTC_TIME), default=None),
        Field("options", field_kinds.OBJECT),
        Field("outcome", optional_kind(field_kinds.OBJECT), default=None),
    ),
}
"""Every field of every record, in the order of the digests: a new field goes to the end of its record, with
``added_later``. A test fails if a field is missing."""

FILE_ORDER: dict[type, tuple[str, ...]] = {
    ReportRecord: (
        "id",
        "title",
        "author",
        "dataset",
        "created_at",
        "updated_at",
        "version",
        "deleted_at",
        "tags",
        "metadata",
        "ruleset",
        "findings",
    ),
    FindingRecord: (
        "ghost_type",
        "column",
        "severity",
        "description",
        "row_count",
        "share",
        "dataset",
        "fingerprint",
        "metadata",
        "rows",
    ),
}
"""The order of the fields in files, where it differs. It never changes; new fields are appended."""


def summary_fields(record_class: type) -> tuple[Field, ...]:
    """Return the fields in the summary of a record."""
    return tuple(each for each in FIELDS[record_class] if each.in_summary)


def file_fields(record_class: type) -> tuple[Field, ...]:
    """Return the fields in the file of a record, in file order."""
    declared = {each.name: each for each in FIELDS[record_class] if each.in_file}
    order = FILE_ORDER.get(record_class, ())
    return tuple(declared[name] for name in (*order, *(name for name in declared if name not in order)))


def shared_fields(record_class: type, other_class: type) -> tuple[Field, ...]:
    """Return the fields of a record whose file key is also an attribute of another class."""
    attributes = frozenset(other_class.__annotations__)
    return tuple(each for each in FIELDS[record_class] if each.file_key in attributes)


def searched_fields(record_class: type) -> tuple[Field, ...]:
    """Return the searched fields, in the order of the searched text."""
    return tuple(
        sorted((each for each in FIELDS[record_class] if each.searched), key=lambda each: each.searched)
    )


def attribute_getter(fields: tuple[Field, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that reads these fields of a record; it always returns a tuple."""
    names = [each.name for each in fields]
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda record: (get(record),)
    return attrgetter(*names)


def digest_values(record: Any) -> dict[str, Any]:
    """Return the values for a record's digest by field name, in their fixed order."""
    record_class: type = type(record)
    fields, read = _digest_fields_and_getter(record_class)
    values = {}
    for each, value in zip(fields, read(record), strict=True):
        if not each.added_later:
            values[each.name] = value
        elif value != each.default:
            # The value includes the field's name, so that two omissible fields cannot be confused.
            values[each.name] = {each.name: value}
    return values


@cache
def _digest_fields_and_getter(
    record_class: type,
) -> tuple[tuple[Field, ...], Callable[[Any], tuple[Any, ...]]]:
    declared = tuple(each for each in FIELDS[record_class] if each.in_digest)
    return declared, attribute_getter(declared)
