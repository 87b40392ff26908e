"""Run blocking work in a thread pool of its own, so that it does not block the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_pool = ThreadPoolExecutor(16, thread_name_prefix="lavendertown-rpc")


async def run_in_thread(
    function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    """Run a function in the thread pool, with the caller's context variables, and return its result.

    If the caller is cancelled, the function still runs to its end.
    """
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, lambda: context.run(function, *args, **kwargs))
