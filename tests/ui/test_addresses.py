"""Whatever the query parameters of an address say, its screen is drawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import Annotation, ShareableReport


@pytest.mark.parametrize(
    ("screen", "name", "value"),
    [
        ("activity", "since", "0001-01-01"),
        ("activity", "until", "9999-12-31"),
        ("activity", "part", str(10**30)),
        ("reports", "when", ["0001-01-01", "9999-12-31"]),
        ("reports", "from", "0001-01-01"),
        ("reports", "to", "9999-12-31"),
        ("findings", "from", "2020-02-30"),
        ("findings", "to", ["2020-01-01", "2020-01-02"]),
        ("reports", "page", str(2**63)),
        ("findings", "page", str(10**30)),
        ("findings", "counted", "seen~00010101T000000.000000Z~00010101T000000.000000Z~"),
        ("findings", "counted", "closing~00010101T000000.000000Z~99991231T235959.999999Z~"),
        ("findings", "counted", "open~00010101T000000+1400~99991231T235959-1200~"),
        ("trends", "period", str(10**30)),
    ],
)
def test_an_extreme_query_parameter_breaks_no_screen(
    open_app: Callable[..., AppTest],
    save: Callable[..., ShareableReport],
    comment: Callable[..., Annotation],
    screen: str,
    name: str,
    value: str | list[str],
) -> None:
    comment(save("r-1"), 0)
    app = open_app(screen, **{name: value})
    assert not app.exception
    assert not any("Something went wrong" in error.value for error in app.error)
