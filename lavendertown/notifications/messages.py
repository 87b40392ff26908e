"""Messages: what is sent, independent of how."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode

from lavendertown.core import json_codec
from lavendertown.core.findings import WHOLE_ROW

MAX_ITEMS = 20
"""The maximum number of items in one message; more are counted."""
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class MessageItem:
    """A thing that a message is about.

    Attributes:
        text: What it is, such as the description of a finding.
        detail: More about it; empty for nothing.
        path: Where the dashboard shows it, from its address, such as ``/?finding=f1``.
        finding_id: The finding; empty if it is something else.
    """

    text: str
    detail: str = ""
    path: str = ""
    finding_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        id: The same whenever the same cause is found again.
        event: One of :data:`~lavendertown.core.notification_channels.EVENTS`, or ``view:NAME``.
        title: One line.
        at: When its cause happened.
        recipient: The person it is for; empty for everybody who reads the channel.
        actor: Who caused it; empty if time did.
        items: At most :data:`MAX_ITEMS` things that it is about.
        more: The number of further ones.
        path: Where the dashboard shows all of them.
    """

    id: str
    event: str
    title: str
    at: dt.datetime
    recipient: str = ""
    actor: str = ""
    items: tuple[MessageItem, ...] = ()
    more: int = 0
    path: str = "/"

    def content(self) -> dict[str, Any]:
        """Return what a notification record stores of the message, as plain JSON."""
        return {
            "at": self.at.isoformat(),
            "actor": self.actor,
            "items": [asdict(item) for item in self.items],
            "more": self.more,
            "path": self.path,
        }

    @classmethod
    def from_content(
        cls, message_id: str, event: str, title: str, recipient: str, content: Mapping[str, Any]
    ) -> Message:
        """Return the message that a notification record has."""
        return cls(
            message_id,
            event,
            title,
            dt.datetime.fromisoformat(str(content["at"])),
            recipient,
            str(content["actor"]),
            tuple(MessageItem(**item) for item in content["items"]),
            int(content["more"]),
            str(content["path"]),
        )

    def to_text(self, base_url: str) -> str:
        """Return the message as plain text, with its links if the address of the dashboard is known."""
        lines = [self.title]
        for item in self.items:
            lines.append("")
            lines.append(f"{item.text}: {item.detail}" if item.detail else item.text)
            if base_url and item.path:
                lines.append(make_url(base_url, item.path))
        if self.more:
            lines += ["", f"… and {self.more:,} more."]
        if base_url:
            lines += ["", f"Open: {make_url(base_url, self.path)}"]
        return "\n".join(lines)


def make_message_id(at: dt.datetime, *parts: object) -> str:
    """Return an id that is the same for the same time and parts, and sorts by the time."""
    digest = hashlib.sha256(json_codec.dumps_canonical([at.isoformat(), *map(str, parts)])).hexdigest()
    return f"n-{at:%Y%m%dT%H%M%S%f}-{digest[:16]}"


def limit_items(items: Sequence[MessageItem]) -> tuple[tuple[MessageItem, ...], int]:
    """Return the first items, with short texts, and the number of the others."""
    shown = tuple(
        MessageItem(shorten(item.text), shorten(item.detail), item.path, item.finding_id)
        for item in items[:MAX_ITEMS]
    )
    return shown, len(items) - len(shown)


def describe_finding(row: Mapping[str, Any]) -> str:
    """Return the dataset, the column and the description of a finding of the inbox as one text."""
    column = row["column"] if row["column"] != WHOLE_ROW else ""
    where = ", ".join(part for part in (row["dataset"], column) if part)
    return f"{where}: {row['description']}" if where else str(row["description"])


def shorten(text: str) -> str:
    """Return a text on one line, at most :data:`MAX_TEXT` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"


def make_url(base_url: str, path: str) -> str:
    """Return the address of a screen."""
    return f"{base_url.rstrip('/')}{path}"


def list_path(**parameters: str) -> str:
    """Return where the dashboard lists findings, with these parameters of its address."""
    return f"/?{urlencode(parameters)}"


def finding_path(finding_id: str) -> str:
    """Return where the dashboard shows a finding."""
    return f"/?view=all&finding={quote(finding_id, safe='')}"


def incident_path(incident_id: str) -> str:
    """Return where the dashboard shows an incident."""
    return f"/incident?incident={quote(incident_id, safe='')}"


def report_path(report_id: str) -> str:
    """Return where the dashboard shows a report."""
    return f"/report?report={quote(report_id, safe='')}"


def dataset_path(dataset: str) -> str:
    """Return where the dashboard shows a dataset."""
    return f"/dataset?dataset={quote(dataset, safe='')}"
