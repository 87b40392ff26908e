"""Owner rules: those of the settings and those of the team, and the assignments that they make.

New findings are assigned in the unit of work that saves the report in which they appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.dataset_settings import DatasetSettings
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR
from lavendertown.core import clock
from lavendertown.core.errors import ConfigurationError, InvalidInputError
from lavendertown.core.owner_rules import OwnerRule, create_owner_rule, find_owner_rule, parse_owner_rule
from lavendertown.core.settings import Settings, load_settings
from lavendertown.records import validation
from lavendertown.records.record_classes import ReportRecord, TriageRecord
from lavendertown.records.write_path import Change, SaveRecord

TEAM = "team:owners"
"""The name of the settings that have the owner rules of the team; no dataset is called so."""
OWNER_RULES = "owner_rules"
"""The part of these settings."""
MAX_RULES = 1_000
_KEY = "rules"


class OwnerRules(StoragePart):
    """The owner rules of a storage: those of the settings, which come first, then those of the team.

    The rules of the settings are read only here. The first rule that matches counts.
    """

    def __init__(self, context: StorageContext, dataset_settings: DatasetSettings) -> None:
        super().__init__(context)
        self._dataset_settings = dataset_settings

    def list_configured(self) -> list[OwnerRule]:
        """Return the rules of the settings."""
        return list(map(parse_owner_rule, load_settings().triage_owners))

    def list_stored(self) -> list[OwnerRule]:
        """Return the rules of the team.

        Raises:
            InvalidInputError: What is stored is not possible.
        """
        stored = self._dataset_settings.load(TEAM, OWNER_RULES).get(_KEY, [])
        try:
            return [parse_owner_rule(str(text)) for text in stored]
        except ConfigurationError as error:
            raise InvalidInputError(f"The stored owner rules cannot be used. {error}") from error

    def list_all(self) -> list[OwnerRule]:
        """Return all rules in the order in which they apply; errors as in :meth:`list_stored`."""
        return [*self.list_configured(), *self.list_stored()]

    def read_version(self) -> int:
        """Return the version of the rules of the team; 0 if there were never any."""
        return self._dataset_settings.read_version(TEAM)

    def save(
        self, rules: Sequence[OwnerRule], *, actor: str | None = None, version: int | None = None
    ) -> int:
        """Replace the rules of the team, and return their version.

        Args:
            rules: The rules in the order in which they apply.
            actor: The name in the audit log; by default the current actor.
            version: The version that the change is based on; by default the stored one.

        Raises:
            InvalidInputError: A rule has no pattern or no person, or there are too many.
            ConflictError: Somebody else changed the rules since that version.
        """
        if len(rules) > MAX_RULES:
            raise InvalidInputError(f"There are {len(rules):,} owner rules; the limit is {MAX_RULES:,}.")
        texts = [str(create_owner_rule(rule.dataset, rule.column, rule.owner)) for rule in rules]
        values = {_KEY: texts} if texts else {}
        return self._dataset_settings.save(TEAM, OWNER_RULES, values, actor=actor, version=version)


def assign_by_owner_rules(
    context: StorageContext, settings: Settings, changes: Iterable[Change]
) -> list[SaveRecord]:
    """Return the assignments by the owner rules, to be committed with these changes.

    A finding is new if no live report has it. The first rule that matches assigns it, unless it has any
    triage already: an assignment never replaces what a person decided, nor an earlier assignment.

    Args:
        context: The storage.
        settings: The settings, whose rules come before those of the team.
        changes: The changes that save the reports.
    """
    stored = OwnerRules(context, DatasetSettings(context)).list_stored()
    rules = [*map(parse_owner_rule, settings.triage_owners), *stored]
    if not rules:
        return []
    owners: dict[str, OwnerRule] = {}
    for change in changes:
        if isinstance(change, SaveRecord) and isinstance(change.record, ReportRecord):
            for finding in change.record.findings:
                rule = find_owner_rule(rules, finding.dataset, finding.column)
                if rule is not None and validation.is_valid_id(finding.fingerprint):
                    owners.setdefault(finding.fingerprint, rule)
    if not owners:
        return []
    known = {identity.finding_id for identity in context.store.read_identities(sorted(owners))}
    known |= context.store.aliases().keys()
    return [
        SaveRecord(
            TriageRecord(name, clock.EPOCH, assignee=rule.owner, owner_rule=rule.patterns),
            actor=AUTOMATIC_ACTOR,
            only_if_missing=True,
        )
        for name, rule in owners.items()
        if name not in known
    ]
