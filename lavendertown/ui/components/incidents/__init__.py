"""Parts of the screens that show incidents."""

from __future__ import annotations
