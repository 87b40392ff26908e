"""Engines, transactions, locks and errors, with the differences between the databases."""

from __future__ import annotations
