"""Parts that several screens share: layout, texts, charts, filters, the user's name."""

from __future__ import annotations
