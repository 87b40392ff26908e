"""The team's storage for RPC and MCP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from lavendertown.collaboration.parts.triage import Decision, Undo
from lavendertown.collaboration.storage import Storage
from lavendertown.core.settings import Settings, load_settings
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.protocol.schema import Call

FindStorage = Callable[[], Storage]


class Closable(Protocol):
    """Something that is closed when it is no longer needed."""

    def close(self) -> None:
        """Close it."""


OpenStore = TypeVar("OpenStore", bound=Closable)


class ConfiguredStore(Generic[OpenStore]):
    """Opens the configured store when it is first needed, and again after the settings name another one.

    Args:
        open_store: Opens the store of these settings, in the form that is needed.
    """

    def __init__(self, open_store: Callable[[Settings], OpenStore]) -> None:
        self._open_store = open_store
        self._lock = threading.Lock()
        self._open: tuple[object, OpenStore] | None = None

    def __call__(self) -> OpenStore:
        """Return the open store."""
        settings = load_settings()
        key = (settings.storage_type, settings.database_url, settings.data_dir)
        with self._lock:
            if self._open is None or self._open[0] != key:
                former, self._open = self._open, (key, self._open_store(settings))
                if former is not None:
                    former[1].close()
            return self._open[1]


def decide_findings(
    storage: Storage, finding_ids: Sequence[str], decision: Decision, call: Call, on_behalf_of: str = ""
) -> Undo:
    """Apply a caller's decision to findings, to all or none; return what undoes it.

    Args:
        storage: The team's storage.
        finding_ids: Current or old ids.
        decision: The decision.
        call: The caller, who is the actor.
        on_behalf_of: The person for whom the caller acts.

    Raises:
        NotFoundError: No report has one of the findings.
        InvalidInputError: The decision cannot be stored.
        ConflictError: Somebody else decided in the meantime.
    """
    storage.findings.require(finding_ids)
    with acting_for(call.on_behalf_of(on_behalf_of)):
        return storage.triage.decide(list(finding_ids), decision, actor=call.actor(on_behalf_of))
