"""One HTML page with charts and evidence that opens without a network and prints well.

Plotly and all data are in the page. Texts are escaped by the template; the page's own policy allows no other
script than the two in it, and no request.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from lavendertown.core import json_codec, statuses
from lavendertown.core.findings import SEVERITIES, column_label
from lavendertown.interchange.exports.content import (
    ExportContent,
    ExportedFinding,
    format_rows,
    format_time,
    status_label,
)
from lavendertown.interchange.exports.html_charts import Figure, explain_finding, severity_by_column

MAX_DETAILS = 200
"""The maximum number of findings with evidence and thread; the table lists all."""

# The browser lays out the paper after `beforeprint`, too late for the charts: the class has its width.
_DRAW_CHARTS = """
const figures = JSON.parse(document.getElementById("figures").textContent);
const elements = [...document.querySelectorAll("[data-figure]")];
const drawn = new Set();
const draw = element => {
  if (drawn.has(element)) return;
  drawn.add(element);
  const figure = figures[Number(element.dataset.figure)];
  const layout = {...figure.layout, width: element.clientWidth};
  Plotly.newPlot(element, figure.data, layout, {displayModeBar: false});
};
const fit = () => drawn.forEach(element => {
  if (element.layout.width !== element.clientWidth) Plotly.relayout(element, {width: element.clientWidth});
});
const observer = new IntersectionObserver(
  entries => entries.filter(entry => entry.isIntersecting).forEach(entry => draw(entry.target)),
  {rootMargin: "600px"},
);
elements.forEach(element => observer.observe(element));
addEventListener("resize", () => requestAnimationFrame(fit));
addEventListener("beforeprint", () => {
  document.body.classList.add("paper");
  elements.forEach(draw);
  fit();
});
addEventListener("afterprint", () => {
  document.body.classList.remove("paper");
  fit();
});
"""


def write_html(content: ExportContent) -> bytes:
    """Return the page in UTF-8, about 5 MB.

    Raises:
        InvalidInputError: A value cannot be written as JSON.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("lavendertown.interchange.exports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": _format_cell,
        "rows": format_rows,
        "status": status_label,
        "time": format_time,
    }
    plotly = get_plotlyjs()
    page = _Page(content)
    html = environment.get_template("page.html").render(
        content=content,
        page=page,
        is_closed=statuses.is_closed,
        # A script is safe only as it is in the package: the template must not escape it.
        plotly=Markup(plotly),
        draw_charts=Markup(_DRAW_CHARTS),
        figures=Markup(_to_script_json(page.figures)),
        script_hashes=[_hash_script(plotly), _hash_script(_DRAW_CHARTS)],
    )
    return html.encode("utf-8")


class _Page:
    """What the template shows, with the figures that it refers to by number."""

    def __init__(self, content: ExportContent) -> None:
        self.figures: list[Figure] = []
        self.findings = content.by_severity()
        self.counts = {
            severity: sum(finding.severity == severity for finding in self.findings)
            for severity in reversed(SEVERITIES)
        }
        self.open_count = sum(not statuses.is_closed(finding.status) for finding in self.findings)
        self.datasets = sorted({finding.dataset for finding in self.findings if finding.dataset})
        evidence = content.evidence or {}
        self.columns: list[dict[str, Any]] = evidence.get("columns") or []
        self.omitted: list[str] = evidence.get("omitted") or []
        self.overview = self._add(*severity_by_column(self.findings), "Findings by column")
        self.details = [
            (finding, self._add(*chart) if (chart := explain_finding(finding)) else None)
            for finding in self.findings[:MAX_DETAILS]
        ]

    def facts(self, finding: ExportedFinding) -> str:
        """Return one line about a finding: dataset, column, type, rows, runs, assignee, due date."""
        rows = format_rows(finding)
        reports = "report" if finding.times_seen == 1 else "reports"
        since = f" since {format_time(finding.first_seen)}" if finding.first_seen else ""
        parts = (
            finding.dataset,
            column_label(finding.column),
            finding.ghost_type,
            f"{rows} {'row' if rows == '1' else 'rows'}" if rows else "",
            f"seen in {finding.times_seen:,} {reports}{since}",
            f"assigned to {finding.assignee}" if finding.assignee else "",
            f"due {format_time(finding.due_at)}" if finding.due_at else "",
        )
        return " · ".join(filter(None, parts))

    def sample_columns(self, finding: ExportedFinding) -> list[str]:
        """Return the columns of the sample rows, the affected one last."""
        samples = finding.samples
        if samples is None:
            return []
        names = dict.fromkeys(name for row in samples.rows for name in row.values)
        return sorted(names, key=lambda name: name == samples.column)

    def _add(self, figure: Figure, alt: str, caption: str) -> dict[str, Any]:
        self.figures.append(figure)
        height = figure["layout"]["height"]
        return {"number": len(self.figures) - 1, "alt": alt, "caption": caption, "height": height}


def _format_cell(value: Any) -> str:
    if value is None:
        return "(missing)"
    return str(value) or "(empty)"


def _to_script_json(value: Any) -> str:
    """Return JSON that cannot close its script element."""
    text = json_codec.dumps(json_codec.to_jsonable(value, "figures")).decode("utf-8")
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _hash_script(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
