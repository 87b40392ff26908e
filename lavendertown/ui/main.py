"""The dashboard's script: frame, navigation, who I am, then the screen."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import plugins, problems
from lavendertown.ui.components import frame, migrate_notice, person


def navigation() -> st.Page:
    """Declare the screens and return the one the address names."""
    name = person.me() or "You"
    # A menu's name is its key, and there is only one of each.
    name = f"{name} (you)" if name in ("House", "Over time", plugins.MENU) else name
    own = plugins.pages()
    return st.navigation(
        {
            "": [
                st.Page(frame.FINDINGS, title="Findings", icon=":material/inbox:", default=True),
                st.Page(frame.REPORTS, title="Reports", icon=":material/description:", url_path="reports"),
                st.Page(frame.INSPECT, title="Inspect", icon=":material/troubleshoot:", url_path="inspect"),
                st.Page(frame.REPORT, title="Report", url_path="report", visibility="hidden"),
            ],
            "Over time": [
                st.Page(frame.TRENDS, title="Trends", icon=":material/monitoring:", url_path="trends"),
                st.Page(frame.ACTIVITY, title="Activity", icon=":material/history:", url_path="activity"),
            ],
            "House": [
                st.Page(frame.DATA, title="Data", icon=":material/database:", url_path="data"),
                st.Page(
                    frame.MIGRATE,
                    title="Move to another store",
                    icon=":material/local_shipping:",
                    url_path="migrate",
                ),
            ],
            **({plugins.MENU: own} if own else {}),
            name: [
                st.Page(
                    frame.PERSON,
                    title="Change my name",
                    icon=":material/person:",
                    url_path="me",
                )
            ],
        },
        position="top",
    )


def follow_deep_link(page: st.Page) -> None:
    """Send ``?report=…&finding=…`` on any address to the report it names."""
    link = {key: st.query_params[key] for key in ("report", "finding") if key in st.query_params}
    if "report" in link and page.url_path != "report":
        st.switch_page(frame.REPORT, query_params=link)


def main() -> None:
    """Draw the frame and run the screen; every error ends as a sentence."""
    st.set_page_config(page_title="LavenderTown", page_icon=str(frame.ASSETS / "icon.png"), layout="wide")
    st.logo(str(frame.ASSETS / f"logo-{st.context.theme.type or 'light'}.svg"), size="medium")
    try:
        page = navigation()
        follow_deep_link(page)
        frame.enter(page.url_path)
        with st.container():
            frame.notice()
            if page.url_path != "migrate":
                migrate_notice.line()
        page.run()
        # Last: what comes and goes must not move what stays, or the browser builds it anew.
        person.remember()
        if not person.me():
            person.ask()
    except Exception as error:  # every screen's errors end here
        problems.show(error)


main()
