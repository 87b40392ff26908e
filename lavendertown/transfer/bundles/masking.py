"""Mask the records of a bundle: the settings of the importing team decide which values are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.settings import Settings, load_settings
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.masking import prepare_coverage, prepare_evidence, prepare_findings
from lavendertown.records.record_classes import EvidenceRecord, FindingRecord, ReportRecord
from lavendertown.transfer.bundles.content import BundleContent


def mask_content(content: BundleContent, settings: Settings) -> BundleContent:
    """Return the records as the settings allow them to be stored; findings keep their ids."""
    if settings.evidence_samples and not settings.evidence_mask:
        return content
    return replace(
        content,
        reports=tuple(_mask_report(each, settings) for each in content.reports),
        evidence=tuple(_mask_evidence(each, settings) for each in content.evidence),
    )


def require_maskable(content: BundleContent) -> None:
    """Refuse records in which the values of a column could not be masked.

    Raises:
        InvalidInputError: A column or a sentence about one is not text, or samples are not as expected.
    """
    try:
        mask_content(content, replace(load_settings(), evidence_mask=("*",)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"its columns or samples cannot be read: {error}") from error


def _mask_report(report: ReportRecord, settings: Settings) -> ReportRecord:
    metadata = report.metadata
    coverage = metadata.get("coverage")
    if isinstance(coverage, Mapping) and "guesses" in coverage:
        metadata = {**metadata, "coverage": prepare_coverage(coverage, settings)}
    findings = tuple(_mask_finding(each, settings) for each in report.findings)
    return replace(report, findings=findings, metadata=metadata)


def _mask_finding(record: FindingRecord, settings: Settings) -> FindingRecord:
    finding = GhostFinding(
        record.ghost_type,
        record.column,
        record.severity,
        record.description,
        metadata=dict(record.metadata),
    )
    (masked,) = prepare_findings([finding], settings)
    return record._replace(
        description=masked.description, metadata=json_codec.to_jsonable(masked.metadata, "metadata")
    )


def _mask_evidence(record: EvidenceRecord, settings: Settings) -> EvidenceRecord:
    content = prepare_evidence(Evidence.from_dict(record.content), settings).to_dict()
    return replace(record, content=content, size=len(json_codec.dumps(content)))
