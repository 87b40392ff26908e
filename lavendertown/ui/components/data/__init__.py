"""Parts of the Data screen."""

from __future__ import annotations
