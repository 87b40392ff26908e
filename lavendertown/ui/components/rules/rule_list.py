"""The rules of a dataset: switch them on and off, edit and delete them; rule sets that run, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import streamlit as st

from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.models import Rule
from lavendertown.rules.rule_fields import FIELDS
from lavendertown.rules.running import find_problem_reason
from lavendertown.ui import check_actions, queries
from lavendertown.ui.components.rules import rule_form
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, inline_code

PAGE = "page"
_RULES_PER_PAGE = 25
_MAX_PARAMETERS = 90


def draw_rules(dataset: str, configuration: CheckConfiguration) -> None:
    """Draw the rules of a dataset with their actions, and the rule sets that also run."""
    rules = configuration.rules
    if not rules:
        layout.show_empty_state(
            "rule",
            "No rules yet",
            "Checks find what is unusual; a rule says what you expect. Add one, or import a file.",
        )
    pages = -(-len(rules) // _RULES_PER_PAGE)
    page = st.pagination(pages, key=f"rules:page:{dataset}", width="content") if pages > 1 else 1
    if rules:
        with st.container(border=True, gap=None):
            for rule in rules[(page - 1) * _RULES_PER_PAGE : page * _RULES_PER_PAGE]:
                _draw_rule(dataset, rule)
    _draw_rule_sets(dataset, configuration)


def _draw_rule(dataset: str, rule: Rule) -> None:
    key = f"rules:{dataset}:{rule.name}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.toggle(
            escape_markdown(rule.name),
            rule.enabled,
            # The stored state is part of the key, so that an undo shows in the switch.
            key=f"{key}:on:{rule.enabled}",
            on_change=person.run_with_name,
            args=(PAGE, _switch_rule, dataset, rule.name, not rule.enabled),
        )
        st.markdown(f":small[{describe_rule(rule)}]", width="stretch")
        # Together, so that a narrow window moves both to the next line.
        with st.container(horizontal=True, width="content", gap="small"):
            if st.button("Edit", type="tertiary", icon=":material/edit:", key=f"{key}:edit"):
                rule_form.open_rule_form(dataset, rule)
            st.button(
                "Delete",
                type="tertiary",
                icon=":material/delete:",
                key=f"{key}:delete",
                on_click=person.run_with_name,
                args=(PAGE, _delete_rule, dataset, rule.name),
            )
    reason = find_problem_reason(rule)
    if reason:
        st.markdown(f":small[:orange[:material/warning: Cannot run: {escape_markdown(reason)}]]")


def describe_rule(rule: Rule) -> str:
    """Return the type, column and parameters of a rule as Markdown."""
    labels = {each.name: each.label for each in FIELDS.get(rule.rule_type, ())}
    parameters = ", ".join(
        f"{labels.get(name, name.replace('_', ' '))}: {_format_parameter(value)}"
        for name, value in rule.parameters.items()
    )
    if len(parameters) > _MAX_PARAMETERS:
        parameters = parameters[: _MAX_PARAMETERS - 1] + "…"
    parts = [inline_code(rule.column or ""), escape_markdown(rule.rule_type.replace("_", " "))]
    text = " ".join(part for part in parts if part)
    return f"{text} :gray[{escape_markdown(parameters)}]" if parameters else text


def _format_parameter(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _switch_rule(dataset: str, name: str, enabled: bool) -> None:
    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        rules = (
            replace(each, enabled=enabled) if each.name == name else each for each in configuration.rules
        )
        return replace(configuration, rules=tuple(rules))

    check_actions.change_checks(dataset, change, PAGE)


def add_rules(dataset: str, rules: Iterable[Rule], place: str = PAGE) -> bool:
    """Add rules; one of the same name is replaced. Return whether they were saved.

    Args:
        dataset: The dataset.
        rules: The rules.
        place: Where a refusal is shown.
    """
    added = CheckConfiguration(rules=tuple(rules))
    return check_actions.change_checks(dataset, lambda before: before.with_settings_over(added), place)


def _delete_rule(dataset: str, name: str) -> None:
    """Delete a rule of a dataset."""

    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        return replace(configuration, rules=tuple(rule for rule in configuration.rules if rule.name != name))

    check_actions.change_checks(dataset, change, PAGE)


def _draw_rule_sets(dataset: str, configuration: CheckConfiguration) -> None:
    """Draw the choice of stored rule sets, whose rules also run."""
    stored = {row["name"]: row["rule_count"] for row in queries.stored_rulesets()}
    names = [*stored, *(name for name in configuration.rule_sets if name not in stored)]
    if not names:
        return
    st.markdown("## Stored rule sets", anchors=False)
    # The stored state is part of the key, as above.
    key = f"rules:sets:{dataset}:{','.join(configuration.rule_sets)}"
    st.multiselect(
        "Rule sets that run with this dataset",
        names,
        default=configuration.rule_sets,
        format_func=lambda name: (
            f"{name} ({format_count(stored[name], 'rule')})" if name in stored else f"{name} (missing)"
        ),
        select_all=False,
        key=key,
        on_change=_save_rule_sets,
        args=(dataset, key),
        help="Rule sets come from `lavendertown rules import`, or from a store of LavenderTown 0.7.",
    )


def _save_rule_sets(dataset: str, key: str) -> None:
    chosen = tuple(st.session_state[key])

    def change(configuration: CheckConfiguration) -> CheckConfiguration:
        return replace(configuration, rule_sets=chosen)

    write: Callable[..., object] = check_actions.change_checks
    person.run_with_name(PAGE, write, dataset, change, PAGE)
