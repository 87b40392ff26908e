"""Detect impossible and displaced coordinates: out of range, 0/0, swapped, with a lost sign."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    Quantile,
    count_where,
    format_row_share,
)
from lavendertown.tables import Column, Table

_LATITUDE = re.compile(r"(?:^|[^A-Za-z]|(?<=[a-z])(?=L))((?i:lat(?:itude)?))(?=$|[^A-Za-z])")
_LONGITUDES = ("lon", "lng", "long", "longitude")
_MIN_VALUES = 20
_MAX_SHARE, _MAX_DISPLACED_SHARE = 0.1, 0.04
_MIN_SIZE = 1.0
_CORE, _AROUND = 0.5, 1.0
"""How far a region reaches beyond the middle 80% of its places, as a share of its size. A displaced place
lies outside the second, and would lie inside the first."""

_REGION = 60.0
"""A region is at most this wide in degrees; around a wider one, nothing is displaced."""


@dataclass(frozen=True)
class Coordinates(Detector):
    """Pairs of latitude and longitude that cannot be right.

    Reported are values out of range, 0/0, and, if most pairs lie in one region, pairs that lie in it only if
    latitude and longitude are swapped or a sign is changed. Other distant places are left alone.
    """

    check: ClassVar[str] = "coordinates"
    title: ClassVar[str] = "Coordinates"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the latitudes that have a longitude."""
        return [column for column in table.schema if _find_longitude(table, column) is not None]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with a wrong pair."""
        assert column is not None
        other = _find_longitude(table, column)
        assert other is not None
        lat, lon = (nw.col(each.key).cast(nw.Float64) for each in (column, other))
        both = ~lat.is_null() & ~lon.is_null()
        possible = both & (lat.abs() <= 90.0) & (lon.abs() <= 180.0) & ~((lat == 0.0) & (lon == 0.0))
        facts = yield Aggregates(
            {"n": count_where(both)},
            {
                f"{name} {level}": Quantile(value, level)
                for name, value in (
                    ("lat", nw.when(possible).then(lat)),
                    ("lon", nw.when(possible).then(lon)),
                )
                for level in (0.1, 0.9)
            },
        )
        if int(facts["n"] or 0) < _MIN_VALUES or facts["lat 0.1"] is None:
            return NOT_CHECKED
        faults = {
            "out of range": both & ((lat.abs() > 90.0) | (lon.abs() > 180.0)),
            "0/0": both & (lat == 0.0) & (lon == 0.0),
        }
        region, around = _Region.of(facts, _CORE), _Region.of(facts, _AROUND)
        if around.is_narrow:
            outside = both & ~around.contains(lat, lon)
            signs = region.contains(-lat, lon) | region.contains(lat, -lon) | region.contains(-lat, -lon)
            swapped = region.contains(lon, lat) | region.contains(lon.abs(), lat.abs())
            faults["sign"] = outside & signs
            faults["swapped"] = outside & swapped & ~signs
            few = yield Aggregates({name: count_where(faults[name]) for name in ("sign", "swapped")})
            # Many places on the other side of the equator are a second region.
            for name, number in few.items():
                if int(number or 0) > _MAX_DISPLACED_SHARE * int(facts["n"]):
                    del faults[name]
        rows = faults["out of range"]
        for fault in faults.values():
            rows = rows | fault
        answer = yield Aggregates(
            {"all": count_where(rows), **{name: count_where(fault) for name, fault in faults.items()}}
        )
        count = int(answer["all"] or 0)
        if not count or count > _MAX_SHARE * int(facts["n"]):
            return None
        counts = {name: int(answer[name]) for name in faults if answer[name]}
        faulty = ", ".join(_SENTENCES[name] for name in counts)
        return Detection(
            "format",
            "warning",
            f"{column.name} and {other.name} cannot be right in {format_row_share(count, table.row_count)}: "
            f"{faulty}.",
            count,
            rows,
            sample_column=column.key,
            metadata={"columns": [column.name, other.name], "faults": counts, "total_count": table.row_count},
        )


_SENTENCES = {
    "out of range": "out of range",
    "0/0": "zero for both",
    "sign": "a wrong sign",
    "swapped": "latitude and longitude swapped",
}


@dataclass(frozen=True)
class _Region:
    """The box around the middle 80% of the places, with a margin."""

    south: float
    north: float
    west: float
    east: float

    @staticmethod
    def of(facts: Mapping[str, Any], margin: float) -> _Region:
        edges = [float(facts[name]) for name in ("lat 0.1", "lat 0.9", "lon 0.1", "lon 0.9")]
        tall, wide = (margin * max(_MIN_SIZE, edges[i + 1] - edges[i]) for i in (0, 2))
        return _Region(edges[0] - tall, edges[1] + tall, edges[2] - wide, edges[3] + wide)

    @property
    def is_narrow(self) -> bool:
        return self.north - self.south <= _REGION and self.east - self.west <= 2 * _REGION

    def contains(self, lat: nw.Expr, lon: nw.Expr) -> nw.Expr:
        return (
            (lat >= nw.lit(self.south))
            & (lat <= nw.lit(self.north))
            & (lon >= nw.lit(self.west))
            & (lon <= nw.lit(self.east))
        )


def _find_longitude(table: Table, column: Column) -> Column | None:
    """Return the longitude whose name differs from that of the latitude in this word only."""
    match = _LATITUDE.search(column.name)
    if match is None or column.kind != "number":
        return None
    start, end = match.span(1)
    names = {f"{column.name[:start]}{word}{column.name[end:]}".lower() for word in _LONGITUDES}
    fitting = (each for each in table.schema if each.name.lower() in names and each.kind == "number")
    return next(fitting, None)
