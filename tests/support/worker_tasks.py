"""Tasks for worker processes in tests."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lavendertown.errors import InvalidInputError

Report = Callable[[Any], None]
MODULE = __name__


def add(arguments: dict[str, Any], report: Report) -> Any:
    report("half way")
    return {"sum": sum(arguments["numbers"]), "pid": os.getpid()}


def write_file(arguments: dict[str, Any], report: Report) -> Any:
    Path(arguments["path"]).write_text("private")


def refuse(arguments: dict[str, Any], report: Report) -> Any:
    raise InvalidInputError("The file is empty; choose another.")


def raise_unexpected(arguments: dict[str, Any], report: Report) -> Any:
    raise RecursionError("nested")


def print_much(arguments: dict[str, Any], report: Report) -> Any:
    print("a library's chatter")
    os.write(1, b"straight to the descriptor\n")
    return "done"


def wait_forever(arguments: dict[str, Any], report: Report) -> Any:
    report("waiting")
    time.sleep(3600)


def take_memory_slowly(arguments: dict[str, Any], report: Report) -> Any:
    blocks = []
    while True:
        blocks.append(bytearray(8 * 1024**2))


def take_memory_at_once(arguments: dict[str, Any], report: Report) -> Any:
    return len(bytearray(64 * 1024**3))


def abort(arguments: dict[str, Any], report: Report) -> Any:
    os.kill(os.getpid(), signal.SIGABRT)


def crash(arguments: dict[str, Any], report: Report) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def send_nonsense(arguments: dict[str, Any], report: Report) -> Any:
    os.write(3, b"\x80\x04not json\n")
    for descriptor in range(3, 12):
        try:
            os.write(descriptor, b"\x80\x04not json\n")
        except OSError:
            continue
    return "done"
