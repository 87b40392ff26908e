"""Build the searched texts of records, and fold them and the search terms.

A record matches a term if its folded text contains the folded term. A separator between the parts of a text
prevents a term from matching across two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from lavendertown.records.fields import Field, attribute_getter, searched_fields
from lavendertown.records.record_classes import AnnotationRecord, FindingRecord, ReportRecord, RuleSetRecord

SEPARATOR = "\x1f"


def fold_text(text: str) -> str:
    """Return a text or a search term in the form in which they are compared."""
    return text.casefold()


def report_text(report: ReportRecord) -> str:
    """Return the searched text of a report: its searched fields and the descriptions of its findings."""
    own_texts = _searched_texts(ReportRecord, report)
    return join_texts((*own_texts, *(finding.description for finding in report.findings)))


def finding_text(finding: FindingRecord) -> str:
    """Return the searched text of a finding in a report."""
    return join_texts(_searched_texts(FindingRecord, finding))


def identity_text(description: str, column: str, dataset: str) -> str:
    """Return the searched text of a finding over all reports."""
    return join_texts((description, column, dataset))


def annotation_text(annotation: AnnotationRecord) -> str:
    """Return the searched text of an annotation."""
    return join_texts(_searched_texts(AnnotationRecord, annotation))


def ruleset_text(ruleset: RuleSetRecord) -> str:
    """Return the searched text of a rule set."""
    return join_texts(_searched_texts(RuleSetRecord, ruleset))


def join_texts(parts: Iterable[str]) -> str:
    """Join texts to one folded text in which no term matches across two of them."""
    return fold_text(SEPARATOR.join(parts))


def _searched_texts(record_class: type, record: Any) -> Sequence[str]:
    read, added_later = _searched_getter(record_class)
    texts = read(record)
    if not added_later:
        return texts
    added = ((each, getattr(record, each.name)) for each in added_later)
    return (*texts, *(str(value) for each, value in added if not each.is_omitted(value)))


@cache
def _searched_getter(record_class: type) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[Field, ...]]:
    declared = searched_fields(record_class)
    original = tuple(each for each in declared if not each.added_later)
    return attribute_getter(original), tuple(each for each in declared if each.added_later)
