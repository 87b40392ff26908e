"""The tools about files: worklists of failing rows, and bundles of reports for another team.

A tool's docstring and the descriptions of its arguments are what an agent reads.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from mcp.server.mcpserver.tools import Tool
from pydantic import BaseModel, ConfigDict, Field

from lavendertown.collaboration.parts.worklist_answers import SavedAnswers
from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.mcp.team_tools import AnyContext, OnBehalfOf, TeamTools, Texts
from lavendertown.mcp.undo import (
    FIRST_VERSION,
    MAX_FINDINGS,
    UndoReference,
    answer_with_undo,
    bundle_reference,
)
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.team.bundle_methods import bundle_file_name
from lavendertown.rpc.team.worklist_methods import saved_values
from lavendertown.rpc.team.worklists import collect_report_rows, read_filled_files, write_file
from lavendertown.transfer.bundles.content import collect_content
from lavendertown.transfer.bundles.importing import import_bundle, preview_bundle
from lavendertown.transfer.bundles.reading import open_bundle
from lavendertown.transfer.bundles.undoing import is_bundle_id, undo_bundle
from lavendertown.transfer.bundles.writing import write_bundle

MAX_FILE_BYTES = 3_000_000
"""The largest file that a tool takes or returns; larger ones go over RPC or the command line."""
_MAX_BASE64 = MAX_FILE_BYTES * 4 // 3 + 4
_MAX_FILES = 20


class SentFile(BaseModel):
    """A file as JSON."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    content_base64: str = Field(max_length=_MAX_BASE64)

    def decode(self) -> bytes:
        """Return the content.

        Raises:
            InvalidInputError: It is not Base64.
        """
        try:
            return base64.b64decode(self.content_base64, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidInputError(f"The content_base64 of {self.name} is not Base64.") from None


class WorklistVersion(BaseModel):
    """A worklist as a reading left it."""

    model_config = ConfigDict(extra="forbid")

    worklist_id: str
    version: int


DryRun: TypeAlias = Annotated[bool, Field(description="Only say what would change.")]


class FileTools(TeamTools):
    """The tools about worklists and bundles of a team's storage."""

    def list_tools(self) -> Iterator[Tool]:
        """Return the tools."""
        yield from self.make_tools(
            reads=(self.list_worklists, self.export_bundle),
            writes=(
                self.create_worklists,
                self.read_worklists,
                self.undo_worklists,
                self.import_bundle,
                self.undo_bundle,
            ),
        )

    def list_worklists(
        self,
        context: AnyContext,
        report_id: Annotated[str, Field(description="Only those of this report.")] = "",
        limit: Annotated[int, Field(ge=1, le=MAX_FINDINGS)] = 20,
        offset: Annotated[int, Field(ge=0, description="Number of worklists to skip.")] = 0,
    ) -> dict[str, Any]:
        """List worklists, failing rows that people got as files, with the number of answers, newest first."""
        self._call(context, Role.READER)
        found = self._storage().worklists.query(report_id or None)
        page = found[offset : offset + limit]
        end = offset + len(page)
        return _to_plain(
            {
                "worklists": page,
                "total": len(found),
                "next_offset": end if page and end < len(found) else None,
            }
        )

    def create_worklists(
        self,
        report_id: str,
        file: Annotated[SentFile, Field(description="The data file that the report was made of.")],
        context: AnyContext,
        finding_ids: Annotated[Texts, Field(description="By default all open findings.")] = [],  # noqa: B006
        key: Annotated[Texts, Field(description="Columns that identify a row.")] = [],  # noqa: B006
        first: Annotated[int, Field(ge=0, description="The first rows of each finding; 0 for all.")] = 0,
        table: Annotated[str, Field(description="The table to read of several.")] = "",
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Give the failing rows of a report out as Excel files, one for each assignee of its findings."""
        call = self._call(context, Role.WRITER)
        storage = self._storage()
        rows = collect_report_rows(
            storage,
            report_id,
            finding_ids,
            first=first or None,
            key=key,
            content=file.decode(),
            name=file.name,
            table=table,
        )
        with acting_for(call.on_behalf_of(on_behalf_of)):
            made = storage.worklists.create(report_id, rows, actor=call.actor(on_behalf_of))
        answer = {
            "worklists": [
                {
                    "worklist_id": each.id,
                    "owner": each.owner,
                    "row_count": each.row_count,
                    "file": _pack(each.file_name, write_file(each)),
                }
                for each in made
            ]
        }
        versions = {each.id: FIRST_VERSION for each in made}
        return answer_with_undo(answer, UndoReference(worklist_versions=versions))

    def read_worklists(
        self,
        files: Annotated[list[SentFile], Field(min_length=1, max_length=_MAX_FILES)],
        context: AnyContext,
        dry_run: DryRun = False,
        overwrite: Annotated[bool, Field(description="Replace different answers of colleagues.")] = False,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Store the answers in filled worklists, Excel or CSV."""
        call = self._call(context, Role.WRITER)
        filled = read_filled_files([(each.name, each.decode()) for each in files])
        worklists, author = self._storage().worklists, call.actor(on_behalf_of)
        if dry_run:
            saved = SavedAnswers(worklists.preview(filled, author=author))
        else:
            with acting_for(call.on_behalf_of(on_behalf_of)):
                saved = worklists.save_answers(filled, author=author, overwrite=overwrite)
        answer = _to_plain({"dry_run": dry_run, **saved_values(saved)})
        return answer_with_undo(answer, UndoReference(worklist_versions=dict(saved.versions)))

    def undo_worklists(
        self,
        worklists: Annotated[list[WorklistVersion], Field(min_length=1, max_length=MAX_FINDINGS)],
        context: AnyContext,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Take back the answers that read_worklists stored; worklists that were changed since stay."""
        call = self._call(context, Role.WRITER)
        versions = {each.worklist_id: each.version for each in worklists}
        with acting_for(call.on_behalf_of(on_behalf_of)):
            undone = self._storage().worklists.undo(versions, actor=call.actor(on_behalf_of))
        return {"undone_answers": undone}

    def export_bundle(
        self,
        report_ids: Annotated[Texts, Field(min_length=1, max_length=MAX_FINDINGS)],
        context: AnyContext,
    ) -> dict[str, Any]:
        """Export reports with threads, decisions and incidents as a file for another team's LavenderTown."""
        self._call(context, Role.READER)
        content = collect_content(self._storage().store, report_ids)
        data = write_bundle(content)
        if len(data) > MAX_FILE_BYTES:
            raise InvalidInputError(
                f"The bundle has {len(data) / 1e6:,.1f} MB, and a tool returns at most "
                f"{MAX_FILE_BYTES // 1_000_000}; export it with `lavendertown export --format bundle`."
            )
        return {"reports": len(content.reports), "file": _pack(bundle_file_name(content), data)}

    def import_bundle(
        self, file: SentFile, context: AnyContext, dry_run: DryRun = False, on_behalf_of: OnBehalfOf = ""
    ) -> dict[str, Any]:
        """Merge another team's bundle by identity, completely or not at all."""
        call = self._call(context, Role.WRITER)
        bundle = open_bundle(io.BytesIO(file.decode()), file.name, limits_from_settings(load_settings()))
        storage = self._storage()
        if dry_run:
            preview = preview_bundle(storage, bundle)
        else:
            with acting_for(call.on_behalf_of(on_behalf_of)):
                preview = import_bundle(storage, bundle, actor=call.actor(on_behalf_of))
        answer = _to_plain(
            {"dry_run": dry_run, "changes_nothing": preview.changes_nothing, **preview.to_dict()}
        )
        if dry_run or preview.changes_nothing:
            return answer_with_undo(answer)
        return answer_with_undo(answer, bundle_reference(storage, preview.bundle_id))

    def undo_bundle(
        self,
        bundle_id: Annotated[str, Field(description="From import_bundle.")],
        context: AnyContext,
        on_behalf_of: OnBehalfOf = "",
    ) -> dict[str, Any]:
        """Take back the latest import of a bundle. Records that were changed since stay as they are."""
        call = self._call(context, Role.WRITER)
        storage = self._storage()
        if not is_bundle_id(storage, bundle_id):
            raise NotFoundError(f"No bundle {bundle_id[:200]!r} was imported; import_bundle returns the id.")
        with acting_for(call.on_behalf_of(on_behalf_of)):
            undo = undo_bundle(storage, bundle_id, actor=call.actor(on_behalf_of))
        return {"undone": undo is not None, **(undo.to_dict() if undo is not None else {})}


def _pack(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content_base64": base64.b64encode(content).decode("ascii")}


def _to_plain(values: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json_codec.to_jsonable(values)
    return plain
