"""What the protocol needs: services as descriptors and ``.proto``, messages, pages, checks of requests."""

from __future__ import annotations
