"""Who may call: tokens, trusted proxies, the loopback exception, and which web pages may ask."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import psutil
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from starlette.datastructures import Headers
from starlette.types import Scope

from lavendertown.core.errors import ConfigurationError, LavenderTownError
from lavendertown.core.settings import Settings
from lavendertown.rpc.protocol.schema import Caller, Role
from lavendertown.rpc.tokens import Token, TokenStore

log = logging.getLogger("lavendertown.rpc")
REQUIRED, OFF = "required", "off"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_ADDRESS_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")
"""Headers from which a server may take the caller's address."""
FORWARDING_HEADERS = (*_ADDRESS_HEADERS, "via", "x-forwarded-host", "x-forwarded-proto")
HTTP_STATUS = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.UNAVAILABLE: 503,
}
"""The HTTP status of each code with which :meth:`AccessRules.identify_caller` refuses a caller."""
_NO_TOKEN = (
    "This call needs a token. Make one with: lavendertown rpc token create --actor NAME --role "
    "reader|writer, and send it as: Authorization: Bearer TOKEN"
)
_NO_PROCESS_TOKEN = (
    "A token is needed in LAVENDERTOWN_RPC_TOKEN. Make one with: lavendertown rpc token create --actor NAME "
    "--role reader|writer"
)
_BAD_TOKEN = (
    "The token is not valid: it is unknown, expired or revoked. Create another one with: lavendertown rpc "
    "token create"
)
_BAD_USER = "The header X-User must be sent once, with a name in UTF-8."
_FOREIGN_PAGE = (
    "Web pages of {origin} may not call this server. Add the origin to the setting rpc_allowed_origins."
)
_NOT_LOCAL = (
    "This call needs a token: rpc_authentication is off, which counts only on a server that listens on a "
    "loopback address alone, for direct calls from this machine."
)
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class AccessRules:
    """Who may call a server.

    Attributes:
        tokens: The tokens it accepts.
        authentication: ``"required"`` or ``"off"``.
        allowed_origins: Origins of web pages, in addition to its own, that may call.
        proxies: The addresses of proxies whose header ``X-User`` names the caller.
    """

    tokens: TokenStore
    authentication: str = REQUIRED
    allowed_origins: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> AccessRules:
        """Return the rules that settings give.

        Raises:
            ConfigurationError: A value is not known.
        """
        if settings.rpc_authentication not in (REQUIRED, OFF):
            raise ConfigurationError(
                f"The setting rpc_authentication (from {settings.origins['rpc_authentication']}) must be "
                f"'{REQUIRED}' or '{OFF}'."
            )
        for origin in settings.rpc_allowed_origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
                raise ConfigurationError(
                    "The setting rpc_allowed_origins holds an entry that is no origin; write each like "
                    "https://quality.example.org"
                )
        return cls(
            TokenStore(Path(settings.data_dir)),
            settings.rpc_authentication,
            settings.rpc_allowed_origins,
            _networks(settings.rpc_proxies),
        )

    def identify_caller(self, scope: Scope) -> Caller:
        """Return who makes an HTTP request.

        Raises:
            ConnectError: The request is refused; the message says why.
        """
        headers = Headers(scope=scope)
        self._check_origin(headers)
        scheme, _, text = headers.get("authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise ConnectError(Code.UNAUTHENTICATED, _NO_TOKEN)
            return self._token_caller(text.strip())
        if self._is_proxy(scope, headers) and (user := _read_user(headers)):
            return Caller(user, Role.WRITER)
        if self.authentication != OFF:
            raise ConnectError(Code.UNAUTHENTICATED, _NO_TOKEN)
        if not _is_local_call(scope, headers):
            raise ConnectError(Code.UNAUTHENTICATED, _NOT_LOCAL)
        return Caller(None, Role.WRITER)

    def identify_process(self, token: str) -> Caller:
        """Return on whose behalf a process acts that was started on this machine.

        Args:
            token: The token that it was given; empty for none.

        Raises:
            ConnectError: It has no valid token, and authentication is not off.
        """
        if token:
            return self._token_caller(token)
        if self.authentication != OFF:
            raise ConnectError(Code.UNAUTHENTICATED, _NO_PROCESS_TOKEN)
        return Caller(None, Role.WRITER)

    def _token_caller(self, text: str) -> Caller:
        token = self._find_token(text)
        if token is None:
            raise ConnectError(Code.UNAUTHENTICATED, _BAD_TOKEN)
        return Caller(token.actor, token.role, lambda: self._find_token(text) is not None)

    def _find_token(self, text: str) -> Token | None:
        try:
            return self.tokens.find_token(text)
        except LavenderTownError as error:
            log.error("Tokens cannot be checked: %s", error)
            raise ConnectError(
                Code.UNAVAILABLE, "Tokens cannot be checked at the moment; the server's log says why."
            ) from error

    def _check_origin(self, headers: Headers) -> None:
        """Refuse web pages of other sites that are not allowed."""
        origin = headers.get("origin")
        if origin is None:
            if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
                raise ConnectError(Code.PERMISSION_DENIED, _FOREIGN_PAGE.format(origin="another site"))
            return
        is_own = urlsplit(origin).netloc == headers.get("host", "") != ""
        if not is_own and origin not in self.allowed_origins:
            raise ConnectError(Code.PERMISSION_DENIED, _FOREIGN_PAGE.format(origin=origin[:200]))

    def _is_proxy(self, scope: Scope, headers: Headers) -> bool:
        """Return whether a trusted proxy is the peer of the connection.

        Uvicorn replaces the peer's address by one from the header X-Forwarded-For, unless FORWARDED_ALLOW_IPS
        forbids it. An address that a header names may be such a replacement, which a caller could choose.
        """
        peer = scope.get("client")
        address = _address(peer)
        if peer is None or address is None or not any(address in network for network in self.proxies):
            return False
        named = re.compile(rf"(?<![\w.:%]){re.escape(str(peer[0]))}(?![\w.%])")
        return not any(named.search(text) for name in _ADDRESS_HEADERS for text in headers.getlist(name))


def require_role(caller: Caller, needed: Role, what: str) -> None:
    """Refuse a caller whose role does not suffice.

    Args:
        caller: Who calls.
        needed: The role that it needs.
        what: The name of the method or tool.

    Raises:
        ConnectError: The role does not suffice.
    """
    if not caller.role.allows(needed):
        raise ConnectError(
            Code.PERMISSION_DENIED,
            f"{what} needs a token with the role {needed}; this one has the role {caller.role}.",
        )


def _read_user(headers: Headers) -> str:
    """Return the name in the header X-User; empty if there is none.

    Raises:
        ConnectError: The header is repeated, or is not UTF-8.
    """
    sent = [value for name, value in headers.raw if name == b"x-user"]
    try:
        [user] = sent or [b""]
        return user.decode("utf-8").strip()
    except ValueError as error:
        raise ConnectError(Code.INVALID_ARGUMENT, _BAD_USER) from error


def _networks(texts: Iterable[str]) -> tuple[Network, ...]:
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            raise ConfigurationError(
                "The setting rpc_proxies holds an entry that is no IP address or network, such as 10.0.0.7 "
                "or 10.0.0.0/24."
            ) from None
    return tuple(found)


def _address(peer: Sequence[object] | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(str(peer[0])) if peer else None
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_local_call(scope: Scope, headers: Headers) -> bool:
    """Tell whether a request comes directly from this machine, to a server that only this machine reaches."""
    address = _address(scope.get("client"))
    if address is None or not address.is_loopback:
        return False
    if any(name in headers for name in FORWARDING_HEADERS):
        return False
    # Another name that leads here is how a web page reaches a local server (DNS rebinding).
    host = headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in LOOPBACK_NAMES:
        return False
    _, port = scope.get("server") or ("", None)
    return port is not None and _listens_on_loopback_only(int(port))


def _listens_on_loopback_only(port: int) -> bool:
    """Tell whether this process listens on a port, and on loopback addresses only.

    Reading the sockets takes milliseconds, so an answer is kept for some seconds.
    """
    now = time.monotonic()
    until, known = _listening.get(port, (0.0, False))
    if now >= until:
        known = _read_listening_sockets(port)
        _listening[port] = (now + _KEEP_SECONDS, known)
    return known


_KEEP_SECONDS = 5.0
_listening: dict[int, tuple[float, bool]] = {}


def _read_listening_sockets(port: int) -> bool:
    try:
        sockets = psutil.Process().net_connections(kind="tcp")
    except psutil.Error as error:
        log.error("The listening sockets cannot be read: %s", error)
        return False
    listening = [
        _address(each.laddr)
        for each in sockets
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr[1] == port
    ]
    return bool(listening) and all(each is not None and each.is_loopback for each in listening)
