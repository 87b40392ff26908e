"""Parts of the Inspect screen."""

from __future__ import annotations
