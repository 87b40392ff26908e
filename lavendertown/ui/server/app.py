"""Serve the dashboard from an installed wheel (``lavendertown ui``), like the checkout's ``app.py``."""

import streamlit as st

from lavendertown.ui.errors import show_error
from lavendertown.ui.server.health import ROUTES, lifespan
from lavendertown.ui.server.middleware import MIDDLEWARE

# Streamlit parses the source for this assignment, so keep it a literal call.
app = st.App(
    "../main.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=MIDDLEWARE,
    on_script_error=show_error,
)
