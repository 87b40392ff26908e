"""Apprise: one library for many services, with an address for each, such as ``ntfy://topic``."""

from __future__ import annotations

from urllib.parse import urlsplit

from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.notifications.errors import DeliveryError
from lavendertown.notifications.messages import Message
from lavendertown.notifications.targets import resolve_host


def send_by_apprise(channel: NotificationChannel, message: Message, base_url: str, mail: str) -> None:
    """Send a message through the service of a channel's address.

    Apprise opens the connection, so the address of a host in it is checked only before.

    Raises:
        DeliveryError: Apprise is not installed, does not know the address, or the service did not accept the
            message.
    """
    try:
        import apprise
    except ImportError:
        raise DeliveryError(
            "Apprise is required. Install with: pip install lavendertown[apprise]", is_final=True
        ) from None
    host = urlsplit(channel.url).hostname or ""
    if "." in host or host == "localhost":
        resolve_host(host, 443, allow_private=channel.allow_private)
    services = apprise.Apprise()
    if not services.add(channel.url):
        raise DeliveryError("Apprise does not know the url of the channel.", is_final=True)
    if not services.notify(title=message.title, body=message.to_text(base_url)):
        raise DeliveryError("The service of Apprise did not accept the message.")
