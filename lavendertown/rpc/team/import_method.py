"""Results of other tools over RPC: the method that reads files and saves them as reports."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.interchange import ReadRun, read_runs
from lavendertown.interchange.mapping import ROLES, ResultMapping
from lavendertown.interchange.sources import UnknownFormatError
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.schema import Call, FieldSpec, MessageSpec, MethodSpec, Role
from lavendertown.rpc.team.files import check_files, server_files
from lavendertown.rpc.team.records import FindStorage

if TYPE_CHECKING:
    from lavendertown.collaboration.parts.imports import Imports
    from lavendertown.inspection.mapped_files import MappedFile, MappedFileReader

_FILE = MessageSpec(
    "ResultFile",
    (FieldSpec("name", "string"), FieldSpec("content", "bytes", comment="Gzip and zip are unpacked.")),
)
_MAPPING = MessageSpec(
    "ResultMapping",
    tuple(FieldSpec(role, "string") for role in ROLES),
    comment="Which column of a table of results says what; a row is a check.",
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
        _check_request(request)
        storage = find_storage()
        given = _read_mapping(request)
        tables: list[MappedFile] = []
        if given is not None:
            tables = _read_tables(request, [given] * len(request.files))
        else:
            try:
                runs = _read_known_formats(request)
            except UnknownFormatError as unknown:
                mappings = _find_mappings(storage.imports, request, unknown)
                tables = _read_tables(request, mappings)
        if tables:
            runs = [run for each in tables for run in each.runs]
        if request.dry_run:
            reports = [storage.imports.preview(run) for run in runs]
        else:
            actor = call.actor(request.actor)
            with acting_for(call.on_behalf_of(request.actor)):
                reports = storage.imports.save(runs, author=actor)
                if given is not None:
                    for each in tables:
                        storage.imports.save_mapping(each.columns, given.columns, actor=actor)
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
                FieldSpec(
                    "mapping",
                    _MAPPING.name,
                    comment="To read any table; remembered for tables with the same columns.",
                ),
            ),
        ),
        MessageSpec(
            "ImportResultsResponse",
            (FieldSpec("reports", _IMPORTED.name, repeated=True), FieldSpec("dry_run", "bool")),
        ),
        import_results,
        role=Role.WRITER,
        is_large=True,
        messages=(_FILE, _MAPPING, _IMPORTED),
        comment="Save the results of other tools as reports, all of them or none.",
    )


def _check_request(request: Any) -> None:
    check_files(request.files, example="results.json")
    if request.format and request.HasField("mapping"):
        raise InvalidInputError("A format and a mapping exclude each other; leave one of them out.")


def _read_mapping(request: Any) -> ResultMapping | None:
    if not request.HasField("mapping"):
        return None
    columns = {role: getattr(request.mapping, role) for role in ROLES}
    return ResultMapping({role: name for role, name in columns.items() if name})


def _read_known_formats(request: Any) -> list[ReadRun]:
    streams = [(io.BytesIO(each.content), each.name) for each in request.files]
    limits = limits_from_settings(load_settings())
    return read_runs(streams, format_name=request.format, dataset=request.dataset.strip(), limits=limits)


def _find_mappings(imports: Imports, request: Any, unknown: UnknownFormatError) -> list[ResultMapping]:
    """Return the mapping that is remembered for each file.

    Raises:
        UnknownFormatError: A file is no table, or no mapping is remembered for its columns.
    """
    found = []
    for each in request.files:
        try:
            remembered = imports.load_mapping(_table_reader().read_columns(each.content, each.name))
        except UnreadableTableError:
            raise unknown from None
        if not remembered:
            raise unknown
        found.append(ResultMapping(remembered))
    return found


def _read_tables(request: Any, mappings: Sequence[ResultMapping]) -> list[MappedFile]:
    dataset = request.dataset.strip()
    return [
        _table_reader().read_file(each.content, each.name, mapping, dataset)
        for each, mapping in zip(request.files, mappings, strict=True)
    ]


@cache
def _table_reader() -> MappedFileReader:
    """Return the reader of this process; imported in a call, because it imports the data libraries."""
    from lavendertown.inspection.mapped_files import MappedFileReader

    return MappedFileReader(server_files())
