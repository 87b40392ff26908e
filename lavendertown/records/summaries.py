"""Build the summaries of records: their own fields as plain JSON, without findings, rows and rules.

The audit log stores them, and the write path compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from lavendertown.core.findings import SEVERITIES
from lavendertown.records.fields import Field, attribute_getter, summary_fields
from lavendertown.records.record_classes import Record, ReportRecord, RuleSetRecord


def summarize_record(record: Record) -> dict[str, Any]:
    """Return the summary of a record."""
    record_class: type = type(record)
    fields, read = _summary_fields_and_getter(record_class)
    return summarize_values(fields, read(record), _summary_counts(record))


def summarize_values(
    fields: Sequence[Field], values: Sequence[Any], counts: Mapping[str, int]
) -> dict[str, Any]:
    """Return the summary with these values.

    Args:
        fields: The fields of the summary.
        values: The values of the fields, in the same order.
        counts: The counts of findings or rules, which are inserted before the version.
    """
    summary: dict[str, Any] = {}
    for each, value in zip(fields, values, strict=True):
        if each.name == "version":
            summary |= counts
        if not each.is_omitted(value):
            to_json = each.kind.to_json
            summary[each.summary_key] = value if to_json is None else to_json(value)
    return summary


def count_severities(report: ReportRecord) -> dict[str, int]:
    """Return the number of a report's findings for each severity."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in report.findings:
        counts[finding.severity] += 1
    return counts


def _summary_counts(record: Record) -> dict[str, int]:
    if isinstance(record, ReportRecord):
        by_severity = {f"{name}_count": count for name, count in count_severities(record).items()}
        return {"finding_count": len(record.findings), **by_severity}
    return {"rule_count": len(record.rules)} if isinstance(record, RuleSetRecord) else {}


@cache
def _summary_fields_and_getter(
    record_class: type,
) -> tuple[tuple[Field, ...], Callable[[Any], tuple[Any, ...]]]:
    fields = summary_fields(record_class)
    return fields, attribute_getter(fields)
