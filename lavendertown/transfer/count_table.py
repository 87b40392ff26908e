"""Add up the counts of a migration: each record of the source is in exactly one column."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import astuple, dataclass
from pathlib import Path

from lavendertown.records.record_classes import FLAT_RECORD_CLASSES, RecordKind
from lavendertown.stores.files.layout import Layout
from lavendertown.transfer.values import COUNT_NAME_BY_KIND, COUNT_NAMES, MigrationOutcome, QuarantinedItem

OTHER = "other"
"""The name of the row of quarantined files that belong to no kind of record."""
_FINDINGS = "findings"
_ANNOTATION_IN_FILE = re.compile(r" annotation \d+$")


@dataclass(frozen=True, slots=True)
class CountRow:
    """The records of one kind; ``source`` is the sum of the other columns.

    Attributes:
        source: Records in the source; an unreadable file counts as one.
        written: Records added to the target or overwritten there; in a dry run, records to add.
        skipped: Records that the target already has.
        kept: Conflicts in which the target keeps its record; in a dry run, all conflicts.
        quarantined: Unreadable or invalid items.
    """

    source: int
    written: int
    skipped: int
    kept: int
    quarantined: int


def count_rows(outcome: MigrationOutcome) -> dict[str, CountRow]:
    """Return a row for each of the main kinds, and for others with records or quarantined items."""
    quarantined = Counter(kind_of_item(item) for item in outcome.quarantined)
    shown = {*outcome.shown_counts, *quarantined}
    rows = {}
    for name in (name for name in COUNT_NAMES if name in shown):
        count, unreadable = outcome.counts[name], quarantined[name]
        # An overwritten record is counted both as written and as a conflict.
        kept = count.read - count.written - count.skipped
        rows[name] = CountRow(count.read + unreadable, count.written, count.skipped, kept, unreadable)
    if quarantined[OTHER]:
        rows[OTHER] = CountRow(quarantined[OTHER], 0, 0, 0, quarantined[OTHER])
    return rows


def total_row(outcome: MigrationOutcome) -> CountRow:
    """Return the sum of all rows except that of the findings, which are parts of reports."""
    rows = [astuple(row) for name, row in count_rows(outcome).items() if name != _FINDINGS]
    return CountRow(*map(sum, zip(*rows, strict=True)))


def kind_of_item(item: QuarantinedItem) -> str:
    """Return the name of the count that a quarantined item belongs to; ``OTHER`` for none."""
    if _ANNOTATION_IN_FILE.search(item.item):
        return COUNT_NAME_BY_KIND[RecordKind.ANNOTATION]
    return next((kind for start, kind in _KIND_BY_PREFIX.items() if item.item.startswith(start)), OTHER)


def _prefixes() -> dict[str, str]:
    """Return the beginnings of the names of items: folders of files, and kinds of records."""
    layout = Layout(Path())
    folders = {
        layout.reports_dir: RecordKind.REPORT,
        layout.annotations_dir: RecordKind.ANNOTATION,
        layout.rulesets_dir: RecordKind.RULESET,
        layout.old_rulesets_dir: RecordKind.RULESET,
        **{layout.flat_dir(kind): kind for kind in FLAT_RECORD_CLASSES},
    }
    prefixes = {f"{folder.name}/": COUNT_NAME_BY_KIND[kind] for folder, kind in folders.items()}
    prefixes |= {f"{kind.value} ": name for kind, name in COUNT_NAME_BY_KIND.items()}
    return prefixes | {"rule set ": "rulesets", f"{layout.audit_dir.name}/": "events"}


_KIND_BY_PREFIX = _prefixes()
