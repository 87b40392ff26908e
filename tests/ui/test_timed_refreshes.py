"""Timed refreshes: of the widgets' states they keep those that the browser sent before."""

from __future__ import annotations

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from lavendertown.ui.server.timed_refreshes import BrowserMessages

CLICK = WidgetState(id="send", trigger_value=True)


def request(*states: WidgetState, refresh: bool = False) -> bytes:
    client = ClientState(widget_states=WidgetStates(widgets=states), is_auto_rerun=refresh, fragment_id="f")
    return BackMsg(rerun_script=client).SerializeToString()


def text(value: str) -> WidgetState:
    return WidgetState(id="title", string_value=value)


def states_of(content: bytes) -> list[WidgetState]:
    return list(BackMsg.FromString(content).rerun_script.widget_states.widgets)


def test_what_a_person_does_passes_unchanged() -> None:
    connection = BrowserMessages()
    for content in (
        request(text("a"), CLICK),
        request(),
        b"\xff junk",
        BackMsg(stop_script=True).SerializeToString(),
    ):
        assert connection.filter_message(content) == content


def test_a_refresh_keeps_only_what_was_sent_before() -> None:
    connection = BrowserMessages()
    assert states_of(connection.filter_message(request(text("a"), refresh=True))) == []
    connection.filter_message(request(text("a"), CLICK))
    refreshed = connection.filter_message(request(text("a"), CLICK, refresh=True))
    assert states_of(refreshed) == [text("a")]
    assert BackMsg.FromString(refreshed).rerun_script.fragment_id == "f"
    assert states_of(connection.filter_message(request(text("b"), refresh=True))) == []
    connection.filter_message(request(text("b")))
    assert states_of(connection.filter_message(request(text("b"), refresh=True))) == [text("b")]
