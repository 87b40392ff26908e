"""Queries: records, lists, counts and the inbox."""

from __future__ import annotations
