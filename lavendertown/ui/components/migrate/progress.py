"""Show the progress of a dry run or a migration."""

from __future__ import annotations

import streamlit as st

from lavendertown.transfer.values import MigrationProgress
from lavendertown.ui import migration_jobs
from lavendertown.ui.components.migrate import steps
from lavendertown.ui.components.migrate.steps import WizardStep
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import format_count
from lavendertown.ui.migration_jobs import MigrationJob

REFRESH_INTERVAL = "1s"
PHASES = {
    "reports": "Reports and findings",
    "annotations": "Comments",
    "rulesets": "Rule sets",
    "triage": "Triage",
    "people": "People",
    "views": "Saved views",
    "dataset_settings": "Settings of datasets",
    "evidence": "Evidence",
    "incidents": "Incidents",
    "worklists": "Worklists",
    "notifications": "Notifications",
    "channels": "Channels",
    "events": "Audit events",
    "changes": "Recent changes",
    "verifying": "Verifying",
}


@st.fragment(run_every=REFRESH_INTERVAL)
def show_dry_run_progress() -> None:
    """Show the progress of this browser's dry run; redraw the page when it ends."""
    job = migration_jobs.own_dry_run()
    if job is None or job.worker.state != "running":
        st.rerun()
    with st.container(border=True):
        _draw_progress_bar(job.worker.progress, passes=1)
        with steps.horizontal_buttons():
            st.button("Cancel", icon=":material/close:", key="migrate:cancel", on_click=_cancel_dry_run)
            steps.describe_effect("Nothing is written by a dry run.")


def _cancel_dry_run() -> None:
    migration_jobs.cancel_dry_run()
    steps.go_to_step(WizardStep.TARGET)


@st.fragment(run_every=REFRESH_INTERVAL)
def show_migration_progress() -> None:
    """Show the progress of the migration; redraw the page when it ends."""
    job = migration_jobs.current_job()
    if job is None or job.worker.state != "running":
        st.rerun()
    with st.container(border=True):
        _draw_progress_bar(job.worker.progress, passes=2)
        if migration_jobs.is_own_job(job):
            _draw_stop_button(job)
    if migration_jobs.is_own_job(job):
        st.caption(
            "You can close or reload this page; the migration continues. "
            "Colleagues can keep working: their changes are copied too."
        )
    else:
        st.caption("Only the browser that started it can stop or resume it.")


def _draw_stop_button(job: MigrationJob) -> None:
    # A fragment cannot draw the notices at the top of the page.
    place = f"{steps.NOTICES}:stop"
    layout.show_notice(place)
    with steps.horizontal_buttons():
        st.button(
            "Stop",
            icon=":material/stop:",
            key="migrate:stop",
            on_click=person.run_with_name,
            args=(place, steps.run_step, migration_jobs.stop_job),
        )
        steps.describe_effect("Copied records stay; a restart resumes from there.")


def _draw_progress_bar(progress: MigrationProgress | None, passes: int) -> None:
    if progress is None or not progress.total:
        st.progress(0.0, "**Opening both stores**")
        return
    part = min(progress.done / progress.total, 1.0)
    st.progress(
        part, f"**{PHASES.get(progress.phase, progress.phase)}** · {_describe_progress(progress, passes)}"
    )


def _describe_progress(progress: MigrationProgress, passes: int) -> str:
    """Describe the records done in this pass, the rate and the remaining time."""
    assert progress.total is not None
    total = progress.total // passes
    verified = passes > 1 and progress.phase == "verifying"
    done = min(max(progress.done - total, 0) if verified else progress.done, total)
    parts = [f"{done:,} of {format_count(total, 'record')}"]
    if progress.rate >= 1:
        parts.append(f"{progress.rate:,.0f} records/s")
    if progress.seconds_left is not None:
        parts.append(f"about {steps.format_duration(progress.seconds_left)} left")
    return " · ".join(parts)
