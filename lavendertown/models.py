"""Public import path of :class:`~lavendertown.core.findings.GhostFinding`."""

from lavendertown.core.findings import GHOST_TYPES, SEVERITIES, GhostFinding

__all__ = ["GHOST_TYPES", "SEVERITIES", "GhostFinding"]
