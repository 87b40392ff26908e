"""Findings over all reports, told from the image of a data folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lavendertown.identity import check_key, covered
from lavendertown.records.files.image import Image, ReportEntry
from lavendertown.records.files.threads import OPEN, Sight, back_at
from lavendertown.records.identities import RUNS, Identity, Recent, Run, Said, Turn
from lavendertown.records.values import FindingRecord
from lavendertown.wording import masked


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
    about = _about(sight)
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


def turns(image: Image, datasets: Sequence[str] | None) -> list[Turn]:
    """Return the live annotations that set a status, oldest first."""
    threads, found = image.threads, []
    for name in threads.annotated():
        sight = threads.seen().get(name)
        if datasets is not None and (sight is None or _about(sight).dataset not in datasets):
            continue
        setting = [a for a in threads.thread(name) if a.deleted_at is None and a.status is not None]
        found += [
            (a, Turn(name, a.created_at, a.status or OPEN, a.author, back_at(a, sight))) for a in setting
        ]
    return [turn for _, turn in sorted(found, key=lambda pair: (pair[0].created_at, pair[0].id))]


def _about(sight: Sight) -> FindingRecord:
    """Return the occurrence that says what a finding is about: its own, not of one merged into it."""
    assert sight.newest is not None
    return sight.own or sight.newest[2]


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
