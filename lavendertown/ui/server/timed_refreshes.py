"""Keep what a person does out of timed refreshes: the browser sends it in a message of its own, too.

With a refresh of ``st.fragment(run_every=…)``, Streamlit's front end sends the state of all widgets. If a
click or a new value waits to be sent at that moment, both messages have it: its callback would run twice, and
the second run can stop the first one halfway.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

_CLICKS = ("trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value")


class RefreshFilter:
    """Keep what a person does out of the timed refreshes that a browser sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        connection = BrowserMessages()

        async def receive_filtered() -> Message:
            message = await receive()
            content = message.get("bytes")
            return {**message, "bytes": connection.filter_message(content)} if content else message

        await self._app(scope, receive_filtered, send)


class BrowserMessages:
    """The messages of one connection of a browser."""

    def __init__(self) -> None:
        self._sent: dict[str, WidgetState] = {}

    def filter_message(self, content: bytes) -> bytes:
        """Return a message; if it is a timed refresh, only with the widgets' states that were sent before.

        Streamlit keeps the states of the other widgets.
        """
        try:
            message = BackMsg.FromString(content)
        except DecodeError:
            return content  # Streamlit refuses it.
        if message.WhichOneof("type") != "rerun_script":
            return content
        request = message.rerun_script
        states = request.widget_states.widgets
        if not request.is_auto_rerun:
            self._sent = {each.id: each for each in states if each.WhichOneof("value") not in _CLICKS}
            return content
        known = [each for each in states if self._sent.get(each.id) == each]
        request.widget_states.CopyFrom(WidgetStates(widgets=known))
        return message.SerializeToString()
