"""The form of an owner rule, with the datasets that it matches."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.owner_rules import OwnerRule, create_owner_rule
from lavendertown.ui import owner_actions, queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_DONE, _DATASET, _COLUMN, _OWNER = (f"owner:{name}" for name in ("done", "dataset", "column", "person"))
_MAX_NAMED = 5


def open_owner_form(rule: OwnerRule | None = None) -> None:
    """Open the form for a rule, or for a new one."""
    for key in (_DONE, _DATASET, _COLUMN, _OWNER):
        st.session_state.pop(key, None)
    layout.withdraw_question(owner_actions.FORM)
    _draw_form(rule)


@st.dialog("Owner rule", icon=":material/assignment_ind:")
def _draw_form(edited: OwnerRule | None) -> None:
    if st.session_state.pop(_DONE, False):
        # Only a run of the whole page closes the dialog.
        st.rerun()
    before = edited or OwnerRule("", "", "")
    hint = "Such as orders*; * matches any text, and case does not matter."
    with st.container(key="focus-dataset"):
        dataset = st.text_input("Dataset", before.dataset, placeholder="Any dataset", help=hint, key=_DATASET)
    st.text_input("Column", before.column, placeholder="Any column", key=_COLUMN)
    people = list(dict.fromkeys([*filter(None, [before.owner]), *person.list_assignees()]))
    st.selectbox(
        "Owner",
        people,
        index=0 if before.owner else None,
        placeholder="Choose or enter a person",
        accept_new_options=True,
        key=_OWNER,
    )
    st.caption(_describe_matches(dataset.strip()))
    layout.show_notice(owner_actions.FORM)
    st.button(
        "Save rule",
        type="primary",
        key="owner:save",
        disabled=layout.has_question(owner_actions.FORM),
        on_click=_save_input,
        args=(edited,),
    )


def _describe_matches(pattern: str) -> str:
    """Return which datasets with reports a pattern matches."""
    if not pattern:
        return "Applies to every dataset."
    rule = OwnerRule(pattern, "", "")
    matching = [name for name in queries.known_datasets() if rule.matches_dataset(name)]
    if not matching:
        return "Matches no dataset with reports yet."
    names = ", ".join(escape_markdown(name) for name in matching[:_MAX_NAMED])
    more = f" and {len(matching) - _MAX_NAMED:,} more" if len(matching) > _MAX_NAMED else ""
    return f"Matches {format_count(len(matching), 'dataset')}: {names}{more}."


def _save_input(edited: OwnerRule | None) -> None:
    """Save what the fields have now; they are gone when the visitor has entered a name."""
    values = [str(st.session_state.get(key) or "") for key in (_DATASET, _COLUMN, _OWNER)]
    person.run_with_name(owner_actions.FORM, _save, edited, *values)


def _save(edited: OwnerRule | None, dataset: str, column: str, owner: str) -> None:
    def change(rules: list[OwnerRule]) -> list[OwnerRule]:
        rule = create_owner_rule(dataset, column, owner)
        if edited is None:
            return [*rules, rule]
        require_rule(rules, edited)
        rules[rules.index(edited)] = rule
        return rules

    done = "Rule added." if edited is None else "Rule changed."
    if owner_actions.change_rules(change, done, owner_actions.FORM):
        st.session_state[_DONE] = True


def require_rule(rules: Sequence[OwnerRule], rule: OwnerRule, position: int | None = None) -> None:
    """Refuse to change a rule that somebody else changed, moved or deleted in the meantime.

    Raises:
        InvalidInputError: It is not among these rules, or not at this position.
    """
    if rule not in rules or (position is not None and rules[position : position + 1] != [rule]):
        raise InvalidInputError(
            f"The owner rule {str(rule)!r} was changed, moved or deleted in the meantime. Look at the list "
            "again."
        )
