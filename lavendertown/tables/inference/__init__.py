"""Infer the types of text columns, and parse their values."""

from __future__ import annotations
