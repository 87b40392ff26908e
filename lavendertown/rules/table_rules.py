"""Rules about a whole table: unique, row_count and freshness."""

from __future__ import annotations

import datetime as dt
import re
from functools import reduce
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.detectors.base import NOT_CHECKED, Aggregates, DetectionSteps, QuerySteps, has_value
from lavendertown.rules.checks import FailingRows, RowRule, RuleCheck, require_column
from lavendertown.rules.parameters import ParameterReader
from lavendertown.rules.values import fit_zone
from lavendertown.tables import ROW, Column, Table

_UNITS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0}
_AGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(m|min|h|d|w|minute|hour|day|week)s?\s*", re.IGNORECASE)
_SHORT_UNITS = {"m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}


class UniqueRule(RowRule):
    """No row repeats the values of an earlier row in ``columns``, or in the rule's column.

    The earlier row itself does not fail, and neither does a row in which one of the values is missing.
    """

    check: ClassVar[str] = "rule:unique"
    aliases: ClassVar[dict[str, str]] = {"source_columns": "columns"}

    def read_parameters(self, reader: ParameterReader) -> None:
        """Read the columns."""
        self._columns = reader.read_names("columns") or [require_column(self.rule)]

    @property
    def columns(self) -> list[str]:
        """The columns that are unique together."""
        return self._columns

    @property
    def is_on_whole_rows(self) -> bool:
        """Whether several columns are unique together."""
        return len(self._columns) > 1

    def failing_rows(self, table: Table, columns: list[Column]) -> QuerySteps[FailingRows]:
        """Return the rows that repeat an earlier row."""
        yield from ()
        keys = [key for c in columns for key in (c.text_key or c.key, c.kinds_key) if key]
        complete = reduce(lambda one, other: one & other, [has_value(column) for column in columns])
        repeats = (nw.col(ROW) != nw.col(ROW).min().over(*keys)) & complete
        names = ", ".join(self._columns)
        what = f"{names} {'repeat' if self.is_on_whole_rows else 'repeats'} an earlier row"
        return FailingRows(repeats, what, complete, has_window=True)


class RowCountRule(RuleCheck):
    """The table has from ``min_rows`` to ``max_rows`` rows."""

    check: ClassVar[str] = "rule:row_count"
    aliases: ClassVar[dict[str, str]] = {
        **{"min": "min_rows", "max": "max_rows"},
        **{"min_value": "min_rows", "max_value": "max_rows"},
    }

    def read_parameters(self, reader: ParameterReader) -> None:
        """Read the bounds."""
        self.low, self.high = reader.read_count("min_rows"), reader.read_count("max_rows")
        if self.low is None and self.high is None:
            raise InvalidInputError("give at least one of min_rows and max_rows")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InvalidInputError(f"min_rows {self.low} is above max_rows {self.high}")

    @property
    def columns(self) -> list[str]:
        """No columns: the rule is on the whole table."""
        return []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Compare the number of rows."""
        yield from ()
        rows = f"the table has {table.row_count:,} {'row' if table.row_count == 1 else 'rows'}"
        if self.low is not None and table.row_count < self.low:
            return self.detection(table, f"{rows}, fewer than {self.low:,}")
        if self.high is not None and table.row_count > self.high:
            return self.detection(table, f"{rows}, more than {self.high:,}")
        return None


class FreshnessRule(RuleCheck):
    """The newest time in the column is at most ``max_age`` old, such as ``36 hours`` or ``2 days``.

    Times in the future do not count. A day without a time is as old as its end. ``as_of`` is the time to
    compare with; by default now. Times without a zone are in UTC.
    """

    check: ClassVar[str] = "rule:freshness"

    def read_parameters(self, reader: ParameterReader) -> None:
        """Read the age and the time to compare with."""
        require_column(self.rule)
        self.max_age = reader.require_text("max_age")
        self._age = parse_age(self.max_age)
        as_of = reader.read_text("as_of")
        try:
            self._as_of = clock.parse_time(as_of, clock.UTC) if as_of else None
        except ValueError as error:
            raise InvalidInputError(
                f"as_of {as_of!r} is not a time; write 2026-11-21 or 2026-11-21T08:00"
            ) from error

    @property
    def columns(self) -> list[str]:
        """The column."""
        return [require_column(self.rule)]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the newest time that is not in the future."""
        (column,) = self.find_columns(table)
        dtype = table.frame.collect_schema()[column.key]
        if not isinstance(dtype, (nw.Date, nw.Datetime)):
            raise InvalidInputError(f"{column.name} does not hold dates")
        if not table.row_count:
            return NOT_CHECKED
        now = self._as_of or clock.now()
        value = nw.col(column.key)
        newest = yield Aggregates(
            {"newest": nw.when(value <= nw.lit(fit_zone(now, dtype))).then(value).max()}
        )
        found = newest["newest"]
        if found is None:
            return self.detection(table, f"{column.name} has no time up to now")
        age = now - _end_of(found)
        if age <= self._age:
            return None
        return self.detection(
            table,
            f"the newest {column.name} is {found}, {_format_age(age)} old; up to {self.max_age} is accepted",
        )


def parse_age(text: str) -> dt.timedelta:
    """Return a duration such as ``36 hours``, ``2 days`` or ``2d``.

    Raises:
        InvalidInputError: The text is not a duration.
    """
    match = _AGE.fullmatch(text)
    if not match:
        raise InvalidInputError(f"max_age {text!r} is not a duration; write '36 hours' or '2 days'")
    unit = match[2].lower()
    return dt.timedelta(days=float(match[1]) * _UNITS[_SHORT_UNITS.get(unit, unit)])


def _end_of(found: Any) -> dt.datetime:
    if not isinstance(found, dt.datetime):
        return dt.datetime.combine(found, dt.time(), clock.UTC) + dt.timedelta(days=1)
    return found if found.tzinfo else found.replace(tzinfo=clock.UTC)


def _format_age(age: dt.timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:,.1f} hours"
