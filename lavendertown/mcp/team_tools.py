"""What all tools over a team's storage share: the storage, the caller, and how a tool runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, TypeAlias

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import Field

from lavendertown.mcp.undo import MAX_FINDINGS
from lavendertown.rpc.access import require_role
from lavendertown.rpc.protocol.schema import Call, Caller, Role
from lavendertown.rpc.team.records import FindStorage
from lavendertown.rpc.threads import run_in_thread

AnyContext: TypeAlias = Context[Any, Any]
FindCaller: TypeAlias = Callable[[AnyContext], Caller]
FindingIds: TypeAlias = Annotated[
    list[str], Field(min_length=1, max_length=MAX_FINDINGS, description="From search_findings.")
]
OnBehalfOf: TypeAlias = Annotated[
    str, Field(description="For whom you act; recorded together with the actor of your token.")
]
Texts: TypeAlias = list[str]


class TeamTools:
    """A group of tools over a team's storage.

    Args:
        find_storage: Returns the storage, and is called with each call.
        find_caller: Returns who makes a call.
    """

    def __init__(self, find_storage: FindStorage, find_caller: FindCaller) -> None:
        self._storage = find_storage
        self._find_caller = find_caller

    def list_tools(self) -> Iterator[Tool]:
        """Return the tools."""
        raise NotImplementedError

    @staticmethod
    def make_tools(
        *, reads: Sequence[Callable[..., Any]], writes: Sequence[Callable[..., Any]]
    ) -> Iterator[Tool]:
        """Return the tools that functions are, with the hints that agents read."""
        for functions, is_read_only in ((reads, True), (writes, False)):
            hints = ToolAnnotations(
                read_only_hint=is_read_only,
                destructive_hint=None if is_read_only else False,
                open_world_hint=False,
            )
            for function in functions:
                yield Tool.from_function(_in_thread(function), annotations=hints)

    def _call(self, context: AnyContext, needed: Role) -> Call:
        """Return the call, once its caller may make it."""
        caller = self._find_caller(context)
        require_role(caller, needed, "This tool")
        return Call(caller)


def _in_thread(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Return a tool that runs in the threads of RPC, and does not block the server."""

    @functools.wraps(tool)
    async def run(*arguments: Any, **named: Any) -> Any:
        return await run_in_thread(tool, *arguments, **named)

    return run
