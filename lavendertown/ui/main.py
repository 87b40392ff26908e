"""Script of the dashboard: page frame, navigation, current screen."""

from __future__ import annotations

import contextlib

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lavendertown.core.errors import LavenderTownError
from lavendertown.ui import demo_store, errors, plugins, queries, replaced_data
from lavendertown.ui.components.migrate import migration_notice
from lavendertown.ui.components.shared import demo_prompt, layout, person

SET_NAME = "Set your name"
_MISSING = "main:missing"


def build_navigation() -> st.Page:
    """Declare the screens and return the one of the current URL."""
    name = person.current_name() or SET_NAME
    # Streamlit uses the name of a menu as its key, so the user's name must differ from the other menus.
    name = f"{name} (you)" if name in ("Admin", "Insights", plugins.MENU) else name
    own = plugins.navigation_pages()
    sections = {
        "": [
            st.Page(layout.FINDINGS, title="Findings", icon=":material/inbox:", default=True),
            st.Page(layout.REPORTS, title="Reports", icon=":material/description:", url_path="reports"),
            st.Page(layout.INSPECT, title="Inspect", icon=":material/troubleshoot:", url_path="inspect"),
            st.Page(layout.RULES, title="Rules", icon=":material/rule:", url_path="rules"),
            st.Page(layout.REPORT, title="Report", url_path="report", visibility="hidden"),
            st.Page(layout.DATASET, title="Dataset", url_path="dataset", visibility="hidden"),
            st.Page(layout.INCIDENT, title="Incident", url_path="incident", visibility="hidden"),
        ],
        "Insights": [
            st.Page(layout.TRENDS, title="Trends", icon=":material/monitoring:", url_path="trends"),
            st.Page(layout.ACTIVITY, title="Activity", icon=":material/history:", url_path="activity"),
        ],
        **({} if demo_store.is_shown() else {"Admin": _admin_pages()}),
        **({plugins.MENU: own} if own else {}),
        name: [
            st.Page(
                layout.PERSON,
                title="Change my name" if person.current_name() else SET_NAME,
                icon=":material/person:",
                url_path="me",
            )
        ],
    }
    known = {page.url_path for pages in sections.values() for page in pages}
    sections[""] += _missing_page(known)
    return st.navigation(sections, position="top")


def _admin_pages() -> list[st.Page]:
    """Return the screens that work on the configured store, and so have no place in the demo."""
    return [
        st.Page(layout.OWNERS, title="Owner rules", icon=":material/assignment_ind:", url_path="owners"),
        st.Page(layout.DATA, title="Data", icon=":material/database:", url_path="data"),
        st.Page(
            layout.MIGRATE, title="Migrate storage", icon=":material/local_shipping:", url_path="migrate"
        ),
    ]


def _missing_page(known: set[str]) -> list[st.Page]:
    """Return a hidden page for a URL that does not belong to a screen.

    Without it, Streamlit opens the default page with a dialog about a ``pages/`` directory.
    """
    context = get_script_run_ctx()
    requested = (context.pages_manager.intended_page_name if context else "") or ""
    if requested and requested not in known and requested == requested.strip().strip("/"):
        # Later runs identify the page only by a hash.
        st.session_state[_MISSING] = requested
    missing = st.session_state.get(_MISSING)
    if not missing or missing in known:
        return []
    return [st.Page(layout.MISSING, title="Page not found", url_path=missing, visibility="hidden")]


def follow_deep_link(page: st.Page) -> None:
    """Open the report of ``?report=…&finding=…`` from any URL."""
    link = {key: st.query_params[key] for key in ("report", "finding") if key in st.query_params}
    if "report" in link and page.url_path != "report":
        st.switch_page(layout.REPORT, query_params=link)


def main() -> None:
    """Draw the frame and run the screen; show every error as a sentence."""
    st.set_page_config(page_title="LavenderTown", page_icon=str(layout.ASSETS / "icon.png"), layout="wide")
    st.logo(str(layout.ASSETS / f"logo-{st.context.theme.type or 'light'}.svg"), size="medium")
    try:
        page = build_navigation()
        layout.follow_queued_navigation()
        follow_deep_link(page)
        layout.track_screen(page.url_path)
        with st.container(key="page-top"):
            demo_prompt.draw_banner()
            layout.show_notice()
            if page.url_path != "migrate":
                migration_notice.show_migration_notice()
        page.run()
        # Some screens work without a store; the others say themselves that it cannot be read.
        with contextlib.suppress(LavenderTownError, ImportError):
            replaced_data.remember_drawn_data(queries.time_of_latest_change())
        # Last, because it appears and disappears: the browser would rebuild the elements after it.
        person.store_name_in_browser()
    except layout.ScreenLeft:
        pass  # The run ends here, and Streamlit forgets the fragments that were not drawn.
    except Exception as error:  # handles the errors of all screens
        errors.show_error(error)


main()
