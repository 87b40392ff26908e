"""The last step: the store in use from now on, and the way back."""

from __future__ import annotations

import streamlit as st

from lavendertown.config import load_settings
from lavendertown.errors import LavenderTownError
from lavendertown.migration import places, switch
from lavendertown.ui import moves, problems
from lavendertown.ui.components import frame, migrate_fields, migrate_places, migrate_steps, words
from lavendertown.ui.components.migrate_steps import Step
from lavendertown.ui.moves import Work


def show(work: Work) -> None:
    """Offer to use the target from now on, or say that it is in use."""
    if work.switched is not None:
        st.success(words.plain(work.switched), icon=":material/swap_horiz:")
        way_back()
        st.button("Done", type="primary", key="migrate:done", on_click=_done)
        return
    if _is_in_use(work):
        st.info(
            f"{words.plain(work.target)} is the store in use already; there is nothing to switch.",
            icon=":material/task_alt:",
        )
        st.button("Done", type="primary", key="migrate:done", on_click=_done)
        return
    _offer(work)


def _offer(work: Work) -> None:
    target = words.plain(work.target)
    with st.container(border=True):
        st.markdown(f"### Use {target} from now on?", anchors=False)
        fixed = switch.overriding(load_settings(), work.request.target)
        if fixed:
            st.info(words.plain(fixed), icon=":material/settings:")
        else:
            st.markdown(
                "What was written since the move is carried over first. "
                ":gray[Colleagues go on with their next click. "
                f"Nothing is taken away from {words.plain(work.source)}, and there is a way back.]"
            )
    with migrate_steps.row():
        migrate_steps.back(Step.VERIFIED)
        if fixed:
            st.button("Done", key="migrate:done", on_click=_done)
            return
        st.button(
            f"Use {target} from now on",
            type="primary",
            icon=":material/swap_horiz:",
            key="migrate:switch",
            wrap=True,
            on_click=_switch,
        )


def _switch() -> None:
    with st.spinner("Carrying over what was written meanwhile…"):
        migrate_steps.attempt(moves.use_target)


def _is_in_use(work: Work) -> bool:
    used = switch.current_place(load_settings())
    return used.location == places.read_place(work.request.target).location


def way_back() -> None:
    """Offer the store before the last switch, where there is one."""
    settings = load_settings()
    try:
        former = switch.previous(settings)
        if former is None or switch.overriding(settings, switch.previous_text(settings)):
            return
        since = switch.changes_since(settings)
    except LavenderTownError as error:
        problems.show(error)
        return
    with st.container(border=True, gap="small"):
        st.markdown(f"**The way back** :gray[leads to {words.plain(former)}.]")
        if since:
            used = switch.current_place(settings).words
            verb = "was" if since == 1 else "were"
            st.markdown(
                f"{words.count(since, 'change')} {verb} made since the switch. "
                f"They stay in {words.plain(used)} and would be missing there. "
                "Move them back first, then switch."
            )
        with migrate_steps.row():
            if since:
                st.button(
                    "Move them back first",
                    icon=":material/undo:",
                    key="migrate:move back",
                    on_click=_fill_in_back,
                )
            st.button(
                f"Switch back to {words.plain(former)}",
                type="tertiary" if since else "secondary",
                icon=":material/swap_horiz:",
                key="migrate:switch back",
                on_click=_switch_back,
            )


def _switch_back() -> None:
    def work() -> None:
        frame.say(words.plain(moves.use_former()), place=migrate_steps.NOTICES)

    if migrate_steps.attempt(work):
        migrate_steps.go(Step.SOURCE)


def _fill_in_back() -> None:
    """Begin the wizard anew, from the store in use to the one before."""

    def work() -> None:
        settings = load_settings()
        former = switch.previous_text(settings)
        assert former is not None
        st.session_state["migrate:source:kind"] = migrate_fields.IN_USE
        migrate_fields.fill_in(migrate_fields.TARGET, former)
        migrate_places.choose_in_use()
        st.session_state[migrate_places.BACK] = True
        moves.leave()

    if migrate_steps.attempt(work):
        migrate_steps.go(Step.TARGET)


def _done() -> None:
    moves.leave()
    migrate_steps.go(Step.SOURCE)
