"""Messages to people about findings, and their delivery by webhook, Slack, e-mail or Apprise."""

from __future__ import annotations

from lavendertown.notifications.delivery import DeliveryError, deliver
from lavendertown.notifications.messages import Message, MessageItem, make_message_id

__all__ = ["DeliveryError", "Message", "MessageItem", "deliver", "make_message_id"]
