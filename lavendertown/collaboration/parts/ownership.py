"""Assign new findings to their owners, in the unit of work that saves the report in which they appear."""

from __future__ import annotations

from collections.abc import Iterable

from lavendertown.collaboration.parts.context import StorageContext
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR
from lavendertown.core import clock
from lavendertown.core.owner_rules import OwnerRule, find_owner_rule, parse_owner_rule
from lavendertown.core.settings import Settings
from lavendertown.records import validation
from lavendertown.records.record_classes import ReportRecord, TriageRecord
from lavendertown.records.write_path import Change, SaveRecord


def assign_by_owner_rules(
    context: StorageContext, settings: Settings, changes: Iterable[Change]
) -> list[SaveRecord]:
    """Return the assignments by the owner rules of the settings, to be committed with these changes.

    A finding is new if no live report has it. The first rule that matches assigns it, unless it has any
    triage already: an assignment never replaces what a person decided, nor an earlier assignment.

    Args:
        context: The storage.
        settings: The settings with the rules.
        changes: The changes that save the reports.
    """
    rules = [parse_owner_rule(text) for text in settings.triage_owners]
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
