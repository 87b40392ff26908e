"""Several processes and many callers at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from lavendertown.database import ModelAccessor, application, bootstrap
from lavendertown.rpc import ConnectClient, RpcApp, RpcError, build_storage_bundle
from tests.rpc.load import CONTEXT
from tests.rpc.models import RpcUser
from tests.support.rpc import RpcServer, start_rpc

pytestmark = pytest.mark.slow

LIMIT = 5


def create_many(url: str, number: int, start: Any) -> list[str]:
    """Serve the database in this process and create records, from when all do; return the codes."""
    bootstrap(database_url=url, create_tables=False)
    app = RpcApp()
    app.add_bundle(build_storage_bundle(accessors=[ModelAccessor(RpcUser, "users")]))
    server = start_rpc(app.finalize())
    client = ConnectClient(server.url)
    client.call("UsersListRecords")
    codes = []
    start.wait(60)
    for n in range(LIMIT):
        record = {"name": "U", "email": f"{number}-{n}@example.org"}
        try:
            client.call("UsersCreateRecord", {"record": record})
            codes.append("ok")
        except RpcError as error:
            codes.append(error.code.value)
    server.stop()
    return codes


def test_four_processes_together_keep_the_record_limit(
    users: ModelAccessor[RpcUser], database: application.Database
) -> None:
    url = database.url.render_as_string(hide_password=False)
    with CONTEXT.Manager() as manager, ProcessPoolExecutor(4, CONTEXT) as pool:
        start = manager.Barrier(4)
        found = [pool.submit(create_many, url, number, start) for number in range(4)]
        codes = [code for each in found for code in each.result(100)]
    assert (codes.count("ok"), codes.count("resource_exhausted")) == (LIMIT, 4 * LIMIT - LIMIT)
    assert len(users.all()) == LIMIT


def test_good_calls_are_answered_among_bad_ones(server: RpcServer) -> None:
    client = ConnectClient(server.url)

    async def call(n: int) -> str:
        record = {"name": "x" * (5_000_000 if n % 4 == 1 else 5), "email": f"{n}@example.org"}
        request = {"record_id": n} if n % 4 == 2 else {"record": record}
        try:
            await client.call("UsersGetRecord" if n % 4 == 2 else "UsersCreateRecord", request)
        except RpcError as error:
            return error.code.value
        return "ok"

    async def work() -> list[str]:
        return await asyncio.gather(*(call(n) for n in range(100)))

    codes = asyncio.run(work())
    assert {code for n, code in enumerate(codes) if n % 4 == 1} == {"resource_exhausted"}
    assert {code for n, code in enumerate(codes) if n % 4 in (0, 3)} == {"ok"}
    assert {code for n, code in enumerate(codes) if n % 4 == 2} <= {"ok", "not_found"}
