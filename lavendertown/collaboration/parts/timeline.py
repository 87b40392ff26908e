"""Notes on the time axis of Trends: what happened outside of the data, such as "Loader fixed"."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from lavendertown.collaboration import filters
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.dataset_settings import DatasetSettings
from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, DatasetSettingsRecord, RecordKind
from lavendertown.records.write_path import find_actor

TEAM_TIMELINE = "team:timeline"
"""The name of the settings that have the notes on all datasets; no dataset is called so."""
TIMELINE = "timeline"
"""The part of the settings of a dataset that has its notes."""
MAX_NOTES = 500
MAX_TEXT = 200
_KEY = "notes"


@dataclass(frozen=True, slots=True)
class TimelineNote:
    """A note at a time.

    Attributes:
        id: Its id, unique among the notes of a dataset.
        dataset: The dataset that it concerns; empty for all.
        at: The time.
        text: One line.
        author: Who wrote it.
    """

    id: str
    dataset: str
    at: dt.datetime
    text: str
    author: str


class Timeline(StoragePart):
    """The notes of a storage, stored with the settings of their dataset."""

    def __init__(self, context: StorageContext, dataset_settings: DatasetSettings) -> None:
        super().__init__(context)
        self._dataset_settings = dataset_settings

    def query(
        self,
        dataset: filters.OneOrMany = None,
        start_date: filters.DateLike = None,
        end_date: filters.DateLike = None,
    ) -> list[TimelineNote]:
        """List the notes on datasets, and those on all datasets, oldest first.

        Args:
            dataset: The datasets; all by default.
            start_date, end_date: The first and last time included; a bare date is the whole day.
        """
        first, last = filters.first_instant(start_date), filters.last_instant(end_date)
        notes = [
            note
            for name in self._names(filters.as_tuple(dataset))
            for note in self._load(name)
            if (first is None or note.at >= first) and (last is None or note.at <= last)
        ]
        return sorted(notes, key=lambda note: (note.at, note.id))

    def add(self, text: str, at: dt.datetime, *, dataset: str = "", actor: str | None = None) -> str:
        """Add a note, and return its id.

        Args:
            text: One line of at most 200 characters.
            at: The time that it is about.
            dataset: The dataset that it concerns; empty for all.
            actor: Who writes it; by default the current actor.

        Raises:
            InvalidInputError: The text is empty or too long, or the dataset has too many notes.
        """
        author = find_actor() if actor is None else actor
        line = " ".join(text.split())
        if not line or len(line) > MAX_TEXT:
            raise InvalidInputError(f"A note needs a text of 1 to {MAX_TEXT} characters.")
        note = TimelineNote(uuid.uuid4().hex[:12], dataset, clock.to_utc(at), line, author)
        self._save(dataset, [*self._load(dataset), note], author)
        return note.id

    def delete(self, note: TimelineNote, *, actor: str | None = None) -> None:
        """Delete a note.

        Raises:
            NotFoundError: It was deleted already.
        """
        notes = self._load(note.dataset)
        remaining = [each for each in notes if each.id != note.id]
        if len(remaining) == len(notes):
            raise NotFoundError(f"The note {note.text!r} was deleted already.")
        self._save(note.dataset, remaining, find_actor() if actor is None else actor)

    def restore(self, note: TimelineNote, *, actor: str | None = None) -> None:
        """Restore a deleted note; a note that is there is left alone."""
        notes = self._load(note.dataset)
        if all(each.id != note.id for each in notes):
            self._save(note.dataset, [*notes, note], find_actor() if actor is None else actor)

    def _names(self, datasets: Sequence[str]) -> list[str]:
        """Return the datasets whose notes are wanted, and "" for the notes on all datasets."""
        if datasets:
            return ["", *datasets]
        records = self._context.store.scan(FlatRecordQuery(RecordKind.DATASET_SETTINGS), ALL_ITEMS)
        return [
            "" if record.id == TEAM_TIMELINE else str(record.settings[TIMELINE].get("dataset", record.id))
            for record in records
            if isinstance(record, DatasetSettingsRecord) and TIMELINE in record.settings
        ]

    def _load(self, dataset: str) -> list[TimelineNote]:
        stored = self._dataset_settings.load(dataset or TEAM_TIMELINE, TIMELINE).get(_KEY, [])
        return [
            TimelineNote(
                str(each["id"]),
                dataset,
                dt.datetime.fromisoformat(str(each["at"])),
                str(each["text"]),
                str(each["author"]),
            )
            for each in stored
        ]

    def _save(self, dataset: str, notes: Sequence[TimelineNote], actor: str) -> None:
        if len(notes) > MAX_NOTES:
            raise InvalidInputError(
                f"{dataset or 'The timeline'} has {MAX_NOTES:,} notes, the limit; delete old ones first."
            )
        values = [
            {"id": note.id, "at": note.at.isoformat(), "text": note.text, "author": note.author}
            for note in sorted(notes, key=lambda note: (note.at, note.id))
        ]
        name = dataset or TEAM_TIMELINE
        # With the name, because the id of settings does not tell a very long one.
        content = {"dataset": dataset, _KEY: values} if values else {}
        self._dataset_settings.save(name, TIMELINE, content, actor=actor)
