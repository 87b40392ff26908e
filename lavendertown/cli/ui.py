"""``lavendertown ui``: start the dashboard."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click

from lavendertown.cli.errors import CommandError
from lavendertown.core.settings import load_settings

_SCRIPT = Path(__file__).parents[1] / "ui" / "server" / "app.py"


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="The port to listen on."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; for 0.0.0.0, set LAVENDERTOWN_SERVER_NAMES to this machine's host names.",
)
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="The data folder for this run."
)
@click.argument("streamlit_options", nargs=-1, type=click.UNPROCESSED)
def ui_command(port: int, host: str, data_dir: Path | None, streamlit_options: tuple[str, ...]) -> None:
    """Open the dashboard for the configured store.

    Options after -- are passed to Streamlit. Stop with Ctrl+C.

    \b
    Example:
      lavendertown ui --port 8600
      lavendertown ui -- --server.maxUploadSize 2000
      LAVENDERTOWN_SERVER_NAMES=quality.example.org lavendertown ui --host 0.0.0.0
    """
    if data_dir is not None:
        os.environ["LAVENDERTOWN_DATA_DIR"] = str(data_dir.expanduser().resolve())
    load_settings()
    check_port(host, port)
    from streamlit.web.cli import main as streamlit

    # Called in this process, so that Streamlit handles Ctrl+C, signals and the exit code.
    streamlit(
        ["run", str(_SCRIPT), f"--server.port={port}", f"--server.address={host}", *streamlit_options],
        prog_name="streamlit",
    )


def check_port(host: str, port: int) -> None:
    """Raise an error if the server cannot listen on this address.

    Raises:
        CommandError: The port is in use, or the address is not one of this machine.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}, port {port} ({error.strerror}). Choose another with --port or --host."
        ) from error
