"""Addresses of the dashboard: what a link with query parameters shows, and the links that charts hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from lavendertown.ui import queries
from tests.support.finding_list import listed_rows

MAIN = Path(__file__).parents[2] / "lavendertown" / "ui" / "main.py"
COUNTED = re.compile(r"(?:seen|found|open|closed|closing)~\d{8}T\d{6}\.\d{6}Z~\d{8}T\d{6}\.\d{6}Z~[^\"\\]*")
"""What a chart writes into ``?counted=``: what it counts, from, to, and whose or which severity."""


def open_address(screen: str, query: str) -> AppTest:
    """Open a screen of the configured store as a link with this query string does."""
    queries.forget_results()
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.session_state["person"] = "Ben"
    app.switch_page(f"views/{screen}.py")
    for name, values in parse_qs(query).items():
        app.query_params[name] = values
    app.run()
    assert not app.exception, app.exception
    return app


def listed(screen: str, query: str) -> int | list[str]:
    """Return what a screen lists under an address: the ids of reports, or how many findings."""
    app = open_address(screen, query)
    if screen == "reports":
        links = (parse_qs(link.proto.query_string) for link in app.get("page_link"))
        return [link["report"][0] for link in links if "report" in link]
    return len(listed_rows(app))


def chart_links() -> set[str]:
    """Return the values of ``?counted=`` in the charts of the configured store."""
    app = open_address("trends", "period=12m")
    return {link for chart in app.get("plotly_chart") for link in COUNTED.findall(chart.proto.spec)}


def list_all(saved: Mapping[str, Iterable[str]]) -> dict[str, dict[str, int | list[str]]]:
    """Return what every saved address lists, by screen and query string."""
    return {screen: {query: listed(screen, query) for query in queries} for screen, queries in saved.items()}
