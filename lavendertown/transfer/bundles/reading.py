"""Open a bundle, and check everything in it: it comes from another team, and is not trusted."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import tempfile
import zipfile
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from lavendertown.core import clock, json_codec, row_positions
from lavendertown.core.errors import DamagedRecordError, InvalidInputError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.fingerprints import is_legacy_id
from lavendertown.profile.evidence import Evidence
from lavendertown.records import validation
from lavendertown.records.fields import FIELDS
from lavendertown.records.json_records import merged_into_map
from lavendertown.records.record_classes import (
    KIND_BY_CLASS,
    EvidenceRecord,
    FindingRecord,
    IncidentRecord,
    Record,
    RecordKind,
    ReportRecord,
    TriageRecord,
)
from lavendertown.stores import zip_files
from lavendertown.stores.files.layout import Layout
from lavendertown.transfer.backups.archive import unpack_records
from lavendertown.transfer.bundles.content import BundleContent, FindingNames
from lavendertown.transfer.bundles.deletions import Deletion, read_deletions
from lavendertown.transfer.bundles.masking import require_maskable
from lavendertown.transfer.bundles.writing import BUNDLE_FORMAT, DELETIONS_FILE
from lavendertown.transfer.readers.folder_source import FolderSource
from lavendertown.transfer.readers.quarantine import Quarantine

_LAYOUT = Layout(Path())
_FOLDERS = frozenset(
    folder.name
    for folder in (
        _LAYOUT.reports_dir,
        _LAYOUT.annotations_dir,
        _LAYOUT.aliases_file.parent,
        _LAYOUT.flat_dir(RecordKind.TRIAGE),
        _LAYOUT.flat_dir(RecordKind.EVIDENCE),
        _LAYOUT.flat_dir(RecordKind.INCIDENT),
        DELETIONS_FILE.parent,
    )
)
_ZIP_SIGNATURE = b"PK\x03\x04"
_ZIP_ERRORS = (*zip_files.UNREADABLE_ZIP_ERRORS, ValueError, NotImplementedError)
_READABLE_FORMATS = (1, BUNDLE_FORMAT)
_BACKUP_KEYS = ("archive", "export", "format")
_CLOCK_TOLERANCE = dt.timedelta(minutes=10)
_MAX_POSITIONS = 10_000_000
_MAX_POSITION_BYTES = 100_000_000
_MAX_EVIDENCE_BYTES = 1_000_000
_MAX_VERSION = 2**30
"""A record at the highest version that can be stored could not be edited any more."""
_INCIDENT_ID = re.compile(r"incident-[0-9a-f]{12}")
"""An incident has the thread under its id, so that no other id may be one of a finding."""
_TIMES = ("created_at", "updated_at")


@dataclass(frozen=True)
class Bundle:
    """A bundle whose records were checked.

    Attributes:
        id: The same for the same content.
        name: The name of the file.
        content: The records.
    """

    id: str
    name: str
    content: BundleContent


def is_bundle(stream: BinaryIO, name: str) -> bool:
    """Return whether a file is a bundle, judged by its manifest.

    Args:
        stream: The file, which can be read from any position.
        name: The name of the file, for the error.

    Raises:
        InvalidInputError: The file is a backup or an export of a whole store, which is not merged.
    """
    stream.seek(0)
    signature = stream.read(len(_ZIP_SIGNATURE))
    stream.seek(0)
    if signature != _ZIP_SIGNATURE:
        return False
    try:
        with zipfile.ZipFile(stream) as zip_file:
            manifest = zip_files.read_manifest(zip_file)
    except _ZIP_ERRORS:
        # The readers of tables and results say what is wrong with the file.
        return False
    finally:
        stream.seek(0)
    if manifest is None or "tables" not in manifest:
        return False
    if "bundle" not in manifest and any(key in manifest for key in _BACKUP_KEYS):
        raise InvalidInputError(
            f"{name} is a backup of a whole store, not a bundle of reports; nothing was imported. Restore it "
            "with `lavendertown db restore`, or restore it into an empty store and copy that with "
            "`lavendertown migrate`."
        )
    return "bundle" in manifest


def open_bundle(stream: BinaryIO, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> Bundle:
    """Read a bundle and check it completely; nothing is written.

    Args:
        stream: The file, which can be read from any position.
        name: The name of the file.
        limits: The maximum size after unpacking.

    Raises:
        InvalidInputError: The file is damaged, of a newer format, or has a record that is invalid, belongs to
            no report of the bundle or is from the future.
        FileLimitError: The unpacked content is larger than the limit.
        StorageUnavailableError: There is not enough space for the unpacked records.
    """
    with contextlib.ExitStack() as opened:
        try:
            zip_file = opened.enter_context(zipfile.ZipFile(stream))
            manifest = zip_files.read_manifest(zip_file)
        except _ZIP_ERRORS as error:
            raise _invalid(name, str(error) or type(error).__name__) from error
        if manifest is None or "bundle" not in manifest:
            raise _invalid(name, "it has no manifest of a bundle")
        _check_format(name, manifest)
        limits.check_size(sum(entry.file_size for entry in zip_file.infolist()), name)
        scratch = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        problem = unpack_records(Path(name), zip_file, manifest, scratch, _FOLDERS)
        if problem is not None:
            raise _invalid(name, problem)
        content = _read_content(name, scratch)
    _check_content(name, content)
    digest = hashlib.sha256(json_codec.dumps(manifest["members"], sort_keys=True)).hexdigest()
    return Bundle(f"b-{digest[:16]}", name, content)


def _invalid(name: str, reason: str) -> InvalidInputError:
    return InvalidInputError(
        f"{name} is not a valid bundle ({reason.rstrip('.')}); nothing was imported. Export it again."
    )


def _check_format(name: str, manifest: Mapping[str, Any]) -> None:
    if manifest["bundle"] not in _READABLE_FORMATS:
        raise InvalidInputError(
            f"{name} has the bundle format {manifest['bundle']!r}; this version reads formats up to "
            f"{BUNDLE_FORMAT}. Nothing was imported. Update LavenderTown, then try again."
        )
    if "archive" in manifest or manifest.get("tables"):
        raise _invalid(name, "its manifest is that of a backup, too")


def _read_content(name: str, folder: Path) -> BundleContent:
    quarantine = Quarantine()
    source = FolderSource(folder, None, quarantine)
    reports = tuple(source.read_reports())
    aliases = dict(source.read_aliases())
    annotations = tuple(source.read_annotations())
    triage = tuple(source.read_flat_records(RecordKind.TRIAGE))
    evidence = tuple(source.read_flat_records(RecordKind.EVIDENCE))
    incidents = tuple(source.read_flat_records(RecordKind.INCIDENT))
    source.close()
    if quarantine.items:
        first = quarantine.items[0]
        raise _invalid(name, f"{first.item}: {first.reason.rstrip('.')}")
    return BundleContent(
        reports,
        tuple(each for each in evidence if isinstance(each, EvidenceRecord)),
        annotations,
        tuple(each for each in triage if isinstance(each, TriageRecord)),
        aliases,
        tuple(each for each in incidents if isinstance(each, IncidentRecord)),
        _read_deletions(name, folder / DELETIONS_FILE),
    )


def _read_deletions(name: str, path: Path) -> tuple[Deletion, ...]:
    if not path.exists():
        return ()
    try:
        return read_deletions(json_codec.loads(path.read_bytes()))
    except (ValueError, OverflowError, RecursionError) as error:
        raise _invalid(name, f"{DELETIONS_FILE}: {error}") from error


def _check_content(name: str, content: BundleContent) -> None:
    if not content.reports:
        raise _invalid(name, "it has no report")
    latest = clock.now() + _CLOCK_TOLERANCE
    for record in content.records():
        label = f"{KIND_BY_CLASS[type(record)].value} {record.id!r}"
        try:
            _check_record(record, latest)
        except (InvalidInputError, DamagedRecordError) as error:
            raise _invalid(name, f"{label}: {str(error).rstrip('.')}") from error
    try:
        require_maskable(content)
        _check_membership(content)
        _check_deletions(content, latest)
    except InvalidInputError as error:
        raise _invalid(name, str(error)) from error


def _check_record(record: Record, latest: dt.datetime) -> None:
    _check_depth(record)
    validation.validate_record(record)
    for message in validation.find_violations(record).values():
        raise InvalidInputError(message)
    for each in FIELDS[type(record)]:
        if each.name in _TIMES and getattr(record, each.name) > latest:
            raise InvalidInputError(f"its {each.name} is in the future")
    if record.version > _MAX_VERSION:
        raise InvalidInputError(f"its version is {record.version:,}, more than any record has")
    if record.deleted_at is not None:
        raise InvalidInputError("it is deleted")
    if isinstance(record, ReportRecord):
        for finding in record.findings:
            validation.check_id(finding.fingerprint, "finding id")
            _check_rows(finding)
    if isinstance(record, EvidenceRecord):
        _check_evidence(record)


def _check_depth(record: Record) -> None:
    """Refuse values that can be read, but not be written again."""
    values: list[Any] = []
    if isinstance(record, ReportRecord):
        values = [record.metadata, record.ruleset, *(finding.metadata for finding in record.findings)]
    elif isinstance(record, EvidenceRecord):
        values = [record.content]
    try:
        json_codec.dumps(values)
    except TypeError as error:
        raise InvalidInputError("its values are nested too deeply") from error


def _check_rows(finding: FindingRecord) -> None:
    """Refuse row positions that unpack to more than any report has."""
    if finding.rows is None:
        return
    if finding.rows[1:2] == b"Z":
        try:
            size = zstandard.get_frame_parameters(finding.rows[2:]).content_size
        except zstandard.ZstdError as error:
            raise InvalidInputError(f"its row positions cannot be read: {error}") from error
        if size > _MAX_POSITION_BYTES:
            raise InvalidInputError("its row positions unpack to more than any report has")
    try:
        count = row_positions.count_positions(finding.rows)
    except TypeError as error:
        raise InvalidInputError("its row positions are not a list") from error
    if count > _MAX_POSITIONS:
        raise InvalidInputError(f"it has {count:,} row positions; at most {_MAX_POSITIONS:,} are allowed")


def _check_evidence(record: EvidenceRecord) -> None:
    size = len(json_codec.dumps(record.content))
    if size > _MAX_EVIDENCE_BYTES:
        raise InvalidInputError(f"it has {size:,} bytes; at most {_MAX_EVIDENCE_BYTES:,} are allowed")
    try:
        Evidence.from_dict(record.content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"it cannot be read: {error}") from error


def _check_membership(content: BundleContent) -> None:
    """Refuse records that do not belong to the reports, so that a bundle changes nothing else."""
    names = FindingNames(content.aliases, merged_into_map(content.triage)).names_of(content.fingerprints())
    for old, new in content.aliases.items():
        if not is_legacy_id(old) or old in content.fingerprints() or new not in names:
            raise InvalidInputError(f"the alias {old!r} leads to no finding of its reports")
    for incident in content.incidents:
        if not _INCIDENT_ID.fullmatch(incident.id):
            raise InvalidInputError(f"incident {incident.id!r} has the id of another record")
        if names.isdisjoint(incident.members):
            raise InvalidInputError(f"incident {incident.id!r} belongs to none of its findings")
    threads = names | content.incident_ids()
    _require_members(threads, "annotation", {each.id: each.finding_id for each in content.annotations})
    deleted = [each for each in content.deletions if each.kind is RecordKind.ANNOTATION]
    _require_members(threads, "annotation", {each.id: each.belongs_to for each in deleted})
    _require_members(names, "finding", {each.id: each.id for each in content.triage})
    merges = {each.id: each.merged_into for each in content.triage if each.merged_into}
    _require_members(names, "finding", merges)
    report_ids = {report.id for report in content.reports}
    for each in content.evidence:
        if each.id not in report_ids:
            raise InvalidInputError(f"evidence {each.id!r} belongs to none of its reports")


def _check_deletions(content: BundleContent, latest: dt.datetime) -> None:
    live = {(KIND_BY_CLASS[type(record)], record.id) for record in content.records()}
    datasets = content.datasets()
    if len({each.key for each in content.deletions}) < len(content.deletions):
        raise InvalidInputError("a record is deleted twice")
    for each in content.deletions:
        label = f"the deleted {each.kind} {each.id!r}"
        validation.check_id(each.id, f"{each.kind} id")
        if each.deleted_at > latest:
            raise InvalidInputError(f"{label}: its deleted_at is in the future")
        if each.kind is RecordKind.REPORT and each.belongs_to not in datasets:
            raise InvalidInputError(f"{label} belongs to none of its datasets")
        if each.key in live:
            raise InvalidInputError(f"{label} is in the bundle, too")


def _require_members(names: Set[str], noun: str, findings: Mapping[str, str]) -> None:
    for record_id, finding_id in findings.items():
        if finding_id not in names:
            raise InvalidInputError(f"{noun} {record_id!r} belongs to none of its findings")
