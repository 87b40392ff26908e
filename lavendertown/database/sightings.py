"""How often findings are seen, and when: gathered from what is written, and counted on their identities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lavendertown import clock
from lavendertown.database import array_rows
from lavendertown.database.named import Named
from lavendertown.database.tables import identities
from lavendertown.database.types import Utc
from lavendertown.database.writer import Writer
from lavendertown.records.values import FindingRecord

_I = identities.c

_FIRST, _LAST = sa.bindparam("first", type_=Utc()), sa.bindparam("last", type_=Utc())
_NEW = _I.times_seen == 0
_LIVE = sa.bindparam("n", type_=sa.Integer()) > 0
_NEWEST = sa.or_(_NEW, _LIVE & (_I.last_seen <= _LAST))
_SEEN_AGAIN = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"))
    .values(
        first_seen=sa.case((sa.or_(_NEW, _LIVE & (_I.first_seen > _FIRST)), _FIRST), else_=_I.first_seen),
        last_seen=sa.case((sa.or_(_NEW, _LIVE & (_I.last_seen < _LAST)), _LAST), else_=_I.last_seen),
        times_seen=_I.times_seen + sa.bindparam("n"),
        last_count=sa.case((_NEWEST, sa.bindparam("rows", type_=sa.BigInteger())), else_=_I.last_count),
        last_share=sa.case((_NEWEST, sa.bindparam("share", type_=sa.Double())), else_=_I.last_share),
    )
)
# Where nobody else writes meanwhile, and it is the newest by far the most sightings are.
_SEEN_LATER = (
    sa.update(identities)
    .where(_I.key == sa.bindparam("k"))
    .values(
        last_seen=_LAST,
        times_seen=_I.times_seen + sa.bindparam("n"),
        last_count=sa.bindparam("rows", type_=sa.BigInteger()),
        last_share=sa.bindparam("share", type_=sa.Double()),
    )
)
# One statement for all of them: this driver would send one UPDATE a row. What all sightings have in
# common, as those of a single report do, is told once: then the arrays of it are empty.
_SEEN_AGAIN_POSTGRES = sa.text(
    """
    UPDATE identities AS i SET
        first_seen = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.first < i.first_seen)
            THEN s.first ELSE i.first_seen END,
        last_seen = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.last > i.last_seen)
            THEN s.last ELSE i.last_seen END,
        times_seen = i.times_seen + s.n,
        last_count = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.last >= i.last_seen)
            THEN s.rows ELSE i.last_count END,
        last_share = CASE WHEN i.times_seen = 0 OR (s.n > 0 AND s.last >= i.last_seen)
            THEN s.share ELSE i.last_share END
    FROM (
        SELECT k, rows, share, COALESCE(own_n, CAST(:n AS integer)) AS n,
            COALESCE(own_first, CAST(:first AS timestamptz)) AS first,
            COALESCE(own_last, CAST(:last AS timestamptz)) AS last
        FROM (
            SELECT unnest(CAST(:k AS bigint[])) AS k, unnest(CAST(:rows AS bigint[])) AS rows,
                unnest(CAST(:share AS double precision[])) AS share,
                unnest(CAST(:own_n AS integer[])) AS own_n,
                unnest(CAST(:own_first AS timestamptz[])) AS own_first,
                unnest(CAST(:own_last AS timestamptz[])) AS own_last
        ) AS given
    ) AS s
    WHERE i.key = s.k
    """
)


@dataclass(slots=True)
class Sighting:
    """What a change set says of one finding: its newest occurrence, and how often it is seen."""

    finding: FindingRecord
    first: dt.datetime
    last: dt.datetime
    count: int


def gather(reports: Iterable[tuple[Sequence[FindingRecord], dt.datetime, int]]) -> dict[str, Sighting]:
    """Fold reports (findings, time, 1 where they count) into one sighting a fingerprint.

    A report counts once for a finding, by the first place that names it. Reports that do not count, which
    are deleted ones, say something only where no other does.
    """
    found: dict[str, Sighting] = {}
    for findings, at, count in reports:
        own = {finding.fingerprint: Sighting(finding, at, at, count) for finding in reversed(findings)}
        if not found:
            found = own
            continue
        for name, sighting in own.items():
            known = found.get(name)
            if known is None or count > known.count == 0:
                found[name] = sighting
            elif count or not known.count:
                if at >= known.last:
                    known.finding, known.last = sighting.finding, at
                known.first = min(known.first, at)
                known.count += count
    return found


def count_again(writer: Writer, seen: Sequence[tuple[Named, Sighting]]) -> None:
    """Count these sightings of findings that are stored."""
    if writer.connection.dialect.name == "postgresql":
        writer.execute(_SEEN_AGAIN_POSTGRES, [_together(seen)])
        return
    later: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for known, sighting in seen:
        row = {
            "k": known.key,
            "n": sighting.count,
            "first": sighting.first,
            "last": sighting.last,
            "rows": sighting.finding.row_count,
            "share": sighting.finding.share,
        }
        (later if _is_later(known, sighting) else others).append(row)
    writer.execute(_SEEN_LATER, later)
    writer.execute(_SEEN_AGAIN, others)


def _together(seen: Sequence[tuple[Named, Sighting]]) -> dict[str, Any]:
    spans = [(sighting.count, sighting.first, sighting.last) for _, sighting in seen]
    first = spans[0]
    counts, firsts, lasts = zip(*spans, strict=True) if spans.count(first) < len(spans) else ((), (), ())
    return {
        "k": array_rows.numbers([known.key for known, _ in seen]),
        "rows": array_rows.numbers([sighting.finding.row_count for _, sighting in seen]),
        "share": array_rows.numbers([sighting.finding.share for _, sighting in seen]),
        **dict(zip(("n", "first", "last"), first, strict=True)),
        "own_n": array_rows.numbers(counts),
        "own_first": array_rows.times(firsts),
        "own_last": array_rows.times(lasts),
    }


def _is_later(known: Named, sighting: Sighting) -> bool:
    """Tell whether this is later than all that was counted, on SQLite, where nobody writes beside us."""
    if not (sighting.count and known.times_seen and isinstance(known.last_seen, int)):
        return False
    return known.last_seen < clock.to_microseconds(sighting.first)
