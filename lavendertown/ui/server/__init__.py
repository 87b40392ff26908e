"""The dashboard as an ASGI application: start page, middleware, health check, uploaded files."""

from __future__ import annotations
