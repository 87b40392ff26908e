"""Rules that the table of this session meets, to keep by a click."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.models import Rule
from lavendertown.ui import errors, inspections
from lavendertown.ui.components.rules import rule_list
from lavendertown.ui.components.shared import person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_FOUND = "rules:suggested"
_MAX_SHOWN = 30


def draw_suggestions(dataset: str, configuration: CheckConfiguration, table: InspectionResult) -> None:
    """Draw the button that looks for rules, and those that are not kept yet."""
    found: tuple[str, list[Rule]] | None = st.session_state.get(_FOUND)
    if found is None or found[0] != table.folder.name:
        label = f"Suggest rules from {escape_markdown(table.name)}"
        if not st.button(label, icon=":material/lightbulb:", key="rules:suggest"):
            return
        try:
            with st.spinner("Looking for rules that the table meets…"):
                found = (table.folder.name, inspections.suggest_rules(table))
        except LavenderTownError as error:
            errors.show_error(error)
            return
        st.session_state[_FOUND] = found
    _draw_list(dataset, configuration, found[1])


def _draw_list(dataset: str, configuration: CheckConfiguration, rules: Sequence[Rule]) -> None:
    known = {(rule.rule_type, rule.column) for rule in configuration.rules}
    left = [rule for rule in rules if (rule.rule_type, rule.column) not in known]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("## Suggestions", anchors=False, width="content")
        if left:
            st.button(
                f"Keep all {len(left):,}",
                type="tertiary",
                icon=":material/done_all:",
                key="rules:keep all",
                on_click=person.run_with_name,
                args=(rule_list.PAGE, rule_list.add_rules, dataset, left),
            )
    if not left:
        st.caption("No further suggestions. The table meets only rules that are kept already.")
        return
    st.caption("Every row meets them. Keep those that are meant, not those that hold by chance.")
    rows = st.container(gap=None)
    for rule in left[:_MAX_SHOWN]:
        with rows.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                f"Keep {escape_markdown(rule.name)}",
                icon=":material/add:",
                type="tertiary",
                key=f"rules:keep:{rule.name}",
                on_click=person.run_with_name,
                args=(rule_list.PAGE, rule_list.add_rules, dataset, [rule]),
            )
            st.markdown(f":small[{rule_list.describe_rule(rule)}]", width="stretch")
    if len(left) > _MAX_SHOWN:
        st.caption(f"And {format_count(len(left) - _MAX_SHOWN, 'other')}; keep some to see them.")
