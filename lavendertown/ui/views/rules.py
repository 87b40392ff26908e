"""Rules screen: the checks and rules of a dataset, and what is expected of its columns."""

from __future__ import annotations

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.ui import errors, queries
from lavendertown.ui.components.inspect import inspection_state
from lavendertown.ui.components.rules import (
    check_history,
    check_table,
    column_expectations,
    rule_data,
    rule_files,
    rule_form,
    rule_list,
    rule_suggestions,
)
from lavendertown.ui.components.shared import change_notifier, layout
from lavendertown.ui.components.shared.formatting import escape_markdown

DATASET = "dataset"
TABS = ("Rules", "Checks", "Columns", "History")


def render_rules_page() -> None:
    """Draw the screen."""
    actions = layout.draw_page_header("Rules")
    change_notifier.set_baseline()
    with actions:
        change_notifier.show_changes(also=("dataset_settings", "ruleset"))
    names = list_datasets()
    if not names:
        layout.show_empty_state(
            "rule",
            "No datasets yet",
            "Rules and checks belong to a dataset. Inspect a table, or save a report, to begin one.",
            lambda: st.page_link(layout.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
        )
        return
    dataset = choose_dataset(names)
    try:
        configuration = queries.stored_checks(dataset)
    except InvalidInputError as error:
        errors.show_error(error)
        return
    with actions:
        if st.button("Add rule", type="primary", icon=":material/add:", key="rules:new"):
            rule_form.open_rule_form(dataset)
        if st.button("Import", icon=":material/upload_file:", key="rules:import open"):
            rule_files.open_import_dialog(dataset)
        rule_files.draw_export_menu(dataset, configuration)
    rules, checks, columns, history = st.tabs(TABS, key="rules:tab", on_change="rerun")
    with rules:
        if rules.open:
            draw_rules_tab(dataset, configuration)
    with checks:
        if checks.open:
            check_table.draw_checks(dataset, configuration, None)
    with columns:
        if columns.open:
            column_expectations.draw_columns(dataset, configuration)
    with history:
        if history.open:
            check_history.draw_history(dataset, configuration)


def list_datasets() -> list[str]:
    """Return the dataset of this session's table, and those of all reports."""
    result = inspection_state.current_result()
    return list(dict.fromkeys([*([result.dataset] if result is not None else []), *queries.known_datasets()]))


def choose_dataset(names: list[str]) -> str:
    """Draw the choice of the dataset, which is in the address."""
    asked = st.query_params.get(DATASET, "")
    options = list(dict.fromkeys([*([asked] if asked else []), *names]))
    chosen = st.selectbox("Dataset", options, key="rules:dataset", width=320, label_visibility="collapsed")
    st.query_params[DATASET] = chosen
    return str(chosen)


def draw_rules_tab(dataset: str, configuration: CheckConfiguration) -> None:
    """Draw the rules, and suggestions from the table of this session."""
    rule_list.draw_rules(dataset, configuration)
    table = rule_data.session_table(dataset)
    if table is not None:
        rule_suggestions.draw_suggestions(dataset, configuration, table)
    else:
        st.caption(
            f"For suggestions, and to try rules on all rows, inspect a file of {escape_markdown(dataset)}."
        )


render_rules_page()
