"""Hostile text in every stored field and every URL parameter: no screen fetches, links or draws any of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core import clock
from lavendertown.models import GhostFinding
from lavendertown.rules.models import RuleSet
from tests.browser.screens import remember_name
from tests.support.dashboard import Dashboard, start_dashboard

SERVER = "http://127.0.0.1:9"
SLASHLESS = (
    "![x](evil.png) :material_skull: :smile: $x$ <img src=evil.png> "
    "[evil](javascript:1) a@evil.example \u202e"
)
HOSTILE = (
    f"![x]({SERVER}/evil.png) :material/skull: <img src={SERVER}/evil.png> www.evil.example {SLASHLESS}|"
)
COMMENT = HOSTILE.replace(f"![x]({SERVER}/evil.png)", "").replace(f"<img src={SERVER}/evil.png>", "")
DAY = dt.timedelta(days=1)


def hostile_report(storage: FileStorage, number: int) -> ShareableReport:
    ghost = GhostFinding(
        f"{SLASHLESS[:70]}{number}",
        HOSTILE,
        "error",
        HOSTILE,
        [3, 5],
        {"check": HOSTILE, "params": {}, "count": 41 + number, "share": 0.1},
    )
    metadata = {"dataset": HOSTILE[:255], "tags": [HOSTILE[:100]], "note": COMMENT}
    report = ShareableReport(
        f"r{number} {SLASHLESS[:90].strip()}x",
        HOSTILE[:500],
        HOSTILE[:255],
        clock.now() - DAY * (3 - number),
        [ghost],
        metadata=metadata,
    )
    storage.save_report(report)
    return report


def fill(folder: Path) -> tuple[str, str]:
    """Fill a store with hostile text in every field; return the ids of a report and a finding in it."""
    storage = FileStorage(folder)
    hostile_report(storage, 1)
    report = hostile_report(storage, 2)
    finding = get_finding_id(report.findings[0], HOSTILE[:255])
    author = HOSTILE[:255]
    for number, status in enumerate(("open", None, None)):
        comment = "" if number == 2 else COMMENT
        note = Annotation(f"{SLASHLESS[:90].strip()}{number}", finding, author, clock.now(), comment)
        note.tags, note.status = [HOSTILE[:100]], status
        storage.save_annotation(note)
    storage.triage.decide(finding, Decision(assignee=author, note=COMMENT), actor=author)
    storage.triage.decide(finding, Decision("fixed", COMMENT, COMMENT), actor=author)
    storage.triage.decide(finding, Decision("open"), actor=author)
    storage.people.save(SLASHLESS[:60].strip(), mail=HOSTILE[:300], actor=author)
    storage.views.save(SLASHLESS[:60].strip(), {"view": ["all"]}, author=author)
    storage.save_ruleset(RuleSet(SLASHLESS[:60].strip(), HOSTILE), actor=author)
    storage.rulesets.delete(SLASHLESS[:60].strip(), actor=author)
    storage.delete_annotation(f"{SLASHLESS[:90].strip()}1", actor=author)
    storage.close()
    (folder / "reports" / "![x](evil.png) :material_skull:.json").write_text("{")
    return report.id, finding


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dashboard, str, str]]:
    folder = tmp_path_factory.mktemp("hostile")
    report, finding = fill(folder / "data")
    settings = {"LAVENDERTOWN_DATA_DIR": str(folder / "data"), "LAVENDERTOWN_STORAGE_TYPE": "file"}
    dashboard = start_dashboard(settings, folder / "log")
    yield dashboard, report, finding
    dashboard.stop()


def addresses(report: str, finding: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Every screen, with what is stored; and every parameter of each, hostile."""
    now = clock.now()
    of_person = str(ChartSelection("found", now - DAY, now + DAY, HOSTILE))
    found: dict[str, tuple[str, dict[str, str]]] = {
        "findings": ("", {"view": "all", "finding": finding}),
        "findings counted": ("", {"view": "all", "counted": of_person}),
        "reports": ("reports", {}),
        "report": ("report", {"report": report, "finding": finding}),
        "report compared": ("report", {"report": report, "compare": "before"}),
        "dataset": ("dataset", {"dataset": HOSTILE[:255]}),
        "trends": ("trends", {}),
        "activity": ("activity", {}),
        "data": ("data", {}),
        "data trash": ("data", {"tab": "Trash"}),
        "migrate": ("migrate", {}),
        "me": ("me", {}),
        "inspect": ("inspect", {}),
    }
    # Those on one line are given together: none of them hides what another shows.
    parameters = {
        "": (
            "view sort",
            "counted",
            "finding",
            "severity dataset type seen status assignee author tag",
            "q when from to page",
        ),
        "reports": ("author dataset status severity tag", "q when from to page"),
        "report": ("report", "finding", "compare"),
        "dataset": ("dataset",),
        "trends": ("period dataset",),
        "activity": ("person kind operation", "since until", "record part"),
        "data": ("tab",),
    }
    for screen, groups in parameters.items():
        for names in groups:
            given = dict.fromkeys(names.split(), HOSTILE)
            if screen == "report" and "report" not in given:
                given["report"] = report
            found[f"{screen or 'findings'}?{names}"] = (screen, given)
    return found


SIGNS = (
    'img[src*="evil"]',
    '[aria-label="skull icon"]',
    ".katex",
)


def visit(page: Page, url: str) -> list[str]:
    """Open an address, open what can be opened, and return what should not be there."""
    page.goto(url)
    expect(page.get_by_test_id("stApp")).to_be_visible(timeout=60_000)
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    for summary in page.locator("summary").all()[:4]:
        summary.click()
    for sign in page.get_by_role("tab").all():
        sign.click()
    for menu in ("Views", "Dataset", "Author", "Tags", "Person", "Kind"):
        button = page.get_by_role("button", name=menu, exact=True)
        if button.count() and button.first.is_enabled():
            button.first.click()
            expect(page.get_by_role("menuitem").first).to_be_visible()
            page.keyboard.press("Escape")
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    found = [sign for sign in SIGNS if page.locator(sign).count()]
    outside = "[...document.links].filter(a => a.origin !== location.origin).map(a => a.href)"
    found += page.evaluate(outside)
    text = str(page.evaluate("document.body.innerText"))
    if re.search("[\u202a-\u202e\u2066-\u2069]", text):
        found.append("a bidirectional control character")
    return found


def test_no_screen_shows_hostile_text_as_anything_but_text(
    visitor: Callable[..., Page], hostile: tuple[Dashboard, str, str]
) -> None:
    dashboard, report, finding = hostile
    page = visitor()
    reached: list[str] = []
    page.on("request", lambda request: reached.append(request.url))
    remember_name(page, dashboard.url, "Ana")
    wrong: dict[str, list[str]] = {}
    for name, (screen, query) in addresses(report, finding).items():
        reached.clear()
        found = visit(page, f"{dashboard.url}/{screen}?{urlencode(query)}")
        outside = [url for url in reached if not url.startswith((dashboard.url, "data:", "blob:"))]
        outside += [url for url in reached if "evil" in url.split("?")[0]]
        if found or outside:
            wrong[name] = found + outside
    assert wrong == {}


@pytest.mark.parametrize("parameter", ["counted", "compare"])
def test_a_picture_in_a_refused_parameter_is_not_fetched(
    parameter: str, visitor: Callable[..., Page], hostile: tuple[Dashboard, str, str]
) -> None:
    dashboard, report, _ = hostile
    page = visitor()
    reached: list[str] = []
    page.on("request", lambda request: reached.append(request.url))
    query = {parameter: f"![x]({SERVER}/x.png)", **({"report": report} if parameter == "compare" else {})}
    page.goto(f"{dashboard.url}/{'report' if parameter == 'compare' else ''}?{urlencode(query)}")
    expect(page.get_by_role("alert").filter(has_text="![x]").first).to_be_visible(timeout=60_000)
    assert [url for url in reached if url.startswith(SERVER)] == []
