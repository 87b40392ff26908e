"""Steps of the migration wizard, and layout helpers that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.ui import errors, migration_jobs
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.migration_jobs import MigrationJob

WIDTH = 860
NOTICES = "migrate"
_STEP = "migrate:step"


class WizardStep(StrEnum):
    """The steps of the wizard in order, by their labels."""

    SOURCE = "Source"
    TARGET = "Target"
    DRY_RUN = "Dry run"
    MIGRATING = "Migrating"
    VERIFIED = "Verified"
    SWITCH = "Switch"


def current_step(work: MigrationJob | None) -> WizardStep:
    """Return the current step of the user.

    Args:
        work: The migration to show, the user's own or a running one, which takes precedence.
    """
    wanted = st.session_state.get(_STEP)
    if work is not None and not migration_jobs.is_own_job(work):
        return WizardStep.MIGRATING
    if work is not None:
        if work.worker.state != "done":
            return WizardStep.MIGRATING
        return (
            WizardStep.SWITCH if wanted is WizardStep.SWITCH or work.switch_message else WizardStep.VERIFIED
        )
    has_dry_run = migration_jobs.own_dry_run() is not None
    if wanted in (WizardStep.SOURCE, WizardStep.TARGET):
        return WizardStep(wanted)
    return WizardStep.DRY_RUN if has_dry_run else WizardStep.SOURCE


def go_to_step(step: WizardStep) -> None:
    """Show another step in the next run."""
    st.session_state[_STEP] = step


def draw_stepper(at: WizardStep) -> None:
    """Show the steps in one line: completed, current, upcoming."""
    steps = list(WizardStep)
    current = steps.index(at)
    parts = [
        f":green[:material/check_circle:]&nbsp;{step}"
        if number < current
        else f":violet[:material/radio_button_checked:]&nbsp;**{step}**"
        if number == current
        else f":gray[:material/radio_button_unchecked:&nbsp;{step}]"
        for number, step in enumerate(steps)
    ]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for number, part in enumerate(parts):
            # Each step is an element of its own, so that a line breaks between steps only.
            st.markdown(part if number == 0 else f":gray[—]&ensp;{part}", width="content")


def run_step(work: Callable[[], object]) -> bool:
    """Run an action of the wizard; on an error, queue its message as a notice and return False."""
    try:
        work()
    except (LavenderTownError, ImportError) as error:
        layout.queue_notice(errors.error_message(error)[0], "problem", place=NOTICES)
        return False
    return True


def run_named_step(work: Callable[[], object]) -> None:
    """Run an action as :func:`run_step`, after asking for the user's name if it is unknown."""
    person.run_with_name(NOTICES, run_step, work)


@contextmanager
def horizontal_buttons() -> Iterator[None]:
    """Lay out buttons and their descriptions in a row."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        yield


def draw_back_button(step: WizardStep) -> None:
    """Draw the Back button to a step."""
    st.button("Back", key="migrate:back", on_click=go_to_step, args=(step,))


def describe_effect(text: str) -> None:
    """Describe the effect of a button next to it."""
    st.caption(text, width="content")


def capitalize_first(text: str) -> str:
    """Capitalize the first letter of a text."""
    return text[:1].upper() + text[1:]


def format_duration(seconds: float) -> str:
    """Format a duration: ``12 s``, ``3 min``, ``1 h 5 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def markdown_list(names: Iterable[str]) -> str:
    """Return a Markdown list of the names."""
    return "\n".join(f"- {name}" for name in names)
