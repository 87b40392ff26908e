"""Why a finding needs attention, in words."""

from __future__ import annotations

import datetime as dt

from lavendertown.core import clock, statuses
from lavendertown.inbox.attention import AttentionReason, exceeds_ceiling
from lavendertown.inbox.inbox_query import InboxEntry


def describe_attention(entry: InboxEntry) -> list[str]:
    """Return a sentence for each reason why a finding needs attention. Days are those of UTC."""
    return [_describe_reason(reason, entry) for reason in entry.attention]


def _describe_reason(reason: AttentionReason, entry: InboxEntry) -> str:
    identity = entry.identity
    match reason:
        case AttentionReason.NEW:
            return "It is new in the latest run, and nobody has looked at it."
        case AttentionReason.REGRESSED:
            return f"It was seen again after it was fixed on {_day(identity.fixed_at)}."
        case AttentionReason.WORSE:
            return _describe_growth(entry)
        case AttentionReason.EXPIRED:
            triage = entry.triage
            assert triage is not None
            if statuses.is_closed(identity.status):
                return f"Its acceptance ended on {_day(triage.accepted_until)}."
            return f"Its snooze ended on {_day(triage.snooze_until)}."
        case AttentionReason.UNASSIGNED:
            return "It is an open error without an assignee."
        case AttentionReason.UNCONFIRMED:
            assert entry.fix_check is not None
            runs = entry.fix_check.runs_waited
            return f"It was set to Fixed, but the {runs:,} runs since then did not complete its check."


def _describe_growth(entry: InboxEntry) -> str:
    identity, triage, ceiling = entry.identity, entry.triage, entry.ceiling
    if ceiling is not None and exceeds_ceiling(identity, ceiling):
        limit = ceiling.row_count
        if limit is not None and identity.last_count is not None and identity.last_count > limit:
            return f"It affects {_rows(identity.last_count)}; it is accepted up to {limit:,}."
        return f"It affects {identity.last_share:.2%} of the rows; it is accepted up to {ceiling.share:.2%}."
    assert triage is not None
    since = "" if triage.snooze_count is None else f" at {_rows(triage.snooze_count)}"
    now = "It" if identity.last_count is None else f"It affects {_rows(identity.last_count)} and"
    return f"{now} has grown more than {triage.snooze_factor:g}-fold since it was snoozed{since}."


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _day(at: dt.datetime | None) -> str:
    assert at is not None
    return clock.format_day(at)
