"""Notes on the time axis: a line in each chart, a list below them, and the form of a new one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

import streamlit as st

from lavendertown.collaboration.parts.timeline import MAX_TEXT, TimelineNote
from lavendertown.core import clock
from lavendertown.ui import queries, timeline_actions
from lavendertown.ui.components.shared import charts, layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_day, reader_time_zone
from lavendertown.ui.components.trends.trend_steps import TimeStep

_TEXT, _DAY, _DATASET, _DONE = (f"timeline:{name}" for name in ("text", "day", "dataset", "done"))
_LABEL = 18
NotesByStep = Mapping[str, Sequence[TimelineNote]]


def group_notes(notes: Sequence[TimelineNote], steps: Sequence[TimeStep]) -> dict[str, list[TimelineNote]]:
    """Return the notes of each step that has any, by its label."""
    found: dict[str, list[TimelineNote]] = defaultdict(list)
    for note in notes:
        step = next((each for each in steps if each.start <= note.at < each.end), None)
        if step is not None:
            found[step.label].append(note)
    return dict(found)


def mark_notes(figure: charts.Figure, notes: NotesByStep) -> charts.Figure:
    """Add a dotted line with its text at each step that has notes, to a chart over the steps."""
    colour = charts.theme_colors()["text"]
    line = {"color": colour, "width": 1, "dash": "dot"}
    figure["layout"]["shapes"] = [
        {"type": "line", "x0": label, "x1": label, "yref": "paper", "y0": 0, "y1": 1, "line": line}
        for label in notes
    ]
    figure["layout"]["annotations"] = [
        {
            "x": label,
            "yref": "paper",
            "y": 1,
            "yanchor": "top",
            "xanchor": "left",
            "xshift": 3,
            "showarrow": False,
            "font": {"color": colour, "size": 11},
            "bgcolor": charts.theme_colors()["label"],
            "text": charts.escape_label(charts.shorten_label(_join_texts(of_step), _LABEL)),
            "hovertext": charts.escape_label(_join_texts(of_step)),
        }
        for label, of_step in notes.items()
    ]
    return figure


def _join_texts(notes: Sequence[TimelineNote]) -> str:
    return "; ".join(note.text for note in notes)


def draw_notes(notes: Sequence[TimelineNote]) -> None:
    """List the notes of the period, the newest first, each with a button that deletes it."""
    if not notes:
        return
    with st.expander(f"Notes ({len(notes):,})", icon=":material/flag:", key="trends:notes"):
        for note in reversed(notes):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                where = escape_markdown(note.dataset) if note.dataset else "all datasets"
                st.markdown(
                    f"**{format_day(note.at)}** {escape_markdown(note.text)} "
                    f":small[:gray[{where} · {escape_markdown(note.author)}]]",
                    width="stretch",
                )
                st.button(
                    "Delete",
                    type="tertiary",
                    icon=":material/delete:",
                    key=f"trends:note:{note.dataset}:{note.id}",
                    on_click=person.run_with_name,
                    args=("page", timeline_actions.delete_note, note),
                )


def draw_add_button() -> None:
    """Draw the button that opens the form of a new note."""
    if st.button("Add a note", type="tertiary", icon=":material/flag:", key="trends:note:add"):
        for key in (_TEXT, _DAY, _DATASET, _DONE):
            st.session_state.pop(key, None)
        layout.withdraw_question(timeline_actions.FORM)
        _draw_form()


@st.dialog("Note on the timeline", icon=":material/flag:")
def _draw_form() -> None:
    if st.session_state.pop(_DONE, False):
        # Only a run of the whole page closes the dialog.
        st.rerun()
    with st.container(key="focus-note"):
        st.text_input("Note", placeholder="Loader fixed", max_chars=MAX_TEXT, key=_TEXT)
    today = clock.now().astimezone(reader_time_zone()).date()
    st.date_input("Day", today, format="YYYY-MM-DD", key=_DAY)
    names = list(queries.report_facets({})["dataset"])
    chosen = st.query_params.get_all("dataset")
    st.selectbox(
        "Dataset",
        ["", *names],
        index=names.index(chosen[0]) + 1 if len(chosen) == 1 and chosen[0] in names else 0,
        format_func=lambda name: name or "All datasets",
        key=_DATASET,
    )
    layout.show_notice(timeline_actions.FORM)
    st.button(
        "Add note",
        type="primary",
        key="timeline:save",
        disabled=layout.has_question(timeline_actions.FORM),
        on_click=_save_input,
    )


def _save_input() -> None:
    """Save what the fields have now; they are gone when the visitor has entered a name."""
    text, day = str(st.session_state.get(_TEXT) or ""), st.session_state.get(_DAY)
    dataset = str(st.session_state.get(_DATASET) or "")
    person.run_with_name(timeline_actions.FORM, _save, text, day, dataset)


def _save(text: str, day: dt.date | None, dataset: str) -> None:
    if not isinstance(day, dt.date):
        layout.queue_notice("Choose the day of the note.", kind="problem", place=timeline_actions.FORM)
        return
    at = clock.day_start(day, reader_time_zone())
    if timeline_actions.add_note(text, at, dataset):
        st.session_state[_DONE] = True
