"""Show the conflicts of a dry run and read the decisions about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import streamlit as st

from lavendertown.transfer.values import Conflict, MigrationOutcome, OnConflict
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_relative_time,
    inline_code,
)

LISTED = 50
_POLICY = "migrate:policy"
_CHOICE = "migrate:conflict:"
POLICIES = {
    OnConflict.SKIP: "Keep target",
    OnConflict.OVERWRITE: "Use source",
    OnConflict.FAIL: "Stop if there are conflicts",
}
_RECORDS = {"report": "Report", "annotation": "Comment", "ruleset": "Rule set"} | {
    "finding": "Triage of a finding",
    "person": "Person",
    "view": "View",
}


def reset_decisions(preferred: OnConflict) -> None:
    """Clear the decisions of an earlier dry run, and preselect one for all conflicts."""
    for key in [key for key in st.session_state if str(key).startswith(_CHOICE)]:
        del st.session_state[key]
    st.session_state[_POLICY] = preferred


def chosen_policy() -> OnConflict:
    """Return the decision for all conflicts."""
    chosen: OnConflict = st.session_state.setdefault(_POLICY, OnConflict.SKIP)
    return chosen


def count_conflicts(outcome: MigrationOutcome) -> int:
    """Return the number of conflicting records."""
    return outcome.conflict_count


def show_conflicts(outcome: MigrationOutcome) -> None:
    """List the conflicts, with one choice for all of them and one for each."""
    number = count_conflicts(outcome)
    if not number:
        return
    chosen_policy()
    st.markdown(f"## {format_count(number, 'conflict')}", anchors=False)
    with st.container(border=True, gap="small"):
        st.radio(
            "Records that differ in the target",
            list(POLICIES),
            format_func=lambda chosen: POLICIES[chosen],
            key=_POLICY,
            persist_state="session",
            on_change=_reset_choices,
            args=(outcome.conflicts,),
        )
        for conflict in outcome.conflicts[:LISTED]:
            _draw_conflict(conflict)
        if number > LISTED:
            st.caption(f"{number - LISTED:,} more are not listed; the choice for all applies to them.")


def _draw_conflict(conflict: Conflict) -> None:
    what = _RECORDS.get(conflict.kind, conflict.kind.capitalize())
    title = f" *{escape_markdown(conflict.title)}*" if conflict.title.strip() else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="stretch"):
            st.markdown(
                f"{what} {inline_code(conflict.record_id)}{title}  "
                f"\n:small[:gray[{_describe_sides(conflict)}]]",
            )
        if chosen_policy() != OnConflict.FAIL:
            st.session_state.setdefault(_choice_key(conflict), chosen_policy())
            st.radio(
                f"Keep for {what.lower()} {conflict.record_id}",
                (OnConflict.OVERWRITE, OnConflict.SKIP),
                format_func=lambda choice: "Source" if choice == OnConflict.OVERWRITE else "Target",
                horizontal=True,
                label_visibility="collapsed",
                key=_choice_key(conflict),
                persist_state="session",
                width="content",
            )


def _describe_sides(conflict: Conflict) -> str:
    source = "deleted by " if conflict.source_deleted else ""
    target = "deleted by " if conflict.target_deleted else ""
    return (
        f"source: {source}{escape_markdown(conflict.source_by)}, "
        f"{format_relative_time(conflict.source_changed_at)}, "
        f"version {conflict.source_version} · target: {target}{escape_markdown(conflict.target_by)}, "
        f"{format_relative_time(conflict.target_changed_at)}, version {conflict.target_version}"
    )


def _choice_key(conflict: Conflict) -> str:
    return f"{_CHOICE}{conflict.key}"


def _reset_choices(listed: Iterable[Conflict]) -> None:
    for conflict in listed:
        st.session_state.pop(_choice_key(conflict), None)


def chosen_decisions(outcome: MigrationOutcome) -> dict[str, OnConflict]:
    """Return the decisions that differ from the one for all conflicts."""
    decisions = {
        each.key: st.session_state.get(_choice_key(each), chosen_policy())
        for each in outcome.conflicts[:LISTED]
    }
    return {key: choice for key, choice in decisions.items() if choice != chosen_policy()}


def count_writes(outcome: MigrationOutcome) -> int:
    """Return the number of records that the migration will write."""
    new = sum(count.written for kind, count in outcome.counts.items() if kind != "findings")
    other = Counter(chosen_decisions(outcome).values())
    if chosen_policy() == OnConflict.OVERWRITE:
        return new + count_conflicts(outcome) - other[OnConflict.SKIP]
    return new + other[OnConflict.OVERWRITE]
