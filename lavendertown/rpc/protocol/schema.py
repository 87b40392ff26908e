"""Declarations of services, methods, messages and fields, from which the protobuf descriptors are built."""

from __future__ import annotations

import enum
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lavendertown.core.errors import ConfigurationError

SCALARS = ("bool", "int32", "int64", "double", "string", "bytes")
WELL_KNOWN = {"timestamp": "google.protobuf.Timestamp", "value": "google.protobuf.Value"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Role(enum.StrEnum):
    """The permissions of a caller: readers only read; writers also change records."""

    READER = "reader"
    WRITER = "writer"

    def allows(self, needed: Role) -> bool:
        """Return whether a caller with this role may call a method that needs the given one."""
        return self is Role.WRITER or needed is Role.READER


@dataclass(frozen=True)
class Caller:
    """The caller of a method.

    Attributes:
        name: The actor of the token, or the user that a trusted proxy names; None if authentication is off.
        role: The caller's permissions.
        is_still_valid: Returns whether the caller's token is still valid; streams ask again while they last.
    """

    name: str | None
    role: Role
    is_still_valid: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)


@dataclass(frozen=True)
class FieldSpec:
    """A field of a message.

    Attributes:
        name: In snake case.
        type: One of :data:`SCALARS`, of :data:`WELL_KNOWN`, or the name of a message.
        repeated: Whether it is a list.
        optional: Whether an absent value differs from an empty one.
        comment: One line for the ``.proto``.
    """

    name: str
    type: str
    repeated: bool = False
    optional: bool = False
    comment: str = ""


@dataclass(frozen=True)
class MessageSpec:
    """A message. Two messages of one name in a service must be equal."""

    name: str
    fields: tuple[FieldSpec, ...] = ()
    comment: str = ""


Handler: TypeAlias = Callable[[Any, "Call"], Any]
"""Takes the request message and the call; returns the response's fields as a dictionary. Runs in a thread."""
StreamHandler: TypeAlias = Callable[[Any, "Call"], AsyncIterator[dict[str, Any]]]
"""Yields the fields of one response message after the other. Runs in the event loop."""


@dataclass(frozen=True)
class MethodSpec:
    """A method of a service.

    Attributes:
        name: As in ``UsersCreateRecord``.
        request, response: The messages.
        handler: Answers it; see :data:`Handler` and :data:`StreamHandler`.
        role: Who may call it.
        is_read: Whether it changes nothing, so that it can be called by GET.
        is_stream: Whether it answers with a stream of messages.
        aliases: Older names on the wire.
        is_large: Whether its request or response may be as large as a backup.
        messages: Those that request and response refer to.
        comment: One line for the ``.proto``.
    """

    name: str
    request: MessageSpec
    response: MessageSpec
    handler: Any
    role: Role = Role.READER
    is_read: bool = False
    is_stream: bool = False
    aliases: tuple[str, ...] = ()
    is_large: bool = False
    messages: tuple[MessageSpec, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Call:
    """One call that is being answered.

    Attributes:
        caller: Who calls.
    """

    caller: Caller

    def actor(self, named: str = "") -> str:
        """Return the actor of the write: the caller, or without authentication whom the request names."""
        return self.caller.name or named.strip() or "internal"

    def on_behalf_of(self, named: str = "") -> str:
        """Return for whom an authenticated caller says to act; empty where that is nobody else."""
        named = named.strip()
        return named if self.caller.name and named != self.caller.name else ""


@dataclass(frozen=True)
class ServiceSpec:
    """A service: its name, as in ``StorageService``, and its methods."""

    name: str
    methods: tuple[MethodSpec, ...]


def pascal_case(name: str) -> str:
    """Return a component's name as the beginning of a method's: ``user_profiles`` as ``UserProfiles``."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name) if part)


def json_name(name: str) -> str:
    """Return a field's name in JSON, as protobuf makes it: ``created_at`` as ``createdAt``."""
    return re.sub(r"_([A-Za-z0-9]?)", lambda found: found[1].upper(), name)


def check_identifier(name: str, what: str) -> None:
    """Refuse a name that protobuf cannot have.

    Raises:
        ConfigurationError: It has other characters than ASCII letters, digits and underscores.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ConfigurationError(
            f"The {what} {name!r} cannot be used in RPC; use ASCII letters, digits and underscores only."
        )


def check_fields(message: MessageSpec) -> None:
    """Refuse names of fields that protobuf cannot tell apart.

    Raises:
        ConfigurationError: A name is not one, or two are the same in JSON.
    """
    seen: dict[str, str] = {}
    for each in message.fields:
        check_identifier(each.name, f"field of {message.name}")
        written = json_name(each.name)
        if written in seen:
            raise ConfigurationError(
                f"The fields {seen[written]!r} and {each.name!r} of {message.name} have the same name "
                f"{written!r} in JSON; rename one."
            )
        seen[written] = each.name


def merge_messages(services: Sequence[ServiceSpec]) -> dict[str, MessageSpec]:
    """Return the messages of services by name, in the order in which they are first used.

    Raises:
        ConfigurationError: Two different messages have the same name.
    """
    found: dict[str, MessageSpec] = {}
    for service in services:
        for method in service.methods:
            for message in (method.request, method.response, *method.messages):
                _add_message(found, message)
    return found


def _add_message(found: dict[str, MessageSpec], message: MessageSpec) -> None:
    if found.setdefault(message.name, message) != message:
        raise ConfigurationError(
            f"Two bundles define the message {message.name}; give their components different names."
        )
    check_fields(message)


__all__ = [
    "SCALARS",
    "WELL_KNOWN",
    "Call",
    "Caller",
    "FieldSpec",
    "Handler",
    "MessageSpec",
    "MethodSpec",
    "Role",
    "ServiceSpec",
    "StreamHandler",
    "check_fields",
    "check_identifier",
    "json_name",
    "merge_messages",
    "pascal_case",
]
