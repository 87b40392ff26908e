"""Measure the screen Findings under many sessions, compared with an empty page of Streamlit.

    make bench-load ARGS="--sessions 1 25 50 75 100 200 --seconds 30 --stores file sqlite postgres"

The sessions speak Streamlit's protocol over websockets, without a browser. Each runs the page again after a
think time of 2.5 to 7.5 seconds; their arrivals are spread, because otherwise the queue of the start would be
measured. Before, one session without think time shows the processor time of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.support.dashboard import ROOT, Dashboard, start_dashboard

THINK_SECONDS = (2.5, 7.5)
EMPTY_PAGE = "import streamlit as st\nst.write('Nothing.')\n"


@dataclass
class Measured:
    """What the sessions of one measurement saw.

    Attributes:
        seconds: The duration of each run of the page, without the first of each session.
        failures: What went wrong.
    """

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


async def run_page(socket: websockets.ClientConnection, query: str, measured: Measured) -> float:
    """Run the page once in a session; return the seconds until it was sent completely."""
    began = time.perf_counter()
    message = BackMsg()
    message.rerun_script.query_string = query
    await socket.send(message.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(await socket.recv())  # type: ignore[arg-type]
        kind = answer.WhichOneof("type")
        if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
            measured.failures.append(answer.delta.new_element.exception.message)
        if kind == "script_finished":
            return time.perf_counter() - began


async def use_page(url: str, seconds: float, think: tuple[float, float], measured: Measured) -> None:
    """Open the page in a session of its own, and run it again and again."""
    await asyncio.sleep(random.uniform(0, think[1]))
    try:
        async with websockets.connect(
            f"{url.replace('http', 'ws')}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            compression=None,
        ) as socket:
            await run_page(socket, "view=open", measured)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                await asyncio.sleep(random.uniform(*think))
                measured.seconds.append(await run_page(socket, "view=open", measured))
    except (OSError, websockets.WebSocketException) as error:
        measured.failures.append(f"{type(error).__name__}: {error}")


def measure(
    dashboard: Dashboard, sessions: int, seconds: float, think: tuple[float, float] = THINK_SECONDS
) -> tuple[Measured, float]:
    """Return what the sessions saw, and the processor seconds of the server."""

    async def use_together() -> None:
        await asyncio.gather(*(use_page(dashboard.url, seconds, think, measured) for _ in range(sessions)))

    server = psutil.Process(dashboard.process.pid)
    measured = Measured()
    before = server.cpu_times()
    asyncio.run(use_together())
    after = server.cpu_times()
    return measured, after.user + after.system - before.user - before.system


@contextmanager
def open_dashboard(store: str, postgres_url: str, folder: Path) -> Iterator[Dashboard]:
    """Start a dashboard on the demo data in a store, or on an empty page."""
    settings = {"LAVENDERTOWN_DATA_DIR": str(folder / "data")}
    app = ROOT / "app.py"
    with ExitStack() as stack:
        if store == "empty page":
            app = folder / "empty.py"
            app.write_text(EMPTY_PAGE, encoding="utf-8")
        elif store == "file":
            settings["LAVENDERTOWN_STORAGE_TYPE"] = "file"
        else:
            url = postgres_url if store == "postgres" else f"sqlite:///{folder / 'store.db'}"
            settings |= {"LAVENDERTOWN_STORAGE_TYPE": "database", "LAVENDERTOWN_DATABASE_URL": url}
        if store != "empty page":
            command = [str(Path(sys.executable).with_name("lavendertown")), "demo"]
            subprocess.run(
                command, env={**os.environ, **settings}, cwd=folder, check=True, capture_output=True
            )
        dashboard = start_dashboard(settings, folder / "log", app)
        stack.callback(dashboard.stop)
        yield dashboard


def milliseconds(seconds: Sequence[float], share: float) -> float:
    """Return a quantile in milliseconds."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def report_store(store: str, postgres_url: str, sessions: Sequence[int], seconds: float) -> float:
    """Measure one store and print the curve; return the processor milliseconds of one run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_dashboard(store, postgres_url, Path(folder)) as dashboard,
    ):
        measure(dashboard, 1, 3, (0.0, 0.0))  # the first visit fills the caches
        alone, processor = measure(dashboard, 1, 10, (0.0, 0.0))
        each = 1000 * processor / len(alone.seconds)
        print(
            f"{store}: one session without think time: {each:.1f} ms of processor time a run, "
            f"median {1000 * statistics.median(alone.seconds):.1f} ms"
        )
        for count in sessions:
            measured, processor = measure(dashboard, count, seconds)
            problems = (
                f", {len(measured.failures)} failures: {measured.failures[0]}" if measured.failures else ""
            )
            print(
                f"{store}: {count:4d} sessions: {len(measured.seconds):5d} runs, "
                f"p50 {milliseconds(measured.seconds, 0.5):7.1f} ms, "
                f"p95 {milliseconds(measured.seconds, 0.95):7.1f} ms{problems}",
                flush=True,
            )
    return each


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the screen Findings under many sessions.")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 25, 50, 75, 100, 200])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--stores", nargs="+", default=["file", "sqlite", "postgres"])
    parser.add_argument("--postgres", required=True, help="URL of an empty database")
    options = parser.parse_args()
    empty = report_store("empty page", "", options.sessions, options.seconds)
    for store in options.stores:
        each = report_store(store, options.postgres, options.sessions, options.seconds)
        print(
            f"{store}: a run of Findings takes {each / empty:.1f} times the processor time of an empty page"
        )


if __name__ == "__main__":
    main()
