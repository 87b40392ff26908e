"""Shortcuts on the configured storage: annotate, share, export and import."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id, get_storage_backend
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import InvalidInputError, NotFoundError, StorageUnavailableError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.settings import load_settings
from lavendertown.profile.evidence import Evidence
from lavendertown.records.validation import check_id
from lavendertown.rules.models import RuleSet


@contextmanager
def _open_storage() -> Iterator[Storage]:
    storage = get_storage_backend()
    try:
        yield storage
    finally:
        storage.close()


def add_annotation(
    finding: GhostFinding,
    author: str,
    comment: str,
    tags: list[str] | None = None,
    status: str | None = None,
) -> Annotation:
    """Save an annotation on a finding: a comment, with optional tags and a status.

    The dataset of the finding is ``metadata["dataset"]``; creating or loading a report fills it in.

    Raises:
        InvalidInputError: The status or a tag cannot be stored, the annotation is empty, or the status
            closes the finding and there is no comment.
    """
    annotation = Annotation(
        id=str(uuid.uuid4()),
        finding_id=get_finding_id(finding),
        author=author,
        timestamp=clock.now(),
        comment=comment,
        tags=list(tags or []),
        status=status,
    )
    with _open_storage() as storage:
        storage.save_annotation(annotation)
    return annotation


def get_annotations(finding: GhostFinding) -> list[Annotation]:
    """Return the live annotations on a finding, oldest first."""
    with _open_storage() as storage:
        return storage.get_annotations(get_finding_id(finding))


def create_shareable_report(
    title: str,
    author: str,
    findings: list[GhostFinding],
    annotations: list[Annotation] | None = None,
    ruleset: RuleSet | None = None,
    metadata: dict[str, Any] | None = None,
) -> ShareableReport:
    """Create a report with a new id and the current time, without saving it."""
    return ShareableReport(
        id=str(uuid.uuid4()),
        title=title,
        author=author,
        created_at=clock.now(),
        findings=findings,
        annotations=list(annotations or []),
        ruleset=ruleset,
        metadata=dict(metadata or {}),
    )


def export_report(
    report: ShareableReport, filepath: str | Path | None = None, evidence: Evidence | None = None
) -> Path:
    """Write a report to a JSON file and return its path.

    Args:
        report: The report.
        filepath: The file; by default ``exports/<report id>.json`` in the data folder.
        evidence: The evidence of the report, from ``storage.reports.load_evidence``.

    Raises:
        InvalidInputError: A value cannot be written as JSON.
        StorageUnavailableError: The file cannot be written.
    """
    path = Path(filepath) if filepath is not None else _export_path(report)
    data = json_codec.dumps(json_codec.to_jsonable(report_to_export(report, evidence), "report"), indent=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        raise StorageUnavailableError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def import_report(filepath: str | Path) -> ShareableReport:
    """Read a report from a JSON file, also one of version 0.7, without saving it.

    Raises:
        NotFoundError: There is no such file.
        InvalidInputError: The file does not contain a report.
        StorageUnavailableError: The file cannot be read.
    """
    path = Path(filepath)
    try:
        data = json_codec.loads_lenient(path.read_bytes())
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
    except OSError as error:
        raise StorageUnavailableError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInputError(f"{path} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise InvalidInputError(f"{path} does not contain a report.")
    try:
        return ShareableReport.from_dict(data)
    except InvalidInputError as error:
        raise InvalidInputError(f"{path} does not contain a complete report: {error}") from error
    except (TypeError, AttributeError, KeyError) as error:
        raise InvalidInputError(f"{path} does not contain a complete report: {error}.") from error


def report_to_export(report: ShareableReport, evidence: Evidence | None = None) -> dict[str, Any]:
    """Return the report as a dictionary with all times in UTC, and its evidence."""
    data = report.to_dict()
    data["created_at"] = clock.to_utc(report.created_at).isoformat()
    for written, annotation in zip(data["annotations"], report.annotations, strict=True):
        written["timestamp"] = clock.to_utc(annotation.timestamp).isoformat()
    return data | ({"evidence": evidence.to_dict()} if evidence is not None else {})


def _export_path(report: ShareableReport) -> Path:
    return load_settings().data_dir / "exports" / f"{check_id(report.id, 'report id')}.json"
