"""Settings of datasets are stored, versioned and audited on every store."""

from __future__ import annotations

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import InvalidInputError


def test_the_parts_of_a_datasets_settings_are_kept_apart(storage: Storage) -> None:
    assert storage.dataset_settings.load("orders", "reading") == {}
    storage.dataset_settings.save(
        "orders", "reading", {"delimiter": ";", "types": {"zip": "text"}}, actor="Ana"
    )
    storage.dataset_settings.save("orders", "checks", {"nulls": False}, actor="Ben")
    assert storage.dataset_settings.load("orders", "reading") == {"delimiter": ";", "types": {"zip": "text"}}
    assert storage.dataset_settings.load("orders", "checks") == {"nulls": False}
    assert storage.dataset_settings.load("customers", "reading") == {}

    storage.dataset_settings.save("orders", "reading", {}, actor="Ana")
    assert storage.dataset_settings.load("orders", "reading") == {}
    assert storage.dataset_settings.load("orders", "checks") == {"nulls": False}

    events = storage.audit_log(component="dataset_settings")
    assert [(event["actor"], event["record_id"]) for event in events] == [
        ("Ana", "orders"),
        ("Ben", "orders"),
        ("Ana", "orders"),
    ]
    assert events[0]["after"]["settings"] == {"checks": {"nulls": False}}


def test_saving_the_same_settings_again_writes_nothing(storage: Storage) -> None:
    for _ in range(2):
        storage.dataset_settings.save("orders", "reading", {"encoding": "cp1252"}, actor="Ana")
    assert len(storage.audit_log(component="dataset_settings")) == 1


def test_settings_that_cannot_be_stored_are_refused_in_a_sentence(storage: Storage) -> None:
    with pytest.raises(InvalidInputError, match="reading"):
        storage.dataset_settings.save("orders", "reading", {"delimiter": object()})
    assert storage.dataset_settings.load("orders", "reading") == {}


@pytest.mark.parametrize("dataset", ["kunden/neu", "", "%6b", "ü" * 255, "a\\b", "%kunden%2Fneu"])
def test_a_dataset_of_any_name_has_settings(storage: Storage, dataset: str) -> None:
    for other in ("kunden/neu", "", "%6b", "ü" * 255, "a\\b", "%kunden%2Fneu", "kunden%2Fneu"):
        if other != dataset:
            storage.dataset_settings.save(other, "reading", {"sheet": "other"}, actor="Ana")
    storage.dataset_settings.save(dataset, "reading", {"sheet": "Data"}, actor="Ana")
    assert storage.dataset_settings.load(dataset, "reading") == {"sheet": "Data"}
