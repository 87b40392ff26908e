"""``lavendertown import``: save the results of other tools as reports."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from lavendertown.cli import options
from lavendertown.cli.bundles import import_bundle_file, undo_bundle_import
from lavendertown.cli.gate import check_gate_options, gate_options, judge_runs, report_results
from lavendertown.cli.output import format_cell, format_count, print_json
from lavendertown.collaboration.parts.gate import GateResult
from lavendertown.collaboration.parts.imports import build_run_without_storage
from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import InvalidInputError, NotFoundError, StorageError, UnreadableTableError
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.interchange import FORMAT_NAMES, ReadRun, read_runs
from lavendertown.interchange.mapping import ROLES, ResultMapping
from lavendertown.interchange.sources import UnknownFormatError
from lavendertown.transfer.bundles.reading import is_bundle
from lavendertown.transfer.bundles.undoing import is_bundle_id

if TYPE_CHECKING:
    from lavendertown.collaboration.parts.imports import ImportPreview, Imports

_COUNTS = ("findings", "passed", "errored", "not_run", "new", "regressed", "unchanged", "gone")


@click.command("import")
@click.argument("files", type=click.File("rb"), metavar="[FILE...]", nargs=-1)
@click.option(
    "--dataset", help="The dataset to join. Default: the dataset that FILE names, or else the file name."
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMAT_NAMES),
    help="The format of the files. Default: recognized by their content.",
)
@click.option(
    "--mapping",
    "mapping_file",
    type=click.File("rb"),
    metavar="FILE",
    help="A YAML or JSON file with the column for each of "
    f"{', '.join(ROLES)}, to read any table. It is remembered for tables with the same columns.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and save nothing.")
@click.option(
    "--undo",
    "report_id",
    metavar="ID",
    help="Move the report of an import to the trash, or take back the import of a bundle.",
)
@gate_options
@options.author_option
@options.json_option
def import_command(
    files: tuple[BinaryIO, ...],
    dataset: str | None,
    format_name: str | None,
    mapping_file: BinaryIO | None,
    dry_run: bool,
    report_id: str | None,
    fail_on: tuple[str, ...],
    baseline: str,
    summary: Path | None,
    author: str | None,
    as_json: bool,
) -> None:
    """Import results of dbt, Great Expectations, Soda, Pandera and other tools from FILEs, all or none,
    or merge a bundle of reports from another team.

    - reads standard input. Each run on a table becomes a report; importing a file again changes nothing.
    Give the manifest.json of dbt together with its run_results.json. Zip and gzip files are unpacked.

    A bundle, written by `lavendertown export --format bundle`, is imported alone. Of two versions of a
    comment, a decision or an incident, the one that was changed last is kept. Reports and comments that
    came from a bundle and were deleted there since are moved to the trash, unless they were changed here.

    --fail-on judges each run as `lavendertown analyze` does. Without a readable storage, only severities are
    judged, and the exit code is 2 unless --dry-run is given, because nothing was saved.

    Exit codes: 0 success, 1 as set by --fail-on, or if the report of --undo is in the trash already, 2 if a
    FILE cannot be imported or there is no such report.

    \b
    Example:
      lavendertown import target/run_results.json target/manifest.json
      lavendertown import validation.json --dataset orders --dry-run
      lavendertown import checks.xlsx --mapping checks.yaml
      lavendertown import target/run_results.json --fail-on regressed --summary gate.xml
      lavendertown import --undo i-2f6c8a1b9d03e457
      lavendertown import orders.bundle.zip --dry-run
    """
    if report_id is not None:
        _undo_import(report_id, author, as_json, given_files=bool(files) or dry_run)
        return
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    streams = [(_make_seekable(file), options.input_name(file)) for file in files]
    if any(is_bundle(stream, name) for stream, name in streams):
        if len(streams) > 1 or dataset or format_name or mapping_file or fail_on or summary:
            raise click.UsageError(
                "A bundle is imported alone, only with --dry-run, --author and --json; leave out the rest."
            )
        import_bundle_file(*streams[0], author=author, dry_run=dry_run, as_json=as_json)
        return
    check_gate_options(fail_on, baseline, summary)
    if format_name and mapping_file:
        raise click.UsageError("--format and --mapping exclude each other.")
    given = read_mapping(mapping_file) if mapping_file else None
    reader = _Reader(streams, format_name or "", (dataset or "").strip())
    gate_results: list[GateResult] = []
    try:
        with options.open_storage() as storage:
            results = reader.read_results(given, storage.imports)
            runs = [storage.imports.build_run(each) for each in results] if fail_on else []
            gate_results = judge_runs(runs, fail_on, baseline, storage)
            if dry_run:
                previews = [storage.imports.preview(each) for each in results]
            else:
                previews = storage.imports.save(results, author=(author or "").strip())
                _remember_mapping(storage.imports, reader, given, author)
    except (StorageError, ImportError):
        if not fail_on or gate_results:
            raise
        results = reader.read_results(given)
        gate_results = judge_runs([build_run_without_storage(each) for each in results], fail_on, baseline)
        failed = report_results(gate_results, summary, silent=as_json and dry_run)
        if not dry_run:
            raise
        if as_json:
            print_json(_build_answer_without_storage(results) | _build_gate_answer(gate_results))
        else:
            click.echo("Nothing was saved, and nothing was compared with earlier runs.")
        raise click.exceptions.Exit(1 if failed else 0) from None
    if as_json:
        print_json(_build_answer(previews, dry_run) | (_build_gate_answer(gate_results) if fail_on else {}))
    else:
        for preview in previews:
            _print_preview(preview, dry_run)
    failed = report_results(gate_results, summary, silent=as_json)
    raise click.exceptions.Exit(1 if failed else 0)


def _remember_mapping(
    imports: Imports, reader: _Reader, given: ResultMapping | None, author: str | None
) -> None:
    if given is not None:
        for columns in reader.headers:
            imports.save_mapping(columns, given.columns, actor=author or "command line")


class _Reader:
    """Reads the files of an import: in their own format, or as tables with a mapping of their columns.

    Attributes:
        headers: The columns of the tables that were read with a mapping.
    """

    def __init__(self, streams: Sequence[tuple[BinaryIO, str]], format_name: str, dataset: str) -> None:
        self.headers: list[list[str]] = []
        self._streams = streams
        self._format_name = format_name
        self._dataset = dataset
        self._limits = limits_from_settings(load_settings())

    def read_results(self, mapping: ResultMapping | None, imports: Imports | None = None) -> list[ReadRun]:
        """Return the runs of the files, with the mapping that is given, or remembered for their columns.

        Args:
            mapping: The given mapping; None for none.
            imports: Where mappings are remembered; None if the storage cannot be read.
        """
        if mapping is not None:
            return self._read_tables(self._streams, lambda _: mapping)
        try:
            return read_runs(
                self._streams,
                format_name=self._format_name,
                dataset=self._dataset,
                limits=self._limits,
            )
        except UnknownFormatError as error:
            unknown = error

        def find_mapping(columns: Sequence[str]) -> ResultMapping:
            remembered = imports.load_mapping(columns) if imports is not None else {}
            if not remembered:
                raise unknown
            return ResultMapping(remembered)

        try:
            return self._read_tables(self._streams, find_mapping)
        except UnreadableTableError:
            raise unknown from None

    def _read_tables(
        self,
        streams: Sequence[tuple[BinaryIO, str]],
        find_mapping: Callable[[Sequence[str]], ResultMapping],
    ) -> list[ReadRun]:
        from lavendertown.interchange.mapping import read_mapped_runs
        from lavendertown.tables import read_table

        runs: list[ReadRun] = []
        for file, name in streams:
            file.seek(0)
            raw = file.read()
            self._limits.check_size(len(raw), name)
            table = read_table(raw, name, self._limits)
            mapping = find_mapping(table.columns)
            self.headers.append(table.columns)
            runs += read_mapped_runs(
                table,
                mapping,
                file_name=name,
                digest=hashlib.sha256(raw).hexdigest(),
                dataset=dataset_name(name),
                given_dataset=self._dataset,
            )
        return runs


def _make_seekable(file: BinaryIO) -> BinaryIO:
    """Return a stream that can be read more than once; standard input can be read only once."""
    if file.seekable():
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - it is read until the command ends
    shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy


def read_mapping(file: BinaryIO) -> ResultMapping:
    """Return the mapping in a YAML or JSON file.

    Raises:
        InvalidInputError: The file is damaged, or its mapping is incomplete.
    """
    from lavendertown.interchange.mapping import ResultMapping
    from lavendertown.rules.ruleset_files import parse_yaml

    name = options.input_name(file)
    try:
        data = parse_yaml(file.read().decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not text in UTF-8; save it as YAML or JSON in UTF-8.") from error
    if not isinstance(data, dict):
        raise InvalidInputError(f"{name} has no mapping; write lines such as check: test_name.")
    return ResultMapping({str(role): column for role, column in data.items()})


def _undo_import(report_id: str, author: str | None, as_json: bool, given_files: bool) -> None:
    if given_files:
        raise click.UsageError("--undo takes neither files nor --dry-run.")
    with options.open_storage() as storage:
        if is_bundle_id(storage, report_id):
            undo_bundle_import(storage, report_id, author, as_json)
            return
        if storage.reports.find(report_id) is None:
            raise NotFoundError(
                f"There is no report or bundle {report_id!r}. Find the id of a report with "
                "`lavendertown report list`, and that of a bundle with "
                "`lavendertown audit --operation import_bundle`."
            )
        deleted = storage.delete_report(report_id, actor=author or "command line")
    if as_json:
        print_json({"report_id": report_id, "undone": deleted})
    elif deleted:
        click.echo(f"Undone. To restore it, run: lavendertown report restore {shlex.quote(report_id)}")
    if not deleted:
        click.echo(f"Report {report_id!r} is in the trash already.", err=True)
        raise click.exceptions.Exit(1)


def _build_answer(previews: Sequence[ImportPreview], dry_run: bool) -> dict[str, Any]:
    """Return the sums over all reports; the id and the dataset if there is one, else None."""
    single = previews[0] if len(previews) == 1 else None
    return {
        "report_id": single.report_id if single else None,
        "dataset": single.dataset if single else None,
        **{name: sum(getattr(each, name) for each in previews) for name in _COUNTS},
        "saved": not dry_run,
        "reports": [asdict(each) for each in previews],
    }


def _build_gate_answer(results: Sequence[GateResult]) -> dict[str, Any]:
    return {"gate": [each.to_dict() for each in results]}


def _build_answer_without_storage(results: Sequence[ReadRun]) -> dict[str, Any]:
    """Return the counts of the files; those that depend on earlier runs are None."""
    runs = [each.run for each in results]
    return {
        "report_id": None,
        "dataset": runs[0].dataset if len(runs) == 1 else None,
        **dict.fromkeys(_COUNTS),
        **{name: sum(len(getattr(run, name)) for run in runs) for name in _COUNTS[:4]},
        "saved": False,
        "reports": [],
    }


def _print_preview(preview: ImportPreview, dry_run: bool) -> None:
    if preview.is_saved:
        click.echo(
            f"{format_cell(preview.title)} was imported before as {preview.report_id}; nothing changed."
        )
        return
    joined = (
        f"has {format_count(preview.report_count, 'report')} so far"
        if preview.report_count
        else "is a new dataset"
    )
    click.echo(
        f"{format_cell(preview.tool)}: {format_count(preview.findings, 'finding')}, "
        f"{preview.passed:,} passed, {format_count(preview.errored, 'check')} could not run. "
        f"{format_cell(preview.dataset)} {joined}."
    )
    click.echo(
        f"{preview.new:,} new, {preview.regressed:,} back, {preview.unchanged:,} unchanged, "
        f"{preview.gone:,} gone, {preview.not_run:,} not run."
    )
    if dry_run:
        click.echo("Nothing was saved. To save it, run the command without --dry-run.")
    else:
        click.echo(
            f"Saved. To undo, run: lavendertown import --undo {preview.report_id}. "
            f"To show it, run: lavendertown report show {preview.report_id}"
        )
