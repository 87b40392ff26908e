"""Refuse malformed requests with a code and one sentence.

The Connect library refuses them too, in words for its programmers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from connectrpc.code import Code
from connectrpc.codec import Codec
from connectrpc.compat import google_protobuf_json_codec
from connectrpc.errors import ConnectError
from google.protobuf import json_format

from lavendertown.core.file_limits import MEGABYTE
from lavendertown.rpc.errors import one_sentence
from lavendertown.rpc.protocol.messages import is_repeated

_TOO_LARGE = re.compile(r"message is larger than configured max (\d+)")
_CUT_OFF = "The request ends before its message does; send the message whole, with its length before it."
_SENTENCES = (
    (re.compile("unary request has zero messages"), "The request has no message; send one."),
    (re.compile("unary request has multiple messages"), "The request has several messages; send one."),
    (re.compile("protocol error: (incomplete envelope|promised)"), _CUT_OFF),
    (
        re.compile("protocol error: invalid envelope flags"),
        "The message begins with flags that are not known; send 0, or 1 for a compressed one.",
    ),
    (
        re.compile("protocol error: sent compressed message"),
        "The message is marked as compressed, and no header names the compression; name gzip.",
    ),
    (re.compile("unknown compression"), "The compression of the request is not known; use gzip, or none."),
    (
        re.compile("decompress: "),
        "The request cannot be unpacked; compress it as its header says, or leave the header out.",
    ),
    (
        re.compile("unmarshal message: "),
        "The request is not valid: its bytes are not a protobuf message of this method.",
    ),
    (
        re.compile("'message' parameter is required"),
        "The request has no parameter message; a call by GET needs it.",
    ),
    (
        re.compile("Invalid base64 encoding"),
        "The request is not valid: its parameter message is not base64.",
    ),
    (
        re.compile("Request timed out"),
        "The call was not answered in the time that it allows; what it writes may be written.",
    ),
)
_TIMEOUTS = {
    b"connect-timeout-ms": (re.compile(rb"\d{1,10}"), "milliseconds, in at most 10 digits"),
    b"grpc-timeout": (re.compile(rb"\d{1,8}[HMSmun]"), "a number of at most 8 digits and a unit, such as 5S"),
}


def explain_refusal(error: ConnectError) -> ConnectError:
    """Return an error for people in place of one that the Connect library made; others stay as they are."""
    if found := _TOO_LARGE.match(error.message):
        most = f"{int(found[1]) // MEGABYTE} MB"
        return ConnectError(error.code, f"The request is larger than {most}, the limit; send less at once.")
    for pattern, sentence in _SENTENCES:
        if pattern.match(error.message):
            return ConnectError(error.code, sentence)
    return error


def find_wrong_header(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return what is wrong with the headers of the protocol, as a sentence; empty if nothing is."""
    for name, value in headers:
        if name == b"connect-protocol-version" and value != b"1":
            return "The header Connect-Protocol-Version must be 1."
        if name in _TIMEOUTS and value:
            pattern, meaning = _TIMEOUTS[name]
            if not pattern.fullmatch(value):
                return f"The header {name.decode().title()} must be {meaning}."
    return ""


_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?")


class JsonCodec(Codec[Any, Any]):
    """JSON that is refused in one sentence, unknown fields included: a mistyped one would be lost."""

    def __init__(self) -> None:
        self._codec = google_protobuf_json_codec()

    def name(self) -> str:
        return "json"

    def encode(self, message: Any) -> bytes:
        return self._codec.encode(message)

    def decode(self, data: bytes | bytearray, message_class: type[Any]) -> Any:
        """Return the message of a request; no bytes are an empty message."""
        try:
            values = json.loads(bytes(data).decode("utf-8") or "{}", object_pairs_hook=_refuse_repeated_names)
            message = message_class()
            _check_objects(values, message.DESCRIPTOR, "it")
            return json_format.ParseDict(values, message)
        except Exception as error:
            raise ConnectError(
                Code.INVALID_ARGUMENT, f"The request is not valid: {one_sentence(str(error)).rstrip('.')}."
            ) from error


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it has the field {name[:100]!r} twice")
        found[name] = value
    return found


def _check_base64(value: Any, what: str) -> None:
    """Refuse texts that are no Base64 in either alphabet; protobuf leaves out what it cannot read."""
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and not _BASE64.fullmatch(text):
            raise ValueError(f"{what} must be Base64")


def _check_objects(values: Any, descriptor: Any, what: str) -> None:
    """Refuse a list or text in place of a message; protobuf takes empty ones for an empty message."""
    if not isinstance(values, dict):
        raise ValueError(f"{what} must be a JSON object")
    fields = {each.json_name: each for each in descriptor.fields} | dict(descriptor.fields_by_name)
    for name, value in values.items():
        field = fields.get(name)
        kind = field.message_type if field is not None else None
        if field is not None and field.type == field.TYPE_BYTES:
            _check_base64(value, name)
        if value is None or kind is None or kind.full_name.startswith("google."):
            continue
        for item in value if is_repeated(field) and isinstance(value, list) else [value]:
            _check_objects(item, kind, name)
