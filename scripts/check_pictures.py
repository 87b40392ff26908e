"""Draw the pictures of the pages in docs/checks: ``python -m scripts.check_pictures [CHECK…]``.

A picture shows what a report shows of the first example of a check: the dashboard's own code draws the
sample rows and the chart in Chromium.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.profile.measure import measure_table
from scripts.check_examples import EXAMPLES, WITHOUT_PICTURE, list_examples
from tests.support.browser import find_chromium, launch_options
from tests.support.dashboard import ROOT, start_dashboard

FOLDER = ROOT / "docs" / "images" / "checks"
APP = ROOT / "scripts" / "check_picture_app.py"
_WAIT_MS = 60_000


def save_example(storage: FileStorage, check: str) -> None:
    """Save the finding of the first example of a check as a report with the name of the check."""
    example = list_examples(check)[0]
    finding = example.find()
    report = ShareableReport(
        check,
        check,
        "Example",
        dt.datetime(2026, 11, 2, tzinfo=dt.UTC),
        [finding],
        metadata={"dataset": check},
    )
    evidence = measure_table(example.inspect().table, [finding])
    storage.save_report(report, evidence=evidence.named([get_finding_id(finding, check)]))


def take_picture(page: Page, url: str, check: str) -> bytes:
    """Return what the dashboard shows of the finding, as a small PNG."""
    page.goto(f"{url}/?report={check}")
    picture = page.locator(".st-key-picture")
    expect(picture).to_be_visible(timeout=_WAIT_MS)
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_attached()
    # Charts and grids are drawn after the script has ended.
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_000)
    image = Image.open(io.BytesIO(picture.screenshot(animations="disabled"))).convert("RGB")
    file = io.BytesIO()
    # Half of a screenshot's size is the many colours of smooth edges.
    image.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def main(checks: Sequence[str]) -> None:
    """Draw the pictures of these checks; of all without any."""
    drawn = [check for check in checks or EXAMPLES if check not in WITHOUT_PICTURE]
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium was found: run scripts/chromium.sh, or set LAVENDERTOWN_TEST_CHROMIUM.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder, "data")
        storage = FileStorage(data)
        for check in drawn:
            save_example(storage, check)
        dashboard = start_dashboard({"LAVENDERTOWN_DATA_DIR": str(data)}, Path(folder, "log"), APP)
        try:
            browser = playwright.chromium.launch(**launch_options(chromium))
            page = browser.new_page(viewport={"width": 900, "height": 700})
            for check in drawn:
                content = take_picture(page, dashboard.url, check)
                (FOLDER / f"{check}.png").write_bytes(content)
                print(f"{check}.png: {len(content):,} bytes")
        finally:
            dashboard.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
