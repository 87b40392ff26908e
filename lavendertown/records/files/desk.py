"""Findings over all reports, told from the image of a data folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lavendertown.identity import check_key, covered, masked
from lavendertown.records.files.image import Image, ReportEntry
from lavendertown.records.identities import RUNS, Identity, Recent, Run, Said


def identities(image: Image, names: Sequence[str] | None, datasets: Sequence[str] | None) -> list[Identity]:
    """Return the findings that live reports hold, each once."""
    threads = image.threads
    wanted = list(threads.seen()) if names is None else [name for name in names if name in threads.seen()]
    found = (_identity(image, name) for name in wanted)
    return [each for each in found if datasets is None or each.dataset in datasets]


def _identity(image: Image, name: str) -> Identity:
    state = image.threads.state(name)
    sight = image.threads.seen()[name]
    assert sight.newest is not None
    _, _, finding = sight.newest
    about = sight.own or finding
    return Identity(
        name,
        about.dataset,
        about.ghost_type,
        about.column,
        masked(about.description),
        finding.severity,
        state.status,
        state.fixed_at,
        state.regressed_at,
        sight.first_seen,
        sight.last_seen,
        sight.times_seen,
        state.comment_count,
        finding.row_count,
        finding.share,
        check_key(about.metadata, about.dataset, about.column),
        state.tags,
    )


def said(image: Image, names: Sequence[str] | None) -> list[Said]:
    """Return the live annotations."""
    threads = image.threads
    return [
        Said(name, annotation.author, annotation.comment.casefold())
        for name in (threads.annotated() if names is None else names)
        for annotation in threads.thread(name)
        if annotation.deleted_at is None
    ]


def runs(image: Image, datasets: Sequence[str] | None) -> dict[str, Run]:
    """Return the newest runs of each dataset."""
    found: dict[str, list[ReportEntry]] = defaultdict(list)
    for entry in image.listed:
        report = entry.record
        wanted = datasets is None or report.dataset in datasets
        if wanted and report.deleted_at is None and len(found[report.dataset]) < RUNS:
            found[report.dataset].append(entry)
    return {name: _run(entries) for name, entries in found.items() if entries}


def _run(entries: Sequence[ReportEntry]) -> Run:
    newest = entries[0].record
    times = tuple(entry.record.created_at for entry in entries)
    return Run(times, newest.id, covered(newest.metadata, newest.dataset))


def recent(image: Image, names: Sequence[str]) -> dict[str, Recent]:
    """Return where these findings were seen last."""
    found = {}
    for name in names:
        sight = image.threads.seen().get(name)
        if sight is not None and sight.newest is not None:
            report, position, finding = sight.newest
            found[name] = Recent(report.id, position, finding.description, sight.times[:RUNS])
    return found
