"""Inspections of uploaded files: the task that a worker process runs, and its result files."""

from __future__ import annotations
