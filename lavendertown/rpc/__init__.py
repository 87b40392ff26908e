"""Connect RPC: an application's models, its database and the team's reports, served to other programs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectrpc.errors import ConnectError as RpcError

    from lavendertown.rpc.app import RpcApp
    from lavendertown.rpc.bundle import RpcBundle, build_storage_bundle
    from lavendertown.rpc.client import ConnectClient
    from lavendertown.rpc.team.collaboration_service import build_collaboration_bundle

MISSING = "connectrpc is required. Install it with: pip install lavendertown[rpc]"
_WHERE = {
    "ConnectClient": "lavendertown.rpc.client.ConnectClient",
    "RpcApp": "lavendertown.rpc.app.RpcApp",
    "RpcBundle": "lavendertown.rpc.bundle.RpcBundle",
    "RpcError": "connectrpc.errors.ConnectError",
    "build_collaboration_bundle": "lavendertown.rpc.team.collaboration_service.build_collaboration_bundle",
    "build_storage_bundle": "lavendertown.rpc.bundle.build_storage_bundle",
}

__all__ = [
    "ConnectClient",
    "RpcApp",
    "RpcBundle",
    "RpcError",
    "build_collaboration_bundle",
    "build_storage_bundle",
]


def is_missing_library(error: ImportError) -> bool:
    """Return whether a library is missing or too old, and not a part of LavenderTown itself."""
    return (error.name or "lavendertown").partition(".")[0] != "lavendertown"


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _WHERE[name].rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except ImportError as error:
        if is_missing_library(error):
            raise ImportError(MISSING) from error
        raise
