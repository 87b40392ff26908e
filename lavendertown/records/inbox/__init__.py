"""Every finding of a store at once: one row each over all reports, filtered, counted and paged."""

from lavendertown.records.inbox.inbox import Inbox
from lavendertown.records.inbox.query import Entry, Facet, InboxQuery, Order, Snoozed

__all__ = ["Entry", "Facet", "Inbox", "InboxQuery", "Order", "Snoozed"]
