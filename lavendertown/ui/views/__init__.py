"""The screens, one a file; Streamlit runs them as scripts."""
