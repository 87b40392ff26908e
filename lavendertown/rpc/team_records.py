"""The team's storage for RPC and MCP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from lavendertown.collaboration.parts.triage import Decision, Undo
from lavendertown.collaboration.storage import Storage, get_storage_backend
from lavendertown.core.errors import NotFoundError
from lavendertown.core.settings import load_settings
from lavendertown.records import validation
from lavendertown.records.write_path import acting_for
from lavendertown.rpc.schema import Call

FindStorage = Callable[[], Storage]


class ConfiguredStorage:
    """Opens the configured storage once, and again after the settings name another one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: tuple[object, Storage] | None = None

    def __call__(self) -> Storage:
        """Return the storage."""
        settings = load_settings()
        key = (settings.storage_type, settings.database_url, settings.data_dir)
        with self._lock:
            if self._open is None or self._open[0] != key:
                former, self._open = self._open, (key, get_storage_backend(settings))
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
    check_findings_exist(storage, finding_ids)
    with acting_for(call.on_behalf_of(on_behalf_of)):
        return storage.triage.decide(list(finding_ids), decision, actor=call.actor(on_behalf_of))


def check_findings_exist(storage: Storage, finding_ids: Iterable[str]) -> None:
    """Refuse findings that no report has; a decision on a mistyped id would be lost.

    Raises:
        NotFoundError: No report has one of the findings.
    """
    names = {each: storage.findings.resolve_id(each) for each in finding_ids}
    # PostgreSQL cannot be asked for every text, such as one with a NUL character.
    asked_for = [name for name in names.values() if validation.is_valid_id(name)]
    known = {found.finding_id for found in storage.store.read_identities(asked_for)}
    for asked, name in names.items():
        if name not in known:
            raise NotFoundError(f"There is no finding {asked[:200]!r} in any report.")
