"""Messages reach real receivers: an HTTP endpoint and a mail server on loopback."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.notifications import DeliveryError, Message, MessageItem, deliver
from lavendertown.notifications.messages import MAX_ITEMS, limit_items
from lavendertown.notifications.targets import resolve_host
from tests.support.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver

BASE = "https://quality.example.org/"
ITEM = MessageItem("orders, price: 3 prices are <0>", "@Ben | look", "/?finding=f1", "f1")
MESSAGE = Message(
    "n-1", "mention", "Ana mentioned Ben", dt.datetime(2026, 11, 2, tzinfo=dt.UTC), "Ben", "Ana", (ITEM,)
)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as started:
        yield started


@pytest.fixture
def mails() -> Iterator[MailReceiver]:
    with mail_receiver() as started:
        yield started


def webhook(receiver: HttpReceiver, **changes: object) -> NotificationChannel:
    return replace(NotificationChannel("team", "webhook", url=receiver.url, allow_private=True), **changes)


def mail(receiver: MailReceiver, **changes: object) -> NotificationChannel:
    channel = NotificationChannel(
        "mail",
        "mail",
        server="127.0.0.1",
        port=receiver.port,
        security="none",
        sender="Quality <quality@example.org>",
        to=("team@example.org",),
        allow_private=True,
    )
    return replace(channel, **changes)


@pytest.mark.parametrize(
    ("secret", "key"), [("whsec_" + base64.b64encode(b"key").decode(), b"key"), ("pläin", "pläin".encode())]
)
def test_a_webhook_is_signed(receiver: HttpReceiver, secret: str, key: bytes) -> None:
    deliver(webhook(receiver, secret=secret), MESSAGE, BASE)
    ((headers, body),) = receiver.calls
    signed = f"n-1.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-id"] == "n-1"
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["content-type"] == "application/json"
    (sent,) = receiver.bodies
    assert sent["timestamp"] == "2026-11-02T00:00:00+00:00"
    assert sent["data"]["items"][0]["url"] == "https://quality.example.org/?finding=f1"


def test_without_a_secret_a_webhook_is_not_signed(receiver: HttpReceiver) -> None:
    deliver(webhook(receiver), MESSAGE, BASE)
    assert "webhook-signature" not in receiver.calls[0][0]


def test_a_wrong_secret_is_said(receiver: HttpReceiver) -> None:
    with pytest.raises(DeliveryError, match="no Base64 follows"):
        deliver(webhook(receiver, secret="whsec_§"), MESSAGE, BASE)


def test_slack_sees_no_mentions_and_no_links_of_texts(receiver: HttpReceiver) -> None:
    deliver(webhook(receiver, type="slack"), replace(MESSAGE, title="<!channel> & Ana", more=4), BASE)
    (body,) = receiver.bodies
    assert body["text"].splitlines() == [
        "*&lt;!channel&gt; &amp; Ana*",
        "• <https://quality.example.org/?finding=f1|orders, price: 3 prices are &lt;0&gt;>: @Ben / look",
        "<https://quality.example.org/|… and 4 more>",
    ]


def test_redirections_are_not_followed(receiver: HttpReceiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    with pytest.raises(DeliveryError, match="answered with status 302"):
        deliver(webhook(receiver), MESSAGE, BASE)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(("status", "is_final"), [(500, False), (429, False), (404, True), (410, True)])
def test_statuses_say_whether_another_attempt_helps(
    receiver: HttpReceiver, status: int, is_final: bool
) -> None:
    receiver.status = status
    with pytest.raises(DeliveryError) as refused:
        deliver(webhook(receiver), MESSAGE, BASE)
    assert refused.value.is_final == is_final


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    channel = NotificationChannel("team", "webhook", url=f"http://127.0.0.1:{port}/", allow_private=True)
    with pytest.raises(DeliveryError, match=r"^127\.0\.0\.1 did not answer: the connection failed\.$"):
        deliver(channel, MESSAGE, BASE)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1"),
        *("fe80::1", "::ffff:127.0.0.1", "2002:7f00:1::", "100.64.0.1", "224.0.0.1", "2130706433", "127.1"),
    ],
)
def test_private_addresses_are_refused(host: str) -> None:
    with pytest.raises(DeliveryError, match=r"not public|not known"):
        resolve_host(host, 80, allow_private=False)


def test_a_private_receiver_is_not_called(receiver: HttpReceiver) -> None:
    with pytest.raises(DeliveryError, match="allow_private = true") as refused:
        deliver(webhook(receiver, allow_private=False), MESSAGE, BASE)
    assert refused.value.is_final
    assert receiver.calls == []


@pytest.mark.parametrize("url", ["ftp://h/x", "http://", "http://h:abc/", "file:///etc/passwd"])
def test_an_impossible_url_is_said(url: str) -> None:
    with pytest.raises(DeliveryError, match=r"The (url|port)"):
        deliver(NotificationChannel("team", "webhook", url=url, allow_private=True), MESSAGE, BASE)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(DeliveryError, match="environment variable HOOK, which is not set"):
        deliver(NotificationChannel("team", "slack", url="", missing=("HOOK",)), MESSAGE, BASE)


def test_a_mail_goes_to_its_recipient(mails: MailReceiver) -> None:
    deliver(mail(mails), replace(MESSAGE, title="Ana\r\nBcc: all@example.org"), BASE, "ben@example.org")
    (sent,) = mails.mails
    assert mails.receivers == [["ben@example.org"]]
    assert (sent["Subject"], sent["To"]) == ("Ana Bcc: all@example.org", "ben@example.org")
    assert sent["Message-ID"] == "<n-1@example.org>"
    assert sent["Bcc"] is None
    text = sent.get_payload(decode=True).decode()
    assert "orders, price: 3 prices are <0>: @Ben | look" in text
    assert "https://quality.example.org/?finding=f1" in text


def test_a_mail_for_nobody_in_particular_goes_to_the_channel(mails: MailReceiver) -> None:
    deliver(mail(mails), replace(MESSAGE, recipient=""), "")
    assert mails.receivers == [["team@example.org"]]
    assert "http" not in mails.mails[0].get_payload(decode=True).decode()


def test_a_person_without_an_address_gets_no_mail(mails: MailReceiver) -> None:
    with pytest.raises(DeliveryError, match=r"^Ben has no mail address") as refused:
        deliver(mail(mails), MESSAGE, BASE)
    assert refused.value.is_final


def test_a_refused_mailbox_is_final(mails: MailReceiver) -> None:
    mails.refused = {"ben@example.org"}
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 refused the receivers\.") as refused:
        deliver(mail(mails), MESSAGE, BASE, "ben@example.org")
    assert refused.value.is_final


def test_a_server_without_tls_gets_no_mail_that_needs_it(mails: MailReceiver) -> None:
    with pytest.raises(DeliveryError, match="refused the message"):
        deliver(mail(mails, security="starttls"), MESSAGE, BASE, "ben@example.org")
    assert mails.mails == []


def test_apprise_sends_to_any_of_its_services(receiver: HttpReceiver) -> None:
    url = receiver.url.replace("http://", "json://")
    deliver(webhook(receiver, type="apprise", url=url), MESSAGE, BASE)
    (body,) = receiver.bodies
    assert body["title"] == "Ana mentioned Ben"
    assert "https://quality.example.org/?finding=f1" in body["message"]
    with pytest.raises(DeliveryError, match="not public"):
        deliver(webhook(receiver, type="apprise", url=url, allow_private=False), MESSAGE, BASE)
    with pytest.raises(DeliveryError, match="does not know the url"):
        deliver(webhook(receiver, type="apprise", url="nonsense"), MESSAGE, BASE)
    receiver.status = 500
    with pytest.raises(DeliveryError, match="did not accept"):
        deliver(webhook(receiver, type="apprise", url=url), MESSAGE, BASE)


def test_long_lists_are_cut_and_counted() -> None:
    shown, more = limit_items([MessageItem("x" * 900)] * (MAX_ITEMS + 3))
    assert (len(shown), more) == (MAX_ITEMS, 3)
    assert len(shown[0].text) == 500
    text = replace(MESSAGE, items=shown, more=more).to_text(BASE)
    assert "… and 3 more." in text
    assert text.endswith("Open: https://quality.example.org/")


def test_a_message_is_stored_and_read_again() -> None:
    assert Message.from_content("n-1", "mention", MESSAGE.title, "Ben", MESSAGE.content()) == MESSAGE


def make_certificate(folder: Path, host: str) -> Path:
    """Return a file with a certificate for this host, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
        .not_valid_after(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / f"{host}.pem"
    file.write_bytes(plain + certificate.public_bytes(pem))
    return file


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each lookup of a name of example.org, of which the first finds loopback and every later one nothing."""
    names: list[str] = []
    look_up = socket.getaddrinfo

    def look_up_once(host: str, *arguments: Any, **options: Any) -> Any:
        if not str(host).endswith(".example.org"):
            return look_up(host, *arguments, **options)
        names.append(host)
        if len(names) > 1:
            raise socket.gaierror("rebound")
        return look_up("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_once)
    return names


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_is_called_at_the_checked_address_by_its_name(
    security: str, lookups: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path, "mail.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    contexts = {} if security == "none" else {security: context}
    with mail_receiver(**contexts) as mails:
        deliver(mail(mails, server="mail.example.org", security=security), MESSAGE, BASE, "ben@example.org")
        assert lookups == ["mail.example.org"]
        assert len(mails.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_server_with_a_certificate_of_another_name_is_refused(
    security: str, lookups: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path, "other.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with mail_receiver(**{security: context}) as mails:
        channel = mail(mails, server="mail.example.org", security=security)
        with pytest.raises(DeliveryError, match=r"mail\.example\.org"):
            deliver(channel, MESSAGE, BASE, "ben@example.org")
        assert mails.mails == []


def test_every_checked_address_of_a_mail_server_is_tried(
    mails: MailReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def look_up_two(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host != "mail.example.org":
            return look_up(host, port, *arguments, **options)
        return [each for name in ("127.0.0.2", "127.0.0.1") for each in look_up(name, port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up_two)
    deliver(mail(mails, server="mail.example.org"), MESSAGE, BASE, "ben@example.org")
    assert len(mails.mails) == 1


def test_one_private_address_of_a_mail_server_refuses_it(
    mails: MailReceiver, lookups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = mail(mails, server="mail.example.org", allow_private=False)
    with pytest.raises(DeliveryError, match="which is not public"):
        deliver(channel, MESSAGE, BASE, "ben@example.org")
    assert mails.mails == []
