"""Write demo data: reports on weekly deliveries of three public tables, with a team's comments."""

from __future__ import annotations

from lavendertown.demo.demo_data import (
    DEFAULT_REPORTS,
    MAX_REPORTS,
    FilledDemo,
    has_demo_data,
    write_demo_data,
)
from lavendertown.demo.public_tables import is_available, load_sample_table

__all__ = [
    "DEFAULT_REPORTS",
    "MAX_REPORTS",
    "FilledDemo",
    "has_demo_data",
    "is_available",
    "load_sample_table",
    "write_demo_data",
]
