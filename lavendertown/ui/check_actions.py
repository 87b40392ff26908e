"""Changes of the check configuration of a dataset; each offers to undo it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lavendertown.collaboration.parts.dataset_settings import CHECKS, dataset_of_settings
from lavendertown.core.errors import InvalidInputError
from lavendertown.rules.check_configuration import CheckConfiguration
from lavendertown.rules.expectations import list_changes
from lavendertown.ui import actions, queries
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, inline_code
from lavendertown.ui.components.shared.markdown import Markdown

PLACE = "checks"
"""The place of notices in a dialog or form about checks."""

_MAX_CHANGES = 3


def change_checks(
    dataset: str, change: Callable[[CheckConfiguration], CheckConfiguration], place: str = PLACE
) -> bool:
    """Change the check configuration of a dataset; return whether it is as wanted now.

    Args:
        dataset: The dataset.
        change: Returns the changed configuration. It may raise a ``LavenderTownError``.
        place: The place of the notice if the change is refused.
    """

    def work() -> None:
        settings = queries.current_storage().dataset_settings
        version, before = settings.read_version(dataset), settings.load_checks(dataset)
        after = change(before)
        if after == before:
            layout.queue_notice("Nothing to change.")
            return
        saved = settings.save_checks(dataset, after, actor=person.require_name(), version=version)
        text = Markdown(f"Checks of {inline_code(dataset)} changed: {describe_changes(before, after)}.")
        layout.queue_notice(text, undo=lambda: restore_checks(dataset, before, saved))

    return actions.run_action(work, place)


def restore_checks(dataset: str, before: CheckConfiguration, version: int) -> None:
    """Undo a change, unless the settings of the dataset were changed since.

    Args:
        dataset: The dataset.
        before: The configuration before the change.
        version: The version of the settings after it.
    """

    def work() -> None:
        settings = queries.current_storage().dataset_settings
        settings.save_checks(dataset, before, actor=person.require_name(), version=version)
        layout.queue_notice(Markdown(f"The checks of {inline_code(dataset)} were restored."))

    actions.run_action(work)


def undo_event(event: Mapping[str, Any]) -> None:
    """Undo the change of checks that an audit event tells, unless the settings were changed since."""
    before, _ = configurations_of_event(event)
    assert before is not None  # else is_newest_change() offers no undo
    restore_checks(dataset_of_settings(event["record_id"]), before, int(event["after"]["version"]))


def is_newest_change(event: Mapping[str, Any]) -> bool:
    """Return whether an audit event is the newest change of a dataset's settings, and changed its checks."""
    if event["component"] != "dataset_settings" or not event["after"]:
        return False
    before, after = configurations_of_event(event)
    if before is None or after is None:
        return False
    last = queries.last_change("dataset_settings", event["record_id"])
    is_newest = last is not None and last["at"] == event["at"] and last["after"] == event["after"]
    return before != after and is_newest


def configurations_of_event(
    event: Mapping[str, Any],
) -> tuple[CheckConfiguration | None, CheckConfiguration | None]:
    """Return the check configuration before and after a change of a dataset's settings.

    It is None where another version of LavenderTown wrote what this one does not know.
    """
    before, after = (_read_configuration(event[name]) for name in ("before", "after"))
    return before, after


def _read_configuration(fields: Mapping[str, Any] | None) -> CheckConfiguration | None:
    stored = ((fields or {}).get("settings") or {}).get(CHECKS)
    try:
        return CheckConfiguration.from_dict(stored)
    except InvalidInputError:
        return None


def describe_changes(before: CheckConfiguration, after: CheckConfiguration) -> str:
    """Return what differs between two configurations, as Markdown."""
    changes = list_changes(before, after)
    shown = "; ".join(escape_markdown(each) for each in changes[:_MAX_CHANGES])
    more = len(changes) - _MAX_CHANGES
    return f"{shown} and {more} more" if more > 0 else shown
