"""A client that needs no generated code: it asks the server which methods and messages there are."""

from __future__ import annotations

import asyncio
import difflib
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectrpc.client import ConnectClient as AsyncTransport
from connectrpc.client import ConnectClientSync as SyncTransport
from connectrpc.compat import google_protobuf_binary_codec
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from google.protobuf import descriptor_pb2

from lavendertown.core.errors import NotFoundError
from lavendertown.rpc.protocol.descriptors import PACKAGE, MessageClasses
from lavendertown.rpc.protocol.messages import Response, fill_message, read_message

TOKEN_VARIABLE = "LAVENDERTOWN_RPC_TOKEN"
_File = descriptor_pb2.FileDescriptorProto
# Older names on the wire that are not another form of today's: the schema does not have them.
_OLDER_NAMES = {"databaseaudit": "databasereadaudit", "databasediagram": "databaseschemadiagram"}


class ConnectClient:
    """Calls the methods of a LavenderTown RPC server.

    ``client.call("UsersGetRecord", {"record_id": 1}).record.name`` in ordinary code, and the same after
    ``await`` in a coroutine: there :meth:`call` returns an awaitable. A method may be named as on the wire
    (``UsersGetRecord``), as in TypeScript (``usersGetRecord``) or in the older form (``Users_GetRecord``).

    Args:
        base_url: Where the server is: ``http://localhost:8000``, or ``http://localhost:8501/rpc`` on the
            dashboard's port.
        token: The access token; the environment variable ``LAVENDERTOWN_RPC_TOKEN`` by default.
        timeout: The seconds that a call may take; None for no limit.
    """

    def __init__(self, base_url: str, *, token: str | None = None, timeout: float | None = 60.0) -> None:
        token = token or os.environ.get(TOKEN_VARIABLE)
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._timeout_ms = None if timeout is None else round(timeout * 1000)
        address = base_url.rstrip("/")
        codec = google_protobuf_binary_codec()
        self._sync = SyncTransport(address, codec=codec)
        self._async = AsyncTransport(address, codec=codec)
        self._schema: _Schema | None = None

    def call(self, method: str, request: Mapping[str, Any] | None = None) -> Any:
        """Call a method; return its :class:`~lavendertown.rpc.protocol.messages.Response`.

        Inside a coroutine an awaitable is returned instead; :meth:`call_sync` and :meth:`call_async` leave
        no choice.

        Args:
            method: The method's name, alone or as ``SERVICE/METHOD``.
            request: The fields of the request.

        Raises:
            NotFoundError: The server has no such method.
            InvalidInputError: The request has no such field, or a value does not fit into its field.
            RpcError: The server refused the call; ``code`` and ``message`` say why.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self.call_sync(method, request)
        return self.call_async(method, request)

    def call_sync(self, method: str, request: Mapping[str, Any] | None = None) -> Response:
        """Call a method and wait for the answer; see :meth:`call`."""
        found, message = self._prepare(self._schema_sync(), method, request, is_stream=False)
        answer = self._sync.execute_unary(
            request=message, method=found, headers=self._headers, timeout_ms=self._timeout_ms
        )
        return read_message(answer)

    async def call_async(self, method: str, request: Mapping[str, Any] | None = None) -> Response:
        """Call a method in a coroutine; see :meth:`call`."""
        found, message = self._prepare(await self._schema_async(), method, request, is_stream=False)
        answer = await self._async.execute_unary(
            request=message, method=found, headers=self._headers, timeout_ms=self._timeout_ms
        )
        return read_message(answer)

    def stream_sync(self, method: str, request: Mapping[str, Any] | None = None) -> Iterator[Response]:
        """Call a method that answers with a stream, and yield its messages as they come; see :meth:`call`."""
        found, message = self._prepare(self._schema_sync(), method, request, is_stream=True)
        for answer in self._sync.execute_server_stream(request=message, method=found, headers=self._headers):
            yield read_message(answer)

    async def stream_async(
        self, method: str, request: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Response]:
        """Yield the messages of a stream in a coroutine; see :meth:`call`."""
        found, message = self._prepare(await self._schema_async(), method, request, is_stream=True)
        async for answer in self._async.execute_server_stream(
            request=message, method=found, headers=self._headers
        ):
            yield read_message(answer)

    def method_names(self) -> list[str]:
        """Return the names of the server's methods, each with its service before a slash."""
        return sorted(self._schema_sync().methods)

    def _prepare(
        self, schema: _Schema, name: str, request: Mapping[str, Any] | None, is_stream: bool
    ) -> tuple[MethodInfo[Any, Any], Any]:
        method = schema.find_method(name)
        if (method.stream_type is StreamType.SERVER_STREAM) != is_stream:
            wanted = "call_sync or call_async" if is_stream else "stream_sync or stream_async"
            raise NotFoundError(f"{method.name} cannot be called like this; use {wanted}.")
        return method, fill_message(method.input(), request or {})

    def _schema_sync(self) -> _Schema:
        if self._schema is None:
            answer = self._sync.execute_unary(
                request=_SCHEMA.input(), method=_SCHEMA, headers=self._headers, timeout_ms=self._timeout_ms
            )
            self._schema = _Schema.of(answer)
        return self._schema

    async def _schema_async(self) -> _Schema:
        if self._schema is None:
            answer = await self._async.execute_unary(
                request=_SCHEMA.input(), method=_SCHEMA, headers=self._headers, timeout_ms=self._timeout_ms
            )
            self._schema = _Schema.of(answer)
        return self._schema


@dataclass(frozen=True)
class _Schema:
    """What a server offers.

    Attributes:
        methods: By ``SERVICE/METHOD``, without the package.
    """

    methods: Mapping[str, MethodInfo[Any, Any]]

    @classmethod
    def of(cls, answer: Any) -> _Schema:
        file = _File.FromString(answer.file_descriptor)
        classes = MessageClasses(file)
        methods = {
            f"{service.name}/{method.name}": _method_info(classes, service.name, method)
            for service in file.service
            for method in service.method
        }
        return cls(methods)

    def find_method(self, name: str) -> MethodInfo[Any, Any]:
        """Return a method by any form of its name.

        Raises:
            NotFoundError: There is none, or there are several.
        """
        wanted = _folded(name.removeprefix(f"{PACKAGE}."))
        wanted = _OLDER_NAMES.get(wanted, wanted)
        found = [
            method
            for full, method in self.methods.items()
            if wanted in (_folded(full), _folded(full.partition("/")[2]))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            examples = " or ".join(f"{each.service_name.rpartition('.')[2]}/{each.name}" for each in found)
            raise NotFoundError(f"Several services have a method {name!r}; write {examples}.")
        short = [full.partition("/")[2] for full in self.methods]
        near = difflib.get_close_matches(name, short, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise NotFoundError(f"The server has no method {name!r}.{hint}")


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9/]", "", name.lower())


def _method_info(classes: MessageClasses, service: str, method: Any) -> MethodInfo[Any, Any]:
    return MethodInfo(
        name=method.name,
        service_name=f"{PACKAGE}.{service}",
        input=classes.find_class(method.input_type.lstrip(".")),
        output=classes.find_class(method.output_type.lstrip(".")),
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.SERVER_STREAM if method.server_streaming else StreamType.UNARY,
    )


def _schema_method() -> MethodInfo[Any, Any]:
    """Return the one method that a client knows beforehand; ``SchemaService`` in RpcApp answers it."""
    file = _File(name="lavendertown/v1/schema_client.proto", package=PACKAGE, syntax="proto3")
    file.message_type.add(name="GetSchemaRequest")
    response = file.message_type.add(name="GetSchemaResponse")
    field = descriptor_pb2.FieldDescriptorProto
    response.field.add(name="file_descriptor", number=1, type=field.TYPE_BYTES, label=field.LABEL_OPTIONAL)
    response.field.add(name="proto", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    service = file.service.add(name="SchemaService")
    method = service.method.add(
        name="GetSchema",
        input_type=f".{PACKAGE}.GetSchemaRequest",
        output_type=f".{PACKAGE}.GetSchemaResponse",
    )
    return _method_info(MessageClasses(file), service.name, method)


_SCHEMA = _schema_method()
