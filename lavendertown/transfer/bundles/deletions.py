"""Deletions in a bundle: reports and annotations that are in the trash of the store that exported it.

Only their ids and times travel. An importing team keeps its own records: a deletion applies to what came
from a bundle and was not changed since, as the audit log tells.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any

from lavendertown.core import clock, json_codec
from lavendertown.records.queries import AnnotationQuery, AuditQuery, DeletedFilter, ReportQuery
from lavendertown.records.record_classes import ALL_ITEMS, RecordKind
from lavendertown.records.store import Store

DELETABLE_KINDS = (RecordKind.REPORT, RecordKind.ANNOTATION)
IMPORT_RECORD = "import"
"""The operation of the audit event about a record that a bundle added or changed."""
DELETE_RECORD = "delete"
BUNDLE_KEY = "bundle"
"""The key with the id of the bundle, in the state after a deletion that a bundle brought."""
RecordKey = tuple[RecordKind, str]
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Deletion:
    """A deleted report or annotation.

    Attributes:
        belongs_to: The dataset of the report, or the finding or incident of the annotation.
    """

    kind: RecordKind
    id: str
    belongs_to: str
    deleted_at: dt.datetime

    @property
    def key(self) -> RecordKey:
        """Return the kind and id of the record."""
        return self.kind, self.id


def collect_deletions(store: Store, datasets: Iterable[str], threads: Set[str]) -> tuple[Deletion, ...]:
    """Return what a store deleted: reports of these datasets, and annotations on findings and incidents.

    A record that a bundle added is left out, unless its deletion came from a bundle, too: the team that it
    came from decides.

    Args:
        store: The store.
        datasets: The datasets.
        threads: All names of the findings, and the ids of the incidents.
    """
    found: dict[Deletion, int] = {}
    query = ReportQuery(dataset=tuple(sorted(set(datasets))), deleted=DeletedFilter.ONLY)
    for report in store.scan(query, ALL_ITEMS):
        if report.deleted_at is not None:
            found[Deletion(RecordKind.REPORT, report.id, report.dataset, report.deleted_at)] = report.version
    wanted = sorted(threads)
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        part = tuple(wanted[start : start + _IDS_AT_ONCE])
        for note in store.scan(AnnotationQuery(finding_id=part, deleted=DeletedFilter.ONLY), ALL_ITEMS):
            if note.deleted_at is None:
                continue
            known = note.finding_id in threads
            name = note.finding_id if known else store.resolve_fingerprint(note.finding_id)
            found[Deletion(RecordKind.ANNOTATION, note.id, name, note.deleted_at)] = note.version
    imported = read_imported_versions(store, (each.key for each in found))
    return tuple(each for each, version in found.items() if imported.get(each.key, version) == version)


def read_imported_versions(store: Store, keys: Iterable[RecordKey]) -> dict[RecordKey, int]:
    """Return the versions that the latest bundle wrote, of those records that a bundle added."""
    versions: dict[RecordKey, int] = {}
    added: set[RecordKey] = set()
    wanted = list(keys)
    for kind in DELETABLE_KINDS:
        ids = sorted({record_id for each, record_id in wanted if each is kind})
        for start in range(0, len(ids), _IDS_AT_ONCE):
            query = AuditQuery(
                component=(str(kind),),
                operation=(IMPORT_RECORD, DELETE_RECORD),
                record_id=tuple(ids[start : start + _IDS_AT_ONCE]),
            )
            for event in store.scan(query, ALL_ITEMS):
                after = event.after or {}
                if event.operation == IMPORT_RECORD or BUNDLE_KEY in after:
                    key = kind, event.record_id
                    versions.setdefault(key, int(after.get("version", 0)))
                    if event.before is None:
                        added.add(key)
    return {key: version for key, version in versions.items() if key in added}


def write_deletions(deletions: Iterable[Deletion]) -> bytes:
    """Return the content of the member with the deletions."""
    return json_codec.dumps(
        [
            {
                "kind": str(each.kind),
                "id": each.id,
                "belongs_to": each.belongs_to,
                "deleted_at": each.deleted_at.isoformat(),
            }
            for each in deletions
        ],
        indent=True,
    )


def read_deletions(data: Any) -> tuple[Deletion, ...]:
    """Return the deletions from the JSON of their member.

    Raises:
        ValueError: The data is not a list of deletions.
    """
    if not isinstance(data, list):
        raise ValueError("it is not a list of deletions")
    return tuple(map(_read_deletion, data))


def _read_deletion(data: Any) -> Deletion:
    if not isinstance(data, Mapping):
        raise ValueError(f"{data!r:.200} is not a deletion")
    texts = [data.get(name) for name in ("kind", "id", "belongs_to", "deleted_at")]
    kinds = [kind for kind in DELETABLE_KINDS if kind == texts[0]]
    if not kinds or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{dict(data)!r:.200} is not a deletion")
    _, record_id, belongs_to, deleted_at = map(str, texts)
    return Deletion(kinds[0], record_id, belongs_to, clock.parse_time(deleted_at, clock.UTC))
