"""A database of LavenderTown 0.7 brought up to date where it is: backed up, then one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lavendertown import clock
from lavendertown.database import old, schema
from lavendertown.database.backup import backup
from lavendertown.database.bound import BoundStore
from lavendertown.database.old import OldDatabase
from lavendertown.database.upgrade import alone, changing
from lavendertown.errors import SchemaError, StorageError
from lavendertown.migration.mover import Mover
from lavendertown.migration.old import OldDatabaseSource
from lavendertown.migration.places import Place, read_place
from lavendertown.migration.progress import Meter
from lavendertown.migration.quarantine import Quarantine
from lavendertown.migration.sources import read_zone
from lavendertown.migration.target import Target
from lavendertown.migration.values import OnProgress, Outcome, Request
from lavendertown.records.values import Move

_PREFIX = "lavendertown07_"


@dataclass(frozen=True)
class Upgraded:
    """What came of it.

    Attributes:
        backup: The copy of the database as it was; None where none was wanted.
        outcome: What was read and written.
    """

    backup: Path | None
    outcome: Outcome


def upgrade(
    url: str,
    *,
    copy_first: bool = True,
    zone: str | None = None,
    actor: str = "internal",
    progress: OnProgress | None = None,
) -> Upgraded | None:
    """Turn 0.7's tables into today's, with everything in them; None where they are today's already.

    Args:
        url: The database.
        copy_first: Back it up before.
        zone: The IANA name of the zone its times were written in; None is UTC, which 0.7 used.

    Raises:
        SchemaError: The tables are neither 0.7's nor today's; nothing was changed.
        StorageError: Something differed afterwards, or the database did not answer; all was undone.
    """
    place = read_place(url)
    read_zone(zone)
    with alone(place.url) as engine:
        found = schema.look(engine.url)
        if found.state is schema.State.CURRENT:
            return None
        if not found.is_old:
            raise SchemaError(f"{found.sentence} Nothing was changed.")
        copy = backup(engine) if copy_first else None
        request = Request(url, url, zone=zone, actor=actor)
        with changing(engine) as connection:
            former = old.set_apart(connection, _PREFIX)
            schema.migrate(connection)
            outcome = _fill(former, BoundStore(connection), place, request, progress)
            former.drop(connection)
        schema.switch_to_wal(engine)
    return Upgraded(copy, outcome)


def _fill(
    former: OldDatabase, store: BoundStore, place: Place, request: Request, progress: OnProgress | None
) -> Outcome:
    now = clock.now()
    move_id = f"m-{now:%Y%m%dT%H%M%S}-upgrade"
    options = {"location": place.location, "was_empty": True, "zone": request.zone}
    ledger = Move(move_id, f"LavenderTown 0.7 in {place.words}", place.words, request.actor, now, options)
    quarantine = Quarantine(_beside(place) / "quarantine" / move_id)
    source = OldDatabaseSource(former, read_zone(request.zone), quarantine)
    mover = Mover(request, source, Target(place, store), ledger, Meter(progress, passes=2), dry_run=False)
    mover.copy()
    mover.verify()
    mover.finish()
    outcome = mover.outcome()
    if outcome.differences:
        raise StorageError(f"The upgrade was undone, nothing was changed: {outcome.differences[0]}")
    return outcome


def _beside(place: Place) -> Path:
    from lavendertown.config import load_settings

    return place.file.parent if place.file is not None else load_settings().data_dir
