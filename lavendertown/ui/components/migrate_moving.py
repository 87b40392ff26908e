"""The move, as it runs or was interrupted, and what came of it."""

from __future__ import annotations

import streamlit as st

from lavendertown.migration.values import Outcome
from lavendertown.ui import moves
from lavendertown.ui.components import (
    migrate_conflicts,
    migrate_dry_run,
    migrate_progress,
    migrate_steps,
    person,
    words,
)
from lavendertown.ui.components.migrate_steps import Step
from lavendertown.ui.moves import Work

LISTED = 20


def show(work: Work) -> None:
    """Show a move that is not done: running, stopped or failed."""
    who = "You are" if work.who == person.me() else f"{words.plain(work.who)} is"
    if work.job.state == "running":
        st.caption(f"{who} moving everything from {words.plain(work.source)} to {words.plain(work.target)}")
        migrate_progress.move()
        return
    kept = f"What was copied stays in {words.plain(work.target)}; {words.plain(work.source)} was only read."
    if work.job.state == "failed":
        st.error(f"**The move ended early.** {words.plain(work.job.error or '')}", icon=":material/error:")
        st.caption(kept)
    else:
        st.info(f"**The move was stopped.** {kept}", icon=":material/stop_circle:")
    with migrate_steps.row():
        st.button(
            "Go on",
            type="primary",
            icon=":material/play_arrow:",
            key="migrate:go on",
            on_click=migrate_steps.do,
            args=(moves.go_on,),
        )
        st.button("Leave it", key="migrate:leave", on_click=_leave)
        migrate_steps.effect("Goes on where it ended. The store in use stays the one it is.")


def verified(work: Work) -> None:
    """Show what a finished move brought over and whether both stores are equal."""
    found = work.outcome
    st.caption(f"From {words.plain(work.source)} to {words.plain(work.target)}")
    verdict(found)
    migrate_dry_run.counts(found, copied="Copied")
    kept = _kept_in_target(found)
    if kept:
        st.markdown(
            f":orange[:material/call_split:] {words.count(kept, 'conflict')} decided for the target: "
            "it keeps its own content there, and the source keeps its."
        )
    migrate_dry_run.quarantine(found)
    with migrate_steps.row():
        if found.differences or not found.finished:
            st.button(
                "Go on",
                type="primary",
                icon=":material/play_arrow:",
                key="migrate:go on",
                on_click=migrate_steps.do,
                args=(moves.go_on,),
            )
        else:
            st.button(
                "Go to the switch",
                type="primary",
                icon=":material/arrow_forward:",
                key="migrate:to switch",
                on_click=migrate_steps.go,
                args=(Step.SWITCH,),
            )
        st.button("Leave it", key="migrate:leave", on_click=_leave)
        migrate_steps.effect("The store in use stays the one it is until you switch.")


def verdict(found: Outcome) -> None:
    """Say whether everything arrived."""
    if found.differences:
        number = words.count(len(found.differences), "difference")
        st.error(
            f"**{number} between both stores after the move.** Nothing is lost: the source is as it was.",
            icon=":material/difference:",
        )
        st.markdown(migrate_steps.list_of(words.plain(each) for each in found.differences[:LISTED]))
        return
    compared = "Everything was read back from both stores and compared: equal." if found.verified else ""
    if found.changed_nothing:
        text = f"**Everything is there already; nothing was written.** {compared}"
    else:
        copied = sum(count.written for kind, count in found.counts.items() if kind != "findings")
        took = migrate_steps.span(found.seconds)
        text = f"**{words.count(copied, 'record')} copied in {took}.** {compared}"
    st.success(text, icon=":material/verified:")


def _kept_in_target(found: Outcome) -> int:
    """Return how many conflicts were left as they are."""
    listed = [each for each in found.conflicts if each.decision != "overwrite"]
    total = migrate_conflicts.total(found)
    return len(listed) + (total - len(found.conflicts) if listed else 0)


def _leave() -> None:
    moves.leave()
    migrate_steps.go(Step.SOURCE)
