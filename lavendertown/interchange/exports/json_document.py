"""JSON: a whole report with its evidence, for ``lavendertown report import``, or a list of findings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lavendertown.core import json_codec
from lavendertown.interchange.exports.content import ExportContent, ExportedFinding


def write_json(content: ExportContent) -> bytes:
    """Return a report as the dictionary of :meth:`ShareableReport.to_dict` with ``evidence``.

    A list of findings is an object with ``title``, ``exported_at`` and ``inbox``, an array of findings.

    Raises:
        InvalidInputError: A value cannot be written as JSON.
    """
    data: dict[str, Any]
    if content.report is not None:
        data = dict(content.report) | ({"evidence": content.evidence} if content.evidence else {})
    else:
        data = {
            "title": content.title,
            "exported_at": content.exported_at,
            "inbox": [_finding_to_dict(finding) for finding in content.findings],
        }
    return json_codec.dumps(json_codec.to_jsonable(data, "export"), indent=True) + b"\n"


def _finding_to_dict(finding: ExportedFinding) -> dict[str, Any]:
    values = asdict(finding)
    del values["profile"]
    return values
