"""Draw the dataset field of the save dialog, with its effects and questions."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lavendertown.collaboration.parts.datasets import ChoiceReason, DatasetChoice
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.ui import queries
from lavendertown.ui.components.shared.formatting import format_count, format_relative_time, inline_code

ADOPT = "save:adopt"
"""Session key of the answer whether to adopt the history."""

_NAME = "save:dataset"
_MENU = "save:datasets"
_CONFIRMED = "save:confirmed"
_MAX_SUGGESTED = 50
_MAX_COLUMNS = 4


def typed_dataset_name() -> str:
    """Return the name typed into the field."""
    return str(st.session_state.get(_NAME) or "").strip()


def chosen_dataset(result: InspectionResult) -> DatasetChoice:
    """Return the dataset choice for the name in the field; an empty field means the suggested name."""
    suggested = _suggest_dataset(result)
    if typed_dataset_name() in ("", suggested.name):
        return suggested
    return queries.choose_dataset(tuple(result.columns), dataset=typed_dataset_name())


def _suggest_dataset(result: InspectionResult) -> DatasetChoice:
    if result.source_name:
        return queries.choose_dataset(tuple(result.columns), dataset=result.dataset)
    return queries.choose_dataset(tuple(result.columns), file=result.name)


def needs_confirmation(result: InspectionResult, chosen: DatasetChoice) -> bool:
    """Return whether the user must first confirm that this is the same table."""
    return chosen.ask and st.session_state.get(_CONFIRMED) != _confirmation_key(result, chosen)


def _confirmation_key(result: InspectionResult, chosen: DatasetChoice) -> tuple[str, tuple[str, ...]]:
    return chosen.name, tuple(result.columns)


def draw_dataset_field(result: InspectionResult) -> DatasetChoice:
    """Draw the field, the effect of its name and the open questions; return the choice."""
    # Not the default of the widget, as a name chosen below replaces the typed one. A browser that is
    # interrupted before it received this value returns an empty field, which also means the suggestion.
    st.session_state.setdefault(_NAME, chosen_dataset(result).name)
    known = queries.known_datasets()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.text_input(
            "Dataset",
            help="The table this file is a version of. Findings keep their history within a dataset.",
            placeholder=chosen_dataset(result).name,
            key=_NAME,
            width="stretch",
        )
        if known:
            st.menu_button("Existing", known[:_MAX_SUGGESTED], key=_MENU, on_click=_use_existing)
    chosen = chosen_dataset(result)
    st.caption(f"{describe_dataset(chosen)} {_describe_match(result, chosen)}")
    if needs_confirmation(result, chosen):
        _ask_same_dataset(result, chosen, known)
    if chosen.adoptable:
        _offer_adoption(chosen)
    return chosen


def _use_existing() -> None:
    st.session_state[_NAME] = st.session_state[_MENU]


def describe_dataset(chosen: DatasetChoice) -> str:
    """Describe the dataset that a report joins: its number of reports and the differences in columns."""
    label = inline_code(chosen.name)
    if chosen.latest is None:
        return f"New dataset {label}."
    reports = f"{format_count(chosen.report_count, 'report')}, latest {format_relative_time(chosen.latest)}"
    former = ", the name this file had so far" if chosen.reason is ChoiceReason.FORMER_NAME else ""
    return f"Joins dataset {label}{former}: {reports}, {_describe_columns(chosen)}."


def _describe_match(result: InspectionResult, chosen: DatasetChoice) -> str:
    """Say what the next delivery is matched with this dataset by."""
    suggested = _suggest_dataset(result)
    if chosen.name != suggested.name:
        return f"Name it for the next delivery, too: that is matched with {inline_code(suggested.name)}."
    if result.source_name:
        return "The next delivery is matched by the name of its source."
    return "The next delivery is matched by its file name, without dates and numbers."


def _describe_columns(chosen: DatasetChoice) -> str:
    if not chosen.columns_known:
        return "columns unknown"
    changes = [
        f"{format_count(len(names), 'column')} {change} ({_list_columns(names)})"
        for names, change in ((chosen.missing, "missing"), (chosen.added, "new"))
        if names
    ]
    return ", ".join(changes) or "same columns"


def _list_columns(columns: Sequence[str]) -> str:
    shown = ", ".join(inline_code(column) for column in columns[:_MAX_COLUMNS])
    more = len(columns) - _MAX_COLUMNS
    return f"{shown} and {more:,} more" if more > 0 else shown


def _ask_same_dataset(result: InspectionResult, chosen: DatasetChoice, known: Sequence[str]) -> None:
    if chosen.missing or chosen.added:
        why = "Its columns differ."
    elif chosen.reason is ChoiceReason.FORMER_NAME:
        why = "Earlier versions may have saved other tables with the same columns there."
    else:
        why = "Earlier versions saved several tables there."
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f":orange[:material/help:] **Is this the same table as {inline_code(chosen.name)}?**  \n"
            f"{why} Findings of different tables in one dataset mix their history."
        )
        with st.container(horizontal=True, gap="xsmall"):
            st.button(
                "Same dataset",
                key="save:same",
                on_click=_confirm_dataset,
                args=(_confirmation_key(result, chosen),),
            )
            other = _free_name(result, chosen, known)
            st.button("Use another name", key="save:other", on_click=_use_name, args=(other,))


def _confirm_dataset(about: tuple[str, tuple[str, ...]]) -> None:
    st.session_state[_CONFIRMED] = about


def _use_name(other: str) -> None:
    st.session_state[_NAME] = other


def _free_name(result: InspectionResult, chosen: DatasetChoice, known: Sequence[str]) -> str:
    """Return an unused dataset name: from the file or source, or a numbered one."""
    by_file = result.dataset
    numbered = (f"{chosen.name}_{number}" for number in range(2, len(known) + 3))
    return next(each for each in (by_file, *numbered) if each not in known)


def _offer_adoption(chosen: DatasetChoice) -> None:
    """Offer to adopt the history of the dataset that earlier versions chose for this file."""
    st.checkbox(f"Adopt the history of {inline_code(chosen.adoptable)}", key=ADOPT)
    others = ". It mixes several tables." if chosen.adoptable_mixed else ", possibly with other tables."
    st.caption(
        "Earlier versions saved files with this name there "
        f"({format_count(chosen.adoptable_count, 'report')}){others} "
        "Findings of this table continue here, with their comments, statuses and assignees. "
        "You can undo this."
    )
