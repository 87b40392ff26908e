"""What a unit of work will ask of PostgreSQL, asked in one go when it begins.

Saving a report takes several looks before the first write: whether it is stored, which findings are
known, under which key it goes. They cost the server little and the wire much, so they travel together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lavendertown.database import array_rows
from lavendertown.database.named import ABOUT, BY_ALIAS, NAMED_AND_LOCKED, Named
from lavendertown.database.sql import among
from lavendertown.database.tables import identities, notes, reports
from lavendertown.database.writer import Writer
from lavendertown.records.values import AnnotationRecord, Kind, Record, ReportRecord

_KNOWN, _STORED, _FREE = "known", "stored", "free"
# The numbers of the last sighting matter to those of the same moment, which are few; the rest stays there.
_OF_THAT_MOMENT = identities.c.last_seen == sa.func.any(sa.text("CAST(:moments AS timestamptz[])"))
_LAST = {id(column) for column in (identities.c.last_seen, identities.c.last_count, identities.c.last_share)}
_BY_NAME = sa.select(
    *(sa.case((_OF_THAT_MOMENT, column)) if id(column) in _LAST else column for column in ABOUT)
).where(among(identities.c.fingerprint, "names"))
_NULLS = [sa.null()] * (len(ABOUT) - 2)
_STORED_REPORTS = sa.select(reports.c.key, reports.c.id, *_NULLS).where(among(reports.c.id, "ids"))
_FREE_KEYS = (
    sa.select(sa.literal_column("nextval(pg_get_serial_sequence('reports', 'key'))"), sa.literal_column("''"))
    .add_columns(*_NULLS)
    .select_from(
        sa.func.generate_series(sa.literal_column("1"), sa.cast(sa.bindparam("n"), sa.Integer())).alias()
    )
)


def _told(what: str, found: sa.Select[Any]) -> sa.Select[Any]:
    return found.add_columns(sa.literal_column(f"'{what}'"))


# Plans are kept, and the first ones may be made while there is little to look through.
_BY_INDEX = sa.text("SET LOCAL enable_seqscan = off")
_FOR_REPORTS = sa.union_all(
    _told(_KNOWN, _BY_NAME), _told(_STORED, _STORED_REPORTS), _told(_FREE, _FREE_KEYS)
)
_HELD = NAMED_AND_LOCKED.cte("held")
_FOR_ANNOTATION = sa.union_all(
    _told(_KNOWN, sa.select(sa.literal_column("''"), _HELD.c.key)),
    _told(_STORED, sa.select(notes.c.id, notes.c.key).where(notes.c.id == sa.bindparam("id"))),
)


@dataclass
class Foresight:
    """What was seen when the unit began, before anything was written.

    Attributes:
        stored: The ids that are stored, of those that were to be looked up.
        held: Keys of findings by the names they were asked for; they are locked.
        report_keys: Keys that are free for new reports.
    """

    stored: Mapping[Kind, Sequence[str]] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    report_keys: Sequence[int] = ()
    _asked: frozenset[str] = frozenset()
    _named: dict[str, Named] = field(default_factory=dict)

    def take_named(self, names: Collection[str]) -> dict[str, Named] | None:
        """Return the findings behind these names, once: then they may have changed. None if not foreseen."""
        asked, self._asked = self._asked, frozenset()
        if not asked or not asked.issuperset(names):
            return None
        return {name: self._named[name] for name in names if name in self._named}


def look_ahead(
    writer: Writer, wanted: Mapping[Kind, Sequence[str]], foreseen: Sequence[Record]
) -> Foresight | None:
    """Look up what a unit of work will want to know; None where there is nothing to be gained.

    Args:
        writer: In the transaction.
        wanted: The records whose stamps are asked for.
        foreseen: The records that will be written, if nothing stands against it.
    """
    if writer.connection.dialect.name != "postgresql":
        return None
    found = [record for record in foreseen if isinstance(record, ReportRecord)]
    if found:
        return _for_reports(writer, wanted, found)
    if len(foreseen) == 1 and isinstance(foreseen[0], AnnotationRecord):
        return _for_annotation(writer, wanted, foreseen[0])
    return None


def _for_reports(
    writer: Writer, wanted: Mapping[Kind, Sequence[str]], found: Sequence[ReportRecord]
) -> Foresight:
    fingerprints = {f.fingerprint for r in found for f in r.findings}
    names = {f.legacy_id for r in found for f in r.findings} | fingerprints
    ids = [*wanted.get(Kind.REPORT, ())]
    moments = array_rows.times([record.created_at for record in found])
    values = {"names": list(names), "ids": ids, "n": len(found), "moments": moments}
    known: dict[str, Named] = {}
    stored: list[str] = []
    free: list[int] = []
    writer.execute(_BY_INDEX, [{}])
    for row in writer.rows(_FOR_REPORTS, values):
        what = row[-1]
        if what == _KNOWN:
            known[row[1]] = Named._make(row[:-1])
        elif what == _STORED:
            stored.append(row[1])
        else:
            free.append(row[0])
    others = fingerprints.difference(known)
    if others:
        # New, or joined with another finding; old ids of findings that are stored tell nothing new.
        rows = writer.rows(BY_ALIAS, {"names": list(others)})
        known |= {name: Named._make(rest) for name, *rest in rows}
    return Foresight(
        _with(wanted, Kind.REPORT, stored), report_keys=free, _asked=frozenset(names), _named=known
    )


def _for_annotation(
    writer: Writer, wanted: Mapping[Kind, Sequence[str]], record: AnnotationRecord
) -> Foresight:
    values = {"name": record.finding_id, "id": record.id}
    found = writer.rows(_FOR_ANNOTATION, values)
    stored = [name for name, _, what in found if what == _STORED]
    held = [int(key) for _, key, what in found if what == _KNOWN]
    return Foresight(_with(wanted, Kind.ANNOTATION, stored), {record.finding_id: held[0]} if held else {})


def _with(
    wanted: Mapping[Kind, Sequence[str]], kind: Kind, stored: Sequence[str]
) -> Mapping[Kind, Sequence[str]]:
    """Return what is wanted, without those of one kind that are not stored."""
    return {of: ids for of, ids in {**wanted, kind: stored}.items() if ids}
