"""Move to another store: source, target, dry run, move, verification, switch."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import moves
from lavendertown.ui.components import (
    frame,
    migrate_dry_run,
    migrate_moving,
    migrate_places,
    migrate_steps,
    migrate_switch,
)
from lavendertown.ui.components.migrate_steps import Step


def page() -> None:
    """Draw the screen."""
    frame.head("Move to another store")
    if not moves.may_move():
        st.caption("Say who you are first; a move is written down with the name of who made it.")
        return
    at = migrate_steps.now()
    migrate_steps.stepper(at)
    with st.container(width=migrate_steps.WIDTH):
        with st.container():
            frame.notice(migrate_steps.NOTICES)
        step(at)


def step(at: Step) -> None:
    """Draw one step."""
    work = moves.current()
    if work is None:
        if at is Step.SOURCE:
            migrate_places.source()
            migrate_switch.way_back()
        elif at is Step.TARGET:
            migrate_places.target()
        else:
            migrate_dry_run.show()
    elif at is Step.MOVING:
        migrate_moving.show(work)
    elif at is Step.VERIFIED:
        migrate_moving.verified(work)
    else:
        migrate_switch.show(work)


page()
