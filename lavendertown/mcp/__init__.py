"""MCP: agents search findings, read them, comment and decide, as the actor of a token.

The SDK is the package ``mcp``; inside this package too, ``from mcp import …`` means the SDK.
"""

from __future__ import annotations

MISSING = "mcp is required. Install it with: pip install lavendertown[mcp]"
NOT_INSTALLED = "MCP is not installed on this server. Install it with: pip install lavendertown[mcp]"
PATH = "/mcp"
"""Where MCP is served beside RPC."""

__all__ = ["MISSING", "NOT_INSTALLED", "PATH"]
