"""The identities behind findings: found or made, joined by old names, counted and restated."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from lavendertown.database.foresight import Foresight
from lavendertown.database.named import Named
from lavendertown.database.names import LOCK, OF_A_LIVE_REPORT, Names, upsert_postgres
from lavendertown.database.sightings import Sighting, count_again
from lavendertown.database.sql import OPEN, SEVERITY_CODE, among
from lavendertown.database.tables import (
    findings,
    identities,
    reports,
)
from lavendertown.database.types import Utc
from lavendertown.database.writer import Writer
from lavendertown.identity import check_key
from lavendertown.records.texts import finding_text
from lavendertown.records.values import FindingRecord
from lavendertown.wording import masked, reads_as

_I = identities.c

_INSERT = sa.insert(identities)
_LAST = sa.bindparam("last", type_=Utc())
# Apart, and only where it changed: it stands in an index, which each save would touch for nothing.
_NEW_SEVERITY = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), sa.or_(_I.times_seen == 0, _I.last_seen <= _LAST))
    .values(severity=sa.bindparam("code"))
)
_REWORDED = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), _I.last_seen <= _LAST)
    .values(description=sa.bindparam("p_description"), search_text=sa.bindparam("p_search_text"))
)
_ABOUT = ("dataset", "ghost_type", "column_name", "description", "check_key", "search_text")
_FILL = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"), _I.times_seen == 0)
    .values({name: sa.bindparam(f"p_{name}") for name in _ABOUT})
)


class Identities(Names):
    """Placing and counting findings' identities inside one transaction.

    Attributes:
        to_judge: Keys of findings that were fixed and are seen again.
        to_recount: Keys that two findings of one change set share, since they were merged; and those
            seen in two reports of the same moment, of which the one with the higher id is the last.
    """

    def __init__(
        self, connection: sa.Connection, writer: Writer | None = None, foresight: Foresight | None = None
    ) -> None:
        super().__init__(connection, writer, foresight)
        self.to_judge: set[int] = set()
        self.to_recount: set[int] = set()

    def place(self, sightings: Mapping[str, Sighting]) -> dict[str, int]:
        """Make or update the identities of these findings; return the key of each fingerprint."""
        legacy = {s.finding.legacy_id: name for name, s in sightings.items()}
        named = self.named([*sightings, *legacy])
        for old, name in legacy.items():
            waiting = named.get(old)
            # An alias of a finding that no report shows any more is no placeholder.
            if waiting and waiting.fingerprint == old and not waiting.times_seen and old not in sightings:
                named[name] = self._join(old, waiting, name, named.get(name))
        # One order for all writers, so that none waits in a circle; and what one report holds lies together,
        # so that the next one touches few pages.
        found = [(named[name], name) for name in sightings if name in named]
        seen = sorted(found, key=lambda pair: pair[0].key)
        known = {name: held.key for held, name in seen}
        if len(seen) < len(sightings):
            new = sorted(
                (name for name in sightings if name not in known),
                key=lambda name: (sightings[name].finding.dataset, sightings[name].finding.column, name),
            )
            known |= self._insert(new, sightings)
        if seen:
            self._see_again(seen, sightings)
        return known

    def recount(self, keys: Collection[int]) -> None:
        """Count these identities' sightings anew from the live reports."""
        if not keys:
            return
        self._writer.flush()
        live = (
            sa.select(findings.c.seen_at)
            .where(findings.c.identity_key == _I.key, OF_A_LIVE_REPORT)
            .correlate(identities)
        )
        of_report = sa.select(reports.c.id).where(reports.c.key == findings.c.report_key).correlate(findings)
        order = (findings.c.seen_at.desc(), of_report.scalar_subquery().desc(), findings.c.position)
        newest = live.order_by(*order).limit(1)

        def of(select: sa.Select[Any], column: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
            return select.with_only_columns(column).scalar_subquery()

        first, last = of(live, sa.func.min(findings.c.seen_at)), of(live, sa.func.max(findings.c.seen_at))
        values = {
            "times_seen": of(live, sa.func.count(findings.c.report_key.distinct())),
            "first_seen": sa.func.coalesce(first, _I.first_seen),
            "last_seen": sa.func.coalesce(last, _I.last_seen),
            "severity": sa.func.coalesce(of(newest, findings.c.severity), _I.severity),
            "last_count": of(newest, findings.c.row_count),
            "last_share": of(newest, findings.c.share),
        }
        if self._postgres:
            self._connection.execute(LOCK, {"keys": sorted(keys)})
        statement = sa.update(identities).where(among(_I.key, "keys")).values(values)
        self._connection.execute(statement, {"keys": sorted(keys)})
        self.judge(keys)

    def _insert(self, new: list[str], sightings: Mapping[str, Sighting]) -> dict[str, int]:
        rows = [_row(name, sightings[name]) for name in new]
        if self._postgres:
            return upsert_postgres(self._writer, rows)
        first = self._connection.scalar(sa.select(sa.func.coalesce(sa.func.max(_I.key), 0))) or 0
        keys = {name: first + number for number, name in enumerate(new, start=1)}
        self._connection.execute(_INSERT, [{"key": keys[r["fingerprint"]], **r} for r in rows])
        return keys

    def _see_again(self, seen: list[tuple[Named, str]], sightings: Mapping[str, Sighting]) -> None:
        filled, graver, reworded = [], [], []
        before = None
        for known, name in seen:
            sighting = sightings[name]
            finding, key, counts = sighting.finding, known.key, sighting.count
            code = SEVERITY_CODE[finding.severity]
            if known.times_seen == 0:
                about = _about(finding)
                filled.append({"k": key, **{f"p_{column}": value for column, value in about.items()}})
            elif (
                counts and known.fingerprint == name and not reads_as(finding.description, known.description)
            ):
                reworded.append({"k": key, "last": sighting.last, **_words(finding)})
            if known.severity != code and (counts or known.times_seen == 0):
                graver.append({"k": key, "last": sighting.last, "code": code})
            if key == before or _is_in_doubt(known, sighting, code):
                self.to_recount.add(key)
            if known.fixed and counts:
                self.to_judge.add(key)
            before = key
        self._writer.execute(_FILL, filled)
        self._writer.execute(_NEW_SEVERITY, graver)
        self._writer.execute(_REWORDED, reworded)
        count_again(self._writer, [(known, sightings[name]) for known, name in seen])


def _is_in_doubt(known: Named, sighting: Sighting, code: int) -> bool:
    """Tell whether it was seen twice at one moment, with other numbers: the report's id decides then."""
    finding = sighting.finding
    return (
        known.last_count != finding.row_count or known.last_share != finding.share or known.severity != code
    ) and known.was_seen_at(sighting.last)


def _about(finding: FindingRecord) -> dict[str, str]:
    description, text = _words(finding).values()
    return {
        "dataset": finding.dataset,
        "ghost_type": finding.ghost_type,
        "column_name": finding.column,
        "description": description,
        "check_key": check_key(finding.metadata, finding.dataset, finding.column),
        "search_text": text,
    }


def _words(finding: FindingRecord) -> dict[str, str]:
    description = masked(finding.description)
    text = finding_text(description, finding.column, finding.dataset)
    return {"p_description": description, "p_search_text": text}


def _row(name: str, sighting: Sighting) -> dict[str, Any]:
    finding = sighting.finding
    return {
        "fingerprint": name,
        **_about(finding),
        "severity": SEVERITY_CODE[finding.severity],
        "status": OPEN,
        "first_seen": sighting.first,
        "last_seen": sighting.last,
        "times_seen": sighting.count,
        "comment_count": 0,
        "last_count": finding.row_count,
        "last_share": finding.share,
    }
