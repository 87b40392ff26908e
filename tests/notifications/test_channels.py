"""Channels in settings files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lavendertown.core.notification_channels import EVENTS, NotificationChannel, find_channel
from lavendertown.core.settings import load_settings
from lavendertown.errors import ConfigurationError, InvalidInputError


def load(tmp_path: Path, text: str, **environ: str) -> tuple[NotificationChannel, ...]:
    (tmp_path / "lavendertown.toml").write_text(text, "utf-8")
    return load_settings(tmp_path, environ).notifications


def test_channels_are_read_with_their_secrets_from_the_environment(tmp_path: Path) -> None:
    mail, team = load(
        tmp_path,
        """
        [notifications.team]
        type = "slack"
        url = "${SLACK_URL}"
        events = ["mention", "view:Errors of orders"]

        [notifications.mail]
        type = "mail"
        server = "smtp.example.org"
        sender = "quality@example.org"
        user = "q"
        password = "${MAIL_PASSWORD}"
        to = ["team@example.org"]
        digest = "friday 16:30"
        """,
        SLACK_URL="https://hooks.example.org/T1",
    )
    assert (team.url, team.views, team.missing) == (
        "https://hooks.example.org/T1",
        ("Errors of orders",),
        (),
    )
    assert (mail.events, mail.port, mail.missing) == (EVENTS, 587, ("MAIL_PASSWORD",))
    assert (mail.digest_weekday, mail.digest_time) == (4, dt.time(16, 30))
    assert "hooks" not in repr(team)
    assert find_channel((mail, team), "team") is team
    with pytest.raises(InvalidInputError, match="the configured channels: mail, team"):
        find_channel((mail, team), "nobody")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('type = "pager"', "needs a type: one of webhook, slack, mail, apprise"),
        ('type = "slack"', "is of type slack and needs url"),
        ('type = "mail"', "is of type mail and needs server and sender"),
        ('type = "slack"\nurl = "ftp://hidden"', "needs a url that begins with https:// or http://"),
        ('type = "slack"\nurl = 3', "needs a text for url"),
        ('type = "slack"\nurl = "https://h"\nevents = "mention"', "needs a list of texts for events"),
        ('type = "slack"\nurl = "https://h"\nevents = ["sneeze"]', "has the unknown event 'sneeze'"),
        ('type = "slack"\nurl = "https://h"\nport = 70000', "needs a number from 1 to 65535 for port"),
        ('type = "slack"\nurl = "https://h"\nallow_private = "yes"', "needs true or false for allow_private"),
        ('type = "slack"\nurl = "https://h"\ndigest = "often"', "needs a weekday and a time in UTC"),
        ('type = "slack"\nurl = "https://h"\nsecurity = "ssl"', "needs one of starttls, tls, none"),
        ('type = "slack"\nurl = "https://h"\ncolour = "red"', "has the unknown key 'colour'"),
    ],
)
def test_a_malformed_channel_is_named_without_its_address(tmp_path: Path, lines: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, f"[notifications.team]\n{lines}\n")
    assert "The notification channel 'team' in" in str(refused.value)
    assert problem in str(refused.value)
    assert "hidden" not in str(refused.value)
