"""E-mail by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

from lavendertown.core.notification_channels import NotificationChannel
from lavendertown.notifications.errors import DeliveryError
from lavendertown.notifications.messages import Message
from lavendertown.notifications.targets import resolve_addresses

SECONDS = 20


def send_mail(channel: NotificationChannel, message: Message, base_url: str, mail: str) -> None:
    """Send a message to its recipient, or to the addresses of the channel if it is for nobody in particular.

    Raises:
        DeliveryError: There is no address, or the mail server did not accept the message.
    """
    receivers = [mail] if message.recipient and mail else list(channel.to)
    if message.recipient and not mail:
        raise DeliveryError(
            f"{message.recipient} has no mail address; enter it in the list of people.", is_final=True
        )
    if not receivers:
        raise DeliveryError("The channel has no addresses in to.", is_final=True)
    content = _build_mail(channel, message, base_url, receivers)
    try:
        with _connect(channel) as server:
            if channel.user:
                server.login(channel.user, channel.password)
            refused = server.send_message(content, channel.sender, receivers)
    except smtplib.SMTPRecipientsRefused:
        raise DeliveryError(f"{channel.server} refused the receivers.", is_final=True) from None
    except smtplib.SMTPAuthenticationError:
        raise DeliveryError(f"{channel.server} refused the user or the password.") from None
    except smtplib.SMTPException as error:
        raise DeliveryError(f"{channel.server} refused the message ({type(error).__name__}).") from None
    except OSError:
        raise DeliveryError(f"{channel.server} did not answer on port {channel.port}.") from None
    if refused:
        raise DeliveryError(f"{channel.server} refused {', '.join(sorted(refused))}.", is_final=True)


def _connect(channel: NotificationChannel) -> smtplib.SMTP:
    """Connect to one of the addresses that were checked."""
    addresses = resolve_addresses(channel.server, channel.port, allow_private=channel.allow_private)
    for number, address in enumerate(addresses, 1):
        try:
            return _connect_to(channel, address)
        except OSError:
            if number == len(addresses):
                raise
    raise AssertionError("A host that is known has an address.")


def _connect_to(channel: NotificationChannel, address: str) -> smtplib.SMTP:
    context = ssl.create_default_context()
    has_tls = channel.security == "tls"
    server = smtplib.SMTP_SSL(timeout=SECONDS, context=context) if has_tls else smtplib.SMTP(timeout=SECONDS)
    # The name that the certificate must have. smtplib takes it only together with the host to connect to, and
    # refuses TLS without the attribute.
    server._host = channel.server  # type: ignore[attr-defined]
    try:
        server.connect(address, channel.port)
        if channel.security == "starttls":
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _build_mail(
    channel: NotificationChannel, message: Message, base_url: str, receivers: list[str]
) -> EmailMessage:
    mail = EmailMessage()
    domain = channel.sender.rpartition("@")[2].rstrip(">") or "lavendertown"
    try:
        mail["From"] = channel.sender
        mail["To"] = ", ".join(receivers)
        mail["Subject"] = " ".join(message.title.split())
    except ValueError as error:
        raise DeliveryError(f"The mail has an address that is not valid ({error}).", is_final=True) from None
    mail["Date"] = format_datetime(message.at)
    # A second delivery of the same message has the same id, by which mail programs leave out duplicates.
    mail["Message-ID"] = f"<{message.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.to_text(base_url))
    return mail
