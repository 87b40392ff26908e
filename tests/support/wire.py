"""Requests to a Connect server byte by byte, as no client library would send them."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import struct
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TIMEOUT = 60
_UNARY = {"json": "application/json", "proto": "application/proto"}
_FRAMED = {
    "grpc-web": "application/grpc-web+proto",
    "grpc-web-json": "application/grpc-web+json",
    "connect-json": "application/connect+json",
    "connect-proto": "application/connect+proto",
}
_GRPC_CODES = (
    *("ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists"),
    *("permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range"),
    *("unimplemented", "internal", "unavailable", "data_loss", "unauthenticated"),
)


@dataclass(frozen=True)
class Answer:
    """An answer in any of the protocols.

    Attributes:
        code: The error's code; ``ok`` for an answer without an error, ``none`` where none came.
        message: The error's sentence.
    """

    status: int
    code: str
    message: str


def frame(data: bytes, flags: int = 0) -> bytes:
    """Return a message as streams and gRPC-Web send it."""
    return struct.pack(">BI", flags, len(data)) + data


def send_request(
    url: str, path: str, *, method: str = "POST", body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send a request on a connection of its own, and read the answer."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT)
    try:
        # The server may answer before it has read a large body.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, address.path + path, body, dict(headers or {}))
        response = connection.getresponse()
        return _read_answer(response.status, dict(response.getheaders()), response.read(), method)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, "none", f"No answer: {error!r}")
    finally:
        connection.close()


def call(url: str, path: str, protocol: str, message: bytes, headers: Mapping[str, str]) -> Answer:
    """Call a method with a message that is encoded already.

    Args:
        url: The server's address.
        path: The method's path.
        protocol: ``json``, ``proto``, ``get`` (JSON in the query), ``connect-json``, ``connect-proto``,
            ``grpc-web`` or ``grpc-web-json``.
        message: The encoded message.
        headers: More headers.
    """
    if protocol == "get":
        encoded = base64.urlsafe_b64encode(message).decode()
        query = urllib.parse.urlencode(
            {"connect": "v1", "encoding": "json", "base64": "1", "message": encoded}
        )
        return send_request(url, f"{path}?{query}", method="GET", headers=headers)
    kind = {**_UNARY, **_FRAMED}[protocol]
    body = frame(message) if protocol in _FRAMED else message
    return send_request(url, path, body=body, headers={"Content-Type": kind, **headers})


def _read_answer(status: int, headers: Mapping[str, str], body: bytes, method: str) -> Answer:
    found = {name.lower(): value for name, value in headers.items()}
    kind = found.get("content-type", "")
    if "grpc-status" in found:
        return _grpc_answer(status, found)
    if kind.startswith("application/grpc-web"):
        for flags, data in _frames(body):
            if flags & 0x80:
                lines = (line.partition(":") for line in data.decode().splitlines())
                return _grpc_answer(status, {name.lower(): value.strip() for name, _, value in lines})
    if kind.startswith("application/connect+"):
        for flags, data in _frames(body):
            if flags & 0x02:
                return _error_answer(status, json.loads(data).get("error"))
    if status < 400:
        return Answer(status, "ok", "")
    assert kind.startswith("application/json"), f"{status} without a Connect error: {body[:200]!r}"
    return Answer(status, "", "") if method == "HEAD" else _error_answer(status, json.loads(body))


def _error_answer(status: int, error: Mapping[str, str] | None) -> Answer:
    if error is None:
        return Answer(status, "ok", "")
    return Answer(status, error["code"], error.get("message", ""))


def _grpc_answer(status: int, trailers: Mapping[str, str]) -> Answer:
    message = urllib.parse.unquote(trailers.get("grpc-message", ""))
    return Answer(status, _GRPC_CODES[int(trailers["grpc-status"])], message)


def _frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(body):
        flags, size = struct.unpack(">BI", body[at : at + 5])
        yield flags, body[at + 5 : at + 5 + size]
        at += 5 + size
