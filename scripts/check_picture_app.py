"""Show a finding as its report does: sentence, sample rows, chart. ``check_pictures`` serves this."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import queries
from lavendertown.ui.components.finding.evidence import show_evidence
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    ghost_type_name,
    inline_code,
    severity_badge,
)

st.set_page_config(layout="wide")
(row,) = queries.list_findings(st.query_params["report"])
with st.container(key="picture", width=700):
    where = "" if row["column"] == "*" else inline_code(row["column"])
    kind = f":small[:gray[{escape_markdown(ghost_type_name(row['ghost_type']))}]]"
    st.markdown(
        f"**{escape_markdown(row['description'])}**  \n{severity_badge(row['severity'])} {where} {kind}"
    )
    show_evidence(row)
