"""Channels of notifications that an administrator configured: who is notified of what, and how.

In a settings file, each is a table: ``[notifications.team]`` with a ``type``, what the type needs, and the
``events`` that are sent. Secrets stay out of the file as ``${VARIABLE}``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lavendertown.core.errors import ConfigurationError, InvalidInputError
from lavendertown.core.settings_tables import VARIABLE, expand_variables, merge_tables

MENTION, ASSIGNMENT, OVERDUE, ENDED, STOPPED, DIGEST = (
    "mention",
    "assignment",
    "overdue",
    "ended",
    "stopped",
    "digest",
)
EVENTS = (MENTION, ASSIGNMENT, OVERDUE, ENDED, STOPPED, DIGEST)
VIEW_PREFIX = "view:"
TYPES = ("webhook", "slack", "mail", "apprise")
MAIL_SECURITY = ("starttls", "tls", "none")
DEFAULT_DIGEST = "Monday 07:00"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_TEXTS = ("type", "url", "secret", "server", "security", "user", "password", "sender", "digest")
_LISTS = ("events", "to")
_KEYS = (*_TEXTS, *_LISTS, "port", "allow_private")
_MAX_NAME = 100
_DIGEST_TIME = re.compile(r"(\w+) +([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class NotificationChannel:
    """A way to notify people.

    Attributes:
        name: The name, which the log of deliveries shows.
        type: One of :data:`TYPES`.
        events: What is sent: names of :data:`EVENTS`, and ``view:NAME`` for new findings in a saved view.
        url: The address of a webhook, of an incoming webhook of Slack, or of Apprise.
        secret: The secret that signs the calls of a webhook.
        server, port, security, user, password: The mail server.
        sender: The sender's mail address.
        to: The mail addresses that receive what is meant for nobody in particular.
        digest_weekday, digest_time: When the weekly digest is due, in UTC; Monday is 0.
        allow_private: Whether the receiver may have a private, local or otherwise not public address.
        missing: The variables that are not set.
    """

    name: str
    type: str
    events: tuple[str, ...] = EVENTS
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    server: str = ""
    port: int = 0
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    to: tuple[str, ...] = ()
    digest_weekday: int = 0
    digest_time: dt.time = dt.time(7)
    allow_private: bool = False
    missing: tuple[str, ...] = ()

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the saved views whose new findings are sent."""
        return tuple(each.removeprefix(VIEW_PREFIX) for each in self.events if each.startswith(VIEW_PREFIX))

    @property
    def is_personal(self) -> bool:
        """Whether a message reaches one person rather than everybody who reads the channel."""
        return self.type == "mail"


def check_channels(data: Any, file: Path) -> dict[str, dict[str, Any]]:
    """Return the table ``notifications`` of a settings file if it is well-formed.

    Raises:
        ConfigurationError: A channel is malformed. The message names it, but quotes no address or secret.
    """
    if not isinstance(data, dict):
        raise ConfigurationError(f"The setting 'notifications' in {file} must have a table for each name.")
    for name, channel in data.items():
        problem = _find_problem(str(name), channel)
        if problem:
            raise ConfigurationError(
                f"The notification channel {str(name)[:_MAX_NAME]!r} in {file} {problem}."
            )
    return {str(name).strip(): dict(channel) for name, channel in data.items()}


def _find_problem(name: str, channel: Any) -> str:
    """Return what is wrong with a channel, as the end of a sentence; empty if nothing is."""
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        return f"needs a name of 1 to {_MAX_NAME} printable characters"
    if not isinstance(channel, dict):
        return "must be a table with a type"
    return (
        _find_wrong_kind(channel) or _find_wrong_value(channel) or _find_missing_key(channel, channel["type"])
    )


def _find_wrong_kind(channel: Mapping[str, Any]) -> str:
    unknown = sorted(str(key) for key in set(channel) - set(_KEYS))
    if unknown:
        return f"has the unknown key {unknown[0][:_MAX_NAME]!r}; the known keys are {', '.join(_KEYS)}"
    for key in _TEXTS:
        if not isinstance(channel.get(key, ""), str):
            return f"needs a text for {key}"
    for key in _LISTS:
        values = channel.get(key, [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            return f"needs a list of texts for {key}"
    port = channel.get("port", 1)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        return "needs a number from 1 to 65535 for port"
    if not isinstance(channel.get("allow_private", False), bool):
        return "needs true or false for allow_private"
    return ""


def _find_wrong_value(channel: Mapping[str, Any]) -> str:
    if channel.get("type") not in TYPES:
        return f"needs a type: one of {', '.join(TYPES)}"
    for event in channel.get("events", ()):
        if event not in EVENTS and not event.startswith(VIEW_PREFIX):
            known = ", ".join(EVENTS)
            return f"has the unknown event {event[:_MAX_NAME]!r}; use {known} or {VIEW_PREFIX}NAME"
    if channel.get("security", "starttls") not in MAIL_SECURITY:
        return f"needs one of {', '.join(MAIL_SECURITY)} for security"
    if _parse_digest(channel.get("digest", DEFAULT_DIGEST)) is None:
        return f"needs a weekday and a time in UTC for digest, such as {DEFAULT_DIGEST!r}"
    return ""


def _find_missing_key(channel: Mapping[str, Any], channel_type: str) -> str:
    needed = ("server", "sender") if channel_type == "mail" else ("url",)
    missing = [key for key in needed if not channel.get(key)]
    if missing:
        return f"is of type {channel_type} and needs {' and '.join(missing)}"
    url = channel.get("url", "")
    if channel_type in ("webhook", "slack") and not VARIABLE.match(url):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return "needs a url that begins with https:// or http://"
    return ""


def _parse_digest(text: str) -> tuple[int, dt.time] | None:
    match = _DIGEST_TIME.fullmatch(text.strip())
    if match is None or match[1].lower() not in _DAYS:
        return None
    return _DAYS.index(match[1].lower()), dt.time(int(match[2]), int(match[3]))


def build_channels(
    layers: Sequence[Mapping[str, Mapping[str, Any]]], variables: Mapping[str, str | None]
) -> tuple[NotificationChannel, ...]:
    """Return the channels of several settings files, sorted by name.

    Args:
        layers: The checked tables, the one that takes precedence first.
        variables: The values for ``${VARIABLE}`` in texts.
    """
    return tuple(_build_channel(name, channel, variables) for name, channel in merge_tables(layers).items())


def _build_channel(
    name: str, channel: Mapping[str, Any], variables: Mapping[str, str | None]
) -> NotificationChannel:
    texts = {key: channel[key] for key in _TEXTS if channel.get(key)}
    digest = _parse_digest(texts.pop("digest", DEFAULT_DIGEST)) or (0, dt.time(7))
    expanded, missing = expand_variables(texts, variables)
    port = channel.get("port") or _MAIL_PORTS[channel.get("security", "starttls")]
    return NotificationChannel(
        name,
        events=tuple(channel.get("events", EVENTS)),
        to=tuple(channel.get("to", ())),
        port=port,
        digest_weekday=digest[0],
        digest_time=digest[1],
        allow_private=channel.get("allow_private", False),
        missing=missing,
        **expanded,
    )


def find_channel(channels: Sequence[NotificationChannel], name: str) -> NotificationChannel:
    """Return the channel with this name.

    Raises:
        InvalidInputError: No channel has this name.
    """
    channel = next((each for each in channels if each.name == name), None)
    if channel is None:
        known = ", ".join(each.name for each in channels) or "none are configured"
        raise InvalidInputError(
            f"There is no notification channel {name[:_MAX_NAME]!r}; the configured channels: {known}."
        )
    return channel
