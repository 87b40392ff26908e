"""Tickets: issues of GitHub and Jira, or of any tracker that takes JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from lavendertown.core import json_codec
from lavendertown.core.ticket_targets import TicketTarget, fill_template
from lavendertown.notifications.errors import DeliveryError
from lavendertown.notifications.webhooks import post_json

_LINK_KEYS = ("html_url", "web_url", "url", "link")


def create_ticket(target: TicketTarget, texts: Mapping[str, str]) -> str:
    """Create a ticket and return its address; empty if the tracker does not tell it.

    Args:
        target: The tracker.
        texts: The value of each of :data:`~lavendertown.core.ticket_targets.PLACEHOLDERS`.

    Raises:
        DeliveryError: The tracker did not accept it.
    """
    if target.missing:
        raise DeliveryError(
            f"The tracker needs the environment variable {target.missing[0]}, which is not set."
        )
    body = json_codec.dumps(_build_body(target, texts))
    answer = post_json(target.url, body, _build_headers(target), allow_private=target.allow_private)
    try:
        data = json_codec.loads(answer)
    except ValueError:
        return ""
    return _find_link(target, data if isinstance(data, dict) else {})


def _build_body(target: TicketTarget, texts: Mapping[str, str]) -> dict[str, Any]:
    if target.type == "github":
        return {"title": texts["title"], "body": texts["text"], **target.fields}
    if target.type == "jira":
        return {"fields": {"summary": texts["title"], "description": texts["text"], **target.fields}}
    body: dict[str, Any] = fill_template(target.template, texts)
    return body | dict(target.fields)


def _build_headers(target: TicketTarget) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if target.user:
        credentials = base64.b64encode(f"{target.user}:{target.token}".encode()).decode("ascii")
        headers["Authorization"] = f"Basic {credentials}"
    elif target.token:
        headers["Authorization"] = f"Bearer {target.token}"
    return headers


def _find_link(target: TicketTarget, answer: Mapping[str, Any]) -> str:
    if target.type == "jira" and isinstance(answer.get("key"), str):
        parts = urlsplit(target.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/browse/{answer['key']}"
    links = (answer.get(key) for key in _LINK_KEYS)
    return next((link for link in links if isinstance(link, str) and link.startswith("http")), "")
