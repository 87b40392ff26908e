"""The dashboard and its health check on one port: ``streamlit run app.py``."""

import streamlit as st

from lavendertown.ui.health import ROUTES, lifespan
from lavendertown.ui.problems import show

# Streamlit finds this assignment by reading the source, so it stays a literal call.
app = st.App("lavendertown/ui/main.py", lifespan=lifespan, routes=ROUTES, on_script_error=show)
