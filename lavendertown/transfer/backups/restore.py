"""Restore and import: replace the contents of a store with those of a file, in one transaction."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    DeletedFilter,
    FlatRecordQuery,
    Query,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import FLAT_RECORD_CLASSES, AuditEvent
from lavendertown.records.store import Store
from lavendertown.records.write_path import ImportBatch, WritePath, add_on_behalf_of
from lavendertown.stores.files import FileStore
from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.changes import KindChanges, compare_states, read_state
from lavendertown.transfer.backups.file_contents import FileContents, open_contents
from lavendertown.transfer.locations import StoreLocation, parse_location
from lavendertown.transfer.values import COUNT_NAME_BY_KIND


@dataclass(frozen=True)
class RestoreResult:
    """The result of a restore or an import, or of its dry run.

    Attributes:
        rows: The number of rows of each table; for a data folder, of records of each kind.
        rows_before: The same before.
        backup_file: The backup of the previous contents; None for an empty store and in a dry run.
        revision_before: The previous revision of a database; empty if it had no tables.
        changes: The changes of each kind of record that has any; only in a dry run.
    """

    rows: Mapping[str, int]
    rows_before: Mapping[str, int]
    backup_file: Path | None
    revision_before: str = ""
    changes: Mapping[str, KindChanges] = field(default_factory=dict)


class _DryRunRollback(Exception):
    """Rolls back the transaction of a dry run."""


def restore_store(
    store: str,
    file: Path | str,
    *,
    actor: str = "internal",
    operation: str = "restore",
    replace: bool = True,
    dry_run: bool = False,
) -> RestoreResult:
    """Replace the contents of a store with those of a file; add an audit event.

    The file is an archive of any store; an export of all tables; a SQLite file, for a SQLite database; or a
    custom-format dump of ``pg_dump`` or an earlier version's archive of PostgreSQL, for a PostgreSQL
    database. Files of earlier schemas are upgraded. All records are validated as in a migration. The
    replacement is one transaction that excludes other writers: changes committed before it are in the backup,
    later changes apply to the restored contents.

    Args:
        store: A data folder or a database URL; tables are created in an empty database.
        file: The file.
        actor: Who restores, for the audit log.
        operation: The operation in the audit log: ``"restore"`` or ``"import"``.
        replace: Back up and replace existing contents. If False, a store that is not empty is refused.
        dry_run: Make no backup, and roll all changes back.

    Raises:
        InvalidInputError: The file is of another kind, damaged, or the database itself; or the store is not
            empty and ``replace`` is False.
        RefusedRowsError: Rows of an export are invalid; the error lists up to 100 of them.
        SchemaError: The file or the database belongs to another program or version.
        StorageError: The store does not respond, or could not be backed up. With every error, nothing was
            changed.
    """
    file, location = Path(file), parse_location(store)
    refuse_same_file(file, location)
    restore = _restore_folder if location.folder is not None else _restore_database
    with open_contents(file) as contents:
        contents.refuse_unfit_store(location)
        return restore(location, contents, _RestoreRequest(file, actor, operation, replace, dry_run))


@dataclass(frozen=True)
class _RestoreRequest:
    file: Path
    actor: str
    operation: str
    replace: bool
    dry_run: bool

    def audit_event(
        self, rows_before: Mapping[str, int], rows: Mapping[str, int], backup: Path | None
    ) -> AuditEvent:
        """Return the audit event of the restore."""
        name = self.file.name
        after = add_on_behalf_of({"file": name, "rows": dict(rows), "kept": backup.name if backup else None})
        before = {"rows": dict(rows_before)}
        return AuditEvent(clock.now(), self.actor, "store", name[-200:], self.operation, before, after)

    def refuse_nonempty_store(self, row_counts: Mapping[str, int]) -> None:
        """Raise an error if the store is not empty and its contents may not be replaced."""
        filled = sorted(name for name, rows in row_counts.items() if rows)
        if filled and not self.replace:
            raise InvalidInputError(
                f"The store is not empty ({', '.join(filled)}); nothing was changed. Choose an empty one, or "
                "replace its contents (they are backed up first) with: --replace --yes"
            )


def refuse_same_file(file: Path, location: StoreLocation) -> None:
    """Raise an error if the backup file is the SQLite database itself."""
    database = location.file
    if database is not None and file.exists() and database.exists() and file.samefile(database):
        raise InvalidInputError(f"{file} is the database itself; nothing was changed. Choose a backup of it.")


def _restore_database(
    location: StoreLocation, contents: FileContents, request: _RestoreRequest
) -> RestoreResult:
    from lavendertown.stores.sql.copies import replace_all
    from lavendertown.stores.sql.schema.all_tables import count_rows
    from lavendertown.stores.sql.transaction_store import TransactionStore

    tables, rows_before = replace_all.inspect_tables(location.url)
    request.refuse_nonempty_store(rows_before)
    contents.check_tables(tables, rows_before)
    with replace_all.dry_run_database(location.url, request.dry_run and not rows_before) as url:
        target = parse_location(url)
        revision_before, backup_file, rows = "", None, {}
        changes: Mapping[str, KindChanges] = {}
        with (
            contextlib.suppress(_DryRunRollback),
            replace_all.open_replacement(url, strict=contents.is_strict) as database,
        ):
            revision_before, rows_before = database.previous_revision, database.row_counts
            # Checked again: the contents may have changed before the database was locked.
            request.refuse_nonempty_store(rows_before)
            contents.check_tables(database.tables, rows_before)
            state_before = read_state(TransactionStore(database.connection)) if request.dry_run else {}
            if any(rows_before.values()):
                backup_file = None if request.dry_run else back_up(target).file
                database.delete_rows()
            contents.fill_database(database, target)
            if request.dry_run:
                changes = compare_states(state_before, read_state(TransactionStore(database.connection)))
            rows = count_rows(database.connection, database.tables)
            database.finish_replacement(request.audit_event(rows_before, rows, backup_file))
            if request.dry_run:
                raise _DryRunRollback
    return RestoreResult(rows, rows_before, backup_file, revision_before, changes)


def _restore_folder(
    location: StoreLocation, contents: FileContents, request: _RestoreRequest
) -> RestoreResult:
    assert location.folder is not None
    store = FileStore(location.folder)
    rows_before = count_records(store)
    request.refuse_nonempty_store(rows_before)
    with contextlib.ExitStack() as stack:
        if request.dry_run:
            staged = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            staged = stack.enter_context(store.replace_all())
            rows_before = count_records(store)
            request.refuse_nonempty_store(rows_before)
        target = parse_location(str(staged))
        staged_store = FileStore(staged)
        contents.fill_store(staged_store, target)
        rows = count_records(staged_store)
        changes = compare_states(read_state(store), read_state(staged_store)) if request.dry_run else {}
        backup_file = None
        if any(rows_before.values()) and not request.dry_run:
            backup_file = back_up(location, is_frozen=True).file
        WritePath(staged_store).import_records(
            ImportBatch(history=[request.audit_event(rows_before, rows, backup_file)])
        )
    return RestoreResult(rows, rows_before, backup_file, changes=changes)


def count_records(store: Store) -> dict[str, int]:
    """Return the number of records of each kind in a store, including deleted ones."""
    included = DeletedFilter.INCLUDED
    queries: dict[str, Query] = {
        "reports": ReportQuery(deleted=included),
        "annotations": AnnotationQuery(deleted=included),
        "rulesets": RuleSetQuery(deleted=included),
        **{COUNT_NAME_BY_KIND[kind]: FlatRecordQuery(kind, deleted=included) for kind in FLAT_RECORD_CLASSES},
        "events": AuditQuery(),
    }
    return {name: store.count(query) for name, query in queries.items()}
