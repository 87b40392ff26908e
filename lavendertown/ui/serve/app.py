"""What ``lavendertown ui`` runs from an installed wheel: the checkout's ``app.py``, beside its theme."""

import streamlit as st

from lavendertown.ui.health import ROUTES, lifespan
from lavendertown.ui.problems import show

# Streamlit finds this assignment by reading the source, so it stays a literal call.
app = st.App("../main.py", lifespan=lifespan, routes=ROUTES, on_script_error=show)
