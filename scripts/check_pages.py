"""Write the generated parts of docs/checks.md and docs/checks: ``python -m scripts.check_pages``.

A page per check has a block with what the code knows: names, parameters, engines, and what the check says
about the tables of ``scripts/check_examples.py``. The rest is written by hand.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

from lavendertown.core.findings import GhostFinding
from lavendertown.detectors import Detector, default_detectors
from lavendertown.rules.tuned_checks import NULL_CHECK, PATTERN_CHECK, RANGE_CHECKS, VALUE_CHECKS
from scripts.check_examples import WITHOUT_PICTURE, list_examples

DOCS = Path(__file__).parents[1] / "docs"
INDEX = DOCS / "checks.md"
FOLDER = DOCS / "checks"
IMAGES = DOCS / "images" / "checks"

_BEGIN = "<!-- Written by `python -m scripts.check_pages`; a test fails when this is outdated. -->"
_END = "<!-- End of the written part. -->"
_BLOCK = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
_ATTRIBUTE = r"^    {name}: (.*?)(?=^    \w+: |\Z)"


def write_pages() -> None:
    """Write the generated block of the index and of each page."""
    pages = {page_of(detector): render_check(detector) for detector in default_detectors()}
    for path, block in {INDEX: render_index(), **pages}.items():
        path.write_text(replace_block(path.read_text("utf-8"), block), "utf-8")


def replace_block(text: str, block: str) -> str:
    """Return a page with its generated block replaced.

    Raises:
        ValueError: The page does not have exactly one block.
    """
    replaced, count = _BLOCK.subn(lambda _: f"{_BEGIN}\n\n{block}\n\n{_END}", text)
    if count != 1:
        raise ValueError(f"The page '{text.splitlines()[0]}' has {count} generated blocks, not one.")
    return replaced


def page_of(detector: Detector) -> Path:
    """Return the page of a check."""
    return FOLDER / f"{detector.check}.md"


def render_index() -> str:
    """Return the table of all checks."""
    lines = ["| Check | Name | Finds |", "|---|---|---|"]
    for detector in default_detectors():
        finds = _describe(type(detector)).split(". ")[0].rstrip(".")
        lines.append(f"| [{detector.title}](checks/{detector.check}.md) | `{detector.check}` | {finds} |")
    return "\n".join(lines)


def render_check(detector: Detector) -> str:
    """Return the block of the page of a check."""
    findings = [example.find() for example in list_examples(detector.check)]
    types = dict.fromkeys(f"`{finding.ghost_type}`" for finding in findings)
    rows = [
        ("Name", f"`{detector.check}`"),
        ("Type of its findings", " or ".join(types)),
        ("Parameters", _list_parameters(detector)),
        ("Settings of a column", _list_column_settings(detector.check)),
        ("Engines", "all"),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows if value), ""]
    if detector.check not in WITHOUT_PICTURE:
        alt = f"What a report shows: {findings[0].description}"
        lines += [f"![{alt}](../images/checks/{detector.check}.png)", ""]
    lines += [f"- {finding.severity}: *{_escape(finding)}*" for finding in findings]
    return "\n".join(lines)


def _list_parameters(detector: Detector) -> str:
    described = inspect.getdoc(type(detector)) or ""
    parts = []
    for parameter in fields(detector):  # type: ignore[arg-type]
        match = re.search(_ATTRIBUTE.format(name=parameter.name), described, re.MULTILINE | re.DOTALL)
        if match is None:
            raise ValueError(f"The parameter {parameter.name} of {detector.check} is not described.")
        default = "none" if parameter.default == () else f"`{parameter.default:g}`"
        meaning = " ".join(match.group(1).split())
        parts.append(
            f"`{parameter.name}`, by default {default}: {meaning[0].lower()}{meaning[1:].rstrip('.')}"
        )
    return "; ".join([*parts, "`severity`, `max_share`"])


def _list_column_settings(check: str) -> str:
    settings = []
    if check in VALUE_CHECKS:
        settings.append("leaves out `allowed` values")
    if check in RANGE_CHECKS:
        settings.append("replaced by `range`")
    if check == PATTERN_CHECK:
        settings.append("replaced by `pattern`")
    if check == NULL_CHECK:
        settings.append("switched off by `optional: true`")
    return ", ".join(settings)


def _describe(detector: type[Detector]) -> str:
    first = (inspect.getdoc(detector) or "").split("\n\n")[0]
    return " ".join(first.split()).replace("``", "`")


def _escape(finding: GhostFinding) -> str:
    return finding.description.replace("*", r"\*").replace("<", r"\<")


if __name__ == "__main__":
    write_pages()
