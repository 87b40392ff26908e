"""Parts of the Report screen."""

from __future__ import annotations
