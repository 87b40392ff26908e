"""Streamlit's start page as the dashboard serves it, and what its front end must still contain for that."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit

from lavendertown.ui.server.shell import adapt_page

STATIC = Path(streamlit.__file__).parent / "static"


def front_end() -> str:
    return "".join(file.read_text("utf-8") for file in sorted((STATIC / "static" / "js").glob("*.js")))


def test_the_start_page_names_streamlit_nowhere_a_reader_sees() -> None:
    page = adapt_page((STATIC / "index.html").read_text("utf-8"))
    assert "<title>LavenderTown</title>" in page
    assert "treamlit" not in page[page.index("</head>") :]
    assert "./_lavendertown/shell.js" in page


@pytest.mark.parametrize(
    "text",
    [
        "Connection error",
        "Connecting to Streamlit server",
        "Unable to connect to Streamlit server",
        "Cannot load Streamlit frontend code.",
        "To fix this, simply reload this app by pressing",
        " files are not allowed.",
        "Request timed out",
        "Download failed",
        "stStatusWidget",
        "InputInstructions",
    ],
)
def test_the_front_end_still_has_what_the_shell_replaces(text: str) -> None:
    assert text in front_end(), "Streamlit changed; adapt lavendertown/ui/assets/shell.js and shell.css."
