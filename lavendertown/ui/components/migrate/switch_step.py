"""The last step of the wizard: switch to the target, or switch back."""

from __future__ import annotations

import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.transfer import locations, store_switch
from lavendertown.ui import errors, migration_jobs
from lavendertown.ui.components.migrate import location_fields, location_steps, steps
from lavendertown.ui.components.migrate.steps import WizardStep
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count
from lavendertown.ui.migration_jobs import MigrationJob


def draw_switch_step(work: MigrationJob) -> None:
    """Offer to switch to the target, or show that it is already in use."""
    if work.switch_message is not None:
        st.success(escape_markdown(work.switch_message), icon=":material/swap_horiz:")
        draw_switch_back_panel()
        st.button("Done", type="primary", key="migrate:done", on_click=_finish_wizard)
        return
    if _is_in_use(work):
        st.info(
            f"{escape_markdown(work.target)} is already in use; there is nothing to switch.",
            icon=":material/task_alt:",
        )
        st.button("Done", type="primary", key="migrate:done", on_click=_finish_wizard)
        return
    _offer_switch(work)


def _offer_switch(work: MigrationJob) -> None:
    target = escape_markdown(work.target)
    with st.container(border=True):
        st.markdown(f"## Switch to {target}?", anchors=False)
        blocking = store_switch.find_blocking_setting(load_settings(), work.request.target)
        if blocking:
            st.info(escape_markdown(blocking), icon=":material/settings:")
        else:
            st.markdown(
                "Changes made since the migration are copied first. "
                ":gray[Colleagues switch with their next click. "
                f"All data stays in {escape_markdown(work.source)}, so you can return to it.]"
            )
    with steps.horizontal_buttons():
        steps.draw_back_button(WizardStep.VERIFIED)
        if blocking:
            st.button("Done", key="migrate:done", on_click=_finish_wizard)
            return
        st.button(
            f"Switch to {target}",
            type="primary",
            icon=":material/swap_horiz:",
            key="migrate:switch",
            wrap=True,
            on_click=_switch_store,
        )


def _switch_store() -> None:
    with st.spinner("Copying recent changes…"):
        steps.run_named_step(migration_jobs.switch_to_target)


def _is_in_use(work: MigrationJob) -> bool:
    current = store_switch.current_location(load_settings())
    return current.canonical_address == locations.parse_location(work.request.target).canonical_address


def draw_switch_back_panel() -> None:
    """Offer to switch back to the store before the last switch, if there is one."""
    settings = load_settings()
    try:
        former = store_switch.describe_previous_store(settings)
        if former is None or store_switch.find_blocking_setting(
            settings, store_switch.previous_address(settings)
        ):
            return
        since = store_switch.count_changes_since_switch(settings)
    except LavenderTownError as error:
        errors.show_error(error)
        return
    with st.container(border=True, gap="small"):
        st.markdown(f"**You can switch back** :gray[to {escape_markdown(former)}.]")
        if since:
            current = store_switch.current_location(settings).display_name
            verb = "was" if since == 1 else "were"
            st.markdown(
                f"{format_count(since, 'change')} {verb} made since the switch. "
                f"They stay in {escape_markdown(current)} and would be missing after a switch. "
                "Migrate them back first, then switch."
            )
        with steps.horizontal_buttons():
            if since:
                st.button(
                    "Migrate them back first",
                    icon=":material/undo:",
                    key="migrate:move back",
                    on_click=_prepare_migration_back,
                )
            st.button(
                f"Switch back to {escape_markdown(former)}",
                type="tertiary" if since else "secondary",
                icon=":material/swap_horiz:",
                key="migrate:switch back",
                on_click=_switch_back,
            )


def _switch_back() -> None:
    def work() -> None:
        layout.queue_notice(migration_jobs.switch_back(), place=steps.NOTICES)
        steps.go_to_step(WizardStep.SOURCE)

    steps.run_named_step(work)


def _prepare_migration_back() -> None:
    """Restart the wizard, from the current storage to the previous one."""

    def work() -> None:
        settings = load_settings()
        former = store_switch.previous_address(settings)
        assert former is not None
        st.session_state["migrate:source:kind"] = location_fields.IN_USE
        location_fields.fill_in_fields(location_fields.TARGET, former)
        location_steps.choose_current_storage()
        st.session_state[location_steps.BACK] = True
        migration_jobs.dismiss_job()

    if steps.run_step(work):
        steps.go_to_step(WizardStep.TARGET)


def _finish_wizard() -> None:
    migration_jobs.dismiss_job()
    steps.go_to_step(WizardStep.SOURCE)
