"""Show the findings of an inspector in any Streamlit app (``Inspector.render()``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lavendertown.ui.components.inspect import inspection_results
from lavendertown.ui.components.shared.affected_rows import TableRows
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

if TYPE_CHECKING:
    from lavendertown.inspector import Inspector


def render_inspector(inspector: Inspector, key: str = "lavendertown") -> None:
    """Show the findings of an inspector with their affected rows; run the checks first if needed.

    Args:
        inspector: The inspector to show.
        key: Prefix of the widget keys; must differ if an app shows two inspectors.
    """
    findings = inspector.findings
    if findings is None:
        with st.spinner("Checking…"):
            findings = inspector.detect()
    name = f" in {escape_markdown(inspector.table.name)}" if inspector.table.name else ""
    st.markdown(
        f"**{format_count(len(findings), 'finding')}**{name}  \n"
        f":small[:gray[{inspection_results.describe_coverage(inspector.coverage())}]]"
    )
    inspection_results.show_guesses(inspector.table.guesses)
    if findings:
        affected = TableRows(inspector.table, inspector.evidence())
        inspection_results.show_findings(findings, affected, key)
    else:
        st.success("No problems found.", icon=":material/task_alt:")
