"""Conflicts of a dry run: what source and target hold differently, and what is decided about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import streamlit as st

from lavendertown.migration.values import Conflict, OnConflict, Outcome
from lavendertown.ui.components import words

LISTED = 50
_POLICY = "migrate:policy"
_CHOICE = "migrate:conflict:"
POLICIES = {
    OnConflict.SKIP: "Keep the target's",
    OnConflict.OVERWRITE: "Take the source's",
    OnConflict.FAIL: "Stop: move nothing while there are conflicts",
}
_RECORDS = {"report": "Report", "annotation": "Comment", "ruleset": "Rule set"} | {
    "finding": "Decisions about a finding",
    "person": "Person",
    "view": "View",
}


def decide_anew(preferred: OnConflict) -> None:
    """Forget what was decided for an earlier dry run; until somebody chooses, this holds for all."""
    for key in [key for key in st.session_state if str(key).startswith(_CHOICE)]:
        del st.session_state[key]
    st.session_state[_POLICY] = preferred


def policy() -> OnConflict:
    """Return what is decided for all."""
    chosen: OnConflict = st.session_state.setdefault(_POLICY, OnConflict.SKIP)
    return chosen


def total(found: Outcome) -> int:
    """Return how many records are in conflict."""
    return found.conflict_count


def listed(found: Outcome) -> None:
    """List what source and target hold differently, with one choice for all and one for each."""
    number = total(found)
    if not number:
        return
    policy()
    st.markdown(f"### {words.count(number, 'conflict')}", anchors=False)
    with st.container(border=True, gap="small"):
        st.radio(
            "What happens to records that the target holds with other content",
            list(POLICIES),
            format_func=lambda chosen: POLICIES[chosen],
            key=_POLICY,
            persist_state="session",
            on_change=_same_for_all,
            args=(found.conflicts,),
        )
        for conflict in found.conflicts[:LISTED]:
            _conflict(conflict)
        if number > LISTED:
            st.caption(f"{number - LISTED:,} more are not listed; the choice for all holds for them.")


def _conflict(conflict: Conflict) -> None:
    what = _RECORDS.get(conflict.kind, conflict.kind.capitalize())
    title = f" *{words.plain(conflict.title)}*" if conflict.title.strip() else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="stretch"):
            st.markdown(
                f"{what} {words.code(conflict.record_id)}{title}  \n:small[:gray[{_sides(conflict)}]]",
            )
        if policy() != OnConflict.FAIL:
            st.session_state.setdefault(_key(conflict), policy())
            st.radio(
                f"Keep for {what.lower()} {conflict.record_id}",
                (OnConflict.OVERWRITE, OnConflict.SKIP),
                format_func=lambda choice: "Source" if choice == OnConflict.OVERWRITE else "Target",
                horizontal=True,
                label_visibility="collapsed",
                key=_key(conflict),
                persist_state="session",
                width="content",
            )


def _sides(conflict: Conflict) -> str:
    source = "deleted by " if conflict.source_deleted else ""
    target = "deleted by " if conflict.target_deleted else ""
    return (
        f"source: {source}{words.plain(conflict.source_by)}, {words.ago(conflict.source_changed_at)}, "
        f"version {conflict.source_version} · target: {target}{words.plain(conflict.target_by)}, "
        f"{words.ago(conflict.target_changed_at)}, version {conflict.target_version}"
    )


def _key(conflict: Conflict) -> str:
    return f"{_CHOICE}{conflict.key}"


def _same_for_all(found: Iterable[Conflict]) -> None:
    for conflict in found:
        st.session_state.pop(_key(conflict), None)


def choices(found: Outcome) -> dict[str, OnConflict]:
    """Return those decisions that differ from the one for all."""
    decided = {each.key: st.session_state.get(_key(each), policy()) for each in found.conflicts[:LISTED]}
    return {key: choice for key, choice in decided.items() if choice != policy()}


def to_write(found: Outcome) -> int:
    """Return how many records will be written."""
    new = sum(count.written for kind, count in found.counts.items() if kind != "findings")
    other = Counter(choices(found).values())
    if policy() == OnConflict.OVERWRITE:
        return new + total(found) - other[OnConflict.SKIP]
    return new + other[OnConflict.OVERWRITE]
