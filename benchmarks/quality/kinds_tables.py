"""Errors over several columns or rows: keys, copies, dependencies, time, outliers."""

from __future__ import annotations

from benchmarks.quality.sheets import Kind

KINDS: list[Kind] = []
