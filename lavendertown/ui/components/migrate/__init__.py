"""Parts of the Migrate screen."""

from __future__ import annotations
