"""Mask columns: remove the values of columns whose names match a pattern, before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from lavendertown.core import json_codec
from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.core.fingerprints import KEPT_FINGERPRINT, compute_fingerprint
from lavendertown.core.settings import Settings
from lavendertown.profile.evidence import Evidence, FindingSamples, remove_values

MASKED_VALUE = "•••"
_REPETITION = re.compile(r" \(\d+\)$")
_KEY = re.compile(r'"((?:[^"\\]|\\.){1,200})"\s*:')
_SAMPLE_METADATA = frozenset(
    ("samples", "spellings", "placeholders", "picture", "baseline_value", "current_value")
)
_KEPT_METADATA = frozenset(
    {
        *("check", "params", "check_id", "dataset", "count", "share", "total_count", "rows_truncated"),
        *("rule_name", "rule_type", "columns", "settings", "violation_count"),
        *("null_count", "duplicate_count", "infinite_count", "near_empty", "fault", "expected"),
        *("related", "drift_type", "change_type", "compared_to", "psi", "js_distance", "effect"),
    }
)
"""Metadata of a finding that has no value of the table."""


def is_masked(column: str, patterns: Iterable[str]) -> bool:
    """Return whether a column name matches one of the patterns, such as ``*_name``; case does not matter.

    The names of several columns, joined by commas, match if one of them does. A repeated column such as
    ``email (2)`` has the name of the first; a field such as ``person.email`` matches by each of its parts. A
    column of lists or objects is masked by their keys, too, see :func:`mask_evidence`.
    """
    names = {column.casefold(), *column.casefold().split(", ")}
    names |= {_REPETITION.sub("", name) for name in names}
    names |= {part for name in names for part in name.split(".")}
    return any(fnmatchcase(name, pattern.casefold()) for pattern in patterns for name in names)


def prepare_evidence(evidence: Evidence, settings: Settings) -> Evidence:
    """Return the evidence as it may be stored: masked, limited in size, without values if they are off."""
    allowed = evidence if settings.evidence_samples else evidence.without_samples()
    return mask_evidence(allowed, settings.evidence_mask).limited()


def mask_evidence(evidence: Evidence, patterns: Sequence[str]) -> Evidence:
    """Return the evidence without the values of masked columns, and of lists or objects with a masked key.

    Frequent values of samples that name no column are removed with any pattern: they may be of a masked one.
    """
    if not patterns:
        return evidence
    masked = find_masked_columns(evidence, patterns)
    return replace(
        evidence,
        columns=[
            remove_values(profile, masked=True) if profile.name in masked else profile
            for profile in evidence.columns
        ],
        samples={name: _mask_samples(samples, masked) for name, samples in evidence.samples.items()},
    )


def find_masked_columns(evidence: Evidence, patterns: Sequence[str]) -> set[str]:
    """Return the columns that are masked by their name, or by a key in their lists or objects."""
    if not patterns:
        return set()
    return {
        name
        for name, value in _named_values(evidence)
        if is_masked(name, patterns) or _has_masked_key(value, patterns)
    }


def _named_values(evidence: Evidence) -> Iterator[tuple[str, object]]:
    """Yield the columns with their values; each column at least once."""
    for profile in evidence.columns:
        yield profile.name, None
        yield from ((profile.name, each.value) for each in profile.top)
    for samples in evidence.samples.values():
        yield samples.column, None
        yield from ((samples.column, each.value) for each in samples.frequent)
        for row in samples.rows:
            yield from row.values.items()


def _has_masked_key(value: object, patterns: Sequence[str]) -> bool:
    """Return whether a value is or has a list or object, written as JSON, with a masked key."""
    if not isinstance(value, str) or '"' not in value:
        return False
    return any(is_masked(key, patterns) for key in _KEY.findall(value))


def mask_value(column: str, value: Any, patterns: Sequence[str]) -> Any:
    """Return a value as it may be stored: masked by the name of its column, or by keys in the value."""
    is_hidden = is_masked(column, patterns) or _has_masked_key(value, patterns)
    return MASKED_VALUE if is_hidden and value is not None else value


def _mask_samples(samples: FindingSamples, masked: set[str]) -> FindingSamples:
    rows = [
        replace(
            row,
            values={
                name: MASKED_VALUE if name in masked and value is not None else value
                for name, value in row.values.items()
            },
        )
        for row in samples.rows
    ]
    is_hidden = not samples.column or samples.column in masked
    return replace(samples, rows=rows, frequent=[] if is_hidden else samples.frequent)


def mask_finding(finding: GhostFinding, patterns: Sequence[str]) -> GhostFinding:
    """Return a finding whose description and metadata have no value of a masked column.

    The finding keeps its id: without a check the id depends on the description, so it is kept in the
    metadata.
    """
    explained_by = finding.metadata.get("explained_by")
    if isinstance(explained_by, Mapping) and is_masked(str(explained_by.get("column")), patterns):
        finding = replace(
            finding,
            description=finding.description.replace(str(explained_by.get("sentence", "")), ""),
            metadata={k: v for k, v in finding.metadata.items() if k != "explained_by"},
        )
    is_named = any(is_masked(column, patterns) for column in finding_columns(finding))
    texts = (finding.description, *json_codec.iterate_texts(finding.metadata))
    if not is_named and not any(_has_masked_key(text, patterns) for text in texts):
        return finding
    metadata: dict[str, Any] = {
        name: value for name, value in finding.metadata.items() if name in _KEPT_METADATA
    }
    if not (metadata.get("check_id") or metadata.get("check")):
        metadata[KEPT_FINGERPRINT] = compute_fingerprint(finding)
    count = metadata.get("count")
    rows = "some rows" if not isinstance(count, int) else f"{count:,} {'row' if count == 1 else 'rows'}"
    check = str(metadata.get("check", finding.ghost_type)).replace("_", " ")
    description = f"'{finding.column}': the check '{check}' found {rows}; the values are masked."
    return replace(finding, description=description, metadata=metadata)


def prepare_findings(findings: Iterable[GhostFinding], settings: Settings) -> list[GhostFinding]:
    """Return the findings as they may be stored: masked, without sample values if they are off."""
    masked = [mask_finding(finding, settings.evidence_mask) for finding in findings]
    return masked if settings.evidence_samples else [remove_samples(finding) for finding in masked]


def prepare_coverage(coverage: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the coverage of an inspection as it may be stored, see
    :meth:`lavendertown.inspector.Inspector.coverage`."""
    guesses = mask_sentences(coverage["guesses"], coverage["column_names"], settings.evidence_mask)
    return {**coverage, "guesses": guesses}


def remove_samples(finding: GhostFinding) -> GhostFinding:
    """Return a finding without sample values in its metadata."""
    metadata = {name: value for name, value in finding.metadata.items() if name not in _SAMPLE_METADATA}
    return replace(finding, metadata=metadata)


def mask_sentences(sentences: Iterable[str], columns: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Return the sentences that name no masked column: they may also quote its values."""
    masked = [re.escape(name) for name in columns if is_masked(name, patterns)]
    if not masked:
        return list(sentences)
    named = re.compile(rf"(?<!\w)(?:{'|'.join(masked)})(?!\w)")
    return [sentence for sentence in sentences if not named.search(sentence)]
