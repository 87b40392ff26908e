"""Parts of the screens that show owner rules."""

from __future__ import annotations
