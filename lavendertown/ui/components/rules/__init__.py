"""Parts of the Rules screen."""

from __future__ import annotations
