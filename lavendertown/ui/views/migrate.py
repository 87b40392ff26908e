"""Migrate storage screen: source, target, dry run, migration, verification, switch."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import migration_jobs
from lavendertown.ui.components.migrate import dry_run, location_steps, migration_status, steps, switch_step
from lavendertown.ui.components.migrate.steps import WizardStep
from lavendertown.ui.components.shared import layout
from lavendertown.ui.migration_jobs import MigrationJob


def render_migrate_page() -> None:
    """Draw the screen."""
    layout.draw_page_header("Migrate storage")
    work = migration_jobs.current_job()
    at = steps.current_step(work)
    steps.draw_stepper(at)
    with st.container(width=steps.WIDTH):
        with st.container():
            layout.show_notice(steps.NOTICES)
        draw_step(at, work)


def draw_step(at: WizardStep, work: MigrationJob | None) -> None:
    """Draw one step."""
    if work is None:
        if at is WizardStep.SOURCE:
            location_steps.draw_source_step()
            switch_step.draw_switch_back_panel()
        elif at is WizardStep.TARGET:
            location_steps.draw_target_step()
        else:
            dry_run.show_dry_run()
    elif at is WizardStep.MIGRATING:
        migration_status.show_migration(work)
    elif at is WizardStep.VERIFIED:
        migration_status.show_verified(work)
    else:
        switch_step.draw_switch_step(work)


render_migrate_page()
