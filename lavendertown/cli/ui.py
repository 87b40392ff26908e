"""``lavendertown ui``: start the dashboard."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click

from lavendertown.cli.problems import Refusal
from lavendertown.config import load_settings

_SCRIPT = Path(__file__).parents[1] / "ui" / "serve" / "app.py"


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="The port.")
@click.option(
    "--host",
    default="localhost",
    show_default=True,
    help="The address to listen on; 0.0.0.0 lets colleagues on the network in.",
)
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="The data folder, for this run."
)
@click.argument("streamlit_options", nargs=-1, type=click.UNPROCESSED)
def ui(port: int, host: str, data_dir: Path | None, streamlit_options: tuple[str, ...]) -> None:
    """Open the dashboard on this folder's reports.

    What follows -- goes to Streamlit as it is. Stop with Ctrl+C.

    \b
    Example:
      lavendertown ui --port 8600
      lavendertown ui --host 0.0.0.0 -- --server.maxUploadSize 2000
    """
    if data_dir is not None:
        os.environ["LAVENDERTOWN_DATA_DIR"] = str(data_dir.expanduser().resolve())
    load_settings()
    _check_port(host, port)
    from streamlit.web.cli import main as streamlit

    # No second process: Ctrl+C, signals and the exit code stay Streamlit's own.
    streamlit(
        ["run", str(_SCRIPT), f"--server.port={port}", f"--server.address={host}", *streamlit_options],
        prog_name="streamlit",
    )


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Refusal(
            f"Cannot listen on {host}, port {port} ({error.strerror}); choose another with --port or --host."
        ) from error
