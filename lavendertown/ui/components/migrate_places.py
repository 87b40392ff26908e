"""The first two steps: where the records are, and where they shall be."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from lavendertown.config import load_settings
from lavendertown.errors import InvalidInputError, LavenderTownError
from lavendertown.migration import places, switch
from lavendertown.migration.places import Looked
from lavendertown.migration.values import OnConflict, Request
from lavendertown.ui import moves, problems, reads
from lavendertown.ui.components import frame, migrate_conflicts, migrate_fields, migrate_steps, person, words
from lavendertown.ui.components.migrate_fields import FOLDER, IN_USE, SOURCE, SQLITE, TARGET
from lavendertown.ui.components.migrate_steps import Step

ZONE = "migrate:zone"
BACK = "migrate:back again"
"""Set while a move goes back to the store before the last switch: what is newer is here."""
_LOOKED = "migrate:looked"


@dataclass(frozen=True)
class Chosen:
    """A store that was chosen, and what the first look at it found.

    Attributes:
        text: The folder's path or the database's URL, password included: never to be shown.
    """

    text: str = field(repr=False)
    looked: Looked


def chosen(side: str) -> Chosen | None:
    """Return what was chosen as source or target, or None."""
    found: Chosen | None = st.session_state.get(f"migrate:chosen:{side}")
    return found


def source() -> None:
    """Ask where the records are now; the store in use is offered first."""
    with st.container(border=True):
        st.markdown("### Where are your records now?", anchors=False)
        try:
            used = _look_in_use()
        except LavenderTownError as error:
            problems.show(error)
            return
        caption = f"{migrate_steps.capital(words.plain(used.words))}: {holds(used)}"
        kind = migrate_fields.choose(SOURCE, _forget, caption)
        if kind == IN_USE and used.state == "empty":
            nothing_yet()
            return
        with st.form("migrate:form:source", border=False):
            migrate_fields.show(SOURCE, kind)
            _found(SOURCE, kind)
            with migrate_steps.row():
                if kind != IN_USE:
                    st.form_submit_button("Look at it", on_click=take, args=(SOURCE, None))
                st.form_submit_button(
                    "Choose the target",
                    type="primary",
                    icon=":material/arrow_forward:",
                    on_click=take,
                    args=(SOURCE, Step.TARGET),
                )
                migrate_steps.effect("Nothing is written until you start the move.")


def _look_in_use() -> Looked:
    """Look at the store in use, again only when it changed."""
    text = migrate_fields.text_in_use(load_settings())
    known: tuple[tuple[str, str], Looked] | None = st.session_state.get(_LOOKED)
    key = (text, reads.revision())
    if known is None or known[0] != key:
        known = st.session_state[_LOOKED] = (key, places.look(text))
    return known[1]


def nothing_yet() -> None:
    """Say that the store in use holds nothing."""
    frame.empty(
        "inventory_2",
        "Nothing to move yet",
        "The store in use is empty. Save a report first, or choose another folder or database above.",
        lambda: st.page_link(frame.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
    )


def target() -> None:
    """Ask where the records shall go, and test the connection."""
    origin = chosen(SOURCE)
    if origin is None:
        source()
        return
    with st.container(border=True):
        st.markdown("### Where shall they go?", anchors=False)
        st.caption(f"From {words.plain(origin.looked.words)}: {holds(origin.looked)}")
        kind = migrate_fields.choose(TARGET, _forget)
        with st.form("migrate:form:target", border=False):
            migrate_fields.show(TARGET, kind)
            with migrate_steps.row():
                st.form_submit_button(
                    "Test the connection", icon=":material/cable:", on_click=take, args=(TARGET, None)
                )
                migrate_steps.effect("Connects and looks, changes nothing.")
            _found(TARGET, kind)
            with migrate_steps.row():
                st.form_submit_button("Back", on_click=migrate_steps.go, args=(Step.SOURCE,))
                st.form_submit_button(
                    "Run a dry run",
                    type="primary",
                    icon=":material/science:",
                    on_click=take,
                    args=(TARGET, Step.DRY_RUN),
                )
                migrate_steps.effect("Reads everything, writes nothing.")
    unfinished()


def unfinished() -> None:
    """Offer to go on with a move into the chosen target that somebody or something interrupted."""
    origin, goal = chosen(SOURCE), chosen(TARGET)
    left = goal.looked.unfinished if goal else None
    if origin is None or goal is None or left is None:
        return
    with st.container(border=True):
        st.markdown(
            f":orange[:material/pause_circle:] **A move from {words.plain(left.source)} into "
            f"{words.plain(left.target)} was not finished.** {words.plain(left.actor)} began it "
            f"{words.ago(left.started_at)}. What was copied is kept."
        )
        if left.options.get("location") != places.read_place(origin.text).location:
            st.caption(f"To go on, go back and choose {words.plain(left.source)} as the source.")
            return
        with migrate_steps.row():
            st.button("Go on", icon=":material/play_arrow:", key="migrate:resume", on_click=_resume)
            migrate_steps.effect("Goes on where it ended, with the choices made then.")


def holds(looked: Looked) -> str:
    """Say in a few words what a store holds."""
    if looked.state == "empty":
        return "Nothing yet."
    if looked.state == "ready" and looked.reports is not None:
        return f"{words.count(looked.reports, 'report')}."
    return words.plain(looked.sentence)


def take(side: str, then: Step | None) -> None:
    """Take what the form says, look at it, and go to another step when it can be used."""
    if migrate_steps.attempt(lambda: _take(side, then)) and then is not None:
        migrate_steps.go(then)


def _take(side: str, then: Step | None) -> None:
    st.session_state.pop(f"migrate:chosen:{side}", None)
    text = migrate_fields.read(side, str(st.session_state[f"migrate:{side}:kind"]))
    found = Chosen(text, places.look(text))
    if side == TARGET:
        _refuse_same(text)
    st.session_state[f"migrate:chosen:{side}"] = found
    if then is None:
        return
    if found.looked.state == "refused" or (side == SOURCE and found.looked.state == "empty"):
        raise InvalidInputError(found.looked.sentence)
    if then is Step.TARGET:
        st.session_state.pop(BACK, None)
        _suggest(found.looked)
    elif then is Step.DRY_RUN:
        dry_run()


def _refuse_same(text: str) -> None:
    origin = chosen(SOURCE)
    if origin is not None and places.read_place(origin.text).location == places.read_place(text).location:
        raise InvalidInputError(
            f"Source and target are the same store, {origin.looked.words}; choose another target."
        )


def zone() -> str | None:
    """Return the zone that was chosen for times without one; None for the source's own."""
    return st.session_state.get(ZONE) or None


def dry_run() -> None:
    """Start the dry run of what was chosen; nothing is decided about its conflicts yet."""
    origin, goal = _both()
    migrate_conflicts.decide_anew(OnConflict.OVERWRITE if st.session_state.get(BACK) else OnConflict.SKIP)
    request = Request(origin.text, goal.text, zone=zone(), actor=person.me())
    moves.dry_run(request, origin.looked.words, goal.looked.words, _is_in_use(origin.text))


def _resume() -> None:
    def work() -> None:
        origin, goal = _both()
        request = Request(origin.text, goal.text, actor=person.me(), resume=True)
        moves.move(request, origin.looked.words, goal.looked.words, _is_in_use(origin.text))

    migrate_steps.attempt(work)


def _both() -> tuple[Chosen, Chosen]:
    origin, goal = chosen(SOURCE), chosen(TARGET)
    if origin is None or goal is None:
        raise InvalidInputError("Choose a source and a target first.")
    return origin, goal


def _is_in_use(text: str) -> bool:
    return places.read_place(text).location == switch.current_place(load_settings()).location


def choose_in_use() -> None:
    """Choose the store in use as the source."""
    text = migrate_fields.text_in_use(load_settings())
    st.session_state[f"migrate:chosen:{SOURCE}"] = Chosen(text, places.look(text))


def _suggest(origin: Looked) -> None:
    """Offer as target what most would choose next, unless something was chosen before."""
    if f"migrate:{TARGET}:kind" not in st.session_state:
        st.session_state[f"migrate:{TARGET}:kind"] = SQLITE if origin.kind == "folder" else FOLDER


def _forget(side: str) -> None:
    st.session_state.pop(f"migrate:chosen:{side}", None)


def _found(side: str, kind: str) -> None:
    """Say what the look at the chosen store found."""
    found = chosen(side)
    if found is None or kind == IN_USE:
        return
    text = words.plain(found.looked.sentence)
    if found.looked.state == "refused":
        st.error(text, icon=":material/block:")
    elif found.looked.state == "old" and side == TARGET:
        st.warning(f"{text} It cannot be moved into before it is upgraded.", icon=":material/history:")
    else:
        st.success(text, icon=":material/check_circle:")
