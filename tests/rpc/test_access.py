"""Who may call: tokens, roles, actors, proxies, the loopback exception, and pages of other sites."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.core import clock
from lavendertown.core.errors import ConfigurationError, InvalidInputError, NotFoundError
from lavendertown.core.settings import load_settings
from lavendertown.database import AuditLog, ModelAccessor, application, bootstrap
from lavendertown.database.startup import create_missing_tables
from lavendertown.rpc import ConnectClient, RpcApp, build_storage_bundle
from lavendertown.rpc.access import AccessRules
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.conftest import Serve
from tests.rpc.models import Base, Order, RpcUser
from tests.support.rpc import RpcServer, curl, post, start_rpc

ANN = {"name": "Ann", "email": "ann@example.org"}
SITE = "https://quality.example.org"


@pytest.fixture
def users(tmp_path: Path) -> Iterator[ModelAccessor[RpcUser]]:
    """On SQLite alone: the rules do not depend on the database."""
    bootstrap(database_url=f"sqlite:///{tmp_path / 'app.db'}")
    yield ModelAccessor(RpcUser, "users")
    application.current_database().close()


@pytest.fixture
def tokens(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "data")


@pytest.fixture
def guarded(users: ModelAccessor[RpcUser], serve: Serve, monkeypatch: pytest.MonkeyPatch) -> RpcServer:
    """A server with the default settings: every call needs a token."""
    monkeypatch.delenv("LAVENDERTOWN_RPC_AUTHENTICATION")
    monkeypatch.setenv("LAVENDERTOWN_RPC_ALLOWED_ORIGINS", SITE)
    return serve(storage_app(users))


def storage_app(users: ModelAccessor[RpcUser]) -> RpcApp:
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[users]))
    return app


def bearer(text: str) -> tuple[str, str]:
    return "-H", f"Authorization: Bearer {text}"


def events() -> list[tuple[str, str, Any]]:
    with application.transaction() as session:
        query = sa.select(AuditLog).where(AuditLog.component == "users").order_by(AuditLog.id)
        return [
            (each.operation, each.actor, (each.after or {}).get("on_behalf_of"))
            for each in session.exec(query)
        ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "needs a token"),
        (("-H", "Authorization: Basic YTpi"), "needs a token"),
        (bearer("lt_unknown_secret"), "not valid"),
        (bearer(""), "not valid"),
        (("-H", "X-User: Ann"), "needs a token"),
    ],
)
def test_a_call_without_a_valid_token_is_refused(
    guarded: RpcServer, options: tuple[str, ...], words: str
) -> None:
    for method in ("UsersListRecords", "UsersCreateRecord", "DatabaseHealth", "NoSuchMethod"):
        status, answer = post(guarded, method, {}, *options)
        assert (status, answer["code"]) == (401, "unauthenticated")
        assert words in answer["message"]


def test_a_refused_call_is_not_read(guarded: RpcServer) -> None:
    assert post(guarded, "UsersCreateRecord", "{")[1]["code"] == "unauthenticated"


def test_the_tokens_actor_is_the_actor_of_every_write(guarded: RpcServer, tokens: TokenStore) -> None:
    text, _ = tokens.create_token("ci-bot", Role.WRITER)
    key = {"recordId": 1, "actor": "operator"}
    assert post(guarded, "UsersCreateRecord", {"record": ANN, "actor": "operator"}, *bearer(text))[0] == 200
    assert post(guarded, "UsersUpdateRecord", {**key, "record": {"name": "A"}}, *bearer(text))[0] == 200
    assert post(guarded, "UsersDeleteRecord", {"recordId": 1, "actor": "ci-bot"}, *bearer(text))[0] == 200
    assert post(guarded, "UsersRestoreRecord", {"recordId": 1}, *bearer(text))[0] == 200
    assert events() == [
        ("create", "ci-bot", "operator"),
        ("update", "ci-bot", "operator"),
        ("soft_delete", "ci-bot", None),
        ("restore", "ci-bot", None),
    ]
    event = post(guarded, "DatabaseReadAudit", {"operation": ["update"]}, *bearer(text))[1]["events"][0]
    assert (event["actor"], event["onBehalfOf"], event["after"]["name"]) == ("ci-bot", "operator", "A")
    assert "on_behalf_of" not in event["after"]
    read = post(guarded, "DatabaseReadAudit", {"actor": ["ci-bot"], "pageSize": 1}, *bearer(text))[1]
    assert read["events"][0]["operation"] == "restore"


def test_a_restore_says_for_whom(guarded: RpcServer, tokens: TokenStore) -> None:
    text, _ = tokens.create_token("ci-bot", Role.WRITER)
    client = ConnectClient(guarded.url, token=text)
    made = client.call("DatabaseBackup")
    client.call("DatabaseRestore", {"bytes": made.data, "filename": made.filename, "actor": "Maya"})
    [event] = client.call("DatabaseReadAudit", {"component": ["store"]}).events
    assert (event.actor, event.on_behalf_of, event.operation) == ("ci-bot", "Maya", "restore")


def test_a_record_that_is_gone_says_for_whom(
    tokens: TokenStore, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap(database_url=f"sqlite:///{tmp_path / 'orders.db'}")
    create_missing_tables(application.get_engine(), Base.metadata)
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(Order, "orders")]))
    server = serve(app)
    text, _ = tokens.create_token("ci-bot", Role.WRITER)
    made = {"record": {}, "actor": "Maya"}
    assert post(server, "OrdersCreateRecord", made, *bearer(text))[0] == 200
    gone = {"recordId": 1, "actor": "Maya"}
    assert post(server, "OrdersDeleteRecord", gone, *bearer(text))[0] == 200
    event = post(server, "DatabaseReadAudit", {"operation": ["delete"]}, *bearer(text))[1]["events"][0]
    assert (event["onBehalfOf"], event["before"], "after" in event) == ("Maya", {"id": 1.0}, False)
    application.current_database().close()


def test_a_reader_reads_only(guarded: RpcServer, tokens: TokenStore) -> None:
    text, _ = tokens.create_token("viewer", Role.READER)
    assert post(guarded, "UsersListRecords", {}, *bearer(text))[0] == 200
    for method in ("UsersCreateRecord", "UsersDeleteRecord", "DatabaseExportZip", "DatabaseRestore"):
        status, answer = post(guarded, method, {}, *bearer(text))
        assert (status, answer["code"]) == (403, "permission_denied"), method
        assert "needs a token with the role writer" in answer["message"]


def test_a_revoked_or_expired_token_is_refused(
    guarded: RpcServer, tokens: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoked, made = tokens.create_token("a", Role.READER)
    short, _ = tokens.create_token("b", Role.READER, clock.now() + dt.timedelta(hours=1))
    assert post(guarded, "UsersListRecords", {}, *bearer(revoked))[0] == 200
    tokens.revoke_token(made.id)
    assert post(guarded, "UsersListRecords", {}, *bearer(revoked))[0] == 401
    assert post(guarded, "UsersListRecords", {}, *bearer(short))[0] == 200
    later = clock.now() + dt.timedelta(hours=2)
    monkeypatch.setattr("lavendertown.rpc.tokens.clock.now", lambda: later)
    assert post(guarded, "UsersListRecords", {}, *bearer(short))[0] == 401


def test_a_token_is_kept_as_a_hash_in_a_private_file(tokens: TokenStore, tmp_path: Path) -> None:
    text, made = tokens.create_token("ci-bot", Role.WRITER)
    file = tmp_path / "data" / "rpc_tokens.json"
    assert text.rpartition("_")[2] not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert TokenStore(tmp_path / "data").find_token(text) == made
    assert tokens.find_token(text[:-1]) is None
    with pytest.raises(NotFoundError, match="There is no token 'none'"):
        tokens.revoke_token("none")
    with pytest.raises(InvalidInputError, match="needs an actor"):
        tokens.create_token(" ", Role.READER)


def test_a_proxy_that_is_trusted_names_the_user(
    users: ModelAccessor[RpcUser], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAVENDERTOWN_RPC_AUTHENTICATION")
    monkeypatch.setenv("LAVENDERTOWN_RPC_PROXIES", "127.0.0.0/8")
    server = serve(storage_app(users))
    assert post(server, "UsersCreateRecord", {"record": ANN}, "-H", "X-User: Maya")[0] == 200
    assert events() == [("create", "Maya", None)]
    assert post(server, "UsersListRecords", {})[0] == 401


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For: 10.0.0.7",
        "X-Forwarded-For: 10.0.0.7:4711",
        "X-Forwarded-For: 192.0.2.1, 10.0.0.7",
        "X-Forwarded-For: 2001:db8::1",
        "X-Forwarded-For: [2001:db8::1]:4711",
        "X-Forwarded-For: 2001:db8::1%a b",
    ],
)
@pytest.mark.parametrize("trusted", ["127.0.0.1", "*"])
def test_a_header_cannot_pose_as_the_proxy(
    users: ModelAccessor[RpcUser], serve: Serve, monkeypatch: pytest.MonkeyPatch, header: str, trusted: str
) -> None:
    monkeypatch.delenv("LAVENDERTOWN_RPC_AUTHENTICATION")
    monkeypatch.setenv("LAVENDERTOWN_RPC_PROXIES", "10.0.0.0/24,192.0.2.0/24,2001:db8::/32")
    server = serve(storage_app(users), forwarded_allow_ips=trusted)
    status, answer = post(server, "UsersCreateRecord", {"record": ANN}, "-H", "X-User: Maya", "-H", header)
    assert (status, answer["code"]) == (401, "unauthenticated")


def test_a_proxy_may_name_the_callers_address(
    users: ModelAccessor[RpcUser], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAVENDERTOWN_RPC_AUTHENTICATION")
    monkeypatch.setenv("LAVENDERTOWN_RPC_PROXIES", "127.0.0.1")
    server = serve(storage_app(users), forwarded_allow_ips="")
    for caller in ("10.0.0.7", "127.0.0.10", "127.127.0.0.1"):
        headers = ("-H", "X-User: Maya", "-H", f"X-Forwarded-For: {caller}")
        assert post(server, "UsersListRecords", {}, *headers)[0] == 200, caller


def test_the_proxys_user_is_read_as_utf_8(
    users: ModelAccessor[RpcUser], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_RPC_PROXIES", "127.0.0.1")
    server = serve(storage_app(users))
    assert post(server, "UsersCreateRecord", {"record": ANN}, "-H", "X-User: Jürgen")[0] == 200
    assert events() == [("create", "Jürgen", None)]
    latin = os.fsdecode("X-User: Jürgen".encode("latin-1"))
    for method in ("UsersListRecords", "NoSuchMethod"):
        for headers in (("-H", latin), ("-H", "X-User: Ann", "-H", "X-User: Ben")):
            status, answer = post(server, method, {}, *headers)
            assert (status, answer["code"]) == (400, "invalid_argument")


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Real-IP: 10.0.0.1", "Host: evil.example"],
)
def test_without_tokens_only_direct_local_calls_are_answered(server: RpcServer, header: str) -> None:
    assert post(server, "UsersListRecords", {})[0] == 200
    status, answer = post(server, "UsersListRecords", {}, "-H", header)
    assert (status, answer["code"]) == (401, "unauthenticated")


def test_a_server_that_others_reach_needs_tokens(users: ModelAccessor[RpcUser]) -> None:
    server = start_rpc(storage_app(users).finalize(), host="0.0.0.0")
    try:
        status, answer = post(server, "UsersListRecords", {})
        assert (status, answer["code"]) == (401, "unauthenticated")
        assert "listens on a loopback address alone" in answer["message"]
    finally:
        server.stop()


def test_pages_of_other_sites_may_not_call(server: RpcServer) -> None:
    for header in ("Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"):
        status, answer = post(server, "UsersListRecords", {}, "-H", header)
        assert (status, answer["code"]) == (403, "permission_denied"), header
    assert post(server, "UsersListRecords", {}, "-H", f"Origin: {server.url}")[0] == 200


def test_pages_of_an_allowed_site_may_call(guarded: RpcServer, tokens: TokenStore) -> None:
    text, _ = tokens.create_token("page", Role.READER)
    address = f"{guarded.url}/lavendertown.v1.StorageService/UsersListRecords"
    asks = ("-H", f"Origin: {SITE}", "-H", "Access-Control-Request-Method: POST")
    headers = ("-H", "Access-Control-Request-Headers: authorization,connect-protocol-version")
    status, answer = curl(address, "-X", "OPTIONS", "-i", *asks, *headers)
    assert status == 200
    assert f"access-control-allow-origin: {SITE}" in answer
    status, answer = curl(
        address,
        "-i",
        "-H",
        f"Origin: {SITE}",
        "-H",
        "Content-Type: application/json",
        "-d",
        "{}",
        *bearer(text),
    )
    assert status == 200
    assert f"access-control-allow-origin: {SITE}" in answer


def test_health_needs_no_token(guarded: RpcServer) -> None:
    assert curl(f"{guarded.url}/healthz")[0] == 200


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("RPC_AUTHENTICATION", "none", "must be 'required' or 'off'"),
        ("RPC_ALLOWED_ORIGINS", "quality.example.org", "no origin"),
        ("RPC_PROXIES", "proxy.example.org", "no IP address"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"LAVENDERTOWN_{variable}", value)
    with pytest.raises(ConfigurationError, match=words):
        AccessRules.from_settings(load_settings())
