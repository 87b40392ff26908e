"""Deliver a message through a channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.notifications.apprise_delivery import send_by_apprise
from lavendertown.notifications.errors import DeliveryError
from lavendertown.notifications.mail import send_mail
from lavendertown.notifications.messages import Message
from lavendertown.notifications.webhooks import send_to_slack, send_to_webhook

_SENDERS: Mapping[str, Callable[[NotificationChannel, Message, str, str], None]] = {
    "webhook": send_to_webhook,
    "slack": send_to_slack,
    "mail": send_mail,
    "apprise": send_by_apprise,
}


def deliver(channel: NotificationChannel, message: Message, base_url: str, mail: str = "") -> None:
    """Send a message.

    Args:
        channel: The channel.
        message: The message.
        base_url: The address of the dashboard; empty for a message without links.
        mail: The mail address of the message's recipient; empty if it has none.

    Raises:
        DeliveryError: The receiver did not accept it.
    """
    if channel.missing:
        raise DeliveryError(
            f"The channel needs the environment variable {channel.missing[0]}, which is not set."
        )
    _SENDERS[channel.type](channel, message, base_url, mail)


__all__ = ["DeliveryError", "deliver"]
