"""The database kernel for an application's own classes: engine, sessions, models, seeds and migrations."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lavendertown.database.application import get_engine, set_database_url, transaction, use_session
    from lavendertown.database.audit_model import AuditLog
    from lavendertown.database.base import Base, TableMixin
    from lavendertown.database.connections import connect, install_tables, open_session
    from lavendertown.database.model_accessor import ModelAccessor
    from lavendertown.database.session import Session
    from lavendertown.database.startup import bootstrap

# Imported on first use, so that opening a store does not load the kernel.
_MODULES = {
    "AuditLog": "audit_model",
    "Base": "base",
    "ModelAccessor": "model_accessor",
    "Session": "session",
    "TableMixin": "base",
    "bootstrap": "startup",
    "connect": "connections",
    "install_tables": "connections",
    "open_session": "connections",
    "get_engine": "application",
    "set_database_url": "application",
    "transaction": "application",
    "use_session": "application",
}

__all__ = [
    "AuditLog",
    "Base",
    "ModelAccessor",
    "Session",
    "TableMixin",
    "bootstrap",
    "connect",
    "get_engine",
    "install_tables",
    "open_session",
    "set_database_url",
    "transaction",
    "use_session",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
