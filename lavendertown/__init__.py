"""LavenderTown: a team's desk for data-quality findings."""

from __future__ import annotations

__version__ = "1.0.0.dev0"
