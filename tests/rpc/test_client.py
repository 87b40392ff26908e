"""The Python client, in ordinary code and in coroutines."""

from __future__ import annotations

import asyncio

import pytest

from lavendertown.core.errors import InvalidInputError, NotFoundError
from lavendertown.rpc import ConnectClient, RpcError
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
