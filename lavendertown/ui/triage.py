"""Every decision about findings that the screens make, each with its way back."""

from __future__ import annotations

from collections.abc import Sequence

from lavendertown.collaboration.triage import Decision, Undo
from lavendertown.ui import actions, reads
from lavendertown.ui.components import frame, person, words

FORM = "triage"
"""Where the sentences of a dialog are shown."""


def decide(
    finding_ids: Sequence[str], decision: Decision, done: str, *, place: str = "page", seen: int | None = None
) -> bool:
    """Carry a decision out on these findings; say whether it was.

    Args:
        finding_ids: The findings.
        decision: What is decided.
        done: What to say afterwards, after the number of findings: ``"assigned to Ana"``.
        place: Where the sentence of a refusal belongs.
        seen: The triage version on the screen, for a decision about one finding.
    """

    def work() -> None:
        versions = {finding_ids[0]: seen} if seen is not None else None
        undo = reads.storage().decide(finding_ids, decision, actor=person.me(), versions=versions)
        frame.say(f"{words.count(len(undo.finding_ids), 'finding')} {done}.", undo=lambda: take_back(undo))

    return actions.attempt(work, place)


def merge(finding_ids: Sequence[str], into: str) -> bool:
    """Handle these findings as another one."""

    def work() -> None:
        undo = reads.storage().merge_findings(finding_ids, into, actor=person.me())
        frame.say("The findings are one now.", undo=lambda: take_back(undo))

    return actions.attempt(work, FORM)


def take_over(finding_id: str, vanished_id: str) -> None:
    """Let a finding go on where a vanished one stopped."""

    def work() -> None:
        undo = reads.storage().take_over(finding_id, vanished_id, actor=person.me())
        frame.say("They are one finding now; its thread goes on here.", undo=lambda: take_back(undo))

    actions.attempt(work)


def split(finding_id: str) -> bool:
    """Take a merged finding apart again."""

    def work() -> None:
        undo = reads.storage().split_finding(finding_id, actor=person.me())
        frame.say("The finding stands for itself again.", undo=lambda: take_back(undo))

    return actions.attempt(work)


def take_back(undo: Undo) -> None:
    """Take a decision back, and say what could not be."""

    def work() -> None:
        changed = reads.storage().undo(undo, actor=person.me())
        kept = len(undo.finding_ids) - changed
        text = f"Taken back on {words.count(changed, 'finding')}."
        if kept:
            text += f" {words.count(kept, 'finding')} changed since and stays as it is."
        frame.say(text)

    actions.attempt(work)


def save_view(name: str, query: dict[str, list[str]]) -> bool:
    """Save a way of looking at the findings, for all."""

    def work() -> None:
        reads.storage().save_view(name.strip(), query, author=person.me())
        frame.say(f"Saved the view **{words.plain(name.strip())}** for everybody.")

    return actions.attempt(work, FORM)


def delete_view(name: str) -> None:
    """Delete a saved view, with a way back."""

    def work() -> None:
        storage = reads.storage()
        storage.delete_view(name, actor=person.me())

        def back() -> None:
            actions.attempt(lambda: _ignore(storage.restore_view(name, actor=person.me())))

        frame.say(f"Deleted the view **{words.plain(name)}**.", undo=back)

    actions.attempt(work)


def _ignore(_: object) -> None:
    return None
