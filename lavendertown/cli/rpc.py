"""``lavendertown rpc``: serve other programs by Connect RPC, and manage their tokens."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lavendertown.cli.options import json_option
from lavendertown.cli.output import print_json, print_table
from lavendertown.cli.ui import check_port
from lavendertown.core import clock
from lavendertown.core.settings import load_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from lavendertown.rpc.app import RpcApp
    from lavendertown.rpc.tokens import Token, TokenStore


@click.group(invoke_without_command=True)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--app",
    "target",
    metavar="MODULE:ATTRIBUTE",
    help="An RpcApp to serve instead of the team's reports. Default: the setting rpc_app.",
)
@click.pass_context
def rpc_group(context: click.Context, port: int, host: str, target: str | None) -> None:
    """Serve reports, findings and comments to other programs by Connect RPC and gRPC-Web.

    The dashboard serves the same at /rpc. Callers need a token; see lavendertown rpc token. Agents find the
    team's findings at /mcp. Stop with Ctrl+C.

    \b
    Example:
      lavendertown rpc --port 8000
      lavendertown rpc --app my_app:app
    """
    if context.invoked_subcommand is not None:
        return
    app = _load_served_app(target)
    check_port(host, port)
    from lavendertown.rpc.serve import run_server

    click.echo(f"Serving RPC on http://{host}:{port} (Ctrl+C stops it).", err=True)
    run_server(app, host, port)


@rpc_group.command()
@click.option(
    "--output", type=click.Path(path_type=Path), help="The file to write. Default: standard output."
)
@click.option(
    "--app",
    "target",
    metavar="MODULE:ATTRIBUTE",
    help="An RpcApp whose services to write. Default: the setting rpc_app.",
)
def proto_command(output: Path | None, target: str | None) -> None:
    """Write the .proto file of the services, to generate clients in other languages.

    \b
    Example:
      lavendertown rpc proto --output lavendertown.proto
    """
    app = _load_app(target)
    if output is None:
        click.echo(app.proto, nl=False)
        return
    app.write_proto(output)
    click.echo(f"Wrote {output}.")


def _load_served_app(target: str | None) -> ASGIApp:
    """Return the RPC app, with MCP unless the application serves its own app."""
    if target or load_settings().rpc_app:
        return _load_app(target)
    _load_library()
    from lavendertown.collaboration.storage import get_storage_backend
    from lavendertown.mcp.mount import mount_mcp
    from lavendertown.rpc.team.app import build_team_app
    from lavendertown.rpc.team.records import ConfiguredStore

    find_storage = ConfiguredStore(get_storage_backend)
    return mount_mcp(build_team_app(find_storage), find_storage)


def _load_app(target: str | None) -> RpcApp:
    _load_library()
    from lavendertown.rpc.team.app import find_app

    return find_app(target)


def _load_library() -> None:
    from lavendertown.rpc import MISSING, is_missing_library

    try:
        import_module("lavendertown.rpc.team.app")
    except ImportError as error:
        if is_missing_library(error):
            raise ImportError(MISSING) from error
        raise


@rpc_group.group()
def token_group() -> None:
    """Create, list and revoke tokens for callers.

    \b
    Example:
      lavendertown rpc token create --actor ci-bot --role writer
    """


@token_group.command()
@click.option("--actor", required=True, help="The name for changes made with the token.")
@click.option(
    "--role",
    type=click.Choice(["reader", "writer"]),
    required=True,
    help="reader: read records; writer: also change, export, back up and restore them.",
)
@click.option(
    "--expires",
    metavar="TIME",
    help="When the token expires: a day or ISO time, or a number of days such as 90d.",
)
@json_option
def create_command(actor: str, role: str, expires: str | None, as_json: bool) -> None:
    """Create a token and print it once; only its hash is stored.

    \b
    Example:
      lavendertown rpc token create --actor ci-bot --role writer --expires 90d
    """
    from lavendertown.rpc.protocol.schema import Role

    text, token = _open_token_store().create_token(actor, Role(role), _parse_expiry(expires))
    if as_json:
        print_json({"token": text, **_token_to_dict(token)})
        return
    click.echo(text)
    click.echo(f"Created token {token.id} for {token.actor} ({token.role}). It is not shown again.", err=True)


@token_group.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List the tokens, without their secrets.

    \b
    Example:
      lavendertown rpc token list
    """
    tokens = [_token_to_dict(token) for token in _open_token_store().list_tokens()]
    if as_json:
        print_json(tokens)
        return
    print_table(
        ("id", "actor", "role", "state", "created", "expires"),
        (
            tuple(token[key] for key in ("id", "actor", "role", "state", "created_at", "expires_at"))
            for token in tokens
        ),
        "There are no tokens.",
    )


@token_group.command()
@click.argument("token_id", metavar="ID")
@json_option
def revoke_command(token_id: str, as_json: bool) -> None:
    """Revoke the token with this ID.

    \b
    Example:
      lavendertown rpc token revoke 4f1c2a9b7d3e
    """
    revoked = _open_token_store().revoke_token(token_id)
    if as_json:
        print_json(_token_to_dict(revoked))
    else:
        click.echo(f"Revoked token {revoked.id} of {revoked.actor}.")


def _open_token_store() -> TokenStore:
    from lavendertown.rpc.tokens import TokenStore

    return TokenStore(load_settings().data_dir)


def _token_to_dict(token: Token) -> dict[str, Any]:
    public = {each.name: getattr(token, each.name) for each in fields(token) if each.name != "digest"}
    return {**public, "role": token.role.value, "state": token.state}


def _parse_expiry(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        if text.endswith("d") and text[:-1].isdigit():
            return clock.now() + dt.timedelta(days=int(text[:-1]))
        if len(text) == len("2026-11-28"):
            return clock.day_start(dt.date.fromisoformat(text))
        return clock.parse_time(text)
    except (ValueError, OverflowError) as error:
        raise click.UsageError(
            f"--expires {text!r} is not a time. Use a day such as 2027-01-31, or days such as 90d."
        ) from error
