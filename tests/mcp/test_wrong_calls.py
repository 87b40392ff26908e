"""Wrong calls of tools, on files: the answer is one sentence."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from lavendertown.core.findings import SEVERITIES
from lavendertown.mcp.finding_tools import Severity
from tests.mcp.conftest import Connect
from tests.support.mcp import ToolRefused


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("read_finding", {"finding_id": "f9-none"}, "There is no finding 'f9-none' in any report."),
        ("comment", {"finding_ids": ["f9-none"], "comment": "x"}, "There is no finding 'f9-none'"),
        ("comment", {"finding_ids": ["../x"], "comment": "x"}, "no finding"),
        ("comment", {"finding_ids": [], "comment": "x"}, "The argument finding_ids is not valid"),
        ("comment", {"finding_ids": ["a"] * 101, "comment": "x"}, "at most 100 items"),
        ("comment", {"finding_ids": ["a"]}, "Give a comment, tags or both."),
        ("set_status", {"finding_ids": ["a"], "status": "done"}, "Input should be 'open'"),
        ("snooze", {"finding_ids": ["a"]}, "A snooze needs an end"),
        ("snooze", {"finding_ids": ["a"], "until": "soon"}, "'soon' in until is not a time"),
        ("snooze", {"finding_ids": ["a"], "until": "2020-01-01"}, "has passed"),
        ("search_findings", {"limit": 1000}, "The argument limit is not valid"),
        ("search_findings", {"seen_since": "soon"}, "soon"),
        ("search_findings", {"sevrity": ["error"]}, "There is no argument 'sevrity'"),
        ("undo", {"undo": {"versions": {"a": 1}, "before": {}}}, "undo.before is not valid"),
        ("delete_everything", {}, "There is no tool 'delete_everything'"),
    ],
)
def test_a_wrong_call_is_refused_in_one_sentence(
    connect: Connect, tool: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ToolRefused) as caught:
        connect().call(tool, **arguments)
    text = str(caught.value)
    assert words in text
    assert "\n" not in text
    assert "Traceback" not in text


def test_the_severities_are_those_of_findings() -> None:
    assert set(get_args(Severity)) == set(SEVERITIES)
