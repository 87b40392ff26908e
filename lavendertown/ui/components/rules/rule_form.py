"""The form of a rule, with what it finds in the data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.models import Rule
from lavendertown.rules.rule_fields import FIELDS, SEVERITY_FIELD, SHARE_FIELD, WITHOUT_COLUMN, RuleField
from lavendertown.rules.ruleset_files import format_values, parse_yaml
from lavendertown.rules.running import RULE_TYPES, find_problem_reason, parameter_aliases
from lavendertown.ui import check_actions
from lavendertown.ui.components.rules import rule_data, rule_preview
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown

_DONE, _TYPE, _COLUMN, _NAME, _PURPOSE, _YAML = (
    f"rule:{name}" for name in ("done", "type", "column", "name", "purpose", "yaml")
)
_NEW = Rule("", "", "not_null")


def open_rule_form(dataset: str, rule: Rule | None = None) -> None:
    """Open the form for a rule, or for a new one."""
    for key in [str(key) for key in st.session_state]:
        if key.startswith("rule:"):
            del st.session_state[key]
    layout.withdraw_question(check_actions.PLACE)
    _draw_form(dataset, rule)


@st.dialog("Rule", icon=":material/rule:", width="large")
def _draw_form(dataset: str, edited: Rule | None) -> None:
    if st.session_state.pop(_DONE, False):
        # Only a run of the whole page closes the dialog.
        st.rerun()
    before = edited or _NEW
    left, right = st.columns(2)
    with left:
        types = [*RULE_TYPES, *([before.rule_type] if before.rule_type not in RULE_TYPES else [])]
        rule_type = st.selectbox(
            "Type",
            types,
            index=types.index(before.rule_type),
            format_func=lambda name: str(name).replace("_", " ").capitalize(),
            key=_TYPE,
        )
    with right:
        columns = list(dict.fromkeys([*filter(None, [before.column]), *rule_data.column_names(dataset)]))
        column = st.selectbox(
            "Column",
            columns,
            index=0 if before.column else None,
            placeholder="Whole rows" if rule_type in WITHOUT_COLUMN else "Choose or type a column",
            accept_new_options=True,
            key=_COLUMN,
        )
    try:
        parameters = _read_parameters(before, rule_type)
        problem = ""
    except InvalidInputError as error:
        parameters, problem = {}, str(error)
    suggested = " ".join(filter(None, [column, rule_type.replace("_", " ")]))
    name = st.text_input("Name", before.name, placeholder=suggested, key=_NAME).strip() or suggested
    purpose = st.text_input("Purpose", before.description, placeholder="Optional", key=_PURPOSE)
    rule = Rule(name, purpose, rule_type, column or None, parameters, before.enabled)
    if not problem:
        reason = find_problem_reason(replace(rule, enabled=True))
        problem = f"This rule cannot run yet: {reason}{'' if reason.endswith('?') else '.'}" if reason else ""
    findings = st.container()
    layout.show_notice(check_actions.PLACE)
    st.button(
        "Save rule",
        type="primary",
        key="rule:save",
        disabled=bool(problem) or layout.has_question(check_actions.PLACE),
        on_click=person.run_with_name,
        args=(check_actions.PLACE, _save, dataset, edited, rule),
    )
    # Last, because it takes a moment in a large table: the button is there at once.
    with findings:
        if problem:
            st.markdown(f":orange[:material/warning: {escape_markdown(problem)}]")
        else:
            rule_preview.draw_preview(dataset, replace(rule, enabled=True))


def _save(dataset: str, edited: Rule | None, rule: Rule) -> None:
    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        if edited is not None and edited not in configuration.rules:
            raise InvalidInputError(
                f"The rule {edited.name!r} was changed or deleted in the meantime. Close the form and open "
                "it again."
            )
        taken = {each.name for each in configuration.rules} - ({edited.name} if edited else set())
        if rule.name in taken:
            raise InvalidInputError(f"There is a rule {rule.name!r} already. Choose another name.")
        if edited is None:
            return replace(configuration, rules=(*configuration.rules, rule))
        rules = (rule if each.name == edited.name else each for each in configuration.rules)
        return replace(configuration, rules=tuple(rules))

    if check_actions.change_checks(dataset, change):
        st.session_state[_DONE] = True


def _read_parameters(before: Rule, rule_type: str) -> dict[str, Any]:
    """Draw the fields of a type of rule, and return what they say.

    Raises:
        InvalidInputError: A field cannot be read. The message is a sentence.
    """
    given: Mapping[str, Any] = before.parameters if before.rule_type == rule_type else {}
    aliases = parameter_aliases(rule_type)
    given = {aliases.get(name, name): value for name, value in given.items()}
    fields = FIELDS.get(rule_type)
    if fields is None:
        text = st.text_area(
            "Parameters (YAML)",
            format_values(dict(given)) if given else "",
            placeholder="operation: greater_than\nsource_columns: [shipped, ordered]",
            key=f"{_YAML}:{rule_type}",
        )
        values = parse_yaml(text, "The parameters") if text.strip() else {}
        if not isinstance(values, dict):
            raise InvalidInputError("The parameters must be names with values, such as 'tolerance: 0.1'.")
        return values
    read = {}
    cells: Sequence[DeltaGenerator] = ()
    for number, field in enumerate((*fields, SEVERITY_FIELD, SHARE_FIELD)):
        # A row for each pair, so that they keep their order in a narrow window.
        cells = cells if number % 2 else st.columns(2)
        with cells[number % 2]:
            value = _draw_field(field, given.get(field.name), f"rule:{rule_type}:{field.name}")
        if value is not None:
            read[field.name] = value
    # What has no field, such as mostly, stays.
    shown = {field.name for field in (*fields, SEVERITY_FIELD, SHARE_FIELD)}
    return {**{name: value for name, value in given.items() if name not in shown}, **read}


def _draw_field(field: RuleField, value: Any, key: str) -> Any:
    match field.kind:
        case "flag":
            return st.checkbox(field.label, bool(value), key=key) or None
        case "choice":
            index = field.choices.index(value) if value in field.choices else None
            return st.selectbox(field.label, field.choices, index=index, placeholder="As by default", key=key)
        case "values" | "columns":
            return _draw_list(field, value, key)
        case "count":
            count = st.text_input(field.label, "" if value is None else str(value), key=key).strip()
            return _read_number(count, field.label)
        case "share":
            text = "" if value is None else str(value)
            return _read_number(st.text_input(field.label, text, placeholder="0", key=key), field.label)
        case "value":
            text = st.text_input(field.label, "" if value is None else str(value), key=key).strip()
            return _read_scalar(text) if text else None
    text = st.text_input(field.label, "" if value is None else str(value), placeholder=field.hint, key=key)
    return text or None


def _draw_list(field: RuleField, value: Any, key: str) -> list[Any] | None:
    given: Sequence[Any] = [value] if isinstance(value, str) else list(value or ())
    by_text = {str(each): each for each in given}
    chosen = st.multiselect(
        field.label, list(by_text), default=list(by_text), accept_new_options=True, select_all=False, key=key
    )
    return [by_text.get(each, each) for each in chosen] or None


def _read_number(text: str, label: str) -> int | float | None:
    if not text.strip():
        return None
    number = _read_scalar(text.strip())
    if isinstance(number, str):
        raise InvalidInputError(f"{label} must be a number, not {text!r}.")
    return number


def _read_scalar(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
