"""Show a dry run: records to copy, unreadable items, times without a zone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from dataclasses import astuple

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.transfer import count_table
from lavendertown.transfer.values import MigrationOutcome, OnConflict, TimeSample
from lavendertown.ui import migration_jobs
from lavendertown.ui.components.migrate import conflicts, location_steps, progress, steps
from lavendertown.ui.components.migrate.steps import WizardStep
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_time,
    inline_code,
    reader_time_zone,
)
from lavendertown.ui.migration_jobs import MigrationJob

LISTED = 50
KIND_NAMES = {
    "reports": "Reports",
    "findings": "Findings",
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
    count_table.OTHER: "Other files",
}


def show_dry_run() -> None:
    """Show the dry run: its progress, its error, or its result."""
    job = migration_jobs.own_dry_run()
    if job is None:
        st.rerun()
    st.caption(f"From {escape_markdown(job.source)} to {escape_markdown(job.target)}")
    if job.worker.state == "running":
        progress.show_dry_run_progress()
    elif job.worker.outcome is None:
        st.error(escape_markdown(job.worker.error or "The dry run was stopped."), icon=":material/error:")
        with steps.horizontal_buttons():
            steps.draw_back_button(WizardStep.TARGET)
            _draw_repeat_button()
    else:
        show_result(job)


def show_result(job: MigrationJob) -> None:
    """Show the result of a dry run and the button that starts the migration."""
    outcome = job.outcome
    show_metrics(outcome)
    show_counts(outcome)
    if outcome.changed_nothing and not conflicts.count_conflicts(outcome):
        _show_nothing_to_copy(outcome)
    conflicts.show_conflicts(outcome)
    show_normalized(outcome)
    show_quarantine(outcome)
    stale = show_times(outcome.times, job.request.zone)
    draw_buttons(job, stale)


def _show_nothing_to_copy(outcome: MigrationOutcome) -> None:
    if any(count.read for count in outcome.counts.values()):
        st.info("Everything is already there; there is nothing to copy.", icon=":material/task_alt:")
    else:
        st.info("The source has nothing to migrate.", icon=":material/inventory_2:")


def show_metrics(outcome: MigrationOutcome) -> None:
    """Show the four main numbers; their sum is the number of records in the source."""
    total = count_table.total_row(outcome)
    with st.grid(4, min_column_width=150):
        _draw_metric("To copy", total.written, "")
        _draw_metric("Already there", total.skipped, "")
        _draw_metric("Conflicts", total.kept, "decide below" if total.kept else "")
        _draw_metric("Quarantine", total.quarantined, "cannot be read" if total.quarantined else "")


def _draw_metric(label: str, number: int, note: str) -> None:
    st.metric(
        label,
        f"{number:,}",
        note or None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
    )


def show_counts(outcome: MigrationOutcome, copied: str = "To copy", kept: str = "Conflict") -> None:
    """Show the number of records by kind, and their sum.

    Args:
        copied: The heading of the records that are written.
        kept: The heading of the conflicts in which the target keeps its record.
    """
    rows = count_table.count_rows(outcome)
    shown = [(KIND_NAMES[name], row) for name, row in rows.items()]
    shown.append(("Total, findings left out", count_table.total_row(outcome)))
    names = ("In the source", copied, "Already there", kept, "Quarantine")
    numbers = zip(*(astuple(row) for _, row in shown), strict=True)
    columns = {"kind": [label for label, _ in shown], **dict(zip(names, map(list, numbers), strict=True))}
    st.dataframe(
        columns,
        hide_index=True,
        row_height=32,
        height="content",
        column_config={"kind": ""}
        | {name: st.column_config.NumberColumn(format="localized") for name in names},
        alt="; ".join(
            f"{label}: {row.source} in the source, {copied.lower()} {row.written}, already there "
            f"{row.skipped}, {kept.lower()} {row.kept}, in quarantine {row.quarantined}"
            for label, row in shown
        ),
    )
    st.caption("Deleted records are included. Comments include changes of status and tags.")


def show_normalized(outcome: MigrationOutcome) -> None:
    """Show how many records of version 0.7 are converted to the current format."""
    if outcome.normalized:
        st.caption(outcome.normalized_sentence)


def show_quarantine(outcome: MigrationOutcome) -> None:
    """List the unreadable items and the reasons."""
    if not outcome.quarantined:
        return
    st.markdown(f"## {len(outcome.quarantined):,} in quarantine", anchors=False)
    with st.container(border=True, gap="small"):
        st.table(
            [
                {"File": inline_code(each.item), "Why": escape_markdown(each.reason)}
                for each in outcome.quarantined[:LISTED]
            ],
            border="horizontal",
            alt="Unreadable items and reasons",
        )
        if len(outcome.quarantined) > LISTED:
            st.caption(f"{len(outcome.quarantined) - LISTED:,} more are not listed here.")
        where = inline_code(str(outcome.quarantine_folder)) if outcome.quarantine_folder else ""
        copies = f"copies are in {where}" if where else "copies are kept when the migration runs"
        st.caption(f"They stay unchanged in the source, and {copies}.")


def show_times(samples: Iterable[TimeSample], zone: str | None) -> bool:
    """Show how times without a zone are read; return whether the zone changed since the dry run."""
    samples = list(samples)
    if not samples:
        return False
    st.markdown("## Times without a zone", anchors=False)
    with st.container(border=True, gap="small"):
        st.session_state.setdefault(location_steps.ZONE, zone or "")
        chosen: str = st.selectbox(
            "They were written in",
            ["", *sorted(zoneinfo.available_timezones())],
            format_func=lambda name: name or "This server's time zone (0.7 databases: UTC)",
            key=location_steps.ZONE,
            persist_state="session",
            width=380,
        )
        rows = [
            {
                "In": inline_code(each.item),
                "Written": escape_markdown(each.written),
                "Reads as": format_time(each.read_as),
            }
            for each in samples
        ]
        st.table(rows, border="horizontal", alt="Times as they were written and as they will read")
        st.caption(f"The last column is in your time zone, {reader_time_zone()}.")
    return (chosen or None) != zone


def draw_buttons(job: MigrationJob, stale: bool) -> None:
    """Draw the buttons to go back and to start the migration."""
    outcome = job.outcome
    blocked = conflicts.chosen_policy() == OnConflict.FAIL and conflicts.count_conflicts(outcome) > 0
    with steps.horizontal_buttons():
        steps.draw_back_button(WizardStep.TARGET)
        if stale:
            _draw_repeat_button()
            steps.describe_effect("The time zone changed; repeat the dry run to see the new times.")
            return
        st.button(
            "Start the migration",
            type="primary",
            icon=":material/play_arrow:",
            key="migrate:start",
            disabled=blocked,
            on_click=_start_migration,
            args=(job,),
        )
        if blocked:
            steps.describe_effect(
                "Nothing is migrated while there are conflicts: resolve them, or choose above."
            )
        else:
            number = conflicts.count_writes(outcome)
            took = steps.format_duration(outcome.seconds * MIGRATION_TIME_FACTOR)
            steps.describe_effect(f"{format_count(number, 'record')}, about {took}. The source is only read.")


MIGRATION_TIME_FACTOR = 3
"""Rough duration of a migration in dry runs: it writes, and reads both stores again."""


def _draw_repeat_button() -> None:
    st.button(
        "Run the dry run again",
        type="primary",
        icon=":material/science:",
        key="migrate:again",
        on_click=steps.run_named_step,
        args=(_repeat_dry_run,),
    )


def _repeat_dry_run() -> None:
    migration_jobs.repeat_dry_run(location_steps.chosen_time_zone())


def _start_migration(dry_run_job: MigrationJob) -> None:
    # Read the choices here and not when drawing: a fast click arrives before the page is redrawn.
    def start() -> None:
        if dry_run_job.outcome.times and location_steps.chosen_time_zone() != dry_run_job.request.zone:
            raise InvalidInputError("The time zone changed; run the dry run again.")
        migration_jobs.start_from_dry_run(
            dry_run_job, conflicts.chosen_policy(), conflicts.chosen_decisions(dry_run_job.outcome)
        )

    steps.run_named_step(start)
