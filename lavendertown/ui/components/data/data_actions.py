"""Actions of the Data screen. Each reports its result as a notice instead of raising expected errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streamlit.runtime.uploaded_file_manager import UploadedFile

from lavendertown.collaboration.parts.annotations import Annotations
from lavendertown.collaboration.parts.incidents import Incidents
from lavendertown.collaboration.parts.people import People
from lavendertown.collaboration.parts.reports import Reports
from lavendertown.collaboration.parts.rulesets import RuleSets
from lavendertown.collaboration.parts.views import Views
from lavendertown.collaboration.parts.worklists import Worklists
from lavendertown.core import clock
from lavendertown.core.atomic_files import find_free_path
from lavendertown.core.errors import LavenderTownError, RefusedRowsError
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.transfer.backups.backup import back_up as copy_store
from lavendertown.transfer.backups.backup import backup_folder
from lavendertown.transfer.backups.changes import KindChanges
from lavendertown.transfer.backups.restore import RestoreResult, restore_store
from lavendertown.transfer.store_switch import current_address, current_location
from lavendertown.ui import errors, queries
from lavendertown.ui.components.data import data_files, data_queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import format_count
from lavendertown.ui.components.shared.markdown import Markdown

Source = Path | UploadedFile
RESTORE, IMPORT = "restore", "import"


@dataclass(frozen=True)
class ReplacementPreview:
    """A preview of replacing all data with a file.

    Attributes:
        source: The inspected file, as returned by :func:`identify_source`.
        current_counts: The current number of rows of each table.
        new_counts: The number of rows after the replacement.
        problems: Rows that cannot be imported, which prevent the replacement.
        refusal: Why the replacement is not possible; None if it is.
        changes: The changes of each kind of record that has any.
    """

    source: str
    current_counts: Mapping[str, int]
    new_counts: Mapping[str, int]
    problems: tuple[str, ...] = ()
    refusal: Markdown | None = None
    changes: Mapping[str, KindChanges] = field(default_factory=dict)


def describe_units() -> tuple[str, str, str]:
    """Return the nouns for what the store contains: rows in tables, or records of kinds."""
    if data_queries.uses_database():
        return "row", "table", "tables"
    return "record", "kind of record", "kinds of record"


def identify_source(source: Source) -> str:
    """Return a text that identifies a file and its content."""
    if isinstance(source, Path):
        stat = source.stat()
        return f"{source.name}:{stat.st_size}:{stat.st_mtime_ns}"
    return f"{source.file_id}:{source.size}"


def _run_action(work: Callable[[], None]) -> bool:
    try:
        work()
    except (LavenderTownError, ImportError, OSError) as error:
        layout.queue_notice(errors.error_message(error)[0], "problem", lead="Not done.")
        return False
    return True


def back_up() -> None:
    """Back up the whole store to a file on the server."""

    def work() -> None:
        made = copy_store(current_location(data_queries.current_settings()))
        layout.queue_notice(f"Backed up to {made.file.name}. {made.unreadable_message}".rstrip())

    _run_action(work)


def export_tables() -> None:
    """Export every table as CSV to a zip file on the server."""

    def work() -> None:
        from lavendertown.stores.sql.copies.export import export_database as write

        settings = data_queries.current_settings()
        folder = backup_folder(current_location(settings))
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{data_files.EXPORT}{clock.now():%Y%m%dT%H%M%S}"
        done = write(settings.database_url, find_free_path(folder, stem, ".zip"))
        layout.queue_notice(f"Exported {format_count(sum(done.rows.values()), 'row')} to {done.file.name}.")

    _run_action(work)


def send_test_notification(channel: NotificationChannel, place: str) -> None:
    """Send a test message through a channel, to the user where messages reach one person."""

    def work() -> None:
        name = person.require_name()
        recipient = name if channel.is_personal else ""
        row = queries.current_storage().notifications.send_test(
            channel, data_queries.current_settings().dashboard_url, recipient=recipient, actor=name
        )
        if row["problem"]:
            layout.queue_notice(row["problem"], "problem", lead="Not delivered.", place=place)
        else:
            layout.queue_notice(f"A test message was delivered through {channel.name}.", place=place)

    _run_action(work)


def send_notification_again(message_id: str, place: str) -> None:
    """Make a message due again."""

    def work() -> None:
        queries.current_storage().notifications.send_again(message_id, actor=person.require_name())
        layout.queue_notice("It is sent again by the next tick.", place=place)

    _run_action(work)


def preview_replacement(what: str, source: Source) -> ReplacementPreview:
    """Return a preview of the replacement without changing anything, or why it is not possible."""
    name = identify_source(source)
    try:
        done = _restore_source(what, source, dry_run=True)
    except RefusedRowsError as error:
        return ReplacementPreview(name, {}, {}, error.problems, errors.error_message(error)[0])
    except (LavenderTownError, ImportError, OSError) as error:
        return ReplacementPreview(name, {}, {}, refusal=errors.error_message(error)[0])
    return ReplacementPreview(name, done.rows_before, done.rows, changes=done.changes)


def replace_all_data(what: str, source: Source) -> bool:
    """Replace all data with the file; the previous data is backed up, and the notice offers to restore it."""

    def work() -> None:
        done = _restore_source(what, source, dry_run=False)
        queries.forget_results()
        rows = format_count(sum(done.rows.values()), describe_units()[0])
        backup = done.backup_file
        if backup is None:
            layout.queue_notice(f"is loaded: {rows}. The storage was empty before.", lead=source.name)
            return
        text = f"is loaded: {rows}. The previous data is saved as {backup.name}."
        layout.queue_notice(text, lead=source.name, undo=lambda: _undo_replacement(backup))

    return _run_action(work)


def _undo_replacement(backup: Path) -> None:
    replace_all_data(RESTORE, backup)


def _restore_source(what: str, source: Source, *, dry_run: bool) -> RestoreResult:
    store = current_address(data_queries.current_settings())
    actor = "internal" if dry_run else person.require_name()
    with data_files.open_as_file(source) as file:
        return restore_store(store, file, actor=actor, operation=what, dry_run=dry_run)


def restore_from_trash(kind: str, ids: Sequence[str]) -> None:
    """Restore records from the trash and offer to undo it."""

    def work() -> None:
        part, actor = _storage_part(kind), person.require_name()
        restored = [each for each in ids if part.restore(each, actor=actor)]
        one, many = _NOUNS[kind]
        text = f"{format_count(len(restored), one, many)} restored."
        layout.queue_notice(text, undo=(lambda: _put_back_in_trash(kind, restored)) if restored else None)

    _run_action(work)


_Part = Reports | Annotations | RuleSets | Views | People | Incidents | Worklists


def _storage_part(kind: str) -> _Part:
    storage = queries.current_storage()
    parts: dict[str, _Part] = {
        "report": storage.reports,
        "annotation": storage.annotations,
        "ruleset": storage.rulesets,
        "view": storage.views,
        "person": storage.people,
        "incident": storage.incidents,
        "worklist": storage.worklists,
    }
    return parts[kind]


def _put_back_in_trash(kind: str, ids: Sequence[str]) -> None:
    def work() -> None:
        part = _storage_part(kind)
        for each in ids:
            part.delete(each, actor=person.require_name())
        layout.queue_notice("Undone.")

    _run_action(work)


_NOUNS = {
    "report": ("report", "reports"),
    "annotation": ("comment", "comments"),
    "ruleset": ("rule set", "rule sets"),
    "view": ("view", "views"),
    "person": ("person", "people"),
    "incident": ("incident", "incidents"),
    "worklist": ("worklist", "worklists"),
}
