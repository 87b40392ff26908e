"""LavenderTown: a workspace where teams handle data-quality findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lavendertown.inspector import Inspector

__version__ = "1.0.0.dev0"
__all__ = ["Inspector", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported on first use, so that the command line and the stores start without the data libraries.
    if name == "Inspector":
        from lavendertown.inspector import Inspector

        return Inspector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
