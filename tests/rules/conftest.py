"""Rules run on frames of each library; their findings must be the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pytest

from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding
from lavendertown.rules.models import Rule

RunRules = Callable[..., list[GhostFinding]]


@pytest.fixture(params=["pandas", "polars"])
def run_rules(request: pytest.FixtureRequest) -> RunRules:
    """Return a function that runs only rules, on columns given as lists."""

    def run(columns: dict[str, list[Any]], *rules: Rule, **references: Any) -> list[GhostFinding]:
        made = pd.DataFrame if request.param == "pandas" else pl.DataFrame
        return Inspector(made(columns), detectors=[], rules=rules, references=references).detect()

    return run


@pytest.fixture
def run_on_csv() -> RunRules:
    """Return a function that runs only rules, on the text of a CSV file."""

    def run(text: str, *rules: Rule) -> list[GhostFinding]:
        return Inspector((text.encode(), "table.csv"), detectors=[], rules=rules).detect()

    return run


def make_rule(rule_type: str, column: str | None = None, **parameters: Any) -> Rule:
    """Return a rule that has the name of its type."""
    return Rule(rule_type, "", rule_type, column, parameters)
