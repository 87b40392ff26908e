"""What a query asks for, as SQL conditions with their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.database.sql import among, contains
from lavendertown.database.types import Utc
from lavendertown.records.queries import Deleted


class Filter:
    """Conditions and their parameters, gathered."""

    def __init__(self) -> None:
        self.conditions: list[sa.ColumnElement[bool]] = []
        self.values: dict[str, Any] = {}

    def among(self, column: sa.ColumnElement[Any], name: str, wanted: Sequence[Any]) -> None:
        """The column is one of these, where there are any."""
        if wanted:
            self.conditions.append(among(column, name))
            self.values[name] = list(wanted)

    def codes(
        self, column: sa.ColumnElement[Any], name: str, wanted: Sequence[str], codes: dict[str, int]
    ) -> None:
        """The column holds the code of one of these words; a word without a code matches nothing."""
        if wanted:
            self.conditions.append(among(column, name))
            self.values[name] = [codes[word] for word in wanted if word in codes]

    def equal(self, column: sa.ColumnElement[Any], name: str, value: Any) -> None:
        """The column equals the value, unless that is None."""
        if value is not None:
            self.conditions.append(column == sa.bindparam(name, type_=column.type))
            self.values[name] = value

    def within(self, column: sa.ColumnElement[Any], start: Any, end: Any) -> None:
        """The time lies between two times, both inclusive."""
        if start is not None:
            self.conditions.append(column >= sa.bindparam("start", type_=Utc()))
            self.values["start"] = start
        if end is not None:
            self.conditions.append(column <= sa.bindparam("end", type_=Utc()))
            self.values["end"] = end

    def search(self, column: sa.ColumnElement[Any], text: str) -> None:
        """The casefolded column contains the text."""
        if text:
            self.conditions.append(contains(column, "search"))
            self.values["search"] = text

    def visible(self, column: sa.ColumnElement[Any], deleted: Deleted) -> None:
        """The record is live, deleted or either."""
        if deleted is not Deleted.INCLUDED:
            live = deleted is Deleted.HIDDEN
            self.conditions.append(column.is_(None) if live else column.is_not(None))
