"""Settings of datasets: what a team set for all deliveries of a dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock, json_codec
from lavendertown.records import validation
from lavendertown.records.record_classes import DatasetSettingsRecord, RecordKind
from lavendertown.records.write_path import SaveRecord


class DatasetSettings(StoragePart):
    """The settings of the datasets of a storage, in named parts such as ``reading``."""

    def load(self, dataset: str, part: str) -> dict[str, Any]:
        """Return one part of a dataset's settings; empty if nothing is set."""
        record = self._context.read_record(RecordKind.DATASET_SETTINGS, _record_id(dataset))
        return dict(record.settings.get(part, {})) if isinstance(record, DatasetSettingsRecord) else {}

    def save(self, dataset: str, part: str, values: Mapping[str, Any], *, actor: str | None = None) -> None:
        """Replace one part of a dataset's settings; other parts stay.

        Args:
            dataset: The name of the dataset.
            part: The name of the part, such as ``reading``.
            values: The settings, as JSON values; empty to remove the part.
            actor: The name in the audit log; by default the current actor.

        Raises:
            ConflictError: Somebody else changed the settings of the dataset at the same time.
            InvalidInputError: A value cannot be stored.
        """
        record_id = _record_id(dataset)
        stored = self._context.read_record(RecordKind.DATASET_SETTINGS, record_id)
        if not isinstance(stored, DatasetSettingsRecord):
            stored = DatasetSettingsRecord(record_id, {}, clock.EPOCH)
        parts = {name: value for name, value in stored.settings.items() if name != part}
        if values:
            parts[part] = json_codec.to_jsonable(dict(values), part)
        if parts == stored.settings:
            return
        change = SaveRecord(replace(stored, settings=parts), stored.version, actor)
        self._context.write_path.commit([change])


def _record_id(dataset: str) -> str:
    """Return the id of a dataset's settings: its name, encoded if records cannot have it as an id."""
    if validation.is_valid_id(dataset) and not dataset.startswith("%"):
        return dataset
    encoded = f"%{quote(dataset, safe='')}"
    if validation.is_valid_id(encoded):
        return encoded
    return f"%{hashlib.sha256(dataset.encode('utf-8')).hexdigest()}"
