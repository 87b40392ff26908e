"""Write a bundle: a zip in the layout of a data folder, with a manifest and checksums.

Members have the names and formats of an archive (:mod:`lavendertown.transfer.backups.archive`), but there are
only reports, evidence, threads, triage, incidents and aliases, and a list of deletions. ``manifest.json`` has
the key ``bundle`` in place of ``archive``, so that a bundle is never restored over a store.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

from lavendertown.records.store import Store
from lavendertown.transfer.backups.archive import ArchiveWriter
from lavendertown.transfer.bundles.content import BundleContent, collect_content
from lavendertown.transfer.bundles.deletions import write_deletions

BUNDLE_FORMAT = 2
"""Format 1 had neither incidents nor deletions."""
DELETIONS_FILE = Path("deletions/deletions.json")
BUNDLE_FORMAT_NAME = "bundle"
BUNDLE_ENDING = ".bundle.zip"
BUNDLE_MEDIA_TYPE = "application/zip"


def export_bundle(store: Store, report_ids: Iterable[str]) -> bytes:
    """Return a bundle of these reports; for the errors, see :func:`collect_content`."""
    return write_bundle(collect_content(store, report_ids))


def write_bundle(content: BundleContent) -> bytes:
    """Return the file of a bundle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zip_file:
        writer = ArchiveWriter(zip_file)
        for report in content.reports:
            writer.add_report(report)
        writer.add_aliases(content.aliases)
        writer.add_threads(content.annotations)
        for triage in content.triage:
            writer.add_flat_record(triage)
        for evidence in content.evidence:
            writer.add_flat_record(evidence)
        for incident in content.incidents:
            writer.add_flat_record(incident)
        if content.deletions:
            data = write_deletions(content.deletions)
            writer.add_member(DELETIONS_FILE, data, "deletions", len(content.deletions))
        writer.write_manifest({"bundle": BUNDLE_FORMAT, "tables": []})
    return file.getvalue()
