"""Shared reports and the annotations a team writes on findings."""

from __future__ import annotations

from lavendertown.collaboration.models import Annotation, ShareableReport

__all__ = ["Annotation", "ShareableReport"]
