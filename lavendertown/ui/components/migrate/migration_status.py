"""Show a running, interrupted or finished migration."""

from __future__ import annotations

import streamlit as st

from lavendertown.transfer import count_table
from lavendertown.transfer.values import MigrationOutcome
from lavendertown.ui import migration_jobs
from lavendertown.ui.components.migrate import dry_run, progress, steps
from lavendertown.ui.components.migrate.steps import WizardStep
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count
from lavendertown.ui.migration_jobs import MigrationJob

LISTED = 20


def show_migration(job: MigrationJob) -> None:
    """Show a running, stopped or failed migration."""
    source = escape_markdown(job.source)
    target = escape_markdown(job.target)
    who = "You are" if migration_jobs.is_own_job(job) else f"{escape_markdown(job.actor)} is"
    if job.worker.state == "running" or not migration_jobs.is_own_job(job):
        st.caption(f"{who} migrating all data from {source} to {target}")
        progress.show_migration_progress()
        return
    kept = f"Copied records stay in {target}; {source} is unchanged."
    if job.worker.state == "failed":
        st.error(
            f"**The migration failed.** {escape_markdown(job.worker.error or '')}",
            icon=":material/error:",
        )
        st.caption(kept)
    else:
        st.info(f"**The migration was stopped.** {kept}", icon=":material/stop_circle:")
    with steps.horizontal_buttons():
        _draw_resume_button()
        st.button("Not now", key="migrate:leave", on_click=_dismiss_job)
        steps.describe_effect("Resumes where it stopped. The current storage stays in use.")


def _draw_resume_button() -> None:
    st.button(
        "Resume",
        type="primary",
        icon=":material/play_arrow:",
        key="migrate:go on",
        on_click=steps.run_named_step,
        args=(migration_jobs.resume_job,),
    )


def show_verified(job: MigrationJob) -> None:
    """Show the result of a finished migration and its verification."""
    outcome = job.outcome
    st.caption(f"From {escape_markdown(job.source)} to {escape_markdown(job.target)}")
    show_verdict(outcome)
    dry_run.show_counts(outcome, copied="Copied", kept="Kept in target")
    kept = count_table.total_row(outcome).kept
    if kept:
        st.markdown(
            f":orange[:material/call_split:] {format_count(kept, 'conflict')} resolved in favor of the "
            "target: "
            "it keeps its version, and the source keeps its own."
        )
    dry_run.show_normalized(outcome)
    dry_run.show_quarantine(outcome)
    with steps.horizontal_buttons():
        if outcome.differences or not outcome.finished:
            _draw_resume_button()
        else:
            st.button(
                "Continue to switch",
                type="primary",
                icon=":material/arrow_forward:",
                key="migrate:to switch",
                on_click=steps.go_to_step,
                args=(WizardStep.SWITCH,),
            )
        st.button("Not now", key="migrate:leave", on_click=_dismiss_job)
        steps.describe_effect("The current storage stays in use until you switch.")


def show_verdict(outcome: MigrationOutcome) -> None:
    """Show whether source and target match."""
    if outcome.differences:
        number = format_count(len(outcome.differences), "difference")
        st.error(
            f"**{number} between source and target after the migration.** "
            "Nothing is lost: the source is unchanged.",
            icon=":material/difference:",
        )
        st.markdown(steps.markdown_list(escape_markdown(each) for each in outcome.differences[:LISTED]))
        return
    compared = "All records were read back from both and match." if outcome.verified else ""
    if outcome.changed_nothing:
        text = f"**Everything was already there; nothing was written.** {compared}"
    else:
        copied = count_table.total_row(outcome).written
        took = steps.format_duration(outcome.seconds)
        text = f"**{format_count(copied, 'record')} copied in {took}.** {compared}"
    st.success(text, icon=":material/verified:")


def _dismiss_job() -> None:
    migration_jobs.dismiss_job()
    steps.go_to_step(WizardStep.SOURCE)
