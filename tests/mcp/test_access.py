"""Who may call MCP by HTTP: the rules of RPC, with the SDK's client and with curl."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mcp import MCPError

from lavendertown.collaboration.storage import Storage
from lavendertown.mcp.http_app import build_http_app
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.mcp.conftest import Connect
from tests.support.mcp import McpClient, ToolRefused, no_running_loop
from tests.support.rpc import RpcServer, curl, start_rpc

SITE = "https://quality.example.org"
READS = {
    "search_findings",
    "read_finding",
    "list_incidents",
    "read_incident",
    "list_worklists",
    "export_bundle",
}
WRITES = {
    "comment",
    "set_status",
    "assign",
    "snooze",
    "unsnooze",
    "undo",
    "group_findings",
    "close_incident",
    "reopen_incident",
    "create_worklists",
    "read_worklists",
    "undo_worklists",
    "import_bundle",
    "undo_bundle",
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "search_findings", "arguments": {}},
}
Post = Callable[..., tuple[int, Any]]


@pytest.fixture
def post(server: RpcServer) -> Post:
    """Call the server with curl, as a client of 2025 does."""

    def send(*options: str, body: str = json.dumps(CALL)) -> tuple[int, Any]:
        headers = (
            "-H",
            "Content-Type: application/json",
            "-H",
            "Accept: application/json, text/event-stream",
        )
        status, text = curl(f"{server.url}/mcp", *headers, "-d", body, *options)
        return status, json.loads(text)

    return send


def bearer(text: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {text}"


def first_id(client: McpClient) -> str:
    return str(client.call("search_findings", limit=1)["findings"][0]["finding_id"])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_old_and_new_clients_are_answered(connect: Connect, mode: str) -> None:
    client = connect(mode=mode)
    described = {tool.name: tool for tool in client.list_tools()}
    assert set(described) == READS | WRITES
    assert {name for name, tool in described.items() if tool.annotations.read_only_hint} == READS
    assert client.call("search_findings")["total"] == 3


def test_a_reader_reads_and_does_not_write(connect: Connect) -> None:
    reader = connect(role=Role.READER)
    name = first_id(reader)
    assert reader.call("read_finding", finding_id=name)["finding"]["column"] == "price"
    for tool, arguments in (
        ("comment", {"finding_ids": [name], "comment": "x"}),
        ("set_status", {"finding_ids": [name], "status": "reviewed"}),
        ("assign", {"finding_ids": [name], "assignee": "Ben"}),
        ("snooze", {"finding_ids": [name], "factor": 2}),
        ("unsnooze", {"finding_ids": [name]}),
        ("undo", {"undo": {"versions": {name: 1}}}),
    ):
        with pytest.raises(
            ToolRefused, match="needs a token with the role writer; this one has the role reader"
        ):
            reader.call(tool, **arguments)
    assert len(reader.call("read_finding", finding_id=name)["history"]) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "needs a token"),
        (("-H", "Authorization: Basic YTpi"), "needs a token"),
        (bearer("lt_unknown_secret"), "not valid"),
        (("-H", "X-User: Ann"), "needs a token"),
    ],
)
def test_a_request_without_a_valid_token_is_refused(post: Post, options: tuple[str, ...], words: str) -> None:
    status, answer = post(*options, body="{")
    assert status == 401
    assert words in answer["error"]["message"]


def test_a_user_of_the_proxy_who_is_no_text_is_refused(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_RPC_PROXIES", "127.0.0.1")
    server = start_rpc(build_http_app(lambda: storage))
    latin = os.fsdecode("X-User: Jürgen".encode("latin-1"))
    status, text = curl(f"{server.url}/mcp", "-H", latin, "-d", "{}")
    server.stop()
    assert (status, "in UTF-8" in json.loads(text)["error"]["message"]) == (400, True)


def test_the_sdks_client_sees_why_it_is_refused(server: RpcServer, tokens: TokenStore) -> None:
    text, made = tokens.create_token("triage-bot", Role.WRITER)
    client = McpClient(f"{server.url}/mcp", text)
    assert client.call("search_findings")["total"] == 3
    tokens.revoke_token(made.id)
    with pytest.raises((MCPError, ExceptionGroup)) as caught:
        client.call("search_findings")
    refusal = caught.value
    while isinstance(refusal, ExceptionGroup):
        refusal = refusal.exceptions[0]
    assert "The token is not valid" in str(refusal)


def test_pages_of_other_sites_are_refused_unless_allowed(
    storage: Storage, post: Post, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, _ = tokens.create_token("triage-bot", Role.WRITER)
    assert post(*bearer(text))[0] == 200
    status, answer = post(*bearer(text), "-H", f"Origin: {SITE}")
    assert (status, f"Web pages of {SITE}" in answer["error"]["message"]) == (403, True)
    monkeypatch.setenv("LAVENDERTOWN_RPC_ALLOWED_ORIGINS", SITE)
    allowing = start_rpc(build_http_app(lambda: storage))
    ask = ("-X", "OPTIONS", "-H", f"Origin: {SITE}", "-H", "Access-Control-Request-Method: POST")
    asked = ("-H", "Access-Control-Request-Headers: authorization,mcp-protocol-version", "-D", "-")
    status, headers = curl(f"{allowing.url}/mcp", *ask, *asked)
    allowing.stop()
    assert (status, f"access-control-allow-origin: {SITE}" in headers.lower()) == (200, True)


def test_without_authentication_only_this_machine_calls(
    post: Post, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_RPC_AUTHENTICATION", "off")
    open_server = start_rpc(build_http_app(lambda: storage))
    client = McpClient(f"{open_server.url}/mcp")
    made = client.call("comment", finding_ids=[first_id(client)], comment="Hello.", on_behalf_of="Maya")
    assert client.call("undo", undo=made["undo"], on_behalf_of="Maya") == {"changed_findings": 1}
    forwarded = curl(f"{open_server.url}/mcp", "-H", "X-Forwarded-For: 10.0.0.1", "-d", "{}")
    open_server.stop()
    assert {each["actor"] for each in storage.audit_log(component="annotation")} == {"Maya"}
    assert forwarded[0] == 401


def test_callers_at_the_same_time_are_told_apart(connect: Connect, storage: Storage) -> None:
    name = first_id(connect())
    actors = [f"bot-{n}" for n in range(12)]
    clients = {actor: connect(actor) for actor in actors}

    def comment(actor: str) -> Any:
        with no_running_loop():
            return clients[actor].call("comment", finding_ids=[name], comment=f"By {actor}.")

    with ThreadPoolExecutor(len(actors)) as pool:
        assert len(list(pool.map(comment, actors))) == len(actors)
    thread = storage.get_annotations(name)
    assert {(each.author, each.comment) for each in thread} == {(actor, f"By {actor}.") for actor in actors}


def test_malformed_and_oversized_requests_are_refused(
    post: Post, server: RpcServer, tokens: TokenStore
) -> None:
    text, _ = tokens.create_token("triage-bot", Role.WRITER)
    for body in (
        "{",
        "[]",
        "null",
        '{"jsonrpc": "2.0", "id": 1}',
        '{"jsonrpc": "2.0", "id": 1, "method": "x"}',
    ):
        status, answer = post(*bearer(text), body=body)
        assert status in (200, 400, 404), body
        assert "Traceback" not in answer["error"]["message"]
    headers = ("-H", "Content-Type: application/json", *bearer(text))
    big = ("-H", "Content-Length: 99999999", "-H", "Expect:", "-d", "{}")
    assert curl(f"{server.url}/mcp", *headers, *big)[0] == 413


def test_there_is_no_stream_to_get(server: RpcServer, tokens: TokenStore) -> None:
    text, _ = tokens.create_token("triage-bot", Role.WRITER)
    for method in ("GET", "DELETE"):
        status, body = curl(f"{server.url}/mcp", "-X", method, *bearer(text))
        assert (status, "POST only" in body) == (405, True)


def test_an_error_names_no_path(connect: Connect, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    from lavendertown.core.errors import StorageUnavailableError

    def fail(*_: Any, **__: Any) -> Any:
        raise StorageUnavailableError("The folder /srv/secret cannot be read.")

    client = connect()
    monkeypatch.setattr(storage.inbox, "query", fail)
    with pytest.raises(ToolRefused, match="The store does not answer") as caught:
        client.call("search_findings")
    assert "secret" not in str(caught.value)
