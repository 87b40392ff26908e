"""Stores: where records are kept, on files or in a database."""

from __future__ import annotations
