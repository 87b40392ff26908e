"""Real demo data: three public tables in weekly deliveries, inspected, saved and discussed by a team."""

from __future__ import annotations

from lavendertown.demo.fill import DEFAULT_REPORTS, MAX_REPORTS, Filled, fill, is_filled
from lavendertown.demo.sources import available, sample_table

__all__ = ["DEFAULT_REPORTS", "MAX_REPORTS", "Filled", "available", "fill", "is_filled", "sample_table"]
