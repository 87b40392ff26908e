"""What the screen Data does. Each says what came of it in one notice and never raises what it foresees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lavendertown.errors import LavenderTownError, RefusedRowsError
from lavendertown.records.files import FileStore
from lavendertown.ui import data_files, data_reads, problems, reads
from lavendertown.ui.components import frame, person, words

Source = Path | UploadedFile
RESTORE, IMPORT = "restore", "import"


@dataclass(frozen=True)
class Preview:
    """What putting a file in the place of everything would do.

    Attributes:
        source: The file that was looked at, as :func:`token` names it.
        now: How many rows each table has.
        then: How many it would have.
        problems: Rows that cannot be brought in; then nothing would be done.
        refused: Why it cannot be done; empty where it can.
    """

    source: str
    now: Mapping[str, int]
    then: Mapping[str, int]
    problems: tuple[str, ...] = ()
    refused: str = ""


def token(source: Source) -> str:
    """Name a file so that another, or the same name with another content, differs."""
    if isinstance(source, Path):
        stat = source.stat()
        return f"{source.name}:{stat.st_size}:{stat.st_mtime_ns}"
    return f"{source.file_id}:{source.size}"


def _attempt(work: Callable[[], None]) -> bool:
    try:
        work()
    except (LavenderTownError, ImportError, OSError) as error:
        frame.say(f"**Not done.** {problems.sentence(error)[0]}", "problem")
        return False
    return True


def back_up() -> None:
    """Copy the whole store into one file on the server."""

    def work() -> None:
        settings = data_reads.settings()
        place = data_files.folder(settings)
        store = reads.storage().store
        if isinstance(store, FileStore):
            made = data_files.zip_folder(store, place)
        else:
            from lavendertown.database.backup import backup
            from lavendertown.database.engine import make_engine

            engine = make_engine(settings.database_url)
            try:
                made = backup(engine, place)
            finally:
                engine.dispose()
        frame.say(f"Backed up to {words.plain(made.name)}.")

    _attempt(work)


def export() -> None:
    """Write every table into a zip of CSV on the server."""

    def work() -> None:
        from lavendertown.database.export import export as write

        settings = data_reads.settings()
        place = data_files.folder(settings)
        place.mkdir(parents=True, exist_ok=True)
        done = write(settings.database_url, data_files.free_name(place, data_files.EXPORT, ".zip"))
        frame.say(f"Exported {words.count(sum(done.rows.values()), 'row')} to {words.plain(done.file.name)}.")

    _attempt(work)


def preview(what: str, source: Source) -> Preview:
    """Try it without changing anything, and say what it would do, or why it cannot be done."""
    name = token(source)
    try:
        done = _replace(what, source, dry_run=True)
    except RefusedRowsError as error:
        return Preview(name, {}, {}, error.problems, str(error))
    except (LavenderTownError, ImportError, OSError) as error:
        return Preview(name, {}, {}, refused=problems.sentence(error)[0])
    return Preview(name, done.held, done.rows)


def replace(what: str, source: Source) -> bool:
    """Put the file in the place of everything; a copy of what was there is kept and can be put back."""

    def work() -> None:
        done = _replace(what, source, dry_run=False)
        st.cache_data.clear()
        rows = words.count(sum(done.rows.values()), "row")
        kept = done.replaced
        name = words.plain(source.name)
        if kept is None:
            frame.say(f"**{name}** is in: {rows}. The database was empty before.")
            return
        text = f"**{name}** is in: {rows}. What was there before is kept as {words.plain(kept.name)}."
        frame.say(text, undo=lambda: _put_back(kept))

    return _attempt(work)


def _put_back(kept: Path) -> None:
    replace(RESTORE, kept)


def _replace(what: str, source: Source, *, dry_run: bool) -> Any:
    url, actor = data_reads.settings().database_url, person.me() or "internal"
    with data_files.as_file(source) as file:
        if what == IMPORT:
            from lavendertown.database.import_zip import import_zip

            return import_zip(url, file, actor=actor, replace=True, dry_run=dry_run)
        from lavendertown.database.restore import restore

        return restore(url, file, actor=actor, dry_run=dry_run)


def take_out(kind: str, ids: Sequence[str]) -> None:
    """Take records out of the trash, and offer to put them back into it."""

    def work() -> None:
        storage, actor = reads.storage(), person.me()
        back = [each for each in ids if getattr(storage, f"restore_{kind}")(each, actor=actor)]
        one, many = _NOUNS[kind]
        text = f"{words.count(len(back), one, many)} restored."
        frame.say(text, undo=(lambda: _put_in(kind, back)) if back else None)

    _attempt(work)


def _put_in(kind: str, ids: Sequence[str]) -> None:
    def work() -> None:
        for each in ids:
            getattr(reads.storage(), f"delete_{kind}")(each, actor=person.me())
        frame.say("Back in the trash.")

    _attempt(work)


_NOUNS = {
    "report": ("report", "reports"),
    "annotation": ("comment", "comments"),
    "ruleset": ("rule set", "rule sets"),
}
