"""Results of other tools over RPC: the method that reads files and saves them as reports."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.interchange import read_runs
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role
from lavendertown.rpc.team_records import FindStorage

_MAX_NAME = 200
_FILE = MessageSpec(
    "ResultFile",
    (FieldSpec("name", "string"), FieldSpec("content", "bytes", comment="Gzip and zip are unpacked.")),
)
_IMPORTED = MessageSpec(
    "ImportedReport",
    (
        *(FieldSpec(name, "string") for name in ("report_id", "dataset", "title", "tool")),
        FieldSpec("report_count", "int32", comment="The reports of the dataset before."),
        FieldSpec("is_saved", "bool", comment="It was imported before; nothing changes."),
        *(FieldSpec(name, "int32") for name in ("findings", "passed", "errored", "not_run")),
        *(FieldSpec(name, "int32") for name in ("new", "regressed", "unchanged", "gone")),
    ),
)


def import_method(find_storage: FindStorage) -> MethodSpec:
    """Return the method ``ImportResults``, which does what ``lavendertown import`` does.

    Args:
        find_storage: Returns the storage; called with each request.
    """

    def import_results(request: Any, call: Call) -> dict[str, Any]:
        if not request.files:
            raise InvalidInputError("The request has no files; send each with its name and content.")
        if not all(each.name.strip() for each in request.files):
            raise InvalidInputError("A file of the request has no name; give it one, such as results.json.")
        if any(len(each.name) > _MAX_NAME for each in request.files):
            raise InvalidInputError(f"The name of a file is longer than {_MAX_NAME} characters; shorten it.")
        streams = [(io.BytesIO(each.content), each.name) for each in request.files]
        limits = limits_from_settings(load_settings())
        runs = read_runs(streams, format_name=request.format, dataset=request.dataset.strip(), limits=limits)
        storage = find_storage()
        if request.dry_run:
            reports = [storage.imports.preview(run) for run in runs]
        else:
            with acting_for(call.on_behalf_of(request.actor)):
                reports = storage.imports.save(runs, author=call.actor(request.actor))
        return {"reports": [asdict(each) for each in reports], "dry_run": request.dry_run}

    return MethodSpec(
        "ImportResults",
        MessageSpec(
            "ImportResultsRequest",
            (
                FieldSpec("files", _FILE.name, repeated=True),
                FieldSpec("dataset", "string", comment="Empty for the one that a file names."),
                FieldSpec("format", "string", comment="Empty to recognize it by the content."),
                FieldSpec("dry_run", "bool", comment="Only say what would change."),
                FieldSpec("actor", "string", comment="For whom the caller acts."),
            ),
        ),
        MessageSpec(
            "ImportResultsResponse",
            (FieldSpec("reports", _IMPORTED.name, repeated=True), FieldSpec("dry_run", "bool")),
        ),
        import_results,
        role=Role.WRITER,
        is_large=True,
        messages=(_FILE, _IMPORTED),
        comment="Save the results of other tools as reports, all of them or none.",
    )
