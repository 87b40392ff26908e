"""Addresses to which messages may be sent: public ones, unless a channel allows others.

A webhook to a private address would give its author access to services that trust the server.
"""

from __future__ import annotations

import ipaddress
import socket

from lavendertown.notifications.errors import DeliveryError


def resolve_host(host: str, port: int, *, allow_private: bool) -> str:
    """Return the first address of :func:`resolve_addresses`; it raises the same errors."""
    return resolve_addresses(host, port, allow_private=allow_private)[0]


def resolve_addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Return the IP addresses of a host, to one of which the caller must connect: a second lookup may differ.

    Raises:
        DeliveryError: The host is unknown, or has an address that is not public and not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DeliveryError(f"The host {host} is not known.") from None
    addresses = [str(each[4][0]) for each in found]
    if not allow_private:
        for address in addresses:
            if not _is_public(address):
                raise DeliveryError(
                    f"The host {host} has the address {address}, which is not public; set "
                    "allow_private = true if it is meant.",
                    is_final=True,
                )
    return list(dict.fromkeys(addresses))


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return parsed.is_global and not parsed.is_multicast and (mapped is None or mapped.is_global)
