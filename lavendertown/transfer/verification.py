"""Verify a migration: read all records of both stores and compare their hashes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from lavendertown.core import clock
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    KIND_BY_CLASS,
    AnnotationRecord,
    AuditEvent,
    Record,
)
from lavendertown.transfer.progress import ProgressReporter
from lavendertown.transfer.readers.batches import batch_events, batch_records, count_findings
from lavendertown.transfer.readers.source import Source
from lavendertown.transfer.record_digests import is_same_content
from lavendertown.transfer.target import Target

BEGINNING_OF_TIME = dt.datetime.min.replace(tzinfo=clock.UTC)
_MAX_DIFFERENCES = 100


class Verification:
    """Compares a source with a target.

    Args:
        source: The source.
        target: The target.
        progress: Counts the compared records.
        left_out: Returns whether a record was not to be migrated.

    Attributes:
        done: Whether all records were compared.
    """

    def __init__(
        self, source: Source, target: Target, progress: ProgressReporter, left_out: Callable[[Record], bool]
    ) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._left_out = left_out
        self._sentences: list[str] = []
        self._differing: list[Record] = []
        self._missing: list[AuditEvent] = []
        self._wrong_aliases: set[str] = set()
        self.done = False

    @property
    def needs_recheck(self) -> bool:
        """Return whether anything differed; the cause may be a change to the source during the comparison."""
        return bool(self._differing or self._missing or self._wrong_aliases)

    @property
    def differences(self) -> tuple[str, ...]:
        """Return the unexpected differences, one sentence each."""
        return tuple(self._sentences)

    def compare_all(self, kept_aliases: set[str]) -> None:
        """Compare all records, aliases and audit events.

        Args:
            kept_aliases: Aliases for which the target kept its own value.
        """
        source = self._source
        kinds: list[Iterator[Record]] = [
            source.read_reports(),
            source.read_annotations(),
            source.read_rulesets(),
        ]
        for records in kinds + [source.read_flat_records(kind) for kind in FLAT_RECORD_CLASSES]:
            for batch in batch_records(records):
                self._differing += self._find_different(
                    [record for record in batch if not self._left_out(record)]
                )
                self._progress.add_done(len(batch), count_findings(batch))
        self._wrong_aliases = set(self._find_different_aliases(kept_aliases))
        for events in batch_events(source.read_events(BEGINNING_OF_TIME)):
            self._missing += self._target.find_missing_events(events)
            self._progress.add_done(len(events))
        self.done = True

    def recheck_differences(self, kept_aliases: set[str]) -> None:
        """Compare again what differed; records are read again, in case the source has changed."""
        for record in self._differing:
            finding_id = record.finding_id if isinstance(record, AnnotationRecord) else ""
            current = self._source.read_record(KIND_BY_CLASS[type(record)], record.id, finding_id) or record
            if self._find_different([current]):
                kind = KIND_BY_CLASS[type(record)].value.capitalize()
                self._add_difference(
                    f"{kind} {record.id!r} differs between source and target, or is missing in the target."
                )
        for event in self._target.find_missing_events(self._missing):
            self._add_difference(
                f"The audit event of {event.at:%Y-%m-%d %H:%M:%S} UTC about {event.record_id!r} is missing."
            )
        for old, new in self._find_different_aliases(kept_aliases).items():
            if old in self._wrong_aliases:
                self._add_difference(f"In the target, the old finding id {old!r} does not lead to {new!r}.")
        self._differing, self._missing, self._wrong_aliases = [], [], set()

    def _find_different(self, records: Sequence[Record]) -> list[Record]:
        if not records:
            return []
        existing = self._target.read_existing(KIND_BY_CLASS[type(records[0])], [r.id for r in records])
        return [r for r in records if r.id not in existing or not is_same_content(r, existing[r.id])]

    def _find_different_aliases(self, kept: set[str]) -> dict[str, str]:
        existing = self._target.read_aliases()
        aliases = self._source.read_aliases()
        return {old: new for old, new in aliases.items() if old not in kept and existing.get(old) != new}

    def _add_difference(self, sentence: str) -> None:
        if len(self._sentences) < _MAX_DIFFERENCES:
            self._sentences.append(sentence)
