"""Upgrade a database of LavenderTown 0.7 in place: back it up, then convert it in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lavendertown.core import clock
from lavendertown.core.errors import SchemaError, StorageError
from lavendertown.core.settings import load_settings
from lavendertown.records.record_classes import MigrationRecord
from lavendertown.stores.sql.copies.backup import copy_database
from lavendertown.stores.sql.schema import legacy_07, revisions
from lavendertown.stores.sql.schema.legacy_07 import LegacyDatabase
from lavendertown.stores.sql.schema.upgrade import exclusive_engine, schema_change
from lavendertown.stores.sql.transaction_store import TransactionStore
from lavendertown.transfer.locations import StoreLocation, parse_location
from lavendertown.transfer.migrator import Migrator
from lavendertown.transfer.progress import ProgressReporter
from lavendertown.transfer.readers.legacy_source import LegacyDatabaseSource
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import parse_time_zone
from lavendertown.transfer.target import Target
from lavendertown.transfer.values import MigrationOutcome, MigrationRequest, ProgressCallback

_LEGACY_TABLE_PREFIX = "lavendertown07_"


@dataclass(frozen=True)
class LegacyUpgrade:
    """The result of an upgrade.

    Attributes:
        backup: The copy of the old database; None if no backup was requested.
        outcome: What was read and written.
    """

    backup: Path | None
    outcome: MigrationOutcome


def upgrade_legacy_database(
    url: str,
    *,
    copy_first: bool = True,
    zone: str | None = None,
    actor: str = "internal",
    progress: ProgressCallback | None = None,
) -> LegacyUpgrade | None:
    """Convert the tables of 0.7 to the current schema; return None if the schema is current already.

    Args:
        url: The database.
        copy_first: Back up the database first.
        zone: The IANA name of the time zone in which it was written; None is UTC, which 0.7 used.
        actor: Who upgrades, for the audit log.
        progress: Called with the progress.

    Raises:
        SchemaError: The schema is neither that of 0.7 nor the current one; nothing was changed.
        StorageError: The converted records differ from the old ones, or the database did not respond; all
            changes were rolled back.
    """
    location = parse_location(url)
    parse_time_zone(zone)
    with exclusive_engine(location.url) as engine:
        schema = revisions.inspect_schema(engine.url)
        if schema.state is revisions.SchemaState.CURRENT:
            return None
        if not schema.is_legacy:
            raise SchemaError(f"{schema.sentence} Nothing was changed.")
        backup = copy_database(engine) if copy_first else None
        request = MigrationRequest(url, url, zone=zone, actor=actor)
        with schema_change(engine) as connection:
            legacy = legacy_07.rename_legacy_tables(connection, _LEGACY_TABLE_PREFIX)
            revisions.run_migrations(connection)
            outcome = _migrate_tables(legacy, TransactionStore(connection), location, request, progress)
            legacy.drop_tables(connection)
        revisions.enable_wal(engine)
    return LegacyUpgrade(backup, outcome)


def _migrate_tables(
    legacy: LegacyDatabase,
    store: TransactionStore,
    location: StoreLocation,
    request: MigrationRequest,
    progress: ProgressCallback | None,
) -> MigrationOutcome:
    now = clock.now()
    migration_id = f"m-{now:%Y%m%dT%H%M%S}-upgrade"
    options = {"location": location.canonical_address, "was_empty": True, "zone": request.zone}
    ledger = MigrationRecord(
        migration_id,
        f"LavenderTown 0.7 in {location.display_name}",
        location.display_name,
        request.actor,
        now,
        options,
    )
    quarantine = Quarantine(_quarantine_parent(location) / "quarantine" / migration_id)
    source = LegacyDatabaseSource(legacy, parse_time_zone(request.zone), quarantine)
    migrator = Migrator(
        request, source, Target(location, store), ledger, ProgressReporter(progress, passes=2), dry_run=False
    )
    migrator.copy_everything()
    migrator.verify_target()
    migrator.close_ledger_entry()
    outcome = migrator.build_outcome()
    if outcome.differences:
        raise StorageError(
            f"The upgrade was rolled back, because records differ afterwards: {outcome.differences[0]}"
        )
    return outcome


def _quarantine_parent(location: StoreLocation) -> Path:
    return location.file.parent if location.file is not None else load_settings().data_dir
