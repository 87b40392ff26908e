"""The reports list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from lavendertown.core.clock import now

App = Callable[..., AppTest]
Save = Callable[..., Any]


def listed(app: AppTest) -> str:
    """Everything the list says: labels of its links and captions."""
    links = [link.proto.label for link in app.main if link.type == "page_link"]
    return "\n".join(links)


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_an_empty_store_says_what_to_do(open_app: App) -> None:
    app = open_app()
    assert not app.exception
    assert any("No reports yet" in text.value for text in app.markdown)


def test_reports_are_listed_with_author_and_dataset(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app()
    assert "1 report, newest first" in captions(app)
    assert "**Orders, nightly**" in listed(app)
    assert "orders · Ana Ferreira" in listed(app)


def test_the_address_filters_by_author(open_app: App, save: Save) -> None:
    save("r-1")
    save("r-2", author="Ben Okafor", title="Shipments")
    app = open_app(author="Ben Okafor")
    assert "1 of 2 reports" in captions(app)
    assert "Shipments" in listed(app)
    assert "Orders" not in listed(app)


def test_the_address_filters_by_days_on_a_first_visit(open_app: App, save: Save) -> None:
    save("r-1")
    save("r-2", title="Old one", created_at=now() - dt.timedelta(days=40))
    day = now().date()
    first, last = (str(day - dt.timedelta(days=age)) for age in (41, 39))
    for address in ({"from": first, "to": last}, {"to": last}, {"when": [first, last]}):
        app = open_app(**address)
        assert "1 of 2 reports" in captions(app)
        assert "Old one" in listed(app)
    assert [str(app.date_input(key=name).value) for name in ("from", "to")] == [first, last]


def test_one_day_alone_filters_and_the_menu_names_it(open_app: App, save: Save) -> None:
    save("r-1", created_at=dt.datetime(2020, 2, 3, 12, tzinfo=dt.UTC))
    app = open_app()
    assert menu_of_days(app) == "Date"
    app.date_input(key="from").set_value(dt.date(2020, 2, 4)).run()
    assert "0 of 1 report" in captions(app)
    assert menu_of_days(app) == ":violet[**Since 4 Feb 2020**]"
    app.date_input(key="to").set_value(dt.date(2020, 2, 1)).run()
    assert any("Until is before Since" in text for text in captions(app))
    app.date_input(key="from").set_value(None).run()
    assert menu_of_days(app) == ":violet[**Until 1 Feb 2020**]"
    app.button(key="filter:days:30").click().run()
    assert "0 of 1 report" in captions(app)
    assert app.date_input(key="to").value is None
    app.button(key="filter:days:any").click().run()
    assert "1 report, newest first" in captions(app)
    assert menu_of_days(app) == "Date"


def menu_of_days(app: AppTest) -> str:
    (label,) = [each.proto.popover.label for each in app.main if each.type == "popover"]
    return str(label)


def test_text_filters_and_clearing_brings_all_back(open_app: App, save: Save) -> None:
    save("r-1")
    save("r-2", title="Shipments")
    app = open_app()
    app.text_input(key="q").set_value("shipm").run()
    assert "1 of 2 reports" in captions(app)
    app.button(key="filters:clear").click().run()
    assert "2 reports, newest first" in captions(app)


def test_filters_that_match_nothing_say_so(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app(author="Nobody")
    assert any("No report matches these filters" in text.value for text in app.markdown)


def test_a_status_filter_finds_reports_by_their_findings(open_app: App, save: Save, comment: Save) -> None:
    first = save("r-1")
    save("r-2", metadata={"dataset": "shipments"}, title="Shipments")
    comment(first, 0, status="fixed")
    app = open_app(status="fixed")
    assert "1 of 2 reports" in captions(app)
    assert "Orders" in listed(app)


def test_twenty_reports_fill_a_page(open_app: App, save: Save) -> None:
    for number in range(23):
        save(f"r-{number}", title=f"Run {number:02d}", created_at=now() - dt.timedelta(hours=number))
    app = open_app(page="2")
    assert listed(app).count("**Run") == 3
    assert "Run 22" in listed(app)


def test_a_damaged_file_is_named_and_the_rest_is_listed(open_app: App, save: Save, tmp_path: Path) -> None:
    save("r-1")
    (tmp_path / "data" / "reports" / "torn.json").write_text('{"id": "to')
    app = open_app()
    assert any("1 stored item cannot be read" in box.label for box in app.expander)
    assert "Orders, nightly" in listed(app)
