"""Parts of the Trends screen."""

from __future__ import annotations
