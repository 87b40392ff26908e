"""The RPC server of an application: an ASGI app that speaks Connect and gRPC-Web.

Calls go to ``/lavendertown.v1.StorageService/UsersGetRecord`` and the like. ``SchemaService/GetSchema``
describes all services; clients that were not generated read it. ``/healthz`` needs no token.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec
from connectrpc.compression import Compression
from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lavendertown.core import json_codec
from lavendertown.core.errors import ConfigurationError
from lavendertown.core.file_limits import MEGABYTE
from lavendertown.core.settings import Settings, load_settings
from lavendertown.rpc.access import HTTP_STATUS, AccessRules, require_role
from lavendertown.rpc.bundle import RpcBundle
from lavendertown.rpc.errors import connect_error
from lavendertown.rpc.protocol import proto_text
from lavendertown.rpc.protocol.descriptors import PACKAGE, MessageClasses, describe_services
from lavendertown.rpc.protocol.messages import fill_message
from lavendertown.rpc.protocol.requests import JsonCodec, explain_refusal, find_wrong_header
from lavendertown.rpc.protocol.schema import (
    Call,
    Caller,
    FieldSpec,
    MessageSpec,
    MethodSpec,
    ServiceSpec,
    merge_messages,
)
from lavendertown.rpc.published_proto import published_numbers
from lavendertown.rpc.shutdown import watch_signals
from lavendertown.rpc.threads import run_in_thread

log = logging.getLogger("lavendertown.rpc")
MAX_REQUEST_BYTES = 4 * MEGABYTE
"""The largest request, but for methods that take a file: their limit is the setting rpc_max_mb."""
_CORS_REQUEST_HEADERS = (
    "Authorization",
    "Connect-Protocol-Version",
    "Connect-Timeout-Ms",
    "Content-Type",
    "Grpc-Timeout",
    "X-Grpc-Web",
    "X-User-Agent",
)
_CORS_RESPONSE_HEADERS = ("Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin")
_NO_GRPC = (
    "This server speaks Connect and gRPC-Web, but no gRPC over HTTP/2; let the client use one of these."
)
_EMPTY_ANSWERS = {
    405: "This method cannot be called in this way: use POST, or GET for a method that only reads.",
    415: "The content type is not understood; send application/json, application/proto or "
    "application/grpc-web+proto.",
}
_NO_UTF8 = "A header or the query of the request is not UTF-8 text."
_caller: ContextVar[Caller | ConnectError | None] = ContextVar("lavendertown_rpc_caller", default=None)


class RpcApp:
    """An ASGI application made of bundles.

    ``app = RpcApp(name="my-app")``, ``app.add_bundle(bundle)``, ``app.finalize()``; then serve ``app``, as in
    ``uvicorn my_module:app``.

    Args:
        name: The application's name, for the ``.proto`` and ``/healthz``.
        settings: Access and limits; the configured ones by default.
        proto_file: A ``.proto`` that :meth:`write_proto` wrote: fields keep the numbers they have in it.

    Raises:
        ConfigurationError: A setting is wrong.
    """

    def __init__(
        self, name: str = "lavendertown", *, settings: Settings | None = None, proto_file: Path | None = None
    ) -> None:
        self.name = name
        self._settings = settings or load_settings()
        self._rules = AccessRules.from_settings(self._settings)
        self._proto_file = proto_file
        self._services: dict[str, ServiceSpec] = {}
        self._asgi: ASGIApp | None = None
        self._proto = ""

    def add_bundle(self, bundle: RpcBundle) -> None:
        """Serve a bundle too. Methods of the same service come together.

        A bundle may serve again what another one serves, such as an accessor with another limit: the later
        one counts. A finalized app serves the bundle at once.

        Raises:
            ConfigurationError: The app has another method of this name, or names contradict each other.
        """
        services = dict(self._services)
        for service in bundle.services:
            present = services.get(service.name, ServiceSpec(service.name, ()))
            services[service.name] = _join_services(present, service)
        if self._asgi is not None:
            self._asgi = self._build(services)
        self._services = services

    def finalize(self) -> RpcApp:
        """Make the ASGI application out of the bundles; return this app, which then is one.

        Raises:
            ConfigurationError: There is no bundle, or names contradict each other.
        """
        if self._asgi is None:
            self._asgi = self._build(self._services)
        return self

    def _build(self, named_services: Mapping[str, ServiceSpec]) -> ASGIApp:
        if not named_services:
            raise ConfigurationError("The RPC app has no bundle; add one with add_bundle().")
        services = [*named_services.values(), self._schema_service()]
        known = published_numbers()
        if self._proto_file is not None:
            known = known.joined_with(proto_text.read_numbers(self._proto_file))
        numbers = known.extended_by(merge_messages(services).values())
        classes = MessageClasses(describe_services(services, numbers))
        self._proto = proto_text.render_proto(f"The RPC services of {self.name}.", PACKAGE, services, numbers)
        self._description = classes.file.SerializeToString()
        app: ASGIApp = _Router(self.name, self._rules, _Methods(services, classes, self._settings))
        if self._rules.allowed_origins:
            app = CORSMiddleware(
                app,
                allow_origins=self._rules.allowed_origins,
                allow_methods=("GET", "POST"),
                allow_headers=_CORS_REQUEST_HEADERS,
                expose_headers=_CORS_RESPONSE_HEADERS,
                max_age=3600,
            )
        return app

    @property
    def proto(self) -> str:
        """The ``.proto`` of the services, from which clients are generated.

        Raises:
            ConfigurationError: The app is not finalized yet.
        """
        self._finalized()
        return self._proto

    def write_proto(self, path: str | Path) -> None:
        """Write the ``.proto`` to a file. Commit it, and name it as ``proto_file``, to freeze its numbers.

        Raises:
            ConfigurationError: The app is not finalized yet.
            StorageUnavailableError: The file cannot be written.
        """
        proto_text.write_proto(Path(path), self.proto)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
            return
        watch_signals()
        await self._finalized()(scope, receive, send)

    def _finalized(self) -> ASGIApp:
        if self._asgi is None:
            raise ConfigurationError("The RPC app is not finalized; call finalize() first.")
        return self._asgi

    def _schema_service(self) -> ServiceSpec:
        response = MessageSpec(
            "GetSchemaResponse",
            (
                FieldSpec("file_descriptor", "bytes", comment="A google.protobuf.FileDescriptorProto."),
                FieldSpec("proto", "string", comment="The same as text."),
            ),
        )

        def get_schema(request: Any, call: Call) -> dict[str, Any]:
            return {"file_descriptor": self._description, "proto": self._proto}

        method = MethodSpec("GetSchema", MessageSpec("GetSchemaRequest"), response, get_schema, is_read=True)
        return ServiceSpec("SchemaService", (method,))


def _join_services(present: ServiceSpec, added: ServiceSpec) -> ServiceSpec:
    """Return a service with the methods of both; a method with the same messages replaces the present one."""
    methods = {method.name: method for method in present.methods}
    names = {name: method for method in present.methods for name in (method.name, *method.aliases)}
    for method in added.methods:
        for name in (method.name, *method.aliases):
            if name in names and not _is_same_method(names[name], method):
                raise ConfigurationError(f"The RPC app has another method {name}; rename a component.")
            names[name] = method
        methods[method.name] = method
    return ServiceSpec(present.name, tuple(methods.values()))


def _is_same_method(one: MethodSpec, other: MethodSpec) -> bool:
    """Return whether two methods look the same to a client; their handlers may differ."""
    return replace(one, handler=None) == replace(other, handler=None)


class _Methods:
    """The endpoints of all methods, in two Connect applications: one takes large requests."""

    def __init__(self, services: Sequence[ServiceSpec], classes: MessageClasses, settings: Settings) -> None:
        self._specs: dict[str, MethodSpec] = {}
        small: dict[str, Any] = {}
        large: dict[str, Any] = {}
        for service in services:
            for spec in service.methods:
                endpoint = _endpoint(service.name, spec, classes)
                for name in (spec.name, *spec.aliases):
                    path = f"/{PACKAGE}.{service.name}/{name}"
                    self._specs[path] = spec
                    (large if spec.is_large else small)[path] = endpoint
        guard = _Guard(self._specs)
        self._small = _ConnectApp(small, guard, MAX_REQUEST_BYTES, GzipCompression())
        # Backups hardly get smaller, and compressing them would hold up all other answers.
        self._large = _ConnectApp(large, guard, settings.rpc_max_mb * MEGABYTE, GzipCompression(level=0))

    def find_app(self, path: str) -> ASGIApp | None:
        """Return the application that has a method; None where there is none."""
        spec = self._specs.get(path)
        if spec is None:
            return None
        return self._large if spec.is_large else self._small

    def closest_name(self, path: str) -> str:
        """Return the path that a mistyped one may mean; empty for none."""
        return next(iter(difflib.get_close_matches(path, self._specs, 1)), "")


class _ConnectApp(ConnectASGIApplication[object]):
    def __init__(
        self, endpoints: Mapping[str, Any], guard: _Guard, read_max_bytes: int, compression: Compression
    ) -> None:
        super().__init__(
            service=object(),
            endpoints=lambda _: endpoints,
            interceptors=(guard,),
            read_max_bytes=read_max_bytes,
            compressions=(compression,),
            codecs=(google_protobuf_binary_codec(), JsonCodec()),
        )

    @property
    def path(self) -> str:
        return ""


class _Guard:
    """Refuses calls before their body is read, in whichever protocol they came."""

    def __init__(self, specs: Mapping[str, MethodSpec]) -> None:
        self._roles = {path: spec.role for path, spec in specs.items()}

    async def on_start(self, ctx: RequestContext[Any, Any]) -> None:
        caller = _caller.get()
        if isinstance(caller, ConnectError):
            raise caller
        assert caller is not None
        needed = self._roles[f"/{ctx.method.service_name}/{ctx.method.name}"]
        require_role(caller, needed, ctx.method.name)

    async def on_end(self, token: None, ctx: RequestContext[Any, Any], error: Exception | None, /) -> None:
        """Replace errors of the library that are no sentences for people."""
        if not isinstance(error, ConnectError):
            if error is not None:
                raise connect_error(error)
            return
        explained = explain_refusal(error)
        if explained is not error:
            raise explained from error


def _endpoint(service: str, spec: MethodSpec, classes: MessageClasses) -> Any:
    response_class = classes.find_class(spec.response.name)
    is_get = spec.is_read and not spec.is_stream
    method = MethodInfo(
        name=spec.name,
        service_name=f"{PACKAGE}.{service}",
        input=classes.find_class(spec.request.name),
        output=response_class,
        idempotency_level=IdempotencyLevel.NO_SIDE_EFFECTS if is_get else IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.SERVER_STREAM if spec.is_stream else StreamType.UNARY,
    )

    def answer(request: Any, call: Call) -> Any:
        return fill_message(response_class(), spec.handler(request, call))

    async def unary(request: Any, ctx: RequestContext[Any, Any]) -> Any:
        try:
            return await run_in_thread(answer, request, _current_call())
        except Exception as error:
            raise connect_error(error) from error

    async def stream(request: Any, ctx: RequestContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            async for values in spec.handler(request, _current_call()):
                yield fill_message(response_class(), values)
        except Exception as error:
            raise connect_error(error) from error

    if spec.is_stream:
        return Endpoint.server_stream(method=method, function=stream)
    return Endpoint.unary(method=method, function=unary)


def _current_call() -> Call:
    caller = _caller.get()
    assert isinstance(caller, Caller)
    return Call(caller)


class _Router:
    """Identifies the caller and passes the request to the Connect application that has the method."""

    def __init__(self, name: str, rules: AccessRules, methods: _Methods) -> None:
        self._name = name
        self._rules = rules
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ConfigurationError("This server speaks HTTP only.")
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == "/healthz":
            await JSONResponse({"status": "ok", "name": self._name})(scope, receive, send)
            return
        caller = await run_in_thread(self._identify, scope)
        app = self._methods.find_app(path)
        if app is None:
            await self._refuse_path(path, caller)(scope, receive, send)
        elif not _is_utf8(scope):
            await _answer_error(Code.INVALID_ARGUMENT, _NO_UTF8, 400)(scope, receive, send)
        elif problem := find_wrong_header(scope["headers"]):
            await _answer_error(Code.INVALID_ARGUMENT, problem, 400)(scope, receive, send)
        elif _speaks_grpc(scope):
            await _answer_error(Code.UNIMPLEMENTED, _NO_GRPC, 415)(scope, receive, send)
        else:
            token = _caller.set(caller)
            try:
                await app(scope, receive, _explaining(send))
            finally:
                _caller.reset(token)

    def _identify(self, scope: Scope) -> Caller | ConnectError:
        try:
            return self._rules.identify_caller(scope)
        except ConnectError as error:
            return error

    def _refuse_path(self, path: str, caller: Caller | ConnectError) -> JSONResponse:
        if isinstance(caller, ConnectError):
            return _answer_error(caller.code, caller.message, HTTP_STATUS[caller.code])
        meant = self._methods.closest_name(path)
        hint = f" Did you mean {meant}?" if meant else ""
        return _answer_error(Code.UNIMPLEMENTED, f"There is no method {path[:200]}.{hint}", 404)


def _answer_error(code: Code, message: str, status: int) -> JSONResponse:
    return JSONResponse({"code": code.value, "message": message}, status)


def _explaining(send: Send) -> Send:
    """Give answers that Connect leaves empty a code and a sentence."""
    sentence: list[bytes] = []

    async def send_explained(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in _EMPTY_ANSWERS:
            body = {"code": "unimplemented", "message": _EMPTY_ANSWERS[message["status"]]}
            sentence.append(json_codec.dumps(body))
            message["headers"] = [*message["headers"], (b"content-type", b"application/json")]
        elif message["type"] == "http.response.body" and sentence and not message.get("body"):
            message["body"] = sentence.pop()
        await send(message)

    return send_explained


def _is_utf8(scope: Scope) -> bool:
    """Tell whether the headers and the query of a request are UTF-8, as Connect reads them."""
    try:
        for part in (scope.get("query_string", b""), *(each for pair in scope["headers"] for each in pair)):
            part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _speaks_grpc(scope: Scope) -> bool:
    kind: str = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    return kind == "application/grpc" or kind.startswith("application/grpc+")


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
