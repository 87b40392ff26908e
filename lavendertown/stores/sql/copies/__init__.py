"""Copies of a database: backups and exports, and reading them."""

from __future__ import annotations
