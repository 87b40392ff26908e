"""Parts of the Findings screen, the inbox."""

from __future__ import annotations
