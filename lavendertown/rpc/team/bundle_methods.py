"""Bundles over RPC: export reports for another team, merge theirs, and undo that."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role
from lavendertown.rpc.team.files import FILE, check_file
from lavendertown.rpc.team.records import FindStorage
from lavendertown.transfer.bundles.content import BundleContent, collect_content
from lavendertown.transfer.bundles.importing import BundlePreview, import_bundle, preview_bundle
from lavendertown.transfer.bundles.merging import DeletionState, MergeState
from lavendertown.transfer.bundles.reading import open_bundle
from lavendertown.transfer.bundles.undoing import is_bundle_id, undo_bundle
from lavendertown.transfer.bundles.writing import BUNDLE_ENDING, write_bundle

MAX_REPORTS = 1_000
"""The maximum number of reports in a bundle that is exported by RPC."""
_ACTOR = FieldSpec("actor", "string", comment="For whom the caller acts.")
_MAX_STEM = 60
_NUMBERS = ("reports", "annotations", "triage", "incidents")
_EXPORTED = ("reports", "findings", "annotations", "triage", "incidents", "deletions")
_COUNTS = MessageSpec(
    "BundleCounts",
    (
        FieldSpec("kind", "string", comment="reports, annotations, triage, evidence or incidents."),
        *(FieldSpec(str(state), "int32") for state in MergeState),
    ),
    comment="How many records of a kind are new, changed, unchanged, kept as they are, or in the trash.",
)
_DELETIONS = MessageSpec(
    "BundleDeletions",
    tuple(FieldSpec(str(state), "int32") for state in DeletionState),
    comment="How many deletions move a record to the trash, leave it as it is, or find none here.",
)
_REPORT = MessageSpec(
    "BundleReport",
    (
        *(FieldSpec(name, "string") for name in ("report_id", "title", "dataset")),
        FieldSpec("findings", "int32"),
        FieldSpec("state", "string", comment=f"{', '.join(MergeState)}."),
    ),
)
_DATASET = MessageSpec(
    "BundleDataset",
    (
        FieldSpec("dataset", "string"),
        FieldSpec("report_count", "int32", comment="The reports of the dataset before."),
        *(FieldSpec(name, "int32") for name in ("new", "known")),
    ),
    comment="The findings that a dataset did not have before, and those that it had.",
)


def bundle_methods(find_storage: FindStorage) -> Iterable[MethodSpec]:
    """Yield the methods about bundles.

    Args:
        find_storage: Returns the storage; called with each request.
    """
    service = _BundleService(find_storage)
    yield MethodSpec(
        "ExportBundle",
        MessageSpec("ExportBundleRequest", (FieldSpec("report_ids", "string", repeated=True),)),
        MessageSpec(
            "ExportBundleResponse",
            (
                FieldSpec("file", FILE.name),
                *(FieldSpec(name, "int32") for name in _EXPORTED),
            ),
        ),
        service.export,
        is_read=True,
        is_large=True,
        messages=(FILE,),
        comment="Export reports with their evidence, threads, decisions and incidents.",
    )
    yield MethodSpec(
        "ImportBundle",
        MessageSpec(
            "ImportBundleRequest",
            (
                FieldSpec("file", FILE.name),
                FieldSpec("dry_run", "bool", comment="Only say what would change."),
                _ACTOR,
            ),
        ),
        MessageSpec(
            "ImportBundleResponse",
            (
                FieldSpec("bundle_id", "string", comment="For UndoBundle."),
                FieldSpec("dry_run", "bool"),
                FieldSpec("changes_nothing", "bool", comment="Everything is here already, or newer here."),
                FieldSpec("counts", _COUNTS.name, repeated=True),
                FieldSpec("reports", _REPORT.name, repeated=True),
                FieldSpec("datasets", _DATASET.name, repeated=True),
                FieldSpec("deletions", _DELETIONS.name),
            ),
        ),
        service.import_file,
        role=Role.WRITER,
        is_large=True,
        messages=(FILE, _COUNTS, _REPORT, _DATASET, _DELETIONS),
        comment="Merge a bundle by identity, completely or not at all; the later change counts.",
    )
    yield MethodSpec(
        "UndoBundle",
        MessageSpec("UndoBundleRequest", (FieldSpec("bundle_id", "string"), _ACTOR)),
        MessageSpec(
            "UndoBundleResponse",
            (
                FieldSpec("undone", "bool", comment="False if it was undone already."),
                *(FieldSpec(name, "int32") for name in _NUMBERS),
                FieldSpec("kept", "int32", comment="Records that were changed since, and stay as they are."),
            ),
        ),
        service.undo,
        role=Role.WRITER,
        comment="Take back the latest import of a bundle.",
    )


class _BundleService:
    def __init__(self, find_storage: FindStorage) -> None:
        self._storage = find_storage

    def export(self, request: Any, call: Call) -> dict[str, Any]:
        report_ids = list(request.report_ids)
        if not 0 < len(report_ids) <= MAX_REPORTS:
            raise InvalidInputError(
                f"The request has {len(report_ids):,} report_ids; give 1 to {MAX_REPORTS:,}."
            )
        content = collect_content(self._storage().store, report_ids)
        return {
            "file": {"name": bundle_file_name(content), "content": write_bundle(content)},
            "reports": len(content.reports),
            "findings": sum(len(each.findings) for each in content.reports),
            "annotations": len(content.annotations),
            "triage": len(content.triage),
            "incidents": len(content.incidents),
            "deletions": len(content.deletions),
        }

    def import_file(self, request: Any, call: Call) -> dict[str, Any]:
        check_file(request, example=f"orders{BUNDLE_ENDING}")
        limits = limits_from_settings(load_settings())
        bundle = open_bundle(io.BytesIO(request.file.content), request.file.name, limits)
        storage = self._storage()
        if request.dry_run:
            preview = preview_bundle(storage, bundle)
        else:
            with acting_for(call.on_behalf_of(request.actor)):
                preview = import_bundle(storage, bundle, actor=call.actor(request.actor))
        return {"dry_run": request.dry_run, **_preview_values(preview)}

    def undo(self, request: Any, call: Call) -> dict[str, Any]:
        storage = self._storage()
        if not is_bundle_id(storage, request.bundle_id):
            raise NotFoundError(
                f"No bundle {request.bundle_id[:200]!r} was imported; ImportBundle returned the id."
            )
        with acting_for(call.on_behalf_of(request.actor)):
            undo = undo_bundle(storage, request.bundle_id, actor=call.actor(request.actor))
        if undo is None:
            return {"undone": False}
        return {"undone": True, "kept": undo.kept, **{name: getattr(undo, name) for name in _NUMBERS}}


def bundle_file_name(content: BundleContent) -> str:
    """Return a name for the file of a bundle, which callers may save under it."""
    words = re.findall(r"\w+", content.reports[0].dataset)
    return f"{'-'.join(words)[:_MAX_STEM] or 'reports'}{BUNDLE_ENDING}"


def _preview_values(preview: BundlePreview) -> dict[str, Any]:
    return {
        "bundle_id": preview.bundle_id,
        "changes_nothing": preview.changes_nothing,
        "counts": [
            {"kind": kind, **{str(state): number for state, number in counts.items()}}
            for kind, counts in preview.counts.items()
        ],
        "reports": [asdict(each) for each in preview.reports],
        "datasets": [asdict(each) for each in preview.datasets],
        "deletions": {str(state): number for state, number in preview.deletions.items()},
    }
