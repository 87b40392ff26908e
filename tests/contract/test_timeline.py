"""Notes on the time axis, on every store."""

from __future__ import annotations

import pytest

from lavendertown.collaboration.parts.timeline import MAX_NOTES, MAX_TEXT
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import InvalidInputError, NotFoundError
from tests.contract.builders import NOON, at

LONG_NAME = "Straße/" + "x" * 300


def texts(storage: Storage, *dataset: str) -> list[str]:
    return [note.text for note in storage.timeline.query(dataset)]


def test_notes_are_on_a_dataset_or_on_all(storage: Storage) -> None:
    storage.timeline.add("Loader  fixed\n", at(2), dataset="orders", actor="Ana")
    storage.timeline.add("New warehouse", at(1), actor="Ben")
    storage.timeline.add("Renamed", at(3), dataset=LONG_NAME, actor="Ana")
    assert texts(storage) == ["New warehouse", "Loader fixed", "Renamed"]
    assert texts(storage, "orders") == ["New warehouse", "Loader fixed"]
    assert texts(storage, LONG_NAME) == ["New warehouse", "Renamed"]
    assert texts(storage, "other") == ["New warehouse"]
    assert [note.dataset for note in storage.timeline.query()] == ["", "orders", LONG_NAME]
    (note,) = storage.timeline.query(start_date=at(1.5), end_date=at(2))
    assert (note.at, note.author) == (at(2), "Ana")


def test_a_note_is_deleted_and_restored(storage: Storage) -> None:
    storage.dataset_settings.save("orders", "reading", {"delimiter": ";"}, actor="Ana")
    storage.timeline.add("Loader fixed", NOON, dataset="orders", actor="Ana")
    (note,) = storage.timeline.query()
    storage.timeline.delete(note, actor="Ben")
    assert texts(storage) == []
    with pytest.raises(NotFoundError, match="The note 'Loader fixed' was deleted already"):
        storage.timeline.delete(note, actor="Ben")
    storage.timeline.restore(note, actor="Ben")
    storage.timeline.restore(note, actor="Ben")
    assert storage.timeline.query() == [note]
    assert storage.dataset_settings.load("orders", "reading") == {"delimiter": ";"}
    events = storage.audit_log(component="dataset_settings")
    assert [event["actor"] for event in events] == ["Ben", "Ben", "Ana", "Ana"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * (MAX_TEXT + 1)])
def test_a_note_without_a_usable_text_is_refused(storage: Storage, text: str) -> None:
    with pytest.raises(InvalidInputError, match="A note needs a text of 1 to 200 characters"):
        storage.timeline.add(text, NOON, actor="Ana")
    assert texts(storage) == []


def test_a_timeline_has_a_limit(storage: Storage) -> None:
    values = [{"id": str(n), "at": NOON.isoformat(), "text": "x", "author": "Ana"} for n in range(MAX_NOTES)]
    content = {"dataset": "orders", "notes": values}
    storage.dataset_settings.save("orders", "timeline", content, actor="Ana")
    with pytest.raises(InvalidInputError, match="orders has 500 notes, the limit"):
        storage.timeline.add("one more", NOON, dataset="orders", actor="Ana")
