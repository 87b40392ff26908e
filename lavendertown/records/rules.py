"""What may be stored: ids, names, times, statuses, tags. Stated here and nowhere else."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import fields, replace

from lavendertown import clock, codec
from lavendertown.errors import InvalidInputError
from lavendertown.models import SEVERITIES
from lavendertown.records.plain import expect_whole
from lavendertown.records.values import (
    KIND_OF,
    AnnotationRecord,
    FindingRecord,
    Kind,
    PlainRecord,
    Record,
    ReportRecord,
    RuleSetRecord,
    TriageRecord,
)

_IDS = {Kind.TRIAGE: "finding id", Kind.PERSON: "name of a person", Kind.VIEW: "name of a view"}
STATUSES = ("open", "needs-investigation", "reviewed", "fixed", "accepted", "false_positive")
MAX_ID_BYTES = 200
MAX_NAME = 255
MAX_GHOST_TYPE = 80
MAX_TAG = 80
MAX_COMPONENT = 40
MAX_OPERATION = 20


def check(record: Record) -> Record:
    """Return the record if it may be stored.

    Raises:
        InvalidInputError: It may not; the message says which part and why.
    """
    if isinstance(record, ReportRecord):
        return _report(record)
    if isinstance(record, AnnotationRecord):
        return _annotation(record)
    if isinstance(record, RuleSetRecord):
        return _ruleset(record)
    return _plain(record)


def check_id(value: object, what: str) -> str:
    """Return an id if it may be one: text of 1 to 200 bytes that is safe as a file's name.

    Raises:
        InvalidInputError: It may not.
    """
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"The {what} is {value!r}; it must be text that is not empty.")
    codec.text(value, f"The {what}")
    if "/" in value or "\\" in value or _has_controls(value):
        raise InvalidInputError(
            f"The {what} {value!r} has a slash, a backslash or a control character; leave those out."
        )
    if value[0] == ".":
        raise InvalidInputError(f"The {what} {value!r} begins with a dot; choose another.")
    if value != value.strip():
        raise InvalidInputError(f"The {what} {value!r} begins or ends with a blank; remove it.")
    if len(value.encode("utf-8")) > MAX_ID_BYTES:
        raise InvalidInputError(
            f"The {what} {value[:20]!r}… is longer than {MAX_ID_BYTES} bytes; shorten it."
        )
    return value


def _has_controls(value: str) -> bool:
    usual = value.isascii() and value.isprintable()
    return not usual and any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value)


def check_actor(value: object) -> None:
    """Refuse an actor's name that no store can keep.

    Raises:
        InvalidInputError: It is no text, too long, or has a character that cannot be stored.
    """
    _name(value, "actor")


def is_id(value: object) -> bool:
    """Tell whether anything could be stored under this id."""
    try:
        check_id(value, "id")
    except InvalidInputError:
        return False
    return True


def _report(report: ReportRecord) -> ReportRecord:
    check_id(report.id, "report id")
    _name(report.author, "author")
    _text(report.title, "title")
    _short(report.dataset, MAX_NAME, "dataset")
    _moment(report.created_at, "created_at")
    for position, finding in enumerate(report.findings):
        if not _is_usual(finding):
            _finding(finding, f"findings[{position}]")
    tags = _tags(report.tags)
    return report if tags == report.tags else replace(report, tags=tags)


def _is_usual(finding: FindingRecord) -> bool:
    """Tell whether nothing about a finding needs a second look; so it is with most of very many."""
    for text in (finding.ghost_type, finding.dataset, finding.column, finding.description):
        if type(text) is not str or not text.isascii() or "\0" in text:
            return False
    return (
        len(finding.ghost_type) <= MAX_GHOST_TYPE
        and len(finding.dataset) <= MAX_NAME
        and finding.severity in SEVERITIES
    )


def _finding(finding: FindingRecord, where: str) -> None:
    if finding.severity not in SEVERITIES:
        raise InvalidInputError(
            f"The severity of {where} is {finding.severity!r}; use one of {', '.join(SEVERITIES)}."
        )
    _short(finding.ghost_type, MAX_GHOST_TYPE, f"ghost_type of {where}")
    _short(finding.dataset, MAX_NAME, f"dataset of {where}")
    _text(finding.column, f"column of {where}")
    _text(finding.description, f"description of {where}")


def _annotation(annotation: AnnotationRecord) -> AnnotationRecord:
    check_id(annotation.id, "annotation id")
    check_id(annotation.finding_id, "finding id")
    _name(annotation.author, "author")
    _text(annotation.comment, "comment")
    _moment(annotation.created_at, "timestamp")
    if annotation.status is not None and annotation.status not in STATUSES:
        raise InvalidInputError(
            f"The status {annotation.status!r} is not known; use one of {', '.join(STATUSES)}, "
            "or None to leave it as it is."
        )
    tags = _tags(annotation.tags)
    return annotation if tags == annotation.tags else replace(annotation, tags=tags)


def _ruleset(ruleset: RuleSetRecord) -> RuleSetRecord:
    check_id(ruleset.id, "rule set name")
    _text(ruleset.description, "description")
    return ruleset


def _plain(record: PlainRecord) -> PlainRecord:
    kind = KIND_OF[type(record)]
    name = check_id(record.id, _IDS[kind])
    for each in fields(record):
        value = getattr(record, each.name)
        if isinstance(value, str):
            codec.text(value, f"The {each.name} of {name!r}")
    try:
        expect_whole(record)
    except ValueError as error:
        raise InvalidInputError(f"The {kind.value} {name!r} cannot be stored: {error}.") from error
    if isinstance(record, TriageRecord) and record.merged_into:
        check_id(record.merged_into, "finding id")
        if record.merged_into == record.id:
            raise InvalidInputError(f"The finding {name!r} cannot be merged into itself; choose another.")
    return record


def _text(value: object, what: str) -> None:
    if not isinstance(value, str):
        raise InvalidInputError(f"The {what} is {value!r}; it must be text.")
    codec.text(value, f"The {what}")


def _short(value: object, most: int, what: str) -> None:
    _text(value, what)
    if len(str(value)) > most:
        raise InvalidInputError(f"The {what} is longer than {most} characters; shorten it.")


def _name(value: object, what: str) -> None:
    _short(value, MAX_NAME, what)


def _tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    for tag in tags:
        _short(tag, MAX_TAG, "tag")
        if not tag.strip():
            raise InvalidInputError("A tag is empty; leave it out.")
    return tuple(dict.fromkeys(tags))


def _moment(value: object, what: str) -> None:
    if not isinstance(value, dt.datetime):
        raise InvalidInputError(f"The {what} is {value!r}; it must be a datetime.")
    if value.tzinfo is not clock.UTC:
        raise InvalidInputError(f"The {what} {value!r} is not in UTC.")
