"""``lavendertown worklist``: give failing rows out as Excel files, and read the answers back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli import options
from lavendertown.cli.errors import CommandError
from lavendertown.cli.output import format_cell, format_count, print_json, print_table, write_file
from lavendertown.collaboration.parts.worklist_answers import AnswersPreview, SavedAnswers
from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import NotFoundError, UnreadableTableError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.findings import GhostFinding
from lavendertown.core.reading import Reading
from lavendertown.core.run_readings import read_run_reading
from lavendertown.core.settings import load_settings
from lavendertown.interchange.worklists.answers import FilledRows, describe_answer, join_filled_rows
from lavendertown.interchange.worklists.worklist_file import UNASSIGNED, FindingRows, Worklist

if TYPE_CHECKING:
    from lavendertown.collaboration.models import ShareableReport
    from lavendertown.tables import Table

_worklist_argument = click.argument("worklist_id", metavar="WORKLIST_ID")


@click.group()
def worklist_group() -> None:
    """Give failing rows of findings out as Excel files, one for each owner, and read the answers back.

    \b
    Example:
      lavendertown worklist create orders.csv --report r-2f6c --key order_id --out lists --author Ana
      lavendertown worklist read lists/worklist-Ben-0123456789ab.xlsx --author Ben
    """


@worklist_group.command("create")
@click.argument("source", metavar="DATA")
@click.option("--report", "report_id", required=True, help="The report that was made of DATA.")
@click.option(
    "--finding",
    "finding_ids",
    multiple=True,
    metavar="ID",
    help="Only this finding; can be repeated. Default: all open findings.",
)
@click.option(
    "--key",
    multiple=True,
    metavar="COLUMN",
    help="A column that identifies a row; can be repeated. Default: the key of the report.",
)
@click.option("--first", type=click.IntRange(1), metavar="N", help="Only the first N rows of each finding.")
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="FOLDER",
    help="The folder for the files; it is created if necessary.",
)
@options.format_in_option
@options.table_option
@options.query_option
@options.author_option
@options.json_option
def create_worklists(
    source: str,
    report_id: str,
    finding_ids: tuple[str, ...],
    key: tuple[str, ...],
    first: int | None,
    folder: Path,
    format_in: str | None,
    table: str | None,
    query: str | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Write the failing rows of findings to Excel files, one for each assignee of the findings.

    DATA is the file, database or URL that was inspected for the report, as for `lavendertown analyze`; it is
    read as it was then. Each file has a row per finding and failing row, with the columns done, cannot and
    reason to fill in. Values of masked columns are masked, except those of a --key.

    \b
    Example:
      lavendertown worklist create orders.csv --report r-2f6c --out lists --author Ana
      lavendertown worklist create orders.csv --report r-2f6c --finding f1-0c4e --key order_id --out lists
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        chosen = storage.worklists.choose_findings(report_id, finding_ids, first)
        report = storage.load_report(report_id)
        if report is None:
            raise NotFoundError(f"There is no report {report_id!r}; it may have been deleted.")
        data = _read_table(source, report, format_in, table, query)
        rows = _collect_rows(storage, data, report, chosen, key, source)
        made = storage.worklists.create(report_id, rows, actor=actor)
        files = _write_files(storage, made, folder, actor)
    if as_json:
        print_json(
            [
                {"id": each.id, "owner": each.owner, "row_count": each.row_count, "file": str(file)}
                for each, file in zip(made, files, strict=True)
            ]
        )
        return
    for each, file in zip(made, files, strict=True):
        owner = format_cell(each.owner) or UNASSIGNED
        click.echo(f"{owner}: {format_count(each.row_count, 'row')} in {file}")


def _read_table(
    source: str, report: ShareableReport, format_in: str | None, table: str | None, query: str | None
) -> Table:
    """Read the table as it was read for the report."""
    from lavendertown.cli.sources import read_sources

    known = read_run_reading(report.metadata)
    reading = Reading.from_dict(known.given) if known is not None else Reading()
    return read_sources([source], format_in, limits_from_settings(load_settings()), reading, table, query)


def _collect_rows(
    storage: Storage,
    table: Table,
    report: ShareableReport,
    chosen: Sequence[tuple[str, GhostFinding]],
    key: tuple[str, ...],
    source: str,
) -> list[FindingRows]:
    from lavendertown.inspection.worklist_rows import ReportedTable, collect_rows_of_report
    from lavendertown.profile.masking import is_masked

    settings = load_settings()
    evidence = storage.reports.load_evidence(report.id)
    reported = ReportedTable(
        str(report.metadata.get("dataset") or ""),
        report.metadata.get("coverage") or {},
        storage.findings.place_samples(evidence, chosen) if evidence is not None else None,
    )
    privacy = (settings.evidence_mask, settings.evidence_samples)
    rows = collect_rows_of_report(table, source, reported, chosen, key, *privacy)
    shown = [name for name in key if is_masked(name, settings.evidence_mask)]
    if shown:
        click.echo(
            f"The files have values of masked columns, because they are keys: {format_cell(shown)}. "
            "The store does not keep them.",
            err=True,
        )
    return rows


def _write_files(storage: Storage, made: Sequence[Worklist], folder: Path, actor: str) -> list[Path]:
    """Write the files of new worklists; on an error, delete the worklists again."""
    from lavendertown.interchange.worklists.worklist_file import write_worklist

    files = [folder / each.file_name for each in made]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each, file in zip(made, files, strict=True):
            write_file(file, write_worklist(each))
    except (OSError, CommandError) as error:
        for each, file in zip(made, files, strict=True):
            with suppress(OSError):  # such as a folder that does not exist
                file.unlink()
            storage.worklists.delete(each.id, actor=actor)
        if isinstance(error, CommandError):
            raise
        raise CommandError(
            f"{folder} cannot be written: {error.strerror or error}. Choose another folder."
        ) from error
    return files


@worklist_group.command("read")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would be stored, and store nothing.")
@click.option("--overwrite", is_flag=True, help="Replace different answers that colleagues stored.")
@options.author_option
@options.json_option
def read_worklists(
    files: tuple[Path, ...], dry_run: bool, overwrite: bool, author: str | None, as_json: bool
) -> None:
    """Read the answers in filled worklists: Excel files, or CSV saved from them.

    Rows are recognized by their row ids, so rows and columns may be sorted, moved, added and deleted. A row
    without an answer changes nothing. Problems and conflicts are listed; the other answers are stored.

    Exit codes: 0 if all answers could be taken, 1 if there are problems or conflicts, 2 if a file cannot be
    read.

    \b
    Example:
      lavendertown worklist read worklist-Ben-0123456789ab.xlsx --author Ben --dry-run
      lavendertown worklist read returned/*.xlsx --author Ana
    """
    actor = options.require_author(author)
    filled = join_filled_rows([_read_filled_file(file) for file in files])
    with options.open_storage() as storage:
        if dry_run:
            saved = SavedAnswers(storage.worklists.preview(filled, author=actor))
        else:
            saved = storage.worklists.save_answers(filled, author=actor, overwrite=overwrite)
    conflicts = () if saved.overwritten else saved.preview.conflicts
    if as_json:
        print_json(_to_json(saved, dry_run=dry_run))
    else:
        _print_reading(saved, dry_run=dry_run)
    raise click.exceptions.Exit(1 if conflicts or saved.preview.problems else 0)


def _read_filled_file(path: Path) -> FilledRows:
    # Imported here, because it imports Polars, which other commands do not need.
    from lavendertown.interchange.worklists.filled_file import MAX_BYTES, read_filled_file

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableTableError(f"{path} cannot be read: {error.strerror or error}.") from error
    return read_filled_file(raw, path.name, limits_from_settings(load_settings()))


def _to_json(saved: SavedAnswers, *, dry_run: bool) -> dict[str, Any]:
    preview = saved.preview
    return {
        "dry_run": dry_run,
        "worklists": list(preview.worklist_ids),
        "saved": saved.saved,
        "overwritten": saved.overwritten,
        "changes": [
            {"worklist": each.worklist_id, "place": each.place, "answer": each.answer, "reason": each.reason}
            for each in preview.changes
        ],
        "unchanged": preview.unchanged,
        "open": preview.open_count,
        "conflicts": [
            {
                "place": each.answer.place,
                "row": each.row,
                "key": each.row_key,
                "answer": each.answer.answer,
                "reason": each.answer.reason,
                "stored_answer": each.stored.answer,
                "stored_reason": each.stored.reason,
                "stored_by": each.stored.by,
                "stored_at": each.stored.at,
            }
            for each in preview.conflicts
        ],
        "problems": [{"place": each.place, "problem": each.text} for each in preview.problems],
    }


def _print_reading(saved: SavedAnswers, *, dry_run: bool) -> None:
    preview = saved.preview
    for problem in preview.problems:
        click.echo(format_cell(f"{problem.place}: {problem.text}"))
    for conflict in preview.conflicts:
        row = f"row {conflict.row:,}" + (f", key {conflict.row_key}" if conflict.row_key else "")
        mine = describe_answer(conflict.answer.answer, conflict.answer.reason)
        theirs = describe_answer(conflict.stored.answer, conflict.stored.reason)
        click.echo(
            format_cell(f"Conflict in {row}: the file has {mine}, {conflict.stored.by} stored {theirs}.")
        )
    click.echo(_describe_result(saved, preview, dry_run=dry_run))


def _describe_result(saved: SavedAnswers, preview: AnswersPreview, *, dry_run: bool) -> str:
    if dry_run:
        done = f"{format_count(len(preview.changes), 'answer')} to store; nothing was written."
    else:
        done = f"{format_count(saved.saved, 'answer')} stored."
    parts = [done, f"{preview.unchanged:,} known before, {format_count(preview.open_count, 'row')} open."]
    if preview.problems:
        parts.append(f"{format_count(len(preview.problems), 'problem')}.")
    if preview.conflicts and saved.overwritten:
        parts.append(f"{format_count(saved.overwritten, 'conflict')} overwritten.")
    elif preview.conflicts:
        parts.append(f"{format_count(len(preview.conflicts), 'conflict')}; --overwrite replaces them.")
    return " ".join(parts)


@worklist_group.command("list")
@click.option("--report", "report_id", help="Only worklists of this report.")
@options.json_option
def list_worklists(report_id: str | None, as_json: bool) -> None:
    """List worklists, the newest first, with how many rows are answered.

    \b
    Example:
      lavendertown worklist list --report r-2f6c
    """
    with options.open_storage() as storage:
        rows = storage.worklists.query(report_id)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("worklist id", "created", "dataset", "owner", "rows", "done", "cannot", "report"),
        (
            (
                row["id"],
                row["created_at"],
                row["dataset"],
                row["owner"] or UNASSIGNED,
                row["row_count"],
                row["done_count"],
                row["cannot_count"],
                row["report_id"],
            )
            for row in rows
        ),
        "No worklists.",
    )


@worklist_group.command("undo")
@_worklist_argument
@options.author_option
@options.json_option
def undo_reading(worklist_id: str, author: str | None, as_json: bool) -> None:
    """Take back the last reading of answers into a worklist.

    Exit codes: 0 success, 1 if there is nothing to take back.

    \b
    Example:
      lavendertown worklist undo w-0123456789ab --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        count = storage.worklists.undo({worklist_id: None}, actor=actor)
    if as_json:
        print_json({"id": worklist_id, "undone": count})
    else:
        text = "Nothing to take back." if not count else f"Took {format_count(count, 'answer')} back."
        click.echo(text)
    raise click.exceptions.Exit(0 if count else 1)


@worklist_group.command("delete")
@_worklist_argument
@options.author_option
@options.json_option
def delete_worklist(worklist_id: str, author: str | None, as_json: bool) -> None:
    """Move a worklist with its answers to the trash, from which it can be restored.

    \b
    Example:
      lavendertown worklist delete w-0123456789ab --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        if not storage.worklists.delete(worklist_id, actor=actor):
            raise NotFoundError(
                f"There is no worklist {worklist_id!r}. Find its id with `lavendertown worklist list`."
            )
    if as_json:
        print_json({"id": worklist_id})
    else:
        click.echo(f"Moved {format_cell(worklist_id)} to the trash.")


@worklist_group.command("restore")
@_worklist_argument
@options.author_option
@options.json_option
def restore_worklist(worklist_id: str, author: str | None, as_json: bool) -> None:
    """Restore a worklist from the trash.

    \b
    Example:
      lavendertown worklist restore w-0123456789ab --author Ana
    """
    actor = options.require_author(author)
    with options.open_storage() as storage:
        if not storage.worklists.restore(worklist_id, actor=actor):
            raise NotFoundError(f"There is no worklist {worklist_id!r} in the trash.")
    if as_json:
        print_json({"id": worklist_id})
    else:
        click.echo(f"Restored {format_cell(worklist_id)}.")
