"""Records of an application's models over RPC, called with curl on a real port."""

from __future__ import annotations

import gzip
import os
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.core.errors import ConfigurationError
from lavendertown.database import AuditLog, ModelAccessor, application
from lavendertown.database.startup import create_missing_tables
from lavendertown.rpc import ConnectClient, RpcApp, build_storage_bundle
from tests.rpc.conftest import Serve
from tests.rpc.models import Base, Color, Drawing, Line, Named, Order, Part, RpcUser
from tests.support.rpc import STORAGE, RpcServer, curl, post

ANN = {"name": "Ann", "email": "ann@example.org"}


def audit(component: str = "users") -> list[tuple[str, str]]:
    with application.transaction() as session:
        query = sa.select(AuditLog).where(AuditLog.component == component).order_by(AuditLog.id)
        return [(each.operation, each.actor) for each in session.exec(query)]


def test_a_record_lives_and_every_step_is_audited(server: RpcServer) -> None:
    status, made = post(server, "UsersCreateRecord", {"record": ANN, "actor": "operator"})
    assert status == 200, made
    key = {"recordId": made["record"]["id"], "actor": "operator"}
    status, answer = post(server, "UsersUpdateRecord", {**key, "record": {"name": "Anna"}})
    assert (answer["record"]["name"], answer["record"]["email"]) == ("Anna", "ann@example.org")
    assert post(server, "UsersDeleteRecord", key) == (200, {})
    assert post(server, "UsersGetRecord", {"recordId": key["recordId"]})[0] == 404
    assert post(server, "UsersRestoreRecord", key)[1]["record"]["name"] == "Anna"
    assert post(server, "UsersListRecords", {})[1]["records"][0]["name"] == "Anna"
    assert audit() == [(each, "operator") for each in ("create", "update", "soft_delete", "restore")]


@pytest.mark.parametrize("name", ["UsersCreateRecord", "Users_CreateRecord"])
def test_a_method_has_todays_and_the_older_name(server: RpcServer, name: str) -> None:
    assert post(server, name, {"record": ANN})[0] == 200


def test_reads_can_be_made_by_get(server: RpcServer) -> None:
    post(server, "UsersCreateRecord", {"record": ANN})
    query = urllib.parse.urlencode({"encoding": "json", "message": '{"recordId":1}'})
    status, body = curl(f"{server.url}/{STORAGE}/UsersGetRecord?{query}")
    assert status == 200
    assert "ann@example.org" in body
    status, body = curl(f"{server.url}/{STORAGE}/UsersDeleteRecord?{query}")
    assert (status, "use POST" in body) == (405, True)


def test_deleted_records_are_listed_only_when_asked_for(server: RpcServer) -> None:
    post(server, "UsersCreateRecord", {"record": ANN})
    post(server, "UsersDeleteRecord", {"recordId": 1})
    assert post(server, "UsersListRecords", {})[1] == {}
    assert "deletedAt" in post(server, "UsersListRecords", {"includeDeleted": True})[1]["records"][0]


def test_a_list_comes_in_pages(users: ModelAccessor[RpcUser], server: RpcServer) -> None:
    users.insert_many([RpcUser(name=f"U{n}", email=f"u{n}@example.org") for n in range(5)])
    names, token = [], ""
    for _ in range(3):
        page = post(server, "UsersListRecords", {"pageSize": 2, "pageToken": token})[1]
        names += [each["name"] for each in page["records"]]
        token = page.get("nextPageToken", "")
    assert names == ["U0", "U1", "U2", "U3", "U4"]
    assert token == ""


def test_every_type_of_column_is_served(database: application.Database, serve: Serve) -> None:
    create_missing_tables(database.engine, Base.metadata)
    parts = ModelAccessor(Part, "parts")
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[parts], enable_db_actions=False))
    client = ConnectClient(serve(app).url)
    key = "6f1c7b1e-0000-4000-8000-000000000001"
    given = {
        "id": key,
        "label": "bolt",
        "weight": 1.5,
        "pieces": 2**40,
        "price": "3.10",
        "made": "2026-11-28",
        "seen_at": "2026-11-28T10:00:00+01:00",
        "is_new": False,
        "color": "BLUE",
        "extra": {"sizes": [1, 2.5, None], "note": "x"},
    }
    made = client.call("PartsCreateRecord", {"record": given}).record
    kept = {name: made[name] for name in given}
    assert kept == {**given, "seen_at": made.seen_at}
    assert made.seen_at.isoformat() == "2026-11-28T09:00:00+00:00"
    row = parts.all()[0]
    assert (str(row.price), row.color) == ("3.10", Color.BLUE)
    assert row.extra == {"sizes": [1, 2.5, None], "note": "x"}
    changed = client.call("PartsUpdateRecord", {"record_id": key, "clear_fields": ["weight"], "record": {}})
    assert (changed.record.weight, changed.record.version) == (None, 2)
    with pytest.raises(Exception, match="at version 2, not 1"):
        client.call("PartsUpdateRecord", {"record_id": key, "record": {"label": "x", "version": 1}})


WRONG_CALLS: list[tuple[str, Any, int, str, str]] = [
    ("UsersGetRecord", {"recordId": 7}, 404, "not_found", "There is no record '7' of users."),
    ("UsersDeleteRecord", {"recordId": 7}, 404, "not_found", "There is no record '7' of users."),
    ("UsersRestoreRecord", {"recordId": 7}, 404, "not_found", "There is no record '7' of users."),
    ("UsersUpdateRecord", {"recordId": 1}, 400, "invalid_argument", "has no record"),
    (
        "UsersUpdateRecord",
        {"recordId": 1, "record": {"id": 2}},
        400,
        "invalid_argument",
        "users.id cannot",
    ),
    (
        "UsersUpdateRecord",
        {"recordId": 1, "record": {}, "clearFields": ["nme"]},
        400,
        "invalid_argument",
        "The field 'nme' of users cannot be cleared.",
    ),
    ("UsersCreateRecord", {"record": {"name": "Ben"}}, 400, "invalid_argument", "email"),
    ("UsersCreateRecord", {"record": {"nme": "Ben"}}, 400, "invalid_argument", "nme"),
    ("UsersCreateRecord", "{", 400, "invalid_argument", "The request is not valid"),
    ("UsersCreateRecord", '{"record": {"name": 7}}', 400, "invalid_argument", "name"),
    ("UsersCreateRecord", {"record": ANN}, 409, "already_exists", "already has the email 'ann@example.org'"),
    ("UsersListRecords", {"pageSize": 1001}, 400, "invalid_argument", "from 1 to 1,000"),
    ("UsersListRecords", {"pageToken": "nonsense"}, 400, "invalid_argument", "page_token"),
    ("UsersCrateRecord", {}, 404, "unimplemented", "Did you mean"),
]


def test_a_wrong_call_gets_a_code_and_one_sentence(server: RpcServer) -> None:
    post(server, "UsersCreateRecord", {"record": ANN})
    for method, request, status, code, words in WRONG_CALLS:
        answered, answer = post(server, method, request)
        assert (answered, answer["code"]) == (status, code), answer
        assert words in answer["message"]
        assert "\n" not in answer["message"]
        assert not {"INSERT", "SELECT", "sqlite3", "psycopg2"} & set(answer["message"].split())


def test_fields_are_cleared_without_a_record(database: application.Database, serve: Serve) -> None:
    create_missing_tables(database.engine, Base.metadata)
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(Part, "parts")]))
    server = serve(app)
    key = "6f1c7b1e-0000-4000-8000-000000000001"
    post(
        server, "PartsCreateRecord", {"record": {"id": key, "label": "bolt", "weight": 1.5, "price": "3.10"}}
    )
    request = {"recordId": key, "clearFields": ["weight", "price"], "expectedVersion": 1}
    status, answer = post(server, "PartsUpdateRecord", request)
    assert (status, answer["record"]) == (200, {"id": key, "label": "bolt", "version": 2})


def test_a_field_that_must_have_a_value_is_not_cleared(
    database: application.Database, users: ModelAccessor[RpcUser], serve: Serve
) -> None:
    create_missing_tables(database.engine, Base.metadata)
    lines = ModelAccessor(Line, "lines")
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(Order, "orders"), lines, users]))
    server = serve(app)
    post(server, "OrdersCreateRecord", {"record": {}})
    post(server, "LinesCreateRecord", {"record": {"orderId": 1}})
    post(server, "UsersCreateRecord", {"record": ANN})
    # Lines have a text and a mark by default, the one from Python and the other from the database.
    for component, names in (("lines", ("text", "mark", "order_id")), ("users", ("name",))):
        for name in names:
            request = {"recordId": 1, "clearFields": [name]}
            status, answer = post(server, f"{component.title()}UpdateRecord", request)
            assert (status, answer["code"]) == (400, "invalid_argument")
            sentence = f"The field '{name}' of {component} must have a value, so it cannot be cleared."
            assert answer["message"] == sentence
    [line] = lines.all()
    assert (line.text, line.mark, line.order_id) == ("new", "-", 1)


def test_a_taken_key_is_answered_as_one(
    database: application.Database, users: ModelAccessor[RpcUser], serve: Serve
) -> None:
    create_missing_tables(database.engine, Base.metadata)
    named = ModelAccessor(Named, "named")
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[named, users]))
    server = serve(app)
    for method, record, words in (
        ("NamedCreateRecord", {"name": "a/b"}, "The record of named 'a/b' already exists"),
        ("UsersCreateRecord", {**ANN, "id": 7}, "The record of users '7' already exists"),
    ):
        assert post(server, method, {"record": record})[0] == 200
        status, answer = post(server, method, {"record": record})
        assert (status, answer["code"]) == (409, "already_exists")
        assert answer["message"].startswith(words)
    post(server, "UsersDeleteRecord", {"recordId": 7})
    status, answer = post(server, "UsersCreateRecord", {"record": {**ANN, "id": 7}})
    assert (status, answer["code"]) == (409, "already_exists")
    assert "was deleted" in answer["message"]


def test_a_hook_refuses_in_its_own_words(users: ModelAccessor[RpcUser], server: RpcServer) -> None:
    @users.before_insert()
    def validate_email(session: Any, instance: RpcUser) -> None:
        if "@" not in instance.email:
            raise ValueError("Invalid email")

    status, answer = post(server, "UsersCreateRecord", {"record": {"name": "Ben", "email": "ben"}})
    assert (status, answer) == (400, {"code": "invalid_argument", "message": "Invalid email"})


def test_an_answer_has_what_was_written_and_not_a_later_change(
    users: ModelAccessor[RpcUser], server: RpcServer, database: application.Database
) -> None:
    other = sa.create_engine(database.url)
    calls: list[str] = []
    pending: list[str] = []

    def change_at_once(session: Any, transaction: Any) -> None:
        if transaction.parent is not None or not pending:
            return
        pending.clear()
        with other.begin() as connection:
            connection.execute(sa.text("UPDATE rpc_users SET name = 'Other'"))

    @sa.event.listens_for(application.Session, "after_flush")
    def register_change(session: Any, context: Any) -> None:
        if calls:
            calls.clear()
            pending.append("change")

    sa.event.listen(application.Session, "after_transaction_end", change_at_once)
    try:
        key = {"recordId": 1, "actor": "operator"}
        for method, request in (
            ("UsersCreateRecord", {"record": ANN}),
            ("UsersUpdateRecord", {**key, "record": {"name": "Ann"}}),
            ("UsersRestoreRecord", key),
        ):
            if method == "UsersRestoreRecord":
                with other.begin() as connection:
                    connection.execute(
                        sa.text("UPDATE rpc_users SET name = 'Ann', deleted_at = CURRENT_TIMESTAMP")
                    )
            calls.append(method)
            assert post(server, method, request)[1]["record"]["name"] == "Ann", method
            assert [each.name for each in users.all()] == ["Other"]
    finally:
        sa.event.remove(application.Session, "after_flush", register_change)
        sa.event.remove(application.Session, "after_transaction_end", change_at_once)
        other.dispose()


def test_an_answer_has_what_a_hook_wrote(users: ModelAccessor[RpcUser], server: RpcServer) -> None:
    @users.after_insert()
    def complete(session: Any, instance: RpcUser) -> None:
        # Hooks belong to the class, which other tests use too.
        if instance.name == "Completed":
            instance.email = "completed@example.org"

    made = post(server, "UsersCreateRecord", {"record": {**ANN, "name": "Completed"}})[1]
    assert made["record"]["email"] == users.all()[0].email == "completed@example.org"


def test_an_unforeseen_error_says_nothing_of_itself(users: ModelAccessor[RpcUser], server: RpcServer) -> None:
    @users.before_insert()
    def fail(session: Any, instance: RpcUser) -> None:
        # Hooks belong to the class, which other tests use too.
        if instance.name == "Eve":
            raise RuntimeError("secret: SELECT password FROM /etc/shadow")

    status, answer = post(server, "UsersCreateRecord", {"record": {**ANN, "name": "Eve"}})
    assert (status, answer["code"]) == (500, "internal")
    assert "secret" not in answer["message"]


def test_a_store_that_is_gone_is_unavailable(tmp_path: Path, serve: Serve) -> None:
    application.set_database_url("postgresql://nobody:hidden@127.0.0.1:1/none")
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(RpcUser, "users")]))
    status, answer = post(serve(app), "UsersListRecords", {})
    assert (status, answer["code"]) == (503, "unavailable")
    assert "127.0.0.1" not in answer["message"]


def test_a_request_that_is_too_large_is_refused(server: RpcServer, tmp_path: Path) -> None:
    (tmp_path / "large.json").write_text('{"record": {"name": "' + "x" * 5_000_000 + '"}}')
    status, answer = post(server, "UsersCreateRecord", f"@{tmp_path / 'large.json'}")
    assert (status, answer["code"]) == (429, "resource_exhausted")
    assert answer["message"] == "The request is larger than 4 MB, the limit; send less at once."


def test_a_small_request_that_unpacks_to_a_large_one_is_refused(server: RpcServer, tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b'{"record": {"name": "' + b"x" * 50_000_000))
    options = ("-H", "Content-Encoding: gzip", "--data-binary", f"@{tmp_path / 'bomb.gz'}")
    address = f"{server.url}/{STORAGE}/UsersCreateRecord"
    status, answer = curl(address, "-H", "Content-Type: application/json", *options)
    assert (status, "larger than 4 MB" in answer) == (429, True)


@pytest.mark.parametrize(
    ("content_type", "status", "words"),
    [
        ("application/proto", 400, "invalid_argument"),
        ("application/json", 400, "The request is not valid"),
        ("application/grpc", 415, "no gRPC over HTTP/2"),
        ("text/plain", 415, "The content type is not understood"),
    ],
)
def test_a_malformed_call_is_answered(server: RpcServer, content_type: str, status: int, words: str) -> None:
    address = f"{server.url}/{STORAGE}/UsersCreateRecord"
    found, answer = curl(address, "-H", f"Content-Type: {content_type}", "--data-binary", "\x0a\xff\xff junk")
    assert (found, words in answer) == (status, True), answer


@pytest.mark.parametrize(
    ("image", "status"), [("AP_-", 200), ("AP/+", 200), ("AA", 200), ("AA==", 200), ("A", 400), ("a b!", 400)]
)
def test_bytes_are_read_as_base64_or_refused(
    database: application.Database, serve: Serve, image: str, status: int
) -> None:
    create_missing_tables(database.engine, Base.metadata)
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(Drawing, "drawings")]))
    found, answer = post(serve(app), "DrawingsCreateRecord", {"record": {"image": image}})
    assert found == status
    if found == 400:
        assert answer["message"] == "The request is not valid: image must be Base64."


def test_a_violated_constraint_is_told_without_sql(database: application.Database, serve: Serve) -> None:
    create_missing_tables(database.engine, Base.metadata)
    app = RpcApp()
    app.add_bundle(
        build_storage_bundle(accessors=[ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")])
    )
    server = serve(app)
    status, answer = post(server, "LinesCreateRecord", {"record": {"orderId": 7}})
    assert (status, answer["code"]) == (400, "failed_precondition")
    assert "rpc_" not in answer["message"]
    post(server, "OrdersCreateRecord", {"record": {}})
    assert post(server, "LinesCreateRecord", {"record": {"orderId": 1}})[1]["record"]["text"] == "new"
    status, answer = post(server, "OrdersDeleteRecord", {"recordId": 1})
    assert (status, answer["code"]) == (400, "failed_precondition")
    status, answer = post(server, "OrdersRestoreRecord", {"recordId": 1})
    assert "are deleted for good" in answer["message"]


def test_a_header_that_is_no_text_is_refused(server: RpcServer) -> None:
    header = os.fsdecode(b"X-Note: \xff")
    status, answer = post(server, "UsersListRecords", {}, "-H", header)
    assert (status, answer["code"]) == (400, "invalid_argument")


def test_json_that_is_nested_too_deeply_is_refused(server: RpcServer) -> None:
    status, answer = post(server, "UsersCreateRecord", '{"record": ' + "[" * 50_000)
    assert (status, answer["code"]) == (400, "invalid_argument")


def test_a_text_with_a_nul_character_is_refused(server: RpcServer) -> None:
    status, answer = post(server, "UsersCreateRecord", {"record": {**ANN, "name": "a\0b"}})
    assert (status, answer["code"]) == (400, "invalid_argument")
    assert "NUL" in answer["message"]


def test_the_limit_counts_live_records(users: ModelAccessor[RpcUser], serve: Serve) -> None:
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[users], max_records_per_model=1))
    server = serve(app)
    ben = {"record": {"name": "Ben", "email": "ben@example.org"}}
    assert post(server, "UsersCreateRecord", {"record": ANN})[0] == 200
    status, answer = post(server, "UsersCreateRecord", ben)
    assert (status, answer["code"]) == (429, "resource_exhausted")
    assert "users has 1 records, the limit" in answer["message"]
    post(server, "UsersDeleteRecord", {"recordId": 1})
    assert post(server, "UsersCreateRecord", ben)[0] == 200
    assert post(server, "UsersRestoreRecord", {"recordId": 1})[1]["code"] == "resource_exhausted"


def test_two_components_of_one_name_are_refused(database: application.Database) -> None:
    both = [ModelAccessor(RpcUser, "users"), ModelAccessor(RpcUser, "Users")]
    with pytest.raises(ConfigurationError, match="have the same name in RPC"):
        build_storage_bundle(accessors=both)
