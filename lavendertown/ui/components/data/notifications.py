"""Notifications: the configured channels, a test of each, and the log of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lavendertown.core import clock
from lavendertown.core.notification_channels import VIEW_PREFIX, NotificationChannel, find_channel
from lavendertown.ui import queries
from lavendertown.ui.components.data import data_actions, data_queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_time,
)

_PLACE = "data:notifications"
_PAGE = "data:notifications:page"
_TYPE_NAMES = {"webhook": "Webhook", "slack": "Slack", "mail": "E-mail", "apprise": "Apprise"}
_EVENT_NAMES = {
    "mention": "mentions",
    "assignment": "assignments",
    "overdue": "overdue findings",
    "ended": "ended snoozes and acceptances",
    "stopped": "checks and datasets that stopped",
    "digest": "a weekly digest",
}
_STATES = {
    "delivered": ":green-badge[:material/check: Delivered]",
    "waiting": ":orange-badge[:material/schedule: Waiting]",
    "failed": ":red-badge[:material/error: Failed]",
}


def show_notifications() -> None:
    """Show the channels and the deliveries."""
    channels = data_queries.current_settings().notifications
    if channels:
        _show_channels(channels)
    layout.show_notice(_PLACE)
    _show_failed_sources()
    total = data_queries.count_notifications()
    if total:
        _show_deliveries(total)
    elif not channels:
        layout.show_empty_state(
            "notifications",
            "Nobody is notified yet",
            "An administrator configures channels: webhooks, Slack, e-mail, or any service of Apprise.",
        )
        st.code(
            '[notifications.team]\ntype = "slack"\nurl = "${SLACK_WEBHOOK}"\n'
            'events = ["mention", "assignment", "digest"]',
            language="toml",
        )
        st.caption(
            "Put this in `lavendertown.toml`, and run `lavendertown tick` every few minutes, "
            "or set `tick_minutes`."
        )
    else:
        st.caption("No messages yet. A channel begins with what happens after the first tick.")


def _show_failed_sources() -> None:
    """Show the sources whose last regular check failed."""
    for failed in data_queries.list_failed_sources():
        attempts = format_count(failed.attempts, "attempt")
        is_due = failed.next_attempt_at <= clock.now()
        following = "by the next tick" if is_due else format_time(failed.next_attempt_at)
        st.warning(
            f"{escape_markdown(failed.problem)}  \n"
            f":small[{attempts}, the last {format_time(failed.failed_at)} · "
            f"next attempt {following}]",
            icon=":material/sync_problem:",
        )


def _show_channels(channels: tuple[NotificationChannel, ...]) -> None:
    with st.container(border=True, gap="small"):
        for channel in channels:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(
                    f"**{escape_markdown(channel.name)}** :small[:gray[{_describe_channel(channel)}]]"
                    f"{_describe_missing(channel)}",
                    width="stretch",
                )
                st.button(
                    "Send a test",
                    type="tertiary",
                    icon=":material/send:",
                    key=f"data:notifications:test:{channel.name}",
                    on_click=person.run_with_name,
                    args=(_PLACE, _send_test, channel.name),
                )


def _describe_missing(channel: NotificationChannel) -> str:
    if not channel.missing:
        return ""
    names = escape_markdown(", ".join(channel.missing))
    return f"  \n:small[:orange[:material/warning: Not set: the environment variable {names}]]"


def _describe_channel(channel: NotificationChannel) -> str:
    events = [
        f"new findings in {escape_markdown(each.removeprefix(VIEW_PREFIX))}"
        if each.startswith(VIEW_PREFIX)
        else _EVENT_NAMES[each]
        for each in channel.events
    ]
    return f"{_TYPE_NAMES[channel.type]} · {', '.join(events) or 'nothing'}"


def _send_test(name: str) -> None:
    channel = find_channel(data_queries.current_settings().notifications, name)
    data_actions.send_test_notification(channel, _PLACE)


def _show_deliveries(total: int) -> None:
    st.markdown("## Deliveries", anchors=False)
    pages = -(-total // queries.PAGE_SIZE)
    number = min(st.session_state.get(_PAGE, 1), pages)
    with st.container(border=True, gap="small"):
        for row in data_queries.list_notifications(queries.PAGE_SIZE, (number - 1) * queries.PAGE_SIZE):
            _show_delivery(row)
    if pages > 1:
        st.pagination(pages, key=_PAGE, width="content")


def _show_delivery(row: Mapping[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        to = f" to {escape_markdown(row['recipient'])}" if row["recipient"] else ""
        st.markdown(
            f"{_STATES[row['state']]} &ensp;{escape_markdown(row['title'])}  \n"
            f":small[:gray[{escape_markdown(row['channel'])}{to} · {format_time(row['created_at'])}"
            f"{_describe_attempts(row)}]]",
            width="stretch",
        )
        if row["state"] == "failed":
            st.button(
                "Send again",
                type="tertiary",
                icon=":material/refresh:",
                key=f"data:notifications:again:{row['id']}",
                on_click=person.run_with_name,
                args=(_PLACE, data_actions.send_notification_again, row["id"], _PLACE),
            )


def _describe_attempts(row: Mapping[str, Any]) -> str:
    parts = []
    if row["attempts"] > 1:
        parts.append(f"{row['attempts']:,} attempts")
    if row["problem"]:
        parts.append(escape_markdown(row["problem"].rstrip(".")))
    if row["state"] == "waiting" and row["attempts"]:
        parts.append(f"next attempt {format_time(row['next_attempt_at'])}")
    return "".join(f" · {part}" for part in parts)
