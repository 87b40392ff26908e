"""Every published method, called without the right to, with junk, and by many at once: by real HTTP."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.core import clock
from lavendertown.rpc import ConnectClient
from lavendertown.rpc.protocol.schema import Role
from lavendertown.rpc.tokens import TokenStore
from tests.rpc.every_method import (
    APP_FILE,
    PART,
    READS_FOR_WRITERS,
    Method,
    published_methods,
    seed,
    valid_request,
    wrong_types,
)
from tests.rpc.load import CONTEXT, PROCESSES, ROUNDS, THREADS, use_server
from tests.rpc.test_servers import running
from tests.support import postgres
from tests.support.wire import Answer, call, frame, send_request

pytestmark = pytest.mark.slow

MAX_MB = 5
"""The limit of methods that take a file; that of the others is 4 MB."""
JSON = {"Content-Type": "application/json"}
PROTO = {"Content-Type": "application/proto"}
HTTP_STATUS = {
    "invalid_argument": (400,),
    "unauthenticated": (401,),
    "permission_denied": (403,),
    "resource_exhausted": (429,),
    "internal": (500,),
    "unimplemented": (404, 405, 415, 501),
}
"""By code, as Connect has it, for answers that are no stream and no gRPC-Web."""
SENTENCE = re.compile(
    r"[A-Z'\"].{10,1000}([.?]|: (lavendertown rpc token create|Authorization: Bearer TOKEN))"
)
LEAK = re.compile(
    r"(?i)\bselect\b.*\bfrom\b|insert into|sqlalchemy|psycopg|sqlite3|traceback|\.py\b|/tmp|/work|/home|/usr"
    r"|site-packages|google\.protobuf|0x[0-9a-f]{6}|unexpected error"
)


on_sqlite = pytest.mark.parametrize("everything", ["sqlite"], indirect=True)
"""For what does not depend on the database."""


@dataclass(frozen=True)
class Everything:
    """A server that serves everything, and its database."""

    url: str
    engine: sa.Engine
    folder: Path
    methods: list[Method]
    known: dict[str, Any]
    writer: str

    @property
    def tokens(self) -> TokenStore:
        return TokenStore(self.folder / "data")

    def rows(self) -> dict[str, list[str]]:
        """Return all rows of all tables."""
        with self.engine.connect() as connection:
            return {
                name: sorted(map(written_out, connection.execute(sa.text(f'SELECT * FROM "{name}"'))))
                for name in sa.inspect(connection).get_table_names()
            }

    def encoded(self, method: Method, protocol: str, n: int | str = "x") -> bytes:
        return method.encode(protocol, valid_request(method.name, n, self.known))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Everything]:
    folder = tmp_path_factory.mktemp("everything")
    url, server = f"sqlite:///{folder / 'team.db'}", ""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        url = postgres.create_database(server)
    (folder / "everything.py").write_text(APP_FILE)
    writer, _ = TokenStore(folder / "data").create_token("ci-bot", Role.WRITER)
    settings = {"DATA_DIR": str(folder / "data"), "DATABASE_URL": url, "RPC_MAX_MB": str(MAX_MB)}
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg2:"))
    with running(folder, "--app", "everything:app", **settings) as address:
        client = ConnectClient(address, token=writer)
        known = seed(client)
        known["backup"] = base64.b64encode(client.call("DatabaseBackup").data).decode()
        yield Everything(address, engine, folder, published_methods(client), known, writer)
    engine.dispose()
    if server:
        postgres.drop_database(server, url)


@pytest.fixture(autouse=True)
def no_failure_in_the_log(everything: Everything) -> Iterator[None]:
    """Fail a test in which a call ended in the server in an error that it did not foresee."""
    log = everything.folder / "server.log"
    before = log.stat().st_size
    yield
    with log.open("rb") as file:
        file.seek(before)
        assert "Traceback" not in file.read().decode("utf-8", "replace")


def written_out(row: Sequence[Any]) -> str:
    """Return a row as text; psycopg2 reads bytes as a memoryview, whose repr is an address."""
    return repr([bytes(each) if isinstance(each, memoryview) else each for each in row])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def wrong_answer(answer: Answer, *codes: str) -> str:
    """Return what is wrong with the refusal of a call; empty if nothing is."""
    text = answer.message
    if answer.code not in codes:
        return f"{answer} is not {' or '.join(codes)}"
    if answer.status not in (200, *HTTP_STATUS[answer.code]):
        return f"{answer} has the wrong HTTP status"
    if not SENTENCE.fullmatch(text):
        return f"{answer} is no sentence"
    return f"{answer} says too much" if LEAK.search(text) else ""


def expired_token(tokens: TokenStore, folder: Path) -> str:
    """Return a token that was valid until an hour ago."""
    text, made = tokens.create_token("late-bot", Role.WRITER, clock.now() + dt.timedelta(days=1))
    [path] = [each for each in (folder / "data").glob("*token*") if each.suffix != ".lock"]
    content = json.loads(path.read_bytes())
    for each in content["tokens"]:
        if each["id"] == made.id:
            each["expires_at"] = (clock.now() - dt.timedelta(hours=1)).isoformat()
    path.write_text(json.dumps(content))
    return text


@on_sqlite
def test_no_method_is_answered_without_the_right_token(everything: Everything) -> None:
    tokens = everything.tokens
    revoked, made = tokens.create_token("former-bot", Role.WRITER)
    tokens.revoke_token(made.id)
    reader = bearer(tokens.create_token("viewer", Role.READER)[0])
    expired = bearer(expired_token(tokens, everything.folder))
    refused: Mapping[str, Mapping[str, str]] = {
        "none": {},
        "wrong": bearer("lt_unknown_secret"),
        "wrong secret": bearer(everything.writer[:-1]),
        "basic": {"Authorization": "Basic YTpi"},
        "expired": expired,
        "revoked": bearer(revoked),
    }
    before, wrong = everything.rows(), []
    for method in everything.methods:
        for path in method.paths:
            for protocol in method.protocols:
                body = everything.encoded(method, protocol)
                for name, headers in refused.items():
                    answer = call(everything.url, path, protocol, body, headers)
                    wrong.append((path, protocol, name, wrong_answer(answer, "unauthenticated")))
                answer = call(everything.url, path, protocol, body, reader)
                if method.reads:
                    wrong.append((path, protocol, "reader", "" if answer.code == "ok" else str(answer)))
                else:
                    wrong.append((path, protocol, "reader", wrong_answer(answer, "permission_denied")))
    failed = [" ".join(each) for each in wrong if each[-1]]
    assert not failed, "\n".join(failed)
    assert everything.rows() == before


def test_with_the_right_token_the_same_requests_are_answered(everything: Everything) -> None:
    """Without this, a request that is refused for another reason would prove nothing."""
    before = everything.rows()
    for method in everything.methods:
        protocol = "connect-json" if method.is_stream else "json"
        answer = call(
            everything.url,
            method.paths[0],
            protocol,
            everything.encoded(method, protocol),
            bearer(everything.writer),
        )
        after = everything.rows()
        if method.name == "SparePartsRestoreRecord":
            assert answer.code == "failed_precondition"  # The model has no deleted_at.
            assert after == before
            continue
        assert answer.code == "ok", (method.name, answer)
        writes = not method.reads and method.name not in READS_FOR_WRITERS
        assert (after != before) == writes, method.name
        before = after


@dataclass(frozen=True)
class Junk:
    """A request that cannot be answered.

    Attributes:
        codes: Those that may refuse it.
    """

    what: str
    body: bytes
    headers: Mapping[str, str]
    codes: tuple[str, ...] = ("invalid_argument",)
    verb: str = "POST"


BAD_JSON = (
    *(
        b"{",
        b"[]",
        b'""',
        b'{"a": 1, "a": 1}',
        b'"x"',
        b"7",
        b"null",
        b'{"a":}',
        b"\xff",
        b"[" * 10_000,
        b'{"noSuch": 1}',
        b"{} {}",
    ),
)
BAD_BINARY = (b"\xff\xff\xff\xff", b"\x0a\x7fx", b"\x07\x07", b"\xff" * 11)
BAD_HEADERS: tuple[dict[str, str], ...] = (
    {"Connect-Protocol-Version": "2"},
    {"Connect-Timeout-Ms": "soon"},
    {"Connect-Timeout-Ms": "9" * 30},
    {"Grpc-Timeout": "5 minutes"},
)
UNFRAMED = (b"", b"\0\0", b"\0\xff\xff\xff\xff{}", b"\0\0\0\0\x09{}", frame(b"{}") + frame(b"{}"))
OTHER_TYPES = ("text/plain", "application/xml", "application/grpc", "application/grpc+proto", "")


def framed_junk(method: Method) -> Iterator[Junk]:
    """Yield requests of streams and of gRPC-Web, where each message has its length before it."""
    kinds = {"proto": "application/grpc-web+proto", "json": "application/grpc-web+json"}
    if method.is_stream:
        kinds = {"proto": "application/connect+proto", "json": "application/connect+json"}
    for kind in kinds.values():
        for data in UNFRAMED:
            codes = ("invalid_argument", "unimplemented", "resource_exhausted")
            yield Junk(f"{kind} {data!r}", data, {"Content-Type": kind}, codes)
        data = frame(b"\0" * (limit_of(method) + 1))
        yield Junk(f"{kind} oversized", data, {"Content-Type": kind}, ("resource_exhausted",))
        yield Junk(
            f"{kind} packed", frame(b"{}", 1), {"Content-Type": kind}, ("invalid_argument", "internal")
        )
    for text in BAD_JSON:
        yield Junk(f"framed {text[:9]!r}", frame(text), {"Content-Type": kinds["json"]})
    for data in BAD_BINARY:
        yield Junk(f"framed {data!r}", frame(data), {"Content-Type": kinds["proto"]})


def unary_junk(method: Method) -> Iterator[Junk]:
    """Yield requests of JSON and binary."""
    most = limit_of(method)
    large = ("resource_exhausted",)
    yield Junk("oversized JSON", b'{"x": "' + b"x" * most + b'"}', JSON, large)
    packed = {**JSON, "Content-Encoding": "gzip"}
    yield Junk("oversized once unpacked", gzip.compress(b"x" * (most + 1)), packed, large)
    yield Junk("not packed", b"{}", packed)
    yield Junk("packed by br", b"{}", {**JSON, "Content-Encoding": "br"}, ("unimplemented",))
    for text in BAD_JSON:
        yield Junk(f"JSON {text[:9]!r}", text, JSON)
    for data in BAD_BINARY:
        yield Junk(f"binary {data!r}", data, PROTO)
    for name, request in wrong_types(method.message.DESCRIPTOR):
        yield Junk(f"{name} in {json.dumps(request)}", json.dumps(request).encode(), JSON)


def junk_requests(method: Method) -> Iterator[Junk]:
    """Yield requests with which a method must cope."""
    yield from framed_junk(method)
    if not method.is_stream:
        yield from unary_junk(method)
    for kind in OTHER_TYPES:
        yield Junk(f"type {kind!r}", b"{}", {"Content-Type": kind}, ("unimplemented",))
    for header in BAD_HEADERS:
        yield Junk(str(header), b"{}", {**JSON, **header})
    for verb in ("PUT", "DELETE", "PATCH", *(() if method.reads and not method.is_stream else ("GET",))):
        yield Junk(verb, b"{}", JSON, ("unimplemented",), verb)


def limit_of(method: Method) -> int:
    """Return the size in bytes that a request may have."""
    return (MAX_MB if method.is_large else 4) * 2**20


@on_sqlite
def test_every_method_refuses_junk_and_goes_on(everything: Everything) -> None:
    before, wrong, count = everything.rows(), [], 0
    right = bearer(everything.writer)
    for method in everything.methods:
        for junk in junk_requests(method):
            answer = send_request(
                everything.url,
                method.paths[0],
                method=junk.verb,
                body=junk.body,
                headers={**junk.headers, **right},
            )
            count += 1
            if problem := wrong_answer(answer, *junk.codes):
                wrong.append(f"{method.name}, {junk.what[:80]}: {problem}")
        if method.reads:
            protocol = method.protocols[0]
            body = everything.encoded(method, protocol)
            assert call(everything.url, method.paths[0], protocol, body, right).code == "ok", method.name
    assert not wrong, "\n".join(wrong)
    assert count > 1000
    assert everything.rows() == before


@on_sqlite
def test_methods_that_there_are_not_are_refused(everything: Everything) -> None:
    right = bearer(everything.writer)
    wrong = []
    for method in everything.methods:
        path = method.paths[0]
        for other in (f"{path}s", path.lower(), path.replace(".v1.", ".v2."), f"{path}/", f"/rpc{path}"):
            for body, headers in ((b"{}", JSON), (b"", PROTO), (frame(b""), {"Content-Type": "x/y"})):
                answer = send_request(everything.url, other, body=body, headers={**headers, **right})
                wrong.append(wrong_answer(answer, "unimplemented"))
    assert [each for each in wrong if each] == []


def test_many_clients_at_once_get_right_answers_and_lose_no_write(everything: Everything) -> None:
    client = ConnectClient(everything.url, token=everything.writer)
    reads = [
        (method.paths[0], protocol, everything.encoded(method, protocol))
        for method in everything.methods
        if method.reads or method.name in READS_FOR_WRITERS
        for protocol in method.protocols
    ]
    pieces = client.call("SparePartsGetRecord", {"record_id": PART}).record.pieces
    model_events = len(read_changes(client, ["users", "spare_parts"]))
    with CONTEXT.Manager() as manager, ProcessPoolExecutor(PROCESSES, CONTEXT) as pool:
        start = manager.Barrier(PROCESSES * THREADS)
        processes = [
            pool.submit(use_server, everything.url, everything.writer, number, reads, start)
            for number in range(PROCESSES)
        ]
        done = [each for process in processes for each in process.result(120)]
    problems = [problem for each in done for problem in each.problems]
    assert not problems, "\n".join(problems)
    users = client.call("UsersListRecords", {"page_size": 1000}).records
    written = {email: name for each in done for email, name in each.users.items()}
    assert written.items() <= {each.email: each.name for each in users}.items()
    assert len(written) == PROCESSES * THREADS * ROUNDS
    counted = client.call("SparePartsGetRecord", {"record_id": PART}).record.pieces
    assert counted == pieces + len(written)
    reports = [each.id for each in client.call("QueryReports", {"page_size": 1000}).reports]
    assert {report for each in done for report in each.reports} <= set(reports)
    comments = [each.comment for each in client.call("GetReport", {"id": "r-1"}).report.annotations]
    assert [comments.count(comment) for each in done for comment in each.comments] == [1] * len(written)
    after = read_changes(client, ["users", "spare_parts"])
    assert len(after) - model_events == sum(each.model_writes for each in done)
    with everything.engine.connect() as connection:
        logged = connection.execute(sa.text("SELECT count(*) FROM audit_log")).scalar_one()
    assert len(read_changes(client)) == logged


def read_changes(client: ConnectClient, components: Sequence[str] = ()) -> list[Any]:
    """Return all changes, as a stream gives them."""
    return list(client.stream_sync("StreamChanges", {"stop_at_end": True, "component": components}))
