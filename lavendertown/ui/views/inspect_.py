"""Inspect: a table comes in, findings come out, and a report keeps them."""

from __future__ import annotations

import re

import streamlit as st

from lavendertown import demo
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.detectors.runner import Progress
from lavendertown.errors import LavenderTownError
from lavendertown.identity import dataset_name
from lavendertown.inspector import Inspector
from lavendertown.ui import actions, problems, reads
from lavendertown.ui.components import detail, found, frame, person, words
from lavendertown.ui.components.found import Result, Source

ENDINGS = ["csv", "tsv", "txt", "parquet", "xlsx", "xls", "ods", "json", "jsonl", "ndjson", "gz"]
_SOURCE = "inspect:source"
_RESULT = "inspect:result"
_ROUND = "inspect:round"


def page() -> None:
    """Draw the screen: upload, then progress, then findings."""
    frame.head("Inspect")
    if _RESULT in st.session_state:
        results(st.session_state[_RESULT])
    elif _SOURCE in st.session_state:
        running(st.session_state[_SOURCE])
    else:
        upload()


def upload() -> None:
    """Ask for a table."""
    with st.container(border=True, width=760):
        st.markdown("### A table", anchors=False)
        file = st.file_uploader(
            "Table file: CSV, Parquet, Excel or JSON",
            type=ENDINGS,
            label_visibility="collapsed",
            key=f"inspect:file:{st.session_state.get(_ROUND, 0)}",
        )
        st.caption("The file stays on this server, in your session only, while you look at it.")
        if demo.available():
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.markdown(":gray[No file at hand?]", width="content")
                st.button("Try sample data", type="tertiary", icon=":material/science:", on_click=take_sample)
    if file is not None:
        st.session_state[_SOURCE] = Source(file.name, file, file.size)
        st.rerun()


def take_sample() -> None:
    """Take the sample table as what to inspect."""
    name, data = demo.sample_table()
    st.session_state[_SOURCE] = Source(name, data, None)


def start_over() -> None:
    """Forget the table and what was found in it."""
    st.session_state.pop(_SOURCE, None)
    st.session_state.pop(_RESULT, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def running(source: Source) -> None:
    """Read the table and run the checks, saying which; Cancel stops it between two steps."""
    size = f" :gray[{source.size / 1e6:,.1f} MB]" if source.size else ""
    with st.container(border=True):
        st.markdown(f"**{words.plain(source.name)}**{size}")
        bar = st.progress(0.0, "Reading the file")
        # Before the loop: a button that comes after it would not be there while it runs.
        st.button("Cancel", on_click=start_over)
        # Takes the place of the upload card's last line, which would stay until the run ends.
        st.empty()

    def progress(done: int, total: int, text: str) -> None:
        bar.progress(0.1 + 0.9 * min(1.0, done / max(1, total)), words.plain(text))

    try:
        st.session_state[_RESULT] = inspect(source, progress)
    except LavenderTownError as error:
        start_over()
        frame.say(problems.sentence(error)[0], "problem")
        st.rerun()
    st.session_state.pop(_SOURCE, None)
    st.rerun()


def inspect(source: Source, progress: Progress) -> Result:
    """Read a table and run every check on it."""
    data = source.data if source.size is None else (source.data, source.name)
    inspector = Inspector(data, dataset=dataset_name(source.name), progress=progress)
    findings = inspector.detect()
    return Result(source.name, findings, inspector.table, inspector.dataset or "", inspector.coverage())


def results(result: Result) -> None:
    """Show what was found, and offer to save it."""
    name, findings, coverage = words.plain(result.name), result.findings, result.coverage
    with (
        st.container(border=True),
        st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"),
    ):
        st.markdown(
            f"**{words.count(len(findings), 'finding')}** in {name}  \n"
            f":small[:gray[{found.sentence(coverage)}]]",
            width="content",
        )
        with st.container(horizontal=True, width="content", gap="xsmall"):
            st.button("Start over", type="tertiary", on_click=start_over)
            asked = st.button("Save as report", type="primary", icon=":material/save:")
    found.guesses(result.table)
    if findings:
        found.findings(findings, result.table, "inspect:finding")
    else:
        frame.empty(
            "task_alt",
            "No ghosts in this table",
            f"{words.count(coverage['checks_run'], 'check')} ran over "
            f"{words.count(coverage['rows'], 'row')} and all passed. "
            "Save it anyway: a clean run is part of the history.",
        )
    if asked:
        save_dialog(result)


@st.dialog("Save as report", icon=":material/save:")
def save_dialog(result: Result) -> None:
    """Ask for what a report needs, and say what will come of it."""
    frame.notice("save")
    guess = result.dataset
    known = reads.known_datasets()
    st.text_input("Title", title_of(guess), key="save:title")
    st.selectbox(
        "Dataset",
        list(dict.fromkeys(([guess] if guess else []) + known)),
        accept_new_options=True,
        help="What this table is a delivery of. Findings keep their history within a dataset.",
        key="save:dataset",
    )
    st.multiselect("Tags", reads.known_tags(), accept_new_options=True, select_all=False, key="save:tags")
    st.text_area("Note for your colleagues", height=72, placeholder="Optional", key="save:note")
    st.caption(outlook(result, str(st.session_state["save:dataset"] or "")))
    st.button("Save report", type="primary", on_click=save, args=(result,))
    saved = st.session_state.pop("save:done", None)
    if saved:
        st.switch_page(frame.REPORT, query_params={"report": saved})


def title_of(dataset: str) -> str:
    """Make a title of a dataset's name: words, with a capital at the start."""
    text = re.sub(r"[_\W]+", " ", dataset).strip()
    return text[:1].upper() + text[1:]


def outlook(result: Result, dataset: str) -> str:
    """Say who saves, where, and how much of it colleagues know already."""
    saves = f"Saved as {words.plain(person.me())} in {words.plain(reads.place())}."
    ids = tuple(get_finding_id(finding, dataset) for finding in result.findings)
    known = reads.known_findings(ids)
    if not ids or not known:
        return saves
    comments = sum(row["comment_count"] for row in known)
    seen = f"{words.count(len(known), 'finding was', 'findings were')} seen before"
    return f"{saves} {seen}; {words.count(comments, 'comment comes', 'comments come')} along."


def save(result: Result) -> None:
    """Save the report, keep the table at hand for it, and leave the way to it."""
    state = st.session_state
    report_id = actions.save_inspection(
        findings=result.findings,
        title=str(state["save:title"] or ""),
        dataset=str(state["save:dataset"] or ""),
        tags=state["save:tags"],
        note=str(state["save:note"] or ""),
        coverage=result.coverage,
    )
    if report_id is not None:
        detail.keep_table(report_id, result.table)
        start_over()
        state["save:done"] = report_id


page()
