"""Read what is not one plain file: archives, part files, database files and files on servers."""

from __future__ import annotations
