"""Read times with the name of a time zone: 2026-05-01 10:30 CET, or 10:30 Europe/Berlin."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass

import polars as pl

from lavendertown.core.reading import DateOrder
from lavendertown.tables.date_text import parse_date_text

_OFFSETS = {
    **dict.fromkeys(("UTC", "GMT", "WET"), 0.0),
    **dict.fromkeys(("WEST", "CET", "MEZ", "BST"), 1.0),
    **dict.fromkeys(("CEST", "MESZ", "EET", "SAST"), 2.0),
    **dict.fromkeys(("EEST", "MSK"), 3.0),
    **dict.fromkeys(("HKT", "SGT", "AWST"), 8.0),
    **dict.fromkeys(("JST", "KST"), 9.0),
    "ACST": 9.5,
    "AEST": 10.0,
    "AEDT": 11.0,
    "NZST": 12.0,
    "NZDT": 13.0,
    **dict.fromkeys(("BRT", "ART"), -3.0),
    "EDT": -4.0,
    **dict.fromkeys(("EST", "CDT"), -5.0),
    **dict.fromkeys(("CST", "MDT"), -6.0),
    **dict.fromkeys(("MST", "PDT"), -7.0),
    **dict.fromkeys(("PST", "AKDT"), -8.0),
    "AKST": -9.0,
    "HST": -10.0,
}
"""Hours east of UTC. Names of several zones, such as IST, are left out; CST and EST are those of RFC 5322."""

_ZONED = (
    r"^\s*(?P<local>.*[0-9]:[0-9]{2}.*?)\s*"
    r"(?:\[(?P<bracketed>[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)\]"
    r"|(?P<zone>[A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|[A-Z]{3,4}))\s*$"
)
_OFFSET_WITH_NAME = r"(Z|[+-][0-9]{2}:?[0-9]{2})\[[^\]]*\]\s*$"
_SAMPLE_ROWS = 1_000
_SAMPLE_SHARE = 0.9
_MAX_ZONES = 50


@dataclass(frozen=True)
class ZonedTimes:
    """A text column of times with zone names.

    Attributes:
        values: The times in UTC; null for other texts, and where the zone is unknown.
        zones: The names of the zones, the most frequent first.
        unknown: The names that are no zones, or mean several.
    """

    values: pl.Series
    zones: tuple[str, ...]
    unknown: tuple[str, ...]


def drop_names_of_offsets(column: pl.Series) -> pl.Series:
    """Return a text column without the names that follow an offset: ``+01:00[Europe/Berlin]``."""
    if not column.head(_SAMPLE_ROWS).str.contains(_OFFSET_WITH_NAME).any():
        return column
    return column.str.replace(_OFFSET_WITH_NAME, "$1")


def parse_zoned_times(column: pl.Series, order: DateOrder | None = None) -> ZonedTimes | None:
    """Parse times with a zone name; None if less than nine of ten values have one.

    Args:
        column: A text column.
        order: What dates such as 03/02/2018 start with; detected by default.
    """
    sample = column.head(_SAMPLE_ROWS).drop_nulls()
    if not len(sample) or float(sample.str.contains(_ZONED).mean() or 0.0) < _SAMPLE_SHARE:  # type: ignore[arg-type]
        return None
    parts = column.str.extract_groups(_ZONED).struct.unnest()
    zones = parts["zone"].fill_null(parts["bracketed"])
    names = [str(name) for name in zones.drop_nulls().value_counts(sort=True).to_series(0).to_list()]
    known = [name for name in names if name in _OFFSETS or name in zoneinfo.available_timezones()]
    if not known or len(known) > _MAX_ZONES:
        unknown = tuple(name for name in names if len(name) > 2)
        return ZonedTimes(pl.Series([None] * len(column), dtype=pl.Datetime("us", "UTC")), (), unknown)
    local = parse_date_text(parts["local"], order).values.cast(pl.Datetime("us"))
    in_utc = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    for name in known:
        in_utc = pl.when(zones == name).then(_convert_to_utc(local, name)).otherwise(in_utc)
    values = pl.select(in_utc).to_series()
    return ZonedTimes(values, tuple(known), tuple(name for name in names if name not in known))


def _convert_to_utc(local: pl.Series, zone: str) -> pl.Series:
    hours = _OFFSETS.get(zone)
    if hours is not None:
        return pl.select(
            (local - pl.duration(seconds=int(hours * 3600))).dt.replace_time_zone("UTC")
        ).to_series()
    # In the hour that the end of summer time repeats, the first one is meant as often as the second.
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")
