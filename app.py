"""Serve the dashboard, RPC and a health check on one port: ``streamlit run app.py``."""

import streamlit as st

from lavendertown.ui.errors import show_error
from lavendertown.ui.server.health import ROUTES, lifespan
from lavendertown.ui.server.middleware import MIDDLEWARE

# Streamlit parses the source for this assignment, so keep it a literal call.
app = st.App(
    "lavendertown/ui/main.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=MIDDLEWARE,
    on_script_error=show_error,
)
