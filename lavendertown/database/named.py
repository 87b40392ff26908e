"""Findings' identities, as the write path looks them up by any name they have."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa

from lavendertown import clock
from lavendertown.database.sql import among
from lavendertown.database.tables import identities, identity_aliases

_I, _A = identities.c, identity_aliases.c
_NAME = sa.bindparam("name", type_=sa.Text())

FIXED_ONCE = _I.fixed_at.is_not(None)
ABOUT = (
    _I.key,
    _I.fingerprint.label("canonical"),
    _I.times_seen,
    _I.severity,
    FIXED_ONCE,
    _I.last_seen,
    _I.last_count,
    _I.last_share,
    _I.description,
)
"""The columns of :class:`Named`."""
BY_NAME = sa.select(_I.fingerprint, *ABOUT).where(among(_I.fingerprint, "names"))
BY_ALIAS = (
    sa.select(_A.alias, *ABOUT)
    .join_from(identity_aliases, identities, _I.key == _A.identity_key)
    .where(among(_A.alias, "names"))
)
NAMED = BY_NAME.union_all(BY_ALIAS)
"""A name, and what is stored under it."""
NAMED_AND_LOCKED = (
    sa.select(_I.key)
    .where(
        sa.or_(
            _I.fingerprint == _NAME,
            _I.key == sa.select(_A.identity_key).where(_A.alias == _NAME).scalar_subquery(),
        )
    )
    .with_for_update()
)


class Named(NamedTuple):
    """An identity that is stored.

    ``last_seen`` is as the driver gives it; it and the numbers of that sighting may be left out (None)
    where it is none of the moments that were asked about.
    """

    key: int
    fingerprint: str
    times_seen: int
    severity: int
    fixed: int
    last_seen: Any = None
    last_count: int | None = None
    last_share: float | None = None
    description: str = ""

    def was_seen_at(self, moment: dt.datetime) -> bool:
        """Tell whether it was seen last at this very moment."""
        if isinstance(self.last_seen, int):
            return self.last_seen == clock.to_microseconds(moment)
        # MariaDB's times have no zone.
        return self.last_seen is not None and clock.to_utc(self.last_seen, clock.UTC) == moment
