"""The exported page in a real browser without a network: charts, evidence, hostile text, print."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core import clock
from lavendertown.interchange.exports.formats import find_export_format
from lavendertown.models import GhostFinding
from lavendertown.profile.evidence import (
    ColumnProfile,
    Evidence,
    FindingSamples,
    Histogram,
    SampleRow,
    ValueCount,
)
from tests.support.dashboard import Dashboard

HOSTILE = (
    "</script><script>window.hacked = 1</script><img src=http://127.0.0.1:9/x.png onerror=window.hacked=2>"
    '<a href="javascript:window.hacked=3">go</a> <!-- \u2028 {{ 7 * 7 }} \' " onmouseover=window.hacked=4'
)


def write_page(folder: Path, text: str) -> Path:
    """Write the page of a report that has this text in every field, and return the file."""
    storage = FileStorage(folder / "store")
    column, dataset = text[:200], text[:100]
    findings = [
        GhostFinding(
            ghost_type, column, severity, f"{ghost_type}: {text}", [1, 2], {"check": text, "count": 2}
        )
        for ghost_type, severity in (("null", "error"), ("category", "warning"), ("outlier", "info"))
    ]
    report = ShareableReport(
        "r1", text, text[:100], clock.now() - dt.timedelta(hours=1), findings, metadata={"dataset": dataset}
    )
    first, second, third = (get_finding_id(each, dataset) for each in findings)
    rows = [SampleRow(1, {column: text, "id": 1}), SampleRow(2, {column: None, "id": 2})]
    counted = [ValueCount(text, 5), ValueCount(f"{text} again", 2)]
    evidence = Evidence(
        [ColumnProfile(column, "number", 9, 1, 8, 0, text, [], Histogram(0, 9, [3, 4, 1], 0, 1))],
        {first: FindingSamples(column, rows, counted), second: FindingSamples(column, rows)},
        ["id"],
        2,
    )
    storage.save_report(report, evidence=evidence)
    storage.save_annotation(Annotation("a1", first, text[:100], clock.now(), text, [text[:60]]))
    storage.triage.decide(second, Decision("accepted", reason=text, assignee=text[:100]), actor=text[:100])
    page = folder / "report.html"
    page.write_bytes(find_export_format("html").write(storage.exports.read_report("r1")))
    storage.close()
    assert third
    return page


def open_page(visitor: Callable[..., Page], file: Path) -> tuple[Page, list[str], list[str]]:
    """Open a file; return the page, its requests and its errors so far and later."""
    page = visitor(offline=True)
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(file.as_uri())
    return page, requests, errors


def test_the_page_draws_its_charts_without_a_request(visitor: Callable[..., Page], tmp_path: Path) -> None:
    page, requests, errors = open_page(visitor, write_page(tmp_path, "amount"))
    charts = page.locator("[data-figure]")
    expect(charts).to_have_count(4)
    for chart in charts.all():
        chart.scroll_into_view_if_needed()
        expect(chart.locator("svg.main-svg").first).to_be_visible()
        expect(chart.locator(".bars path").first).to_be_attached()
    expect(page.get_by_role("heading", name="Details")).to_be_visible()
    expect(page.locator(".samples").first).to_contain_text("(missing)")
    expect(page.locator(".finding").nth(1)).to_contain_text("Closed: amount")
    assert requests == [(tmp_path / "report.html").as_uri()]
    assert errors == []


def test_hostile_text_is_shown_as_text(visitor: Callable[..., Page], tmp_path: Path) -> None:
    page, requests, errors = open_page(visitor, write_page(tmp_path, HOSTILE))
    for chart in page.locator("[data-figure]").all():
        chart.scroll_into_view_if_needed()
        expect(chart.locator("svg.main-svg").first).to_be_visible()
        chart.hover()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert page.locator("body script").count() == 3
    assert page.locator('a:not([href^="#finding-"])').count() == 0
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE.replace("\u2028", " "))
    expect(page.locator("blockquote").first).to_contain_text("{{ 7 * 7 }}")
    assert page.locator("svg a").count() == 0
    expect(page.locator("svg text", has_text="</script>").first).to_be_attached()
    assert requests == [(tmp_path / "report.html").as_uri()]
    assert errors == []


CHARTS_OVER_THE_EDGE = """
[...document.querySelectorAll("[data-figure]")].filter(chart => {
  const svg = chart.querySelector("svg.main-svg");
  return !svg || svg.getBoundingClientRect().right > chart.getBoundingClientRect().right + 1;
}).length
"""


def test_print_has_every_chart_and_cuts_nothing(visitor: Callable[..., Page], tmp_path: Path) -> None:
    page, _, errors = open_page(visitor, write_page(tmp_path, "amount"))
    expect(page.locator("svg.main-svg").first).to_be_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.body.clientWidth") == 680
    assert page.evaluate(CHARTS_OVER_THE_EDGE) == 0
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 900})
    assert page.evaluate(CHARTS_OVER_THE_EDGE) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(CHARTS_OVER_THE_EDGE) == 0
    assert errors == []


def test_the_page_is_readable_on_a_phone(visitor: Callable[..., Page], tmp_path: Path) -> None:
    page, _, _ = open_page(visitor, write_page(tmp_path, HOSTILE))
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def download(page: Page, menu: str, item: str) -> tuple[str, bytes]:
    """Download an item of a menu; return the name and the content of the file."""
    if not page.get_by_role("button", name=item).is_visible():
        page.get_by_role("button", name=menu, exact=True).click()
    with page.expect_download() as found:
        page.get_by_role("button", name=item).click()
    return found.value.suggested_filename, Path(found.value.path()).read_bytes()


def test_a_report_and_the_filtered_list_are_downloaded(
    file_dashboard: Dashboard, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    storage = FileStorage(tmp_path / "data")
    findings = [
        GhostFinding(
            "null", f"column {n}", "error" if n < 30 else "info", f"Number {n}.", [1], {"check": "n"}
        )
        for n in range(45)
    ]
    created = clock.now() - dt.timedelta(hours=1)
    storage.save_report(
        ShareableReport("r1", "Week 12", "Ana", created, findings, metadata={"dataset": "orders"})
    )
    page = visitor()
    page.goto(f"{file_dashboard.url}/report?report=r1")
    for item, name, start in (
        ("HTML (.html)", "week-12-r1.html", b"<!DOCTYPE html>"),
        ("Excel (.xlsx)", "week-12-r1.xlsx", b"PK"),
        ("Parquet (.parquet)", "week-12-r1.parquet", b"PAR1"),
        ("Markdown (.md)", "week-12-r1.md", b"### Week 12"),
        ("SARIF (.sarif)", "week-12-r1.sarif", b"{"),
        ("JSON (.json)", "week-12-r1.json", b'{\n  "id": "r1"'),
    ):
        found, content = download(page, "Export", item)
        assert (found, content[: len(start)]) == (name, start)
    page.goto(f"{file_dashboard.url}/findings?severity=error")
    _, content = download(page, "Download", "CSV (.csv)")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert [row["severity"] for row in rows] == ["error"] * 30
    storage.close()
