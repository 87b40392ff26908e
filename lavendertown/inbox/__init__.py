"""The inbox: all findings of a store, one entry per finding over all reports, filtered, counted and paged."""

from lavendertown.inbox.inbox import Inbox
from lavendertown.inbox.inbox_query import Facet, InboxEntry, InboxOrder, InboxQuery, SnoozedFilter

__all__ = ["Facet", "Inbox", "InboxEntry", "InboxOrder", "InboxQuery", "SnoozedFilter"]
