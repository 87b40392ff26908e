"""Tables, their revisions, and upgrades of an earlier schema."""

from __future__ import annotations
