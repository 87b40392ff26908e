"""The ``.proto`` of services: written for generators of client code, and read for its field numbers.

A field keeps its number for ever: a message that an old client sends must mean the same to a new server.
The numbers of removed fields stay reserved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lavendertown.core.atomic_files import write_atomically
from lavendertown.core.errors import ConfigurationError, StorageUnavailableError
from lavendertown.rpc.protocol.schema import WELL_KNOWN, FieldSpec, MessageSpec, ServiceSpec, merge_messages

_HEAD = """// {title}
//
// Field numbers are frozen: never change or reuse one.
syntax = "proto3";

package {package};

import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
"""
_MESSAGE = re.compile(r"message (\w+) \{(\})?")
_FIELD = re.compile(r"  (?:optional |repeated )?[\w.]+ (\w+) = (\d+);(?: //.*)?")
_RESERVED = re.compile(r"  reserved (\d+);(?: // (\w+))?")
_COMMENT = re.compile(r"\s*(?://.*)?")
_SERVICE_START = re.compile(r"service \w+ \{")
_SERVICE_LINE = re.compile(r"  rpc .*|    option .*|  \}")
_HEAD_LINE = re.compile(r"(?:syntax|package|import) ?.*;")
_SERVICE = "(service)"
"""Stands for the block of a service among the names of messages."""
# 19000 to 19999 belong to protobuf itself.
_FORBIDDEN = range(19_000, 20_000)


@dataclass(frozen=True)
class Numbers:
    """The field numbers of messages.

    Attributes:
        fields: By message and field.
        reserved: By message, the numbers of removed fields with their names.
    """

    fields: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reserved: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def joined_with(self, other: Numbers) -> Numbers:
        """Return these numbers and those of another file; for a message that both have, these."""
        return Numbers({**other.fields, **self.fields}, {**other.reserved, **self.reserved})

    def extended_by(self, messages: Iterable[MessageSpec]) -> Numbers:
        """Return the numbers of these messages: the known ones kept, new fields numbered after them."""
        fields: dict[str, dict[str, int]] = {}
        reserved: dict[str, dict[int, str]] = {}
        for message in messages:
            known = self.fields.get(message.name, {})
            names = [each.name for each in message.fields]
            gone = {number: name for name, number in known.items() if name not in names}
            reserved[message.name] = {**self.reserved.get(message.name, {}), **gone}
            taken = {*known.values(), *reserved[message.name]}
            fields[message.name] = numbered = {}
            for name in names:
                numbered[name] = known[name] if name in known else _next_number(taken)
                taken.add(numbered[name])
        return Numbers(fields, reserved)


def _next_number(taken: set[int]) -> int:
    number = max(taken, default=0) + 1
    return _FORBIDDEN.stop if number in _FORBIDDEN else number


def read_numbers(path: Path) -> Numbers:
    """Return the field numbers of a ``.proto`` that :func:`render_proto` wrote.

    Raises:
        ConfigurationError: It cannot be read, or :func:`render_proto` writes no such file.
    """
    try:
        return parse_numbers(path.read_text("utf-8"), path.name)
    except OSError as error:
        raise ConfigurationError(
            f"The file {path.name} with the frozen field numbers cannot be read ({error.strerror}); write it "
            "with RpcApp.write_proto."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The file {path.name} is not UTF-8 text; write it again.") from error


def parse_numbers(text: str, file_name: str = "with the frozen field numbers") -> Numbers:
    """Return the field numbers in the text of a ``.proto``.

    Args:
        text: What :func:`render_proto` returned.
        file_name: The name of the file in messages.

    Raises:
        ConfigurationError: A line is of another form, or repeats a message, a field or a number. A number
            that was overlooked could be given to another field.
    """
    fields: dict[str, dict[str, int]] = {}
    reserved: dict[str, dict[int, str]] = {}
    block, lines = "", text.splitlines()
    for number, line in enumerate(lines, 1):
        if _COMMENT.fullmatch(line):
            continue
        if not block and (found := _MESSAGE.fullmatch(line)) and found[1] not in fields:
            block = "" if found[2] else found[1]
            fields[found[1]], reserved[found[1]] = {}, {}
        elif not block and _SERVICE_START.fullmatch(line):
            block = _SERVICE
        elif block and line == "}":
            block = ""
        elif not _read_line(line, fields.get(block), reserved.get(block), is_service=block == _SERVICE):
            raise ConfigurationError(
                f"Line {number} of the file {file_name} is {line[:200]!r}, which RpcApp.write_proto does not "
                "write; restore the file, or correct the line."
            )
    if block:
        raise ConfigurationError(f"The file {file_name} ends too early; restore it.")
    return Numbers(fields, reserved)


def _read_line(
    line: str, fields: dict[str, int] | None, reserved: dict[int, str] | None, is_service: bool
) -> bool:
    """Read a line into the numbers of its message; return whether it is valid there."""
    if fields is None or reserved is None:
        return bool((_SERVICE_LINE if is_service else _HEAD_LINE).fullmatch(line))
    if found := _FIELD.fullmatch(line):
        name, number = found[1], int(found[2])
        is_new = name not in fields and number not in fields.values() and number not in reserved
        fields[name] = number
        return is_new
    if found := _RESERVED.fullmatch(line):
        number = int(found[1])
        is_new = number not in fields.values() and number not in reserved
        reserved[number] = found[2] or ""
        return is_new
    return False


def render_proto(title: str, package: str, services: Sequence[ServiceSpec], numbers: Numbers) -> str:
    """Return the text of the ``.proto`` of these services."""
    parts = [_HEAD.format(title=title, package=package)]
    parts += ["\n".join(_service_lines(service)) for service in services]
    for message in merge_messages(services).values():
        parts.append("\n".join(_message_lines(message, numbers)))
    return "\n".join(f"{part.rstrip()}\n" for part in parts)


def write_proto(path: Path, text: str) -> None:
    """Write the text of a ``.proto``.

    Raises:
        StorageUnavailableError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as draft:
            draft.write_text(text, "utf-8")
    except OSError as error:
        raise StorageUnavailableError(f"{path} cannot be written ({error.strerror}).") from error


def _service_lines(service: ServiceSpec) -> Iterator[str]:
    yield f"service {service.name} {{"
    for method in service.methods:
        if method.comment:
            yield f"  // {method.comment}"
        stream = "stream " if method.is_stream else ""
        signature = f"  rpc {method.name}({method.request.name}) returns ({stream}{method.response.name})"
        if method.is_read and not method.is_stream:
            yield f"{signature} {{"
            yield "    option idempotency_level = NO_SIDE_EFFECTS;"
            yield "  }"
        else:
            yield f"{signature};"
    yield "}"


def _message_lines(message: MessageSpec, numbers: Numbers) -> Iterator[str]:
    if message.comment:
        yield f"// {message.comment}"
    yield f"message {message.name} {{"
    for number, name in sorted(numbers.reserved.get(message.name, {}).items()):
        yield f"  reserved {number};{f' // {name}' if name else ''}"
    for each in sorted(message.fields, key=lambda each: numbers.fields[message.name][each.name]):
        yield _field_line(each, numbers.fields[message.name][each.name])
    yield "}"


def _field_line(each: FieldSpec, number: int) -> str:
    is_scalar = each.type not in WELL_KNOWN and each.type[0].islower()
    label = "repeated " if each.repeated else "optional " if each.optional and is_scalar else ""
    comment = f" // {each.comment}" if each.comment else ""
    return f"  {label}{WELL_KNOWN.get(each.type, each.type)} {each.name} = {number};{comment}"
