"""The wizard's frame: its steps, which one is shown, buttons with what they do, and its sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import streamlit as st

from lavendertown.errors import LavenderTownError
from lavendertown.ui import moves, problems
from lavendertown.ui.components import frame, person

WIDTH = 860
NOTICES = "migrate"
_STEP = "migrate:step"


class Step(StrEnum):
    """The steps, in their order, by the words they are shown with."""

    SOURCE = "Source"
    TARGET = "Target"
    DRY_RUN = "Dry run"
    MOVING = "Moving"
    VERIFIED = "Verified"
    SWITCH = "Switch"


def now() -> Step:
    """Return the step this visitor is at; a move in this process comes before all else."""
    work = moves.current()
    wanted = st.session_state.get(_STEP)
    if work is not None:
        if work.job.state != "done":
            return Step.MOVING
        return Step.SWITCH if wanted is Step.SWITCH or work.switched else Step.VERIFIED
    tried = moves.dry_run_of(person.me()) is not None
    if wanted in (Step.SOURCE, Step.TARGET):
        return Step(wanted)
    return Step.DRY_RUN if tried else Step.SOURCE


def go(step: Step) -> None:
    """Show another step from the next run on."""
    st.session_state[_STEP] = step


def stepper(at: Step) -> None:
    """Show the steps in one line: those behind, this one, those ahead."""
    steps = list(Step)
    place = steps.index(at)
    parts = [
        f":green[:material/check_circle:]&nbsp;{step}"
        if number < place
        else f":violet[:material/radio_button_checked:]&nbsp;**{step}**"
        if number == place
        else f":gray[:material/radio_button_unchecked:&nbsp;{step}]"
        for number, step in enumerate(steps)
    ]
    st.markdown("&nbsp;:gray[—] ".join(parts))


def attempt(work: Callable[[], object]) -> bool:
    """Do some work of the wizard; on an error leave its sentence for the next run and return False."""
    try:
        work()
    except (LavenderTownError, ImportError) as error:
        frame.say(problems.sentence(error)[0], "problem", place=NOTICES)
        return False
    return True


def do(work: Callable[[], object]) -> None:
    """Do what a button is for, as :func:`attempt`."""
    attempt(work)


@contextmanager
def row() -> Iterator[None]:
    """Put buttons, and what they do, side by side."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        yield


def back(step: Step) -> None:
    """Show the button that leads one step back."""
    st.button("Back", key="migrate:back", on_click=go, args=(step,))


def effect(text: str) -> None:
    """Say beside a button what it does."""
    st.caption(text, width="content")


def capital(text: str) -> str:
    """Return words with their first letter large."""
    return text[:1].upper() + text[1:]


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: ``12 s``, ``3 min``, ``1 h 5 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def list_of(names: Iterable[str]) -> str:
    """Return a Markdown list, one line each."""
    return "\n".join(f"- {name}" for name in names)
