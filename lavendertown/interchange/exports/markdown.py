"""Markdown for a pull request: a short table of findings, the most severe first."""

from __future__ import annotations

import re

from lavendertown.core.findings import column_label
from lavendertown.interchange.exports.content import (
    ExportContent,
    ExportedFinding,
    format_rows,
    status_label,
)
from lavendertown.interchange.wording import shorten

MAX_FINDINGS = 50
"""The maximum number of findings in the table."""
_MAX_TEXT = 200
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+\-!|~$&=]")
# GitHub links these in text that is already parsed: an empty comment prevents it, a backslash does not.
_BREAK = "<!-- -->"
_BREAK_BEHIND = re.compile(
    r"@(?=[\w-])"  # @name
    r"|#(?=\d)"  # 123 behind a hash: an issue
    r"|\bGH-(?=\d)"
    r"|:(?=[\w+/-])"  # :smile:, http://
    r"|www(?=\.)",
    re.IGNORECASE,
)


def write_markdown(content: ExportContent) -> bytes:
    """Return a heading, the numbers by severity, and a table of at most :data:`MAX_FINDINGS` findings."""
    lines = [f"### {escape_markdown(content.title) or 'Findings'}", "", content.summary_line(), ""]
    ordered = content.by_severity()
    shown = ordered[:MAX_FINDINGS]
    if shown:
        lines += ["| Severity | Status | Column | Finding | Rows | Assignee |", "|---|---|---|---|---:|---|"]
        lines += map(_to_line, shown)
        lines.append("")
    if len(ordered) > len(shown):
        lines += [f"The first {len(shown):,} of {len(ordered):,} are shown.", ""]
    return "\n".join(lines).encode("utf-8")


def _to_line(finding: ExportedFinding) -> str:
    cells = (
        finding.severity,
        status_label(finding.status),
        column_label(finding.column),
        finding.description,
        format_rows(finding),
        finding.assignee,
    )
    return f"| {' | '.join(map(escape_markdown, cells))} |"


def escape_markdown(text: str) -> str:
    """Return a text for one line or cell of Markdown: nothing in it is formatted, linked or mentioned."""
    line = "".join(c if c.isprintable() else " " for c in shorten(text, _MAX_TEXT))
    parts, start = [], 0
    for match in _BREAK_BEHIND.finditer(line):
        parts.append(_MARKDOWN.sub(r"\\\g<0>", line[start : match.end()]))
        start = match.end()
    parts.append(_MARKDOWN.sub(r"\\\g<0>", line[start:]))
    return re.sub(r"^(\d+)\.", r"\1\\.", _BREAK.join(parts))
