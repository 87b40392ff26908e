"""Task for a worker process: write the demo data into a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lavendertown.collaboration.storage import FileStorage
from lavendertown.core import json_codec
from lavendertown.demo.demo_data import write_demo_data

WRITE_DEMO = "lavendertown.demo.tasks:write_demo"


def write_demo(arguments: dict[str, Any], report: Callable[[Any], None]) -> Any:
    """Write the demo data into a folder of files.

    Args:
        arguments: The ``folder``.
        report: Called with the progress, ``{"share": 0 to 1, "text": the current delivery}``.

    Returns:
        The summary of the demo data, or None if the folder had them.
    """
    filled = write_demo_data(
        FileStorage(arguments["folder"]),
        progress=lambda done, total, title: report({"share": done / total, "text": title}),
    )
    return None if filled is None else json_codec.to_jsonable(asdict(filled), "demo")
