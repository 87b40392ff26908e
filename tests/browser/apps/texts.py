"""Shows the texts of a JSON file, each in every kind of place that the screens have for Markdown."""

from __future__ import annotations

import json
import os
from pathlib import Path

import streamlit as st

from lavendertown.ui.components.shared import formatting

texts = json.loads(Path(os.environ["LAVENDERTOWN_TEXTS"]).read_text("utf-8"))
for number, text in enumerate(texts["plain"]):
    shown = formatting.escape_markdown(text)
    with st.container(key=f"markdown-{number}"):
        st.markdown(shown)
    with st.container(key=f"title-{number}"):
        st.title(shown, anchor=False)
    with st.container(key=f"caption-{number}"):
        st.caption(shown)
    with st.container(key=f"badge-{number}"):
        st.markdown(f":gray-badge[{shown}]")
    with st.container(key=f"bold-{number}"):
        st.markdown(f"**{shown}**")
    with st.container(key=f"button-{number}"):
        st.button(shown, key=f"b{number}")
    with st.container(key=f"error-{number}"):
        st.error(shown)
    with st.container(key=f"code-{number}"):
        st.markdown(formatting.inline_code(text))
for number, text in enumerate(texts["comments"]):
    with st.container(key=f"comment-{number}"):
        st.markdown(formatting.comment_markdown(text), anchors=False)
st.markdown("All texts are shown.")
