"""Settings of datasets: what a team set for all deliveries of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock, json_codec
from lavendertown.records.record_classes import DatasetSettingsRecord, RecordKind
from lavendertown.records.write_path import RestoreRecord, SaveRecord


class DatasetSettings(StoragePart):
    """The settings of the datasets of a storage, in named parts such as ``reading``."""

    def load(self, dataset: str, part: str) -> dict[str, Any]:
        """Return one part of a dataset's settings; empty if nothing is set."""
        record = self._context.read_record(RecordKind.DATASET_SETTINGS, dataset)
        if not isinstance(record, DatasetSettingsRecord) or record.deleted_at is not None:
            return {}
        return dict(record.settings.get(part, {}))

    def save(self, dataset: str, part: str, values: Mapping[str, Any], *, actor: str | None = None) -> None:
        """Replace one part of a dataset's settings; other parts stay.

        Args:
            dataset: The name of the dataset.
            part: The name of the part, such as ``reading``.
            values: The settings, as JSON values; empty to remove the part.
            actor: The name in the audit log; by default the current actor.

        Raises:
            ConflictError: Somebody else changed the settings of the dataset at the same time.
            InvalidInputError: The name of the dataset or a value cannot be stored.
        """
        stored = self._context.read_record(RecordKind.DATASET_SETTINGS, dataset)
        if stored is not None and stored.deleted_at is not None:
            self._context.write_path.commit([RestoreRecord(RecordKind.DATASET_SETTINGS, dataset, actor)])
            stored = self._context.read_record(RecordKind.DATASET_SETTINGS, dataset)
        if not isinstance(stored, DatasetSettingsRecord):
            stored = DatasetSettingsRecord(dataset, {}, clock.EPOCH)
        parts = {name: value for name, value in stored.settings.items() if name != part}
        if values:
            parts[part] = json_codec.to_jsonable(dict(values), part)
        if parts == stored.settings:
            return
        change = SaveRecord(replace(stored, settings=parts), stored.version, actor)
        self._context.write_path.commit([change])
