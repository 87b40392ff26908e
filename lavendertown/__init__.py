"""LavenderTown: a team's desk for data-quality findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lavendertown.inspector import Inspector

__version__ = "1.0.0.dev0"
__all__ = ["Inspector", "__version__"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the command line and the storages start without the data libraries.
    if name == "Inspector":
        from lavendertown.inspector import Inspector

        return Inspector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
