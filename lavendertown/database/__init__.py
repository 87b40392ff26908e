"""SQLAlchemy and alembic, only here: the database store, and a kernel for an application's own classes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lavendertown.database.application import get_engine, set_database_url, transaction, use_session
    from lavendertown.database.audit_model import AuditLog
    from lavendertown.database.base import Base, TableMixin
    from lavendertown.database.connecting import connect, install_tables, open_session
    from lavendertown.database.model_accessor import ModelAccessor
    from lavendertown.database.sessions import Session
    from lavendertown.database.starting import bootstrap

# Resolved when asked for: who only opens a store need not load the kernel.
_WHERE = {
    "AuditLog": "audit_model",
    "Base": "base",
    "ModelAccessor": "model_accessor",
    "Session": "sessions",
    "TableMixin": "base",
    "bootstrap": "starting",
    "connect": "connecting",
    "install_tables": "connecting",
    "open_session": "connecting",
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
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
