"""What the replacement of a store's contents changes for people: which records come back, and which go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lavendertown.core import clock
from lavendertown.records.queries import (
    AnnotationQuery,
    FlatRecordQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind, TriageRecord
from lavendertown.records.store import Store
from lavendertown.transfer.values import COUNT_NAME_BY_KIND

MAX_NAMES = 5
"""The number of records of each kind that are named."""
_MAX_NAME = 80
_FLAT_KINDS = (
    RecordKind.TRIAGE,
    RecordKind.INCIDENT,
    RecordKind.WORKLIST,
    RecordKind.PERSON,
    RecordKind.VIEW,
    RecordKind.DATASET_SETTINGS,
)


class RecordState(NamedTuple):
    """A live record of a store.

    Attributes:
        stamp: Differs if the content differs.
        name: What people call it.
    """

    stamp: tuple[Any, ...]
    name: str


StoreState = Mapping[str, Mapping[str, RecordState]]
"""The live records by the name of their kind and by their id."""


@dataclass(frozen=True, slots=True)
class KindChanges:
    """The changes of the records of one kind.

    Attributes:
        returning, leaving, reverted: The numbers of records that come back, that go, and that are in both
            with another content.
        returning_names, leaving_names, reverted_names: What the first of them are called.
    """

    returning: int
    leaving: int
    reverted: int
    returning_names: tuple[str, ...]
    leaving_names: tuple[str, ...]
    reverted_names: tuple[str, ...]


def read_state(store: Store) -> StoreState:
    """Return the live records of a store that people work with."""
    findings = {each.finding_id: each for each in store.read_identities()}

    def name_flat_record(record: Any) -> str:
        finding = findings.get(record.id) if isinstance(record, TriageRecord) else None
        if finding is not None:
            return ", ".join(part for part in (finding.dataset, finding.column, finding.description) if part)
        return str(getattr(record, "title", "") or record.id)

    return {
        "reports": _read_kind(store, ReportQuery(), lambda each: each.id, _name_report),
        "annotations": _read_kind(store, AnnotationQuery(), lambda each: each.id, _name_annotation),
        "rulesets": _read_kind(store, RuleSetQuery(), lambda each: each.name, lambda each: each.name),
        **{
            COUNT_NAME_BY_KIND[kind]: _read_kind(
                store, FlatRecordQuery(kind), lambda each: each.id, name_flat_record
            )
            for kind in _FLAT_KINDS
        },
    }


def _read_kind(
    store: Store, query: Query, id_of: Callable[[Any], str], name_of: Callable[[Any], str]
) -> dict[str, RecordState]:
    records: Iterable[Any] = store.scan(query, ALL_ITEMS)
    return {
        id_of(each): RecordState((each.updated_at, each.version), _shorten(name_of(each))) for each in records
    }


def compare_states(before: StoreState, after: StoreState) -> dict[str, KindChanges]:
    """Return the changes of each kind that has any."""
    changes = {name: _compare_kind(before.get(name, {}), records) for name, records in after.items()}
    return {name: each for name, each in changes.items() if each.returning or each.leaving or each.reverted}


def _compare_kind(before: Mapping[str, RecordState], after: Mapping[str, RecordState]) -> KindChanges:
    returning = [state.name for key, state in after.items() if key not in before]
    leaving = [state.name for key, state in before.items() if key not in after]
    reverted = [
        state.name for key, state in before.items() if key in after and after[key].stamp != state.stamp
    ]
    return KindChanges(
        len(returning),
        len(leaving),
        len(reverted),
        tuple(returning[:MAX_NAMES]),
        tuple(leaving[:MAX_NAMES]),
        tuple(reverted[:MAX_NAMES]),
    )


def _name_report(report: Any) -> str:
    return f"{report.title} ({_format_day(report.created_at)})"


def _name_annotation(annotation: Any) -> str:
    text = annotation.comment or annotation.status or ", ".join(annotation.tags)
    return f"{annotation.author}, {_format_day(annotation.created_at)}: {text}"


def _format_day(when: dt.datetime) -> str:
    return clock.format_day(when.astimezone(clock.UTC))


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_NAME else f"{line[: _MAX_NAME - 1]}…"
