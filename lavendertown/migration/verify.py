"""Everything read back on both sides and compared by its hash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from lavendertown import clock
from lavendertown.migration.batches import findings_in, moments, portions
from lavendertown.migration.digest import same
from lavendertown.migration.progress import Meter
from lavendertown.migration.sources import Source
from lavendertown.migration.target import Target
from lavendertown.records.values import KIND_OF, PLAIN, AnnotationRecord, AuditEvent, Record

BEGINNING = dt.datetime.min.replace(tzinfo=clock.UTC)
_NAMED = 100


class Verification:
    """Compares a source with a target.

    Args:
        left_out: Tells which records were not to be moved.

    Attributes:
        differences: What still differs, a sentence each.
        done: Whether everything was compared.
    """

    def __init__(
        self, source: Source, target: Target, meter: Meter, left_out: Callable[[Record], bool]
    ) -> None:
        self._source = source
        self._target = target
        self._meter = meter
        self._left_out = left_out
        self._sentences: list[str] = []
        self._differing: list[Record] = []
        self._missing: list[AuditEvent] = []
        self._astray: set[str] = set()
        self.done = False

    @property
    def doubtful(self) -> bool:
        """Tell whether anything differed: it may have been written to the source meanwhile."""
        return bool(self._differing or self._missing or self._astray)

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs though it should not, a sentence each."""
        return tuple(self._sentences)

    def run(self, kept_aliases: set[str]) -> None:
        """Compare everything."""
        source = self._source
        kinds: list[Iterator[Record]] = [source.reports(), source.annotations(), source.rulesets()]
        for records in kinds + [source.plain(kind) for kind in PLAIN]:
            for batch in portions(records):
                self._differing += self._unlike([each for each in batch if not self._left_out(each)])
                self._meter.count(len(batch), findings_in(batch))
        self._astray = set(self._unlike_aliases(kept_aliases))
        for events in moments(source.events(BEGINNING)):
            self._missing += self._target.lacks(events)
            self._meter.count(len(events))
        self.done = True

    def settle(self, kept_aliases: set[str]) -> None:
        """Compare once more what differed; what was written to the source meanwhile is no difference."""
        for record in self._differing:
            about = record.finding_id if isinstance(record, AnnotationRecord) else ""
            now = self._source.read(KIND_OF[type(record)], record.id, about) or record
            if self._unlike([now]):
                kind = KIND_OF[type(record)].value.capitalize()
                self._name(f"{kind} {record.id!r} is not in the target as it is in the source.")
        for event in self._target.lacks(self._missing):
            self._name(
                f"The audit event of {event.at:%Y-%m-%d %H:%M:%S} UTC on {event.record_id!r} is missing."
            )
        for old, name in self._unlike_aliases(kept_aliases).items():
            if old in self._astray:
                self._name(f"The old finding id {old!r} does not lead to {name!r}.")
        self._differing, self._missing, self._astray = [], [], set()

    def _unlike(self, records: Sequence[Record]) -> list[Record]:
        if not records:
            return []
        held = self._target.holds(KIND_OF[type(records[0])], [record.id for record in records])
        return [r for r in records if r.id not in held or not same(r, held[r.id])]

    def _unlike_aliases(self, kept: set[str]) -> dict[str, str]:
        held = self._target.aliases()
        found = self._source.aliases()
        return {old: name for old, name in found.items() if old not in kept and held.get(old) != name}

    def _name(self, sentence: str) -> None:
        if len(self._sentences) < _NAMED:
            self._sentences.append(sentence)
