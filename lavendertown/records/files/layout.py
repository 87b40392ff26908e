"""Where things lie in a data folder, and how an id becomes a file name."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from lavendertown.records.values import Kind

_PLAIN = {Kind.TRIAGE: "triage", Kind.PERSON: "people", Kind.VIEW: "views"}
_SAFE = " !#$&'()+,-.;=@[]^_`{}~"
_LONGEST = 240


@dataclass(frozen=True)
class Layout:
    """The paths of one data folder."""

    root: Path

    @property
    def reports(self) -> Path:
        """One file a report."""
        return self.root / "reports"

    @property
    def annotations(self) -> Path:
        """One file a finding: the list of its annotations, oldest first."""
        return self.root / "annotations"

    @property
    def rulesets(self) -> Path:
        """One file a rule set."""
        return self.root / "rulesets"

    @property
    def old_rulesets(self) -> Path:
        """Where 0.7 kept shared rule sets; only read."""
        return self.root / "shared_rulesets"

    def plain(self, kind: Kind) -> Path:
        """One file a record of this flat kind."""
        return self.root / _PLAIN[kind]

    @property
    def aliases(self) -> Path:
        """One file: older ids of findings, and the ids they have today."""
        return self.root / "identities" / "aliases.json"

    @property
    def moves(self) -> Path:
        """One file a move into this store."""
        return self.root / "moves"

    @property
    def audit(self) -> Path:
        """One file a month, a line an event."""
        return self.root / "audit"

    @property
    def journal(self) -> Path:
        """Files on their way, and the intent that commits them."""
        return self.root / ".journal"

    @property
    def lock(self) -> Path:
        """Held by whoever writes."""
        return self.root / ".lock"

    def report(self, report_id: str) -> Path:
        """Return the path of a report's file."""
        return self.reports / file_name(report_id)

    def thread(self, finding_id: str) -> Path:
        """Return the path of the file of a finding's annotations."""
        return self.annotations / file_name(finding_id)

    def ruleset(self, name: str) -> Path:
        """Return the path of a rule set's file."""
        return self.rulesets / file_name(name)

    def move(self, move_id: str) -> Path:
        """Return the path of the file of a move into this store."""
        return self.moves / file_name(move_id)

    def audit_file(self, at: dt.datetime) -> Path:
        """Return the path of the audit file for that month."""
        return self.audit / f"{at:%Y-%m}.jsonl"


def file_name(record_id: str) -> str:
    """Return the file name of an id that was checked; different ids have different names.

    Characters other than ASCII letters, digits and a few signs are percent-encoded; what grows too
    long for a file system is cut and ends in a hash of the whole.
    """
    name = quote(record_id, safe=_SAFE)
    if len(name) > _LONGEST:
        digest = hashlib.sha256(record_id.encode("utf-8")).hexdigest()[:32]
        name = f"{name[: _LONGEST - 33]}~{digest}"
    return f"{name}.json"
