"""The Streamlit dashboard, and the functions that a project's own pages use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lavendertown.ui.page_tools import run_with_name, show_errors, visitor_name

__all__ = ["run_with_name", "show_errors", "visitor_name"]


def __getattr__(name: str) -> Any:
    # Imported on first use: the command line imports this package without Streamlit.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lavendertown.ui import page_tools

    return getattr(page_tools, name)
