"""Threads of their own for calls that wait for a database or a disk, so that they hold up nothing else."""

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
    """Run a function in one of the threads and wait for its result.

    A caller that gives up no longer waits; the function is carried out nevertheless.
    """
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_pool, lambda: context.run(function, *args, **kwargs))
