"""Every check runs on frames of every library; findings must be the same, row for row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pytest

from lavendertown.detectors import Detector
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding

Detect = Callable[..., list[GhostFinding]]


@pytest.fixture(params=["pandas", "polars"])
def detect(request: pytest.FixtureRequest) -> Detect:
    """Return a function that runs detectors on columns given as lists."""

    def run(columns: dict[str, list[Any]], *detectors: Detector) -> list[GhostFinding]:
        made = pd.DataFrame if request.param == "pandas" else pl.DataFrame
        return Inspector(made(columns), detectors=list(detectors) or None).detect()

    return run
