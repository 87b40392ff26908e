"""The methods for the team's records: reports, comments, incidents, worklists, bundles, imports."""

from __future__ import annotations
