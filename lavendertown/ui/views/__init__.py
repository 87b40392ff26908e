"""The screens, one module each, run by Streamlit as scripts."""
