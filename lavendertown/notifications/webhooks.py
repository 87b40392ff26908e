"""Webhooks: signed as the Standard Webhooks specification describes, and Slack's incoming webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import asdict
from urllib.parse import urlsplit

import urllib3

from lavendertown.core import json_codec
from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.notifications.errors import DeliveryError
from lavendertown.notifications.messages import Message, make_url
from lavendertown.notifications.targets import resolve_host

SECONDS = 10
_FINAL_STATUSES = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
_MAX_ANSWER = 100_000


def send_to_webhook(channel: NotificationChannel, message: Message, base_url: str, mail: str) -> None:
    """Send a message as JSON with ``type``, ``timestamp`` and ``data``.

    The headers ``webhook-id``, ``webhook-timestamp`` and, with a secret, ``webhook-signature`` follow
    https://www.standardwebhooks.com.

    Raises:
        DeliveryError: The receiver did not accept it.
    """
    data = {
        "title": message.title,
        "recipient": message.recipient,
        "actor": message.actor,
        "items": [{**asdict(item), "url": _url(base_url, item.path)} for item in message.items],
        "more": message.more,
        "url": _url(base_url, message.path),
    }
    body = json_codec.dumps({"type": message.event, "timestamp": message.at.isoformat(), "data": data})
    headers = sign(message.id, body, channel.secret)
    post_json(channel.url, body, headers, allow_private=channel.allow_private)


def send_to_slack(channel: NotificationChannel, message: Message, base_url: str, mail: str) -> None:
    """Send a message to an incoming webhook of Slack, or of a program that reads the same format.

    Raises:
        DeliveryError: The receiver did not accept it.
    """
    lines = [f"*{_escape(message.title)}*"]
    for item in message.items:
        name = _link(base_url, item.path, item.text)
        lines.append(f"• {name}: {_escape(item.detail)}" if item.detail else f"• {name}")
    if message.more:
        lines.append(_link(base_url, message.path, f"… and {message.more:,} more"))
    elif base_url and not message.items:
        lines.append(_link(base_url, message.path, "Open"))
    body = json_codec.dumps({"text": "\n".join(lines)})
    headers = sign(message.id, body, channel.secret)
    post_json(channel.url, body, headers, allow_private=channel.allow_private)


def sign(message_id: str, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers that identify a call and, with a secret, sign it."""
    timestamp = str(int(time.time()))
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp}
    if secret:
        signed = f"{message_id}.{timestamp}.".encode() + body
        digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode('ascii')}"
    return headers


def _key(secret: str) -> bytes:
    """Return the key of a secret: ``whsec_`` and Base64, or any text."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise DeliveryError("The secret begins with whsec_, but no Base64 follows.") from None
    return secret.encode("utf-8")


def post_json(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool) -> bytes:
    """Post JSON to an address, and return the answer. Redirections are not followed.

    Raises:
        DeliveryError: The receiver did not answer, or not with a status from 200 to 299.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise DeliveryError("The port in the url is not a number.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise DeliveryError("The url must begin with https:// or http://.")
    # The name is looked up once: the address that was checked is the one that is called.
    address = resolve_host(host, port, allow_private=allow_private)
    pool = _open_pool(parts.scheme, host, address, port)
    sent_headers = {
        "Content-Type": "application/json",
        "Host": parts.netloc.rpartition("@")[2],
        "User-Agent": "LavenderTown",
        **headers,
    }
    if parts.username:
        credentials = f"{parts.username}:{parts.password or ''}"
        sent_headers |= urllib3.make_headers(basic_auth=credentials)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        answer = pool.urlopen(
            "POST",
            target,
            body=body,
            headers=sent_headers,
            redirect=False,
            retries=False,
            preload_content=False,
        )
        data: bytes = answer.read(_MAX_ANSWER)
        answer.release_conn()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise DeliveryError(
            f"{host} did not answer: {_describe_error(error)}.", may_have_arrived=_was_sent(error)
        ) from None
    finally:
        pool.close()
    if not 200 <= answer.status < 300:
        raise DeliveryError(
            f"{host} answered with status {answer.status}.", is_final=answer.status in _FINAL_STATUSES
        )
    return data


def _open_pool(scheme: str, host: str, address: str, port: int) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(total=SECONDS)
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address, port, timeout=timeout, server_hostname=host, assert_hostname=host
    )


def _was_sent(error: Exception) -> bool:
    """Return whether a call failed after it was sent, or perhaps was."""
    unsent = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.SSLError,
    )
    return not isinstance(error, unsent)


def _describe_error(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "the connection failed"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"no answer in {SECONDS} seconds"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "its certificate is not valid"
    return "the connection failed"


def _url(base_url: str, path: str) -> str:
    return make_url(base_url, path) if base_url and path else ""


def _link(base_url: str, path: str, text: str) -> str:
    url = _url(base_url, path)
    return f"<{url}|{_escape(text)}>" if url else _escape(text)


def _escape(text: str) -> str:
    """Return a text in which Slack sees neither links nor mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "/")
