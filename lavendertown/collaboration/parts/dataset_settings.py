"""Settings of datasets: what a team set for all deliveries of a dataset, such as the checks of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from lavendertown.collaboration import converters
from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.records import validation
from lavendertown.records.record_classes import DatasetSettingsRecord, RecordKind, RuleSetRecord
from lavendertown.records.write_path import SaveRecord

if TYPE_CHECKING:
    from lavendertown.rules.check_configuration import CheckConfiguration

CHECKS = "checks"
"""The part of the settings that has the check configuration."""

ROW_KEY = "row_key"
"""The part of the settings that has the columns that identify a row."""


class DatasetSettings(StoragePart):
    """The settings of the datasets of a storage, in named parts such as ``reading`` and ``checks``."""

    def load(self, dataset: str, part: str) -> dict[str, Any]:
        """Return one part of a dataset's settings; empty if nothing is set."""
        record = self._context.read_record(RecordKind.DATASET_SETTINGS, settings_record_id(dataset))
        return dict(record.settings.get(part, {})) if isinstance(record, DatasetSettingsRecord) else {}

    def read_version(self, dataset: str) -> int:
        """Return the version of a dataset's settings; 0 if nothing was ever set."""
        record = self._context.read_record(RecordKind.DATASET_SETTINGS, settings_record_id(dataset))
        return record.version if isinstance(record, DatasetSettingsRecord) else 0

    def load_checks(self, dataset: str) -> CheckConfiguration:
        """Return the check configuration of a dataset as it was saved; an empty one if nothing is set.

        Raises:
            InvalidInputError: What is stored is not possible.
        """
        # Imported here, because it imports Polars, which most commands do not need.
        from lavendertown.rules.check_configuration import CheckConfiguration

        return CheckConfiguration.from_dict(
            self.load(dataset, CHECKS), f"The check configuration of dataset {dataset!r}"
        )

    def load_checks_to_run(self, dataset: str) -> CheckConfiguration:
        """Return the check configuration of a dataset with the rules of the rule sets that it names.

        Raises:
            InvalidInputError: What is stored is not possible, or a rule set is missing.
        """
        return self.add_rule_sets(self.load_checks(dataset))

    def add_rule_sets(self, configuration: CheckConfiguration) -> CheckConfiguration:
        """Return a configuration with the rules of the stored rule sets that it names, in place of the names.

        Of rules with one name, that of the configuration counts, then that of the first rule set.

        Raises:
            InvalidInputError: A rule set is missing.
        """
        rules = {rule.name: rule for rule in configuration.rules}
        for name in configuration.rule_sets:
            record = self._context.read_record(RecordKind.RULESET, name)
            if not isinstance(record, RuleSetRecord) or record.deleted_at is not None:
                raise InvalidInputError(
                    f"The check configuration names the rule set {name!r}, which is not stored or was "
                    "deleted. Restore it, or remove it from the dataset."
                )
            for rule in converters.to_ruleset(record).rules:
                rules.setdefault(rule.name, rule)
        return replace(configuration, rules=tuple(rules.values()), rule_sets=())

    def save_checks(
        self,
        dataset: str,
        configuration: CheckConfiguration,
        *,
        actor: str | None = None,
        version: int | None = None,
    ) -> int:
        """Replace the check configuration of a dataset, and return the version of its settings.

        Args:
            dataset: The name of the dataset.
            configuration: What is set; an empty one to remove it.
            actor: The name in the audit log; by default the current actor.
            version: The version of the settings that the change is based on; by default the stored one.

        Raises:
            ConflictError: Somebody else changed the settings of the dataset since that version.
            InvalidInputError: The configuration has what a file could not say either.
        """
        from lavendertown.rules.check_configuration import CheckConfiguration

        values = configuration.to_dict()
        CheckConfiguration.from_dict(values, f"The check configuration of dataset {dataset!r}")
        return self.save(dataset, CHECKS, values, actor=actor, version=version)

    def load_row_key(self, dataset: str) -> list[str]:
        """Return the columns that identify a row of a dataset; empty if none are set.

        Raises:
            InvalidInputError: What is stored is not a list of names.
        """
        columns = self.load(dataset, ROW_KEY).get("columns", [])
        if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
            raise InvalidInputError(
                f"The row key stored for dataset {dataset!r} is not a list of columns. Choose it again when "
                "you save a report."
            )
        return columns

    def save_row_key(self, dataset: str, columns: Sequence[str], *, actor: str | None = None) -> int:
        """Set the columns that identify a row of a dataset, and return the version of its settings.

        Args:
            dataset: The name of the dataset.
            columns: The columns; empty to suggest them for each file.
            actor: The name in the audit log; by default the current actor.

        Raises:
            ConflictError: Somebody else changed the settings of the dataset at the same time.
        """
        return self.save(dataset, ROW_KEY, {"columns": list(columns)} if columns else {}, actor=actor)

    def save(
        self,
        dataset: str,
        part: str,
        values: Mapping[str, Any],
        *,
        actor: str | None = None,
        version: int | None = None,
    ) -> int:
        """Replace one part of a dataset's settings, and return their version; other parts stay.

        Args:
            dataset: The name of the dataset.
            part: The name of the part, such as ``reading``.
            values: The settings, as JSON values; empty to remove the part.
            actor: The name in the audit log; by default the current actor.
            version: The version of the settings that the change is based on; by default the stored one.

        Raises:
            ConflictError: Somebody else changed the settings of the dataset since, or at the same time.
            InvalidInputError: A value cannot be stored.
        """
        record_id = settings_record_id(dataset)
        stored = self._context.read_record(RecordKind.DATASET_SETTINGS, record_id)
        if not isinstance(stored, DatasetSettingsRecord):
            stored = DatasetSettingsRecord(record_id, {}, clock.EPOCH)
        parts = {name: value for name, value in stored.settings.items() if name != part}
        if values:
            parts[part] = json_codec.to_jsonable(dict(values), part)
        if parts == stored.settings:
            return stored.version
        based_on = stored.version if version is None else version
        change = SaveRecord(replace(stored, settings=parts), based_on, actor)
        return self._context.write_path.commit([change])[0].version


def settings_record_id(dataset: str) -> str:
    """Return the id of a dataset's settings: its name, encoded if records cannot have it as an id."""
    if validation.is_valid_id(dataset) and not dataset.startswith("%"):
        return dataset
    encoded = f"%{quote(dataset, safe='')}"
    if validation.is_valid_id(encoded):
        return encoded
    return f"%{hashlib.sha256(dataset.encode('utf-8')).hexdigest()}"


def dataset_of_settings(record_id: str) -> str:
    """Return the dataset that settings belong to, by their id, as the audit log has it.

    A dataset with a very long name is known only by the id itself.
    """
    return unquote(record_id[1:]) if record_id.startswith("%") else record_id
