"""Parts of the Activity screen."""

from __future__ import annotations
