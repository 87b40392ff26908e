"""The table of statuses: what is stored never changes, and everything else is derived from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lavendertown.collaboration import models
from lavendertown.core import statuses
from lavendertown.ui.components.shared import formatting

ROOT = Path(__file__).parents[1]
OWNERS = {"core/statuses.py", "demo"}


def test_stored_names_and_codes_never_change() -> None:
    assert statuses.CODES == {
        "open": 0,
        "needs-investigation": 1,
        "reviewed": 2,
        "fixed": 3,
        "accepted": 4,
        "false_positive": 5,
    }
    assert models.STATUSES == statuses.NAMES == tuple(statuses.CODES)


def test_open_and_closed_statuses_are_as_documented() -> None:
    assert statuses.OPEN_NAMES == ("open", "needs-investigation", "reviewed")
    assert statuses.CLOSED_NAMES == ("fixed", "accepted", "false_positive")
    assert not statuses.is_closed(None)


def test_each_status_has_an_urgency_of_its_own() -> None:
    assert sorted(status.urgency for status in statuses.ALL) == [status.code for status in statuses.ALL]
    assert statuses.NAMES_BY_URGENCY[0] == "needs-investigation"


@pytest.mark.parametrize("status", statuses.ALL, ids=lambda status: status.name)
def test_screens_show_the_label_and_icon_of_the_table(status: statuses.Status) -> None:
    assert formatting.status_name(status.name) == status.label
    assert status.icon in formatting.status_badge(status.name)


def test_no_other_module_lists_statuses() -> None:
    """Two stored names in one pair of brackets are a second list of statuses."""
    name = rf"[\"'](?:{'|'.join(statuses.NAMES)})[\"']"
    second_list = re.compile(rf"[(\[{{]\s*{name}\s*[,:][^)\]}}]*{name}")
    package = ROOT / "lavendertown"
    wrong = [
        str(path)
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in OWNERS and second_list.search(path.read_text("utf-8"))
    ]
    assert wrong == []
