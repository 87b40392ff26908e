"""Show a notice to all users while the current store is being migrated."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import migration_jobs
from lavendertown.ui.components.shared.formatting import escape_markdown

REFRESH_INTERVAL = "3s"


def show_migration_notice() -> None:
    """Show who is migrating the current store and to which target, while the migration runs.

    The notice is refreshed only during a migration: a timed refresh shortly before a change of the screen can
    leave the page blank, see :func:`layout.go_to`.
    """
    if _migration_of_current_store():
        with st.container(key="migration-over-page"):
            _draw_notice()


@st.fragment(run_every=REFRESH_INTERVAL)
def _draw_notice() -> None:
    job = _migration_of_current_store()
    if job is None:
        return
    who = "You are" if migration_jobs.is_own_job(job) else f"{escape_markdown(job.actor)} is"
    st.caption(
        f":violet[:material/local_shipping:] {who} migrating all data to {escape_markdown(job.target)}. "
        "Keep working; your changes are copied too."
    )


def _migration_of_current_store() -> migration_jobs.MigrationJob | None:
    job = migration_jobs.running_job()
    return job if job is not None and job.source_in_use and job.worker.state == "running" else None
