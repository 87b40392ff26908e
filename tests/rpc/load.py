"""Clients that use a server at the same time, each in a thread of one of several processes."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lavendertown.rpc import ConnectClient, RpcError
from tests.rpc.every_method import PART, user
from tests.support import wire

PROCESSES, THREADS, ROUNDS = 3, 4, 1
# Forks of a process with the imports; where there is no fork, processes that import for seconds each.
CONTEXT: Any = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    CONTEXT.set_forkserver_preload(["lavendertown.database", "lavendertown.rpc", "tests.support.rpc"])
Read = tuple[str, str, bytes]
"""The path of a method, a protocol and the encoded request."""


@dataclass
class Written:
    """What the server told one client that it wrote, and what went wrong.

    Attributes:
        users: The name by the email.
        model_writes: How many writes of the models it confirmed.
    """

    users: dict[str, str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    model_writes: int = 0
    problems: list[str] = field(default_factory=list)


def use_server(url: str, token: str, process: int, reads: Sequence[Read], start: Any) -> list[Written]:
    """Use the server with several threads, from when all processes do; return what each wrote."""
    with ThreadPoolExecutor(THREADS) as pool:
        clients = [_Client(url, token, f"{process}-{n}", reads[n::THREADS], start) for n in range(THREADS)]
        return [each.result(120) for each in [pool.submit(client.run) for client in clients]]


class _Client:
    def __init__(self, url: str, token: str, name: str, reads: Sequence[Read], start: Any) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client = ConnectClient(url, token=token)
        self._name = name
        self._reads = reads
        self._start = start
        self.done = Written()

    def run(self) -> Written:
        self._start.wait(60)
        for n in range(ROUNDS):
            try:
                self._write_user(f"{self._name}-{n}")
                self._write_report(f"{self._name}-{n}")
                self._count_up()
            except RpcError as error:
                self.done.problems.append(f"{self._name}: {error.code.value} {error.message}")
            for read in self._reads:
                answer = wire.call(self._url, *read, self._headers)
                if answer.code != "ok":
                    self.done.problems.append(f"{read[0]} by {read[1]}: {answer}")
        return self.done

    def _call(self, method: str, request: dict[str, Any]) -> Any:
        return self._client.call_sync(method, request)

    def _write_user(self, name: str) -> None:
        record = user(name)
        made = self._call("UsersCreateRecord", {"record": record}).record
        key = {"record_id": made.id}
        for method, request in (
            ("UsersUpdateRecord", {**key, "record": {"name": f"{name}, changed"}}),
            ("UsersDeleteRecord", key),
            ("UsersRestoreRecord", key),
        ):
            self._call(method, request)
        self.done.model_writes += 4
        self.done.users[record["email"]] = f"{name}, changed"
        read = self._call("UsersGetRecord", key).record
        self._expect((read.name, read.email), (f"{name}, changed", record["email"]))

    def _write_report(self, name: str) -> None:
        finding = {"ghost_type": "null", "column": "price", "severity": "error", "description": "A gap."}
        metadata = f'{{"dataset": "orders {name}"}}'
        report = {"id": f"r-{name}", "title": name, "findings": [finding], "metadata_json": metadata}
        self._call("SaveReport", {"report": report})
        self.done.reports.append(f"r-{name}")
        read = self._call("GetReport", {"id": f"r-{name}"}).report
        self._expect(read.title, name)
        ids = [read.findings[0].finding_id]
        self._call("SetStatus", {"finding_ids": ids, "status": "accepted", "reason": "Known."})
        self._call("Assign", {"finding_ids": ids, "assignee": name})
        [found] = self._call("QueryInbox", {"dataset": [f"orders {name}"]}).findings
        self._expect((found.status, found.assignee), ("accepted", name))
        [shared] = self._call("GetReport", {"id": "r-1"}).report.findings
        self._call("Annotate", {"finding_id": shared.finding_id, "comment": f"Seen by {name}."})
        self.done.comments.append(f"Seen by {name}.")

    def _count_up(self) -> None:
        """Add one to a number that all clients add to, as a client does that loses no other's write."""
        while True:
            part = self._call("SparePartsGetRecord", {"record_id": PART}).record
            change = {"pieces": part.pieces + 1}
            request = {"record_id": PART, "record": change, "expected_version": part.version}
            try:
                self._call("SparePartsUpdateRecord", request)
            except RpcError as error:
                if error.code.value != "aborted":
                    raise
            else:
                self.done.model_writes += 1
                return

    def _expect(self, found: Any, expected: Any) -> None:
        if found != expected:
            self.done.problems.append(f"{self._name} read {found!r} instead of {expected!r}")
