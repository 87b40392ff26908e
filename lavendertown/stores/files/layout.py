"""The paths in a data folder, and the file names for ids."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lavendertown.records.record_classes import RecordKind

_FLAT_DIRS = {
    RecordKind.TRIAGE: "triage",
    RecordKind.PERSON: "people",
    RecordKind.VIEW: "views",
    RecordKind.DATASET_SETTINGS: "datasets",
    RecordKind.EVIDENCE: "evidence",
    RecordKind.INCIDENT: "incidents",
    RecordKind.WORKLIST: "worklists",
    RecordKind.NOTIFICATION: "notifications",
    RecordKind.CHANNEL: "channels",
}
_SAFE_CHARACTERS = " !#$&'()+,-.;=@[]^_`{}~"
_MAX_LENGTH = 240


@dataclass(frozen=True)
class Layout:
    """The paths of one data folder."""

    root: Path

    @property
    def reports_dir(self) -> Path:
        """The folder of reports, one file per report."""
        return self.root / "reports"

    @property
    def annotations_dir(self) -> Path:
        """The folder of threads, one file per finding with its annotations, oldest first."""
        return self.root / "annotations"

    @property
    def rulesets_dir(self) -> Path:
        """The folder of rule sets, one file per rule set."""
        return self.root / "rulesets"

    @property
    def old_rulesets_dir(self) -> Path:
        """The folder in which version 0.7 stored shared rule sets; only read."""
        return self.root / "shared_rulesets"

    def flat_dir(self, kind: RecordKind) -> Path:
        """Return the folder of a flat kind, one file per record."""
        return self.root / _FLAT_DIRS[kind]

    @property
    def record_dirs(self) -> tuple[Path, ...]:
        """The folders with all records of a store."""
        folders = (
            self.reports_dir,
            self.annotations_dir,
            self.rulesets_dir,
            self.old_rulesets_dir,
            self.aliases_file.parent,
        )
        return *folders, self.migrations_dir, self.audit_dir, *map(self.flat_dir, _FLAT_DIRS)

    @property
    def aliases_file(self) -> Path:
        """The file of older finding ids with their current ids."""
        return self.root / "identities" / "aliases.json"

    @property
    def migrations_dir(self) -> Path:
        """The folder of migrations into this store, one file per migration."""
        return self.root / "moves"

    @property
    def audit_dir(self) -> Path:
        """The folder of the audit log, one file per month with one line per event."""
        return self.root / "audit"

    @property
    def journal_dir(self) -> Path:
        """The folder of staged files and the intent file that commits them."""
        return self.root / ".journal"

    @property
    def lock_file(self) -> Path:
        """The file that writers lock."""
        return self.root / ".lock"

    def report_file(self, report_id: str) -> Path:
        """Return the path of a report's file."""
        return self.reports_dir / file_name(report_id)

    def thread_file(self, finding_id: str) -> Path:
        """Return the path of a finding's thread file."""
        return self.annotations_dir / file_name(finding_id)

    def ruleset_file(self, name: str) -> Path:
        """Return the path of a rule set's file."""
        return self.rulesets_dir / file_name(name)

    def migration_file(self, migration_id: str) -> Path:
        """Return the path of a migration's file."""
        return self.migrations_dir / file_name(migration_id)

    def audit_file(self, at: dt.datetime) -> Path:
        """Return the path of the audit file for the month of this time."""
        return self.audit_dir / f"{at:%Y-%m}.jsonl"


def file_name(record_id: str) -> str:
    """Return the file name for a valid id; different ids have different file names.

    Characters other than ASCII letters, digits and some punctuation are percent-encoded. A name that would
    be too long for a file system is shortened and ends with a hash of the id.
    """
    name = quote(record_id, safe=_SAFE_CHARACTERS)
    if len(name) > _MAX_LENGTH:
        digest = hashlib.sha256(record_id.encode("utf-8")).hexdigest()[:32]
        name = f"{name[: _MAX_LENGTH - 33]}~{digest}"
    return f"{name}.json"
