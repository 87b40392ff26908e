"""The dry run: what would be copied, what cannot be read, how times will read."""

from __future__ import annotations

import zoneinfo
from collections import Counter
from collections.abc import Iterable

import streamlit as st

from lavendertown.errors import InvalidInputError
from lavendertown.migration.values import OnConflict, Outcome, Quarantined, TimeSample
from lavendertown.ui import moves
from lavendertown.ui.components import (
    migrate_conflicts,
    migrate_places,
    migrate_progress,
    migrate_steps,
    person,
    words,
)
from lavendertown.ui.components.migrate_steps import Step
from lavendertown.ui.moves import Work

LISTED = 50
KINDS_IN_WORDS = {
    "reports": "Reports",
    "findings": "Findings",
    "annotations": "Comments",
    "rulesets": "Rule sets",
    "triage": "Decisions about findings",
    "people": "People",
    "views": "Saved views",
    "events": "Audit events",
}
# What an item in quarantine is called begins with where it lay.
_PLACES = {
    "reports/": "reports",
    "report ": "reports",
    "annotations/": "annotations",
    "annotation ": "annotations",
    "rulesets/": "rulesets",
    "shared_rulesets/": "rulesets",
    "rule set ": "rulesets",
    "triage/": "triage",
    "finding ": "triage",
    "people/": "people",
    "person ": "people",
    "views/": "views",
    "view ": "views",
    "audit/": "events",
}


def show() -> None:
    """Show the dry run: under way, failed, or what it found."""
    work = moves.dry_run_of(person.me())
    assert work is not None
    st.caption(f"From {words.plain(work.source)} to {words.plain(work.target)}")
    if work.job.state == "running":
        migrate_progress.dry_run()
    elif work.job.outcome is None:
        st.error(words.plain(work.job.error or "The dry run was stopped."), icon=":material/error:")
        with migrate_steps.row():
            migrate_steps.back(Step.TARGET)
            _again()
    else:
        result(work)


def result(work: Work) -> None:
    """Show what a dry run found and let the move start."""
    found = work.outcome
    metrics(found)
    counts(found)
    if found.changed_nothing and not migrate_conflicts.total(found):
        _nothing_to_copy(found)
    migrate_conflicts.listed(found)
    quarantine(found)
    stale = times(found.times, work.request.zone)
    buttons(work, stale)


def _nothing_to_copy(found: Outcome) -> None:
    if any(count.read for count in found.counts.values()):
        st.info("Everything is there already; there is nothing to copy.", icon=":material/task_alt:")
    else:
        st.info("There is nothing in the source to move.", icon=":material/inventory_2:")


def metrics(found: Outcome) -> None:
    """Show the four numbers that matter."""
    total = Counter[str]()
    for kind, count in found.counts.items():
        if kind != "findings":
            total.update(copy=count.written, there=count.skipped)
    conflicting = migrate_conflicts.total(found)
    aside = len(found.quarantined)
    with st.grid(4, min_column_width=150):
        _metric("To copy", total["copy"], "")
        _metric("Already there", total["there"], "")
        _metric("Conflicts", conflicting, "decide below" if conflicting else "")
        _metric("Quarantine", aside, "cannot be read" if aside else "")


def _metric(label: str, number: int, note: str) -> None:
    st.metric(
        label,
        f"{number:,}",
        note or None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )


def counts(found: Outcome, copied: str = "To copy") -> None:
    """Show the numbers of each kind of record."""
    aside = Counter(kind for item in found.quarantined if (kind := _kind(item)))
    kinds = found.shown
    each = [found.counts[kind] for kind in kinds]
    columns = {
        "kind": [KINDS_IN_WORDS[kind] for kind in kinds],
        "source": [count.read for count in each],
        "copy": [count.written for count in each],
        "same": [count.skipped for count in each],
        "conflict": [count.conflicts for count in each],
        "aside": [aside[kind] for kind in kinds],
    }
    names = ("In the source", copied, "Already there", "Conflict", "Quarantine")
    headings = {
        column: st.column_config.NumberColumn(name, format="localized")
        for column, name in zip(list(columns)[1:], names, strict=True)
    }
    st.dataframe(
        columns,
        hide_index=True,
        row_height=32,
        height="content",
        column_config={"kind": "", **headings},
        alt="; ".join(
            f"{KINDS_IN_WORDS[kind]}: {count.read} in the source, {copied.lower()} {count.written}, "
            f"already there {count.skipped}, in conflict {count.conflicts}"
            for kind, count in zip(kinds, each, strict=True)
        ),
    )


def _kind(item: Quarantined) -> str | None:
    return next((kind for start, kind in _PLACES.items() if item.item.startswith(start)), None)


def quarantine(found: Outcome) -> None:
    """List what cannot be read, and why."""
    if not found.quarantined:
        return
    st.markdown(f"### {len(found.quarantined):,} in quarantine", anchors=False)
    with st.container(border=True, gap="small"):
        st.table(
            [
                {"File": words.code(each.item), "Why": words.plain(each.reason)}
                for each in found.quarantined[:LISTED]
            ],
            border="horizontal",
            alt="What cannot be read, and why",
        )
        if len(found.quarantined) > LISTED:
            st.caption(f"{len(found.quarantined) - LISTED:,} more are not listed here.")
        where = words.code(str(found.quarantine_folder)) if found.quarantine_folder else ""
        copies = f"copies were laid into {where}" if where else "copies are laid aside when the move runs"
        st.caption(f"They stay untouched in the source, and {copies}. Nothing is skipped in silence.")


def times(samples: Iterable[TimeSample], zone: str | None) -> bool:
    """Show how times without a zone are read; tell whether another zone was chosen since the dry run."""
    samples = list(samples)
    if not samples:
        return False
    st.markdown("### Times without a zone", anchors=False)
    with st.container(border=True, gap="small"):
        st.session_state.setdefault(migrate_places.ZONE, zone or "")
        chosen: str = st.selectbox(
            "They were written in",
            ["", *sorted(zoneinfo.available_timezones())],
            format_func=lambda name: name or "This server's own zone (databases of 0.7: UTC)",
            key=migrate_places.ZONE,
            persist_state="session",
            width=380,
        )
        rows = [
            {
                "In": words.code(each.item),
                "Written": words.plain(each.written),
                "Reads as": words.moment(each.read_as),
            }
            for each in samples
        ]
        st.table(rows, border="horizontal", alt="Times as they were written and as they will read")
        st.caption(f"The last column is in your own time zone, {words.zone()}.")
    return (chosen or None) != zone


def buttons(work: Work, stale: bool) -> None:
    """Show the way back and the way on."""
    found = work.outcome
    blocked = migrate_conflicts.policy() == OnConflict.FAIL and migrate_conflicts.total(found) > 0
    with migrate_steps.row():
        migrate_steps.back(Step.TARGET)
        if stale:
            _again()
            migrate_steps.effect("The time zone changed: run it again to see how times will read.")
            return
        st.button(
            "Start the move",
            type="primary",
            icon=":material/play_arrow:",
            key="migrate:start",
            disabled=blocked,
            on_click=_start,
            args=(work,),
        )
        if blocked:
            migrate_steps.effect("Nothing is moved while there are conflicts: settle them, or choose above.")
        else:
            number = migrate_conflicts.to_write(found)
            took = migrate_steps.span(found.seconds * SLOWER)
            migrate_steps.effect(f"{words.count(number, 'record')}, about {took}. The source is only read.")


SLOWER = 3
"""How much longer than its dry run a move takes, roughly: it writes, and reads both sides again."""


def _again() -> None:
    st.button(
        "Run the dry run again",
        type="primary",
        icon=":material/science:",
        key="migrate:again",
        on_click=migrate_steps.do,
        args=(_run_again,),
    )


def _run_again() -> None:
    moves.try_again(person.me(), migrate_places.zone())


def _start(tried: Work) -> None:
    # A fast hand clicks before the page knows its last choice: it is asked for here, not when drawn.
    def work() -> None:
        if tried.outcome.times and migrate_places.zone() != tried.request.zone:
            raise InvalidInputError("The time zone changed; run the dry run again.")
        moves.move_as_tried(tried, migrate_conflicts.policy(), migrate_conflicts.choices(tried.outcome))

    migrate_steps.attempt(work)
