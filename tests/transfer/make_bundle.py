"""Write a bundle of a released format, each run once with the last version that wrote it.

    PYTHONPATH=<checkout of that version> python -m tests.transfer.make_bundle 1

Later versions never run it again for the same format; they prove that they still import what it wrote.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.fingerprints import legacy_id
from lavendertown.profile.evidence import ColumnProfile, Evidence
from lavendertown.transfer.bundles.writing import export_bundle
from tests.contract.builders import annotation, at, finding, report

ASSETS = Path(__file__).parent / "bundle_assets"


def main() -> None:
    """Write two reports with evidence, threads, one of them under an older id, a merge and a decision."""
    email, phone = finding(), finding("phone")
    email_id, phone_id = get_finding_id(email), get_finding_id(phone)
    with tempfile.TemporaryDirectory() as folder:
        storage = FileStorage(folder)
        first = report("r1", [email, phone], annotations=[annotation(id="n1", tags=["crm"])])
        storage.save_report(first, evidence=Evidence([ColumnProfile("email", "text", 4, 2, 2)]))
        storage.save_report(report("r2", [email], created_at=at(24), title="Week 13"))
        old = legacy_id(email.ghost_type, email.column, email.description)
        storage.save_annotation(annotation(old, id="n2", timestamp=at(1)))
        storage.save_annotation(annotation(phone, id="n3", status="fixed", timestamp=at(30)))
        storage.triage.decide(email_id, Decision(assignee="Ana", note="Call the shop"), actor="Ana")
        storage.triage.merge_findings(phone_id, email_id, actor="Ana")
        ASSETS.mkdir(parents=True, exist_ok=True)
        path = ASSETS / f"format_{sys.argv[1]}.bundle.zip"
        path.write_bytes(export_bundle(storage.store, ["r1", "r2"]))


if __name__ == "__main__":
    main()
