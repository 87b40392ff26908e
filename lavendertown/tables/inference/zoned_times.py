"""Read times with a time zone: 2026-05-01 10:30 CET, 10:30 Europe/Berlin, or Fri, 01 May 2026 10:30 +0200."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass

import polars as pl

from lavendertown.core.reading import DateOrder
from lavendertown.tables.inference.date_text import parse_date_text
from lavendertown.tables.inference.text_columns import TextColumn

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
    r"|(?P<zone>[A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|[A-Z]{3,4}|Z|[+-][0-9]{2}:?[0-9]{2}))\s*$"
)
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_WEEKDAY = r"^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +([0-9])"
_WEB_SERVER_DAY = r"^\s*([0-9]{1,2})/(\p{L}{3})/([0-9]{4}):"
"""The start of a time in a log of a web server: 10/Oct/2000:13:55:36."""

_OFFSET_WITH_NAME = r"(Z|[+-][0-9]{2}:?[0-9]{2})\[[^\]]*\]\s*$"
_SAMPLE_SHARE = 0.6
_MAX_ZONES = 50


@dataclass(frozen=True)
class ZonedTimes:
    """A text column of times with time zones.

    Attributes:
        values: The times in UTC; null for other texts, and where the zone is unknown.
        zones: The names of the zones or offsets, the most frequent first.
        unknown: The names that are no zones, or mean several.
    """

    values: pl.Series
    zones: tuple[str, ...]
    unknown: tuple[str, ...]


def drop_names_of_offsets(column: TextColumn) -> TextColumn:
    """Return a text column without the names that follow an offset: ``+01:00[Europe/Berlin]``."""
    if not column.first_match(_OFFSET_WITH_NAME):
        return column
    return TextColumn(column.values.str.replace(_OFFSET_WITH_NAME, "$1"))


def parse_zoned_times(column: TextColumn, order: DateOrder | None = None) -> ZonedTimes | None:
    """Parse times with a zone name or an offset; None if less than six of ten values have one.

    Args:
        column: A text column.
        order: What dates such as 03/02/2018 start with; detected by default.
    """
    if column.share_of_first(_ZONED) < _SAMPLE_SHARE:
        return None
    parts = column.values.str.extract_groups(_ZONED).struct.unnest()
    texts = parts["local"].str.replace(_WEEKDAY, "$1").str.replace(_WEB_SERVER_DAY, "$1 $2 $3 ")
    local = parse_date_text(TextColumn(texts), order).values.cast(pl.Datetime("us"))
    zones = parts["zone"].fill_null(parts["bracketed"])
    used = zones.filter(local.is_not_null())
    names = [str(name) for name in used.value_counts(sort=True).to_series(0).to_list()]
    if not names:
        return None
    known = [name for name in names if _is_zone(name)]
    if not known or len(known) > _MAX_ZONES:
        return ZonedTimes(pl.Series([None] * len(column), dtype=pl.Datetime("us", "UTC")), (), tuple(names))
    in_utc = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    for name in known:
        in_utc = pl.when(zones == name).then(_convert_to_utc(local, name)).otherwise(in_utc)
    values = pl.select(in_utc).to_series()
    return ZonedTimes(values, tuple(known), tuple(name for name in names if name not in known))


def _is_zone(name: str) -> bool:
    return _hours_east(name) is not None or name in zoneinfo.available_timezones()


def _hours_east(name: str) -> float | None:
    """Return the hours east of UTC of an offset or the short name of a zone; None for other names."""
    if name == "Z":
        return 0.0
    if offset := _OFFSET.fullmatch(name):
        sign, hours, minutes = offset.groups()
        return float(f"{sign}1") * (int(hours) + int(minutes) / 60)
    return _OFFSETS.get(name)


def _convert_to_utc(local: pl.Series, zone: str) -> pl.Series:
    hours = _hours_east(zone)
    if hours is not None:
        return pl.select(
            (local - pl.duration(seconds=int(hours * 3600))).dt.replace_time_zone("UTC")
        ).to_series()
    # In the hour that the end of summer time repeats, the first one is meant as often as the second.
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")
