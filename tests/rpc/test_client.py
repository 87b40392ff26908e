"""The Python client, in ordinary code and in coroutines."""

from __future__ import annotations

import asyncio

import pytest

from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.database import application
from lavendertown.rpc import ConnectClient, RpcApp, RpcBundle, RpcError
from lavendertown.rpc.database_actions import database_methods
from lavendertown.rpc.schema import MessageSpec, MethodSpec, ServiceSpec
from tests.rpc.conftest import Serve
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
    with pytest.raises(InvalidInputError, match=r"UsersRecord\.name does not fit"):
        client.call("UsersCreateRecord", {"record": {"name": 7}})


def test_the_token_comes_from_the_environment(server: RpcServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_RPC_TOKEN", "lt_none_none")
    with pytest.raises(RpcError, match="The token is not valid"):
        ConnectClient(server.url).call("UsersListRecords")


def test_a_response_names_its_fields_when_one_is_missing(client: ConnectClient) -> None:
    with pytest.raises(AttributeError, match="its fields are: records, next_page_token"):
        _ = client.call("UsersListRecords").rows
