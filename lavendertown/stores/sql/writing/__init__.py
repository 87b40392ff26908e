"""Writes of a unit of work: reports, annotations, identities and the audit log."""

from __future__ import annotations
