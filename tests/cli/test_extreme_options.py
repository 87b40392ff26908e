"""Dates and numbers at the ends of their range, as options of the lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Run

Answer = Callable[..., Any]
LISTS = [("report", "list"), ("findings", "list"), ("audit",)]


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_the_widest_bounds_list_everything(
    saved: dict[str, Any], answer: Answer, command: tuple[str, ...]
) -> None:
    everything = answer(*command)
    assert everything
    assert answer(*command, "--since", "0001-01-01", "--until", "9999-12-31") == everything
    assert answer(*command, "--since", "0001-01-01T00:00:00+14:00", "--limit", str(2**63)) == everything
    assert answer(*command, "--until", "0001-01-01") == []
    assert answer(*command, "--limit", str(10**30), "--offset", str(10**30)) == []


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
@pytest.mark.parametrize(
    ("option", "value"),
    [("--since", "0000-01-01"), ("--until", "10000-01-01"), ("--limit", "-1"), ("--offset", "nan")],
)
def test_what_is_no_bound_is_one_sentence(
    run: Run, command: tuple[str, ...], option: str, value: str
) -> None:
    result = run(*command, option, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert value in result.stderr
    assert "Traceback" not in result.stderr
    assert "Unexpected error" not in result.stderr
