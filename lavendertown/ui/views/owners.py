"""Owner rules screen: who owns new findings of which datasets and columns."""

from __future__ import annotations

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.owner_rules import OwnerRule
from lavendertown.ui import errors, owner_actions, queries
from lavendertown.ui.components.owners import owner_form
from lavendertown.ui.components.shared import change_notifier, layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, inline_code

_PAGE = "page"
_UP, _DOWN, _DELETE = "Move up", "Move down", "Delete"


def render_owners_page() -> None:
    """Draw the screen."""
    with layout.draw_page_header("Owner rules"):
        change_notifier.set_baseline()
        change_notifier.show_changes(also=("dataset_settings",))
        if st.button("Add rule", type="primary", icon=":material/add:", key="owners:new"):
            owner_form.open_owner_form()
    configured = queries.current_storage().owner_rules.list_configured()
    try:
        stored = queries.stored_owner_rules()
    except InvalidInputError as error:
        errors.show_error(error)
        return
    if not configured and not stored:
        layout.show_empty_state(
            "assignment_ind",
            "No owner rules yet",
            "A rule assigns new findings of a dataset or a column to a person when a report is saved.",
        )
        return
    st.caption(
        "The first rule that matches assigns a new finding when its report is saved. A rule never replaces "
        "what a person chose."
    )
    with st.container(border=True, gap="small", key="owners:list"):
        for number, rule in enumerate(configured, 1):
            draw_configured_rule(number, rule)
        for position, rule in enumerate(stored):
            draw_stored_rule(len(configured) + position + 1, rule, position, len(stored))


def draw_configured_rule(number: int, rule: OwnerRule) -> None:
    """Draw a rule of the settings, which is changed there only."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(describe_rule(number, rule), width="stretch")
        st.badge(
            "From the settings",
            color="gray",
            help="Set by triage.owners in a settings file or variable; change it there.",
        )


def draw_stored_rule(number: int, rule: OwnerRule, position: int, total: int) -> None:
    """Draw a rule of the team with its actions."""
    key = f"owners:{position}"
    moves = {_UP: position > 0, _DOWN: position < total - 1}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(describe_rule(number, rule), width="stretch")
        if st.button("Edit", type="tertiary", icon=":material/edit:", key=f"{key}:edit"):
            owner_form.open_owner_form(rule)
        st.menu_button(
            "More",
            [*(name for name, is_possible in moves.items() if is_possible), _DELETE],
            icon=":material/more_horiz:",
            type="tertiary",
            key=f"{key}:more",
            on_click=handle_more_menu,
            args=(rule, position),
        )


def handle_more_menu(rule: OwnerRule, position: int) -> None:
    """Do what was chosen in the menu of a rule."""
    chosen = st.session_state[f"owners:{position}:more"]
    if chosen == _DELETE:
        person.run_with_name(_PAGE, delete_rule, rule)
    else:
        person.run_with_name(_PAGE, move_rule, rule, position, -1 if chosen == _UP else 1)


def describe_rule(number: int, rule: OwnerRule) -> str:
    """Return a rule as Markdown: its number, patterns and person."""
    parts = (("Dataset", rule.dataset), ("Column", rule.column))
    patterns = " · ".join(f":gray[{name}] {inline_code(pattern)}" for name, pattern in parts if pattern)
    return f":gray[{number}.] {patterns} :gray[→] **{escape_markdown(rule.owner)}**"


def move_rule(rule: OwnerRule, position: int, step: int) -> None:
    """Move a rule of the team up or down."""

    def change(rules: list[OwnerRule]) -> list[OwnerRule]:
        owner_form.require_rule(rules, rule, position)
        rules.insert(position + step, rules.pop(position))
        return rules

    owner_actions.change_rules(change, f"Rule moved {'up' if step < 0 else 'down'}.")


def delete_rule(rule: OwnerRule) -> None:
    """Delete a rule of the team."""

    def change(rules: list[OwnerRule]) -> list[OwnerRule]:
        owner_form.require_rule(rules, rule)
        rules.remove(rule)
        return rules

    owner_actions.change_rules(change, "Rule deleted.")


render_owners_page()
