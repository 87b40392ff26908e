"""The first two steps of the wizard: source and target."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from lavendertown.core.errors import InvalidInputError, LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.transfer import locations, store_switch
from lavendertown.transfer.locations import StoreInspection
from lavendertown.transfer.values import MigrationRequest, OnConflict
from lavendertown.ui import errors, migration_jobs, queries
from lavendertown.ui.components.migrate import conflicts, location_fields, steps
from lavendertown.ui.components.migrate.location_fields import FOLDER, IN_USE, SOURCE, SQLITE, TARGET
from lavendertown.ui.components.migrate.steps import WizardStep
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, format_relative_time

ZONE = "migrate:zone"
BACK = "migrate:back again"
"""Set for a migration back to the store before the last switch; the source has the newer records."""
_INSPECTED = "migrate:looked"


@dataclass(frozen=True)
class ChosenLocation:
    """A chosen store and its inspection.

    Attributes:
        text: The path of the folder or the URL of the database, with the password: never show it.
        inspection: The result of the inspection.
    """

    text: str = field(repr=False)
    inspection: StoreInspection


def chosen_location(side: str) -> ChosenLocation | None:
    """Return the chosen source or target, or None."""
    location: ChosenLocation | None = st.session_state.get(f"migrate:chosen:{side}")
    return location


def draw_source_step() -> None:
    """Draw the step that asks for the source; the current storage is the first choice."""
    with st.container(border=True):
        st.markdown("## Where are your records now?", anchors=False)
        try:
            current = _inspect_current_store()
        except LavenderTownError as error:
            errors.show_error(error)
            return
        caption = (
            f"{steps.capitalize_first(escape_markdown(current.display_name))}: {describe_content(current)}"
        )
        kind = location_fields.choose_kind(SOURCE, _forget_location, caption)
        if kind == IN_USE and current.state == "empty":
            show_empty_source()
            return
        with st.form("migrate:form:source", border=False):
            location_fields.show_fields(SOURCE, kind)
            _show_inspection(SOURCE, kind)
            with steps.horizontal_buttons():
                if kind != IN_USE:
                    st.form_submit_button("Check the source", on_click=use_fields, args=(SOURCE, None))
                st.form_submit_button(
                    "Choose the target",
                    type="primary",
                    icon=":material/arrow_forward:",
                    on_click=use_fields,
                    args=(SOURCE, WizardStep.TARGET),
                )
                steps.describe_effect("Nothing is written until you start the migration.")


def _inspect_current_store() -> StoreInspection:
    """Inspect the current store; reuse the result until the store changes."""
    text = store_switch.current_address(load_settings())
    known: tuple[tuple[str, str], StoreInspection] | None = st.session_state.get(_INSPECTED)
    key = (text, queries.current_revision())
    if known is None or known[0] != key:
        known = st.session_state[_INSPECTED] = (key, locations.inspect_store(text))
    return known[1]


def show_empty_source() -> None:
    """Show that the current store is empty."""
    layout.show_empty_state(
        "inventory_2",
        "Nothing to migrate yet",
        "The current storage is empty. Save a report first, or choose another folder or database above.",
        lambda: st.page_link(layout.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
    )


def draw_target_step() -> None:
    """Draw the step that asks for the target and tests the connection."""
    origin = chosen_location(SOURCE)
    if origin is None:
        draw_source_step()
        return
    with st.container(border=True):
        st.markdown("## Where to?", anchors=False)
        st.caption(
            f"From {escape_markdown(origin.inspection.display_name)}: {describe_content(origin.inspection)}"
        )
        kind = location_fields.choose_kind(TARGET, _forget_location)
        with st.form("migrate:form:target", border=False):
            location_fields.show_fields(TARGET, kind)
            with steps.horizontal_buttons():
                st.form_submit_button(
                    "Test the connection", icon=":material/cable:", on_click=use_fields, args=(TARGET, None)
                )
                steps.describe_effect("Connects and reads; changes nothing.")
            _show_inspection(TARGET, kind)
            with steps.horizontal_buttons():
                st.form_submit_button("Back", on_click=steps.go_to_step, args=(WizardStep.SOURCE,))
                st.form_submit_button(
                    "Run a dry run",
                    type="primary",
                    icon=":material/science:",
                    on_click=person.run_with_name,
                    args=(steps.NOTICES, use_fields, TARGET, WizardStep.DRY_RUN),
                )
                steps.describe_effect("Reads everything, writes nothing.")
    offer_resume()


def offer_resume() -> None:
    """Offer to resume an interrupted migration into the chosen target."""
    origin, goal = chosen_location(SOURCE), chosen_location(TARGET)
    unfinished = goal.inspection.unfinished if goal else None
    if origin is None or goal is None or unfinished is None:
        return
    with st.container(border=True):
        st.markdown(
            f":orange[:material/pause_circle:] **A migration from {escape_markdown(unfinished.source)} into "
            f"{escape_markdown(unfinished.target)} was not finished.** {escape_markdown(unfinished.actor)} "
            f"started it {format_relative_time(unfinished.started_at)}. Copied records are kept."
        )
        if unfinished.options.get("location") != locations.parse_location(origin.text).canonical_address:
            st.caption(f"To resume, go back and choose {escape_markdown(unfinished.source)} as the source.")
            return
        with steps.horizontal_buttons():
            st.button(
                "Resume", icon=":material/play_arrow:", key="migrate:resume", on_click=_resume_migration
            )
            steps.describe_effect("Resumes where it stopped, with the same choices.")


def describe_content(inspection: StoreInspection) -> str:
    """Describe the content of a store in a few words."""
    if inspection.state == "empty":
        return "Nothing yet."
    if inspection.state == "ready" and inspection.reports is not None:
        return f"{format_count(inspection.reports, 'report')}."
    return escape_markdown(inspection.message)


def use_fields(side: str, then: WizardStep | None) -> None:
    """Inspect the store from the form, and go to the next step if it can be used."""
    if steps.run_step(lambda: _check_location(side, then)) and then is not None:
        steps.go_to_step(then)


def _check_location(side: str, then: WizardStep | None) -> None:
    st.session_state.pop(f"migrate:chosen:{side}", None)
    text = location_fields.read_fields(side, str(st.session_state[f"migrate:{side}:kind"]))
    location = ChosenLocation(text, locations.inspect_store(text))
    if side == TARGET:
        _refuse_same(text)
    st.session_state[f"migrate:chosen:{side}"] = location
    if then is None:
        return
    if location.inspection.state == "refused" or (side == SOURCE and location.inspection.state == "empty"):
        raise InvalidInputError(location.inspection.message)
    if then is WizardStep.TARGET:
        st.session_state.pop(BACK, None)
        _suggest_target(location.inspection)
    elif then is WizardStep.DRY_RUN:
        start_dry_run()


def _refuse_same(text: str) -> None:
    origin = chosen_location(SOURCE)
    if (
        origin is not None
        and locations.parse_location(origin.text).canonical_address
        == locations.parse_location(text).canonical_address
    ):
        raise InvalidInputError(
            f"Source and target are the same store, {origin.inspection.display_name}; choose another target."
        )


def chosen_time_zone() -> str | None:
    """Return the chosen zone for times without one; None for the default of the source."""
    return st.session_state.get(ZONE) or None


def start_dry_run() -> None:
    """Start the dry run for the chosen stores, without decisions about conflicts."""
    origin, goal = _require_locations()
    conflicts.reset_decisions(OnConflict.OVERWRITE if st.session_state.get(BACK) else OnConflict.SKIP)
    request = MigrationRequest(origin.text, goal.text, zone=chosen_time_zone(), actor=person.current_name())
    migration_jobs.start_dry_run(
        request, origin.inspection.display_name, goal.inspection.display_name, _is_in_use(origin.text)
    )


def _resume_migration() -> None:
    def work() -> None:
        origin, goal = _require_locations()
        request = MigrationRequest(origin.text, goal.text, actor=person.current_name(), resume=True)
        migration_jobs.start_migration(
            request, origin.inspection.display_name, goal.inspection.display_name, _is_in_use(origin.text)
        )

    steps.run_named_step(work)


def _require_locations() -> tuple[ChosenLocation, ChosenLocation]:
    origin, goal = chosen_location(SOURCE), chosen_location(TARGET)
    if origin is None or goal is None:
        raise InvalidInputError("Choose a source and a target first.")
    return origin, goal


def _is_in_use(text: str) -> bool:
    return (
        locations.parse_location(text).canonical_address
        == store_switch.current_location(load_settings()).canonical_address
    )


def choose_current_storage() -> None:
    """Choose the current storage as the source."""
    text = store_switch.current_address(load_settings())
    st.session_state[f"migrate:chosen:{SOURCE}"] = ChosenLocation(text, locations.inspect_store(text))


def _suggest_target(origin: StoreInspection) -> None:
    """Preselect the most likely kind of target, unless one was chosen before."""
    if f"migrate:{TARGET}:kind" not in st.session_state:
        st.session_state[f"migrate:{TARGET}:kind"] = SQLITE if origin.kind == "folder" else FOLDER


def _forget_location(side: str) -> None:
    st.session_state.pop(f"migrate:chosen:{side}", None)


def _show_inspection(side: str, kind: str) -> None:
    """Show the result of the inspection of the chosen store."""
    location = chosen_location(side)
    if location is None or kind == IN_USE:
        return
    text = escape_markdown(location.inspection.message)
    if location.inspection.state == "refused":
        st.error(text, icon=":material/block:")
    elif location.inspection.state == "old" and side == TARGET:
        st.warning(f"{text} Upgrade it before you migrate into it.", icon=":material/history:")
    else:
        st.success(text, icon=":material/check_circle:")
