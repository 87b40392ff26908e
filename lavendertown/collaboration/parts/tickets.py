"""Tickets in other trackers about findings, with a link back."""

from __future__ import annotations

import uuid

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.parts.annotations import Annotations
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.inbox import FindingsInbox
from lavendertown.core import clock
from lavendertown.core.errors import NotFoundError
from lavendertown.core.ticket_targets import TicketTarget
from lavendertown.notifications.errors import DeliveryError
from lavendertown.notifications.messages import describe_finding, finding_path, make_url, shorten
from lavendertown.notifications.tickets import create_ticket


class Tickets(StoragePart):
    """The tickets about the findings of a storage."""

    def __init__(self, context: StorageContext, inbox: FindingsInbox, annotations: Annotations) -> None:
        super().__init__(context)
        self._inbox = inbox
        self._annotations = annotations

    def create(self, finding_id: str, target: TicketTarget, base_url: str, *, actor: str) -> str:
        """Create a ticket about a finding, comment on the finding with its address, and return that.

        Args:
            finding_id: Any id of the finding.
            target: The tracker.
            base_url: The address of the dashboard, for the link back; empty for none.
            actor: Who creates it.

        Returns:
            The address of the ticket; empty if the tracker does not tell it.

        Raises:
            NotFoundError: No live report has the finding.
            DeliveryError: The tracker did not accept the ticket; nothing was written.
        """
        rows = self._inbox.load_rows([finding_id])
        if not rows:
            raise NotFoundError(
                f"There is no finding {finding_id!r}. Find its id with `lavendertown findings list`."
            )
        row = rows[0]
        link = make_url(base_url, finding_path(row["finding_id"])) if base_url else ""
        lines = [
            row["description"],
            "",
            f"Dataset: {row['dataset'] or '-'}",
            f"Column: {row['column'] if row['column'] not in ('', '*') else '-'}",
            f"Severity: {row['severity']}",
            f"Seen in {row['times_seen']:,} report{'s' if row['times_seen'] != 1 else ''}, last on "
            f"{row['last_seen']:%Y-%m-%d}",
        ]
        texts = {
            "title": shorten(describe_finding(row)),
            "text": "\n".join([*lines, "", link] if link else lines),
            "link": link,
            "dataset": row["dataset"],
            "column": row["column"],
            "severity": row["severity"],
            "finding_id": row["finding_id"],
        }
        try:
            address = create_ticket(target, texts)
        except DeliveryError as error:
            if error.may_have_arrived:
                raise DeliveryError(
                    f"It is not known whether {target.name} created a ticket: {error} Look there before you "
                    "send it again.",
                    may_have_arrived=True,
                ) from error
            raise DeliveryError(f"No ticket was created: {error}", is_final=error.is_final) from error
        comment = f"Created a ticket in {target.name}{f': {address}' if address else '.'}"
        note = Annotation(uuid.uuid4().hex, row["finding_id"], actor, clock.now(), comment)
        self._annotations.save(note, actor=actor)
        return address
