"""The only validator of records: valid values, rules about changes, and limits on new values.

:func:`validate_record` applies to every record that is written. :func:`check_change` applies to new
decisions of people, and :func:`find_violations` to new and changed values.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from lavendertown.core import clock, json_codec, statuses
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import SEVERITIES
from lavendertown.records import field_kinds
from lavendertown.records.field_checks import find_long_texts
from lavendertown.records.field_kinds import ColumnType
from lavendertown.records.fields import FIELDS, MAX_COMMENT, MAX_ID_BYTES, MAX_NAME, Field, attribute_getter
from lavendertown.records.record_classes import (
    AnnotationRecord,
    FindingRecord,
    IncidentRecord,
    Record,
    ReportRecord,
    TriageRecord,
    WorklistRecord,
)

MAX_STORED_TAG = 500
"""The longest tag that the databases' indexes can store; new tags have at most ``MAX_TAG`` characters."""
MAX_TAG = 100
MAX_TAGS = 50
MAX_MEMBERS = 1000
MAX_WORKLIST_ROWS = 5_000
MAX_METADATA_BYTES = 1_000_000
_KEYS_WITH_OWN_LIMITS = ("coverage", "dataset", "note", "tags")
"""Keys of a report's metadata with separate limits; the coverage grows with the columns of the table."""

Violation = tuple[str, str]
"""The field and the value that exceeds its limit."""

NOTHING_TO_SAVE = "Write a comment, pick a tag or choose a status."


def validate_record(record: Record) -> Record:
    """Return the record if it is valid, with duplicate tags removed.

    Raises:
        InvalidInputError: The record is invalid; the message names the value and the reason.
    """
    record_class: type = type(record)
    deduplicated: dict[str, Any] = {}
    for each in _validated_fields(record_class):
        value = getattr(record, each.name)
        _check_value(each, value, each.label)
        if each.kind is field_kinds.TAGS and len(set(value)) < len(value):
            deduplicated[each.name] = tuple(dict.fromkeys(value))
    if isinstance(record, ReportRecord):
        for position, finding in enumerate(record.findings):
            if not _passes_fast_check(finding):
                _check_finding(finding, f" of findings[{position}]")
    elif isinstance(record, TriageRecord):
        _check_merge(record)
    elif isinstance(record, IncidentRecord):
        _check_incident(record)
    elif isinstance(record, WorklistRecord):
        check_worklist(record)
    return replace(record, **deduplicated) if deduplicated else record


def check_change(record: Record, stored: Mapping[str, Any] | None, written_with: Iterable[Record]) -> None:
    """Refuse an empty annotation, and an annotation that closes a finding without a reason.

    These rules apply to new decisions only. The write path does not apply them to imported records, and
    unchanged values pass, so that no stored history is ever refused.

    Args:
        record: The record to be written.
        stored: The summary of the stored record; None for a new one.
        written_with: All records of the same unit of work.

    Raises:
        InvalidInputError: The annotation is empty, or it closes a finding without a reason.
    """
    if isinstance(record, AnnotationRecord):
        _check_content(record, stored)
        _check_closing(record, stored, written_with)


def _check_content(annotation: AnnotationRecord, stored: Mapping[str, Any] | None) -> None:
    # Annotations carried by a report may be empty: reports of version 0.7 have such annotations.
    is_carried = annotation.report_id is not None
    if is_carried or _has_content(annotation.comment, annotation.tags, annotation.status):
        return
    if stored is None:
        raise InvalidInputError(f"The annotation is empty. {NOTHING_TO_SAVE}")
    if _has_content(stored["comment"], stored["tags"], stored["status"]):
        raise InvalidInputError("The annotation would have no comment, tag or status; delete it instead.")


def _has_content(comment: str, tags: Iterable[str], status: str | None) -> bool:
    return bool(comment.strip() or list(tags) or status)


def _check_closing(
    annotation: AnnotationRecord, stored: Mapping[str, Any] | None, written_with: Iterable[Record]
) -> None:
    """Refuse a new closing status, unless the annotation or its triage record has a reason."""
    if not statuses.is_closed(annotation.status) or annotation.comment.strip():
        return
    if stored is not None and stored["status"] == annotation.status:
        return
    reasons = (
        each.close_reason
        for each in written_with
        if isinstance(each, TriageRecord) and each.id == annotation.finding_id
    )
    if not any(reason.strip() for reason in reasons):
        raise InvalidInputError("Closing a finding needs a reason; explain it in a comment.")


def check_id(value: object, label: str) -> str:
    """Return an id if it is valid: text of 1 to 200 bytes that is safe as a file name.

    Raises:
        InvalidInputError: The id is invalid.
    """
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"The {label} is {value!r}; it must be text that is not empty.")
    json_codec.require_storable_text(value, f"The {label}")
    if "/" in value or "\\" in value or _has_control_characters(value):
        raise InvalidInputError(
            f"The {label} {value!r} has a slash, a backslash or a control character; remove it."
        )
    if value[0] == ".":
        raise InvalidInputError(f"The {label} {value!r} begins with a dot; choose another.")
    if value != value.strip():
        raise InvalidInputError(f"The {label} {value!r} begins or ends with a space; remove it.")
    if len(value.encode("utf-8")) > MAX_ID_BYTES:
        raise InvalidInputError(
            f"The {label} {value[:20]!r}… is longer than {MAX_ID_BYTES} bytes; shorten it."
        )
    return value


def _has_control_characters(value: str) -> bool:
    is_printable_ascii = value.isascii() and value.isprintable()
    return not is_printable_ascii and any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value)


def check_actor(value: object) -> None:
    """Refuse an actor's name that cannot be stored.

    Raises:
        InvalidInputError: The name is not text, too long, or has a character that cannot be stored.
    """
    _check_text(value, "actor", MAX_NAME)


def is_valid_id(value: object) -> bool:
    """Return whether an id is valid."""
    try:
        check_id(value, "id")
    except InvalidInputError:
        return False
    return True


@cache
def _validated_fields(record_class: type) -> tuple[Field, ...]:
    """Return the fields to check before a write: all except those that the write path sets."""
    return tuple(
        each for each in FIELDS[record_class] if each.name not in ("updated_at", "version", "deleted_at")
    )


def _check_finding(finding: FindingRecord, suffix: str) -> None:
    for each in FIELDS[FindingRecord]:
        value, label = getattr(finding, each.name), f"{each.label}{suffix}"
        _check_value(each, value, label)
        if each.kind is field_kinds.TAGS and not each.kind.test(value):
            raise InvalidInputError(f"The {label} is {value!r}; it must be {each.kind.expected}.")


def _check_value(field: Field, value: Any, label: str) -> None:
    """Refuse a value that cannot be stored; the message names it by the label."""
    kind = field.kind
    if value is None and kind.optional:
        return
    if kind.is_id:
        check_id(value, label)
    elif kind.column_type is ColumnType.STATUS:
        _check_status(value)
    elif kind is field_kinds.SEVERITY:
        if value not in SEVERITIES:
            raise InvalidInputError(f"The {label} is {value!r}; use one of {', '.join(SEVERITIES)}.")
    elif kind is field_kinds.TAGS:
        _check_tags(value, "tag" if field.name == "tags" else f"text in {label}")
    elif kind.column_type is ColumnType.TEXT:
        _check_text(value, label, field.size)
    elif kind.column_type is ColumnType.TIME:
        _check_utc_time(value, label)
    elif not kind.test(value):
        raise InvalidInputError(f"The {label} is {value!r}; it must be {kind.expected}.")


_FINDING_TEXTS = tuple(each for each in FIELDS[FindingRecord] if each.kind.column_type is ColumnType.TEXT)
_FINDING_OTHERS = tuple(
    each for each in FIELDS[FindingRecord] if each.kind.column_type is not ColumnType.TEXT
)
_read_texts = attribute_getter(_FINDING_TEXTS)
_read_others = attribute_getter(_FINDING_OTHERS)
_TEXT_SIZES = tuple((n, each.size) for n, each in enumerate(_FINDING_TEXTS) if each.size is not None)
_OTHER_TESTS = tuple(each.kind.test for each in _FINDING_OTHERS)


def _passes_fast_check(finding: FindingRecord) -> bool:
    """Return whether a finding is certainly valid; most findings are, and pass without the slow check."""
    texts = _read_texts(finding)
    try:
        joined = "".join(texts)
    except TypeError:
        return False
    if not joined.isascii() or "\0" in joined:
        return False
    for index, size in _TEXT_SIZES:
        if len(texts[index]) > size:
            return False
    return all(test(value) for test, value in zip(_OTHER_TESTS, _read_others(finding), strict=True))


def _check_merge(triage: TriageRecord) -> None:
    if triage.merged_into:
        check_id(triage.merged_into, "finding id")
        if triage.merged_into == triage.id:
            raise InvalidInputError(
                f"The finding {triage.id!r} cannot be merged into itself; choose another."
            )


def _check_incident(incident: IncidentRecord) -> None:
    if not incident.title.strip():
        raise InvalidInputError("The incident has no title; give it one.")
    if not incident.members:
        raise InvalidInputError(f"The incident {incident.title!r} has no finding; choose at least one.")
    for name in incident.members:
        check_id(name, "finding id")


def check_worklist(worklist: WorklistRecord) -> None:
    """Check the rows and answers of a worklist.

    Raises:
        InvalidInputError: They are not of the form that :class:`WorklistRecord` describes.
    """
    former = worklist.last_read.get("former", {})
    if (
        not all(map(_is_worklist_finding, worklist.findings))
        or sum(len(each["positions"]) for each in worklist.findings) != worklist.row_count
        or not all(_is_answer(worklist, number, each) for number, each in worklist.answers.items())
        or not isinstance(former, Mapping)
        or not all(each is None or _is_answer(worklist, number, each) for number, each in former.items())
    ):
        raise InvalidInputError(f"The rows or answers of the worklist {worklist.id!r} are damaged.")


def _is_worklist_finding(entry: Mapping[str, Any]) -> bool:
    positions, keys, first_row = (entry.get(name) for name in ("positions", "keys", "first_row"))
    return (
        is_valid_id(entry.get("finding_id"))
        and type(first_row) is int
        and isinstance(positions, list)
        and all(type(each) is int and each >= 0 for each in positions)
        and isinstance(keys, list)
        and all(type(each) is str and "\0" not in each for each in keys)
        and len(keys) == len(positions)
    )


def _is_answer(worklist: WorklistRecord, number: str, entry: object) -> bool:
    if not isinstance(entry, Mapping) or not (number.isdecimal() and 1 <= int(number) <= worklist.row_count):
        return False
    try:
        clock.parse_time(entry["at"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
    texts = (entry.get("reason"), entry.get("by"))
    return entry.get("answer") in ("done", "cannot") and all(
        type(each) is str and "\0" not in each for each in texts
    )


def _check_status(value: object) -> None:
    if value not in statuses.NAMES:
        raise InvalidInputError(
            f"The status {value!r} is unknown; use one of {', '.join(statuses.NAMES)}, "
            "or None to leave the status unchanged."
        )


def _check_text(value: object, label: str, size: int | None) -> None:
    if not isinstance(value, str):
        raise InvalidInputError(f"The {label} is {value!r}; it must be text.")
    json_codec.require_storable_text(value, f"The {label}")
    if size is not None and len(value) > size:
        raise InvalidInputError(f"The {label} is longer than {size} characters; shorten it.")


def _check_tags(tags: tuple[str, ...], label: str) -> None:
    for tag in tags:
        _check_text(tag, label, MAX_STORED_TAG)
        if not tag.strip():
            raise InvalidInputError(f"A {label} is empty; remove it.")


def _check_utc_time(value: object, label: str) -> None:
    if not isinstance(value, dt.datetime):
        raise InvalidInputError(f"The {label} is {value!r}; it must be a datetime.")
    if value.tzinfo is not clock.UTC:
        raise InvalidInputError(f"The {label} {value!r} is not in UTC.")


def find_violations(record: Record) -> dict[Violation, str]:
    """Return the values of a record that exceed a limit, each with a message for people.

    The limits apply to new and changed values only. A store may have longer values: earlier versions wrote
    them, and migrations keep them. They are read, migrated and restored unchanged, and do not prevent a
    change of another field.
    """
    violations = {
        (each.name, value): _limit_message(each.label, value, limit)
        for each, limit, value in find_long_texts(record)
    }
    if isinstance(record, ReportRecord):
        return violations | dict(_report_violations(record))
    if isinstance(record, AnnotationRecord):
        return violations | dict(_tag_violations(record.tags))
    if isinstance(record, IncidentRecord) and len(record.members) > MAX_MEMBERS:
        message = (
            f"An incident of {len(record.members):,} findings is too large; it can have at most "
            f"{MAX_MEMBERS:,}. Choose fewer."
        )
        # One entry per finding, as with tags.
        return violations | {("members", name): message for name in record.members}
    if isinstance(record, WorklistRecord) and record.row_count > MAX_WORKLIST_ROWS:
        message = (
            f"A worklist of {record.row_count:,} rows is too large; it can have at most "
            f"{MAX_WORKLIST_ROWS:,}. Choose fewer findings, or only the first rows of each."
        )
        return violations | {("row_count", record.id): message}
    return violations


def _report_violations(report: ReportRecord) -> Iterator[tuple[Violation, str]]:
    yield from _tag_violations(report.tags)
    for position, finding in enumerate(report.findings):
        for each, limit, value in find_long_texts(finding):
            yield (each.name, value), _limit_message(f"{each.label} of findings[{position}]", value, limit)
    note = report.metadata.get("note")
    if isinstance(note, str) and len(note) > MAX_COMMENT:
        yield ("note", note), _limit_message("note", note, MAX_COMMENT)
    yield from _metadata_violations(report.metadata)


def _metadata_violations(metadata: Mapping[str, Any]) -> Iterator[tuple[Violation, str]]:
    limited = {name: value for name, value in metadata.items() if name not in _KEYS_WITH_OWN_LIMITS}
    size = len(json_codec.dumps(limited))
    if size > MAX_METADATA_BYTES:
        message = (
            f"The metadata has {size:,} bytes as JSON; "
            f"at most {MAX_METADATA_BYTES:,} are allowed. Shorten it."
        )
        for name, value in limited.items():
            yield (f"metadata.{name}", json_codec.dumps(value).decode()), message


def _tag_violations(tags: Sequence[str]) -> Iterator[tuple[Violation, str]]:
    for tag in tags:
        if len(tag) > MAX_TAG:
            yield (
                ("tag", tag),
                f"The tag {tag[:20]!r}… has {len(tag):,} characters; at most {MAX_TAG} are allowed. "
                "Shorten it.",
            )
    if len(tags) > MAX_TAGS:
        # One entry per tag, as with metadata, so that tags can be removed from a longer stored list.
        message = f"There are {len(tags):,} tags; at most {MAX_TAGS} are allowed. Remove some."
        yield from ((("tags", tag), message) for tag in tags)


def _limit_message(label: str, value: str, limit: int) -> str:
    return f"The {label} has {len(value):,} characters; at most {limit:,} are allowed. Shorten it."
