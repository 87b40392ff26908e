"""One finding on the Report and Findings screens: details, triage, discussion, history."""

from __future__ import annotations
