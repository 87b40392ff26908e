"""The Python client, in ordinary code and in coroutines."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import uuid
from typing import Any

import pytest

from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.core.statuses import StatusCategory
from lavendertown.database import ModelAccessor, application
from lavendertown.database.startup import create_missing_tables
from lavendertown.rpc import ConnectClient, RpcApp, RpcBundle, RpcError, build_storage_bundle
from lavendertown.rpc.database_actions import database_methods
from lavendertown.rpc.protocol.schema import MessageSpec, MethodSpec, ServiceSpec
from tests.rpc.conftest import Serve
from tests.rpc.models import Base, Color, Drawing, Part
from tests.support.rpc import RpcServer

ANN = {"name": "Ann", "email": "ann@example.org"}


@pytest.mark.parametrize("name", ["UsersCreateRecord", "usersCreateRecord", "Users_CreateRecord"])
def test_every_form_of_a_methods_name_is_understood(client: ConnectClient, name: str) -> None:
    made = client.call(name, {"record": ANN, "actor": "operator"}).record
    assert (made.id, made.name, made.deleted_at) == (1, "Ann", None)


def test_a_coroutine_awaits_the_answer(client: ConnectClient) -> None:
    async def work() -> list[str]:
        await client.call("UsersCreateRecord", {"record": ANN})
        listed = await client.call("UsersListRecords")
        return [each.name for each in listed.records]

    assert asyncio.run(work()) == ["Ann"]


def test_many_calls_at_once_are_answered(client: ConnectClient) -> None:
    async def make(n: int) -> int:
        record = {"name": f"U{n}", "email": f"u{n}@example.org"}
        return int((await client.call("UsersCreateRecord", {"record": record})).record.id)

    async def work() -> list[int]:
        return await asyncio.gather(*(make(n) for n in range(40)))

    assert sorted(asyncio.run(work())) == list(range(1, 41))


def test_the_servers_error_arrives_with_its_code(client: ConnectClient) -> None:
    with pytest.raises(RpcError, match="There is no record '7' of users") as caught:
        client.call("UsersGetRecord", {"record_id": 7})
    assert caught.value.code.value == "not_found"


def test_the_older_names_of_the_database_actions_are_understood(client: ConnectClient) -> None:
    client.call("UsersCreateRecord", {"record": ANN})
    assert client.call("Database_Audit", {"component": ["users"]}).events[0].operation == "create"
    assert client.call("Database_Diagram", {"format": "dot"}).filename == "schema.dot"
    schema = client._schema_sync()
    for method in database_methods(application.current_database):
        for name in (method.name, *method.aliases):
            assert schema.find_method(name).name == method.name


def test_a_method_of_several_services_needs_the_services_name(serve: Serve) -> None:
    method = MethodSpec(
        "Ping", MessageSpec("PingRequest"), MessageSpec("PingResponse"), lambda request, call: {}
    )
    app = RpcApp()
    app.add_bundle(
        RpcBundle((ServiceSpec("FirstService", (method,)), ServiceSpec("SecondService", (method,))))
    )
    client = ConnectClient(serve(app).url)
    with pytest.raises(NotFoundError, match=r"write FirstService/Ping or SecondService/Ping\."):
        client.call("Ping")
    assert dict(client.call("SecondService/Ping")) == {}


def test_a_mistyped_method_is_refused_with_a_hint(client: ConnectClient) -> None:
    with pytest.raises(NotFoundError, match="Did you mean 'UsersGetRecord'"):
        client.call("UserGetRecord", {})


def test_a_mistyped_field_is_refused_before_it_is_sent(client: ConnectClient) -> None:
    with pytest.raises(InvalidInputError, match="UsersRecord has no field 'nme'; its fields are: id, name"):
        client.call("UsersCreateRecord", {"record": {"nme": "Ann"}})


@pytest.fixture
def parts_client(database: application.Database, serve: Serve) -> ConnectClient:
    create_missing_tables(database.engine, Base.metadata)
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(Part, "parts")], enable_db_actions=False))
    return ConnectClient(serve(app).url)


def test_values_that_are_sent_as_texts_may_be_given_as_they_are(parts_client: ConnectClient) -> None:
    given = {
        "id": uuid.UUID("6f1c7b1e-0000-4000-8000-000000000001"),
        "label": "bolt",
        "price": decimal.Decimal("3.10"),
        "made": dt.date(2026, 11, 28),
        "opens": dt.time(9, 30),
        "lasts": dt.timedelta(seconds=2.5),
        "color": Color.BLUE,
    }
    made = parts_client.call("PartsCreateRecord", {"record": given}).record
    texts = {"price": "3.10", "made": "2026-11-28", "opens": "09:30:00", "lasts": "2.5", "color": "BLUE"}
    assert {name: made[name] for name in texts} == texts
    assert parts_client.call("PartsGetRecord", {"record_id": given["id"]}).record == made


def test_a_text_for_bytes_is_refused_before_it_is_sent(database: application.Database, serve: Serve) -> None:
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(Drawing, "drawings")]))
    client = ConnectClient(serve(app).url)
    with pytest.raises(InvalidInputError, match=r"DrawingsRecord\.image does not fit: it must be bytes"):
        client.call("DrawingsCreateRecord", {"record": {"image": "text"}})


def test_a_member_of_a_str_enum_is_sent_as_its_value(client: ConnectClient) -> None:
    record = {"name": StatusCategory.OPEN, "email": "ann@example.org"}
    assert client.call("UsersCreateRecord", {"record": record}).record.name == "open"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("price", 3.1, "it must be a text, and 3.1 is of the type float"),
        ("label", 7, "it must be a text, and 7 is of the type int"),
        ("pieces", "7", "it must be a whole number, and '7' is of the type str"),
        ("weight", "heavy", "it must be a number, and 'heavy' is of the type str"),
        ("is_new", "yes", "it must be True or False, and 'yes' is of the type str"),
        ("seen_at", "soon", "it must be a datetime or an ISO 8601 text, and 'soon' is of the type str"),
        ("seen_at", dt.date(2026, 1, 1), "it must be a datetime or an ISO 8601 text"),
        ("seen_at", dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=9))), "date value out"),
        ("extra", decimal.Decimal("1"), "it must be JSON data, and Decimal('1') is of the type Decimal"),
        ("extra", {1: 2}, "it must be JSON data"),
        ("extra", 10**400, "int too large"),
        ("pieces", 2**63, "Value out of range"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_before_it_is_sent(
    parts_client: ConnectClient, field: str, value: Any, words: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parts_client.call("PartsCreateRecord", {"record": {field: value}})
    text = str(caught.value)
    assert text.startswith(f"The value of PartsRecord.{field} does not fit: ")
    assert words in text
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            {"clear_fields": "label"},
            "The value of PartsUpdateRecordRequest.clear_fields does not fit: it must be a list, and 'label' "
            "is of the type str.",
        ),
        (
            {"clear_fields": ["label", 7]},
            "The value of PartsUpdateRecordRequest.clear_fields does not fit: it must be a text, and 7 is of "
            "the type int.",
        ),
        (
            {"record": "bolt"},
            "The value of PartsUpdateRecordRequest.record does not fit: it must be a mapping of fields, and "
            "'bolt' is of the type str.",
        ),
    ],
)
def test_a_request_of_another_shape_is_refused_before_it_is_sent(
    parts_client: ConnectClient, request_: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parts_client.call("PartsUpdateRecord", request_)
    assert str(caught.value) == sentence


def test_the_token_comes_from_the_environment(server: RpcServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_RPC_TOKEN", "lt_none_none")
    with pytest.raises(RpcError, match="The token is not valid"):
        ConnectClient(server.url).call("UsersListRecords")


def test_a_response_names_its_fields_when_one_is_missing(client: ConnectClient) -> None:
    with pytest.raises(AttributeError, match="its fields are: records, next_page_token"):
        _ = client.call("UsersListRecords").rows
