"""Read Excel and OpenDocument workbooks."""

from __future__ import annotations
