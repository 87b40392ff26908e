"""How far a dry run or a move is, while it runs."""

from __future__ import annotations

import streamlit as st

from lavendertown.migration.values import Progress
from lavendertown.ui import moves
from lavendertown.ui.components import migrate_steps, person, words
from lavendertown.ui.components.migrate_steps import Step
from lavendertown.ui.moves import Work

EVERY = "1s"
PHASES = {
    "reports": "Reports and findings",
    "annotations": "Comments",
    "rulesets": "Rule sets",
    "triage": "Decisions about findings",
    "people": "People",
    "views": "Saved views",
    "events": "Audit events",
    "changes": "What was written meanwhile",
    "verifying": "Reading everything back and comparing",
}


@st.fragment(run_every=EVERY)
def dry_run() -> None:
    """Show how far this visitor's dry run is; the page is drawn anew when it is over."""
    work = moves.dry_run_of(person.me())
    if work is None or work.job.state != "running":
        st.rerun()
    with st.container(border=True):
        _bar(work.job.progress, passes=1)
        with migrate_steps.row():
            st.button("Cancel", icon=":material/close:", key="migrate:cancel", on_click=_cancel)
            migrate_steps.effect("Nothing is written by a dry run.")


def _cancel() -> None:
    moves.cancel_dry_run(person.me())
    migrate_steps.go(Step.TARGET)


@st.fragment(run_every=EVERY)
def move() -> None:
    """Show how far the move is; the page is drawn anew when it is over."""
    work = moves.current()
    if work is None or work.job.state != "running":
        st.rerun()
    with st.container(border=True):
        _bar(work.job.progress, passes=2)
        _stop(work)
    st.caption(
        "You can close this page or reload it; the move goes on. "
        "Colleagues can go on working: what they write is carried over."
    )


def _stop(work: Work) -> None:
    with migrate_steps.row():
        st.button(
            "Stop",
            icon=":material/stop:",
            key="migrate:stop",
            on_click=migrate_steps.do,
            args=(moves.stop,),
        )
        migrate_steps.effect("What is copied stays; starting again goes on from there.")


def _bar(progress: Progress | None, passes: int) -> None:
    if progress is None or not progress.total:
        st.progress(0.0, "**Opening both stores**")
        return
    part = min(progress.done / progress.total, 1.0)
    st.progress(part, f"**{PHASES.get(progress.phase, progress.phase)}** · {_numbers(progress, passes)}")


def _numbers(progress: Progress, passes: int) -> str:
    """Say how many records of this pass are done, how fast it goes and how long it will take."""
    assert progress.total is not None
    total = progress.total // passes
    verified = passes > 1 and progress.phase == "verifying"
    done = min(max(progress.done - total, 0) if verified else progress.done, total)
    said = [f"{done:,} of {words.count(total, 'record')}"]
    if progress.rate >= 1:
        said.append(f"{progress.rate:,.0f} a second")
    if progress.seconds_left is not None:
        said.append(f"about {migrate_steps.span(progress.seconds_left)} left")
    return " · ".join(said)
