"""Building conditions, compiling statements and executing them, alone or in batches."""

from __future__ import annotations
