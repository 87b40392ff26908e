"""Export and import bundles: the parts of ``lavendertown export`` and ``import`` that handle them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click

from lavendertown.cli import options
from lavendertown.cli.output import format_cell, format_count, print_json, write_file
from lavendertown.collaboration.storage import Storage
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.records.record_classes import RecordKind
from lavendertown.transfer.bundles.content import collect_content
from lavendertown.transfer.bundles.importing import BundlePreview, import_bundle, preview_bundle
from lavendertown.transfer.bundles.merging import DeletionState, MergeState
from lavendertown.transfer.bundles.reading import open_bundle
from lavendertown.transfer.bundles.undoing import undo_bundle
from lavendertown.transfer.bundles.writing import BUNDLE_FORMAT_NAME, write_bundle

_NOUNS = {
    RecordKind.REPORT: ("report", "reports"),
    RecordKind.ANNOTATION: ("comment", "comments"),
    RecordKind.TRIAGE: ("decision", "decisions"),
    RecordKind.INCIDENT: ("incident", "incidents"),
}
_STATE_PHRASES = {
    MergeState.NEW: "new",
    MergeState.CHANGED: "changed",
    MergeState.UNCHANGED: "unchanged",
    MergeState.KEPT: "kept (changed later here)",
    MergeState.IN_TRASH: "in the trash here",
}
_DELETION_PHRASES = {
    DeletionState.TRASHED: "moved to the trash",
    DeletionState.KEPT: "kept (changed here, or not from a bundle)",
    DeletionState.GONE: "not here anyway",
}


def export_bundle_file(report_ids: Sequence[str], target: Path | None, as_json: bool) -> None:
    """Write a bundle of these reports to a file, or to standard output."""
    with options.open_storage() as storage:
        content = collect_content(storage.store, report_ids)
    data = write_bundle(content)
    if target is None:
        click.echo(data, nl=False)
        return
    write_file(target, data)
    numbers = {
        "reports": len(content.reports),
        "findings": sum(len(each.findings) for each in content.reports),
        "annotations": len(content.annotations),
        "triage": len(content.triage),
        "incidents": len(content.incidents),
        "deletions": len(content.deletions),
    }
    if as_json:
        print_json({"file": str(target), "format": BUNDLE_FORMAT_NAME, **numbers})
        return
    nouns = ("report", "finding", "comment", "decision", "incident", "deletion")
    parts = [
        format_count(number, noun)
        for number, noun in zip(numbers.values(), nouns, strict=True)
        if number or noun not in ("incident", "deletion")
    ]
    click.echo(f"Wrote {parts[0]} with {_join(parts[1:])} to {shlex.quote(str(target))}.")


def import_bundle_file(
    stream: BinaryIO, name: str, *, author: str | None, dry_run: bool, as_json: bool
) -> None:
    """Import a bundle, or preview it, and print what that changes."""
    bundle = open_bundle(stream, Path(name).name, limits_from_settings(load_settings()))
    with options.open_storage() as storage:
        if dry_run:
            preview = preview_bundle(storage, bundle)
        else:
            preview = import_bundle(storage, bundle, actor=(author or "").strip() or "command line")
    if as_json:
        print_json({**preview.to_dict(), "saved": not dry_run and not preview.changes_nothing})
        return
    _print_preview(preview, dry_run)


def _print_preview(preview: BundlePreview, dry_run: bool) -> None:
    for effect in preview.datasets:
        joined = (
            f"has {format_count(effect.report_count, 'report')} so far"
            if effect.report_count
            else "is a new dataset"
        )
        findings = f"{format_count(effect.new, 'finding')} new here, {effect.known:,} known"
        click.echo(f"{format_cell(effect.dataset or 'No dataset')} {joined}: {findings}.")
    for kind, nouns in _NOUNS.items():
        counted = [(state, preview.count(state, kind=kind)) for state in MergeState]
        if sum(number for _, number in counted):
            phrases = [f"{number:,} {_STATE_PHRASES[state]}" for state, number in counted if number]
            click.echo(f"{nouns[1].capitalize()}: {', '.join(phrases)}.")
    deletions = [(state, number) for state, number in preview.deletions.items() if number]
    if deletions:
        phrases = [f"{number:,} {_DELETION_PHRASES[state]}" for state, number in deletions]
        click.echo(f"Deletions: {', '.join(phrases)}.")
    if preview.count(MergeState.IN_TRASH):
        click.echo("What is in the trash stays there; `lavendertown report restore ID` restores a report.")
    if preview.changes_nothing:
        click.echo("Nothing changed: everything in the bundle is here already, or newer here.")
    elif dry_run:
        click.echo("Nothing was saved. To save it, run the command without --dry-run.")
    else:
        click.echo(f"Saved. To undo, run: lavendertown import --undo {preview.bundle_id}")


def _join(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def undo_bundle_import(storage: Storage, bundle_id: str, author: str | None, as_json: bool) -> None:
    """Undo the import of a bundle, and print what that changed; exit with 1 if it is undone already."""
    undo = undo_bundle(storage, bundle_id, actor=(author or "").strip() or "command line")
    if as_json:
        print_json({"bundle_id": bundle_id, "undone": undo is not None} | (undo.to_dict() if undo else {}))
    elif undo is not None:
        parts = [
            format_count(undo.reports, "report"),
            format_count(undo.annotations, "comment"),
            format_count(undo.triage, "decision"),
            *([format_count(undo.incidents, "incident")] if undo.incidents else []),
        ]
        click.echo(
            f"Undone: {_join(parts)}. To import it again, run: lavendertown import {shlex.quote(undo.file)}"
        )
        if undo.kept:
            click.echo(
                f"Left as they are, because they were changed since: {format_count(undo.kept, 'record')}."
            )
    if undo is None:
        click.echo(f"The import of {bundle_id!r} is undone already.", err=True)
        raise click.exceptions.Exit(1)
