"""Read text files: delimited, with columns of fixed width, drawn as a table, and JSON."""

from __future__ import annotations
