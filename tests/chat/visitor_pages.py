"""A visitor's open page, as a socket: what it says, and what it is told."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from chat.models import Chat, Visit
from tests.chat.agents import SUBPROTOCOL
from tests.fixtures.site import Site

SECONDS = 10.0
Frame = dict[str, Any]


class Page:
    """A visitor's socket. `said` are all frames so far."""

    def __init__(self, site: Site, closing: ExitStack, **headers: str) -> None:
        url = f"ws://{site.address}/ws/chat"
        opening = connect(url, additional_headers=headers, subprotocols=[SUBPROTOCOL], open_timeout=SECONDS, proxy=None)
        self.socket = closing.enter_context(opening)
        self.said: list[Frame] = []

    def say(self, name: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"t": name, **fields}))

    def hello(self, session: str, chat: Chat | None = None, after: int = 0, **more: Any) -> Frame:
        conversation = None if chat is None else str(chat.public_id)
        self.say("hello", v=1, session=session, conv=conversation, after=after, **more)
        return self.until(lambda frame: frame["t"] == "welcome")

    def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        while True:
            frame: Frame = json.loads(self.socket.recv(timeout=SECONDS))
            self.said.append(frame)
            if wanted(frame):
                return frame

    def text(self, text: str) -> Frame:
        """Until this was said."""
        return self.until(lambda frame: frame["t"] == "msg.new" and frame["d"]["text"] == text)

    def numbers(self) -> list[int]:
        return [frame["seq"] for frame in self.said if "seq" in frame]

    def closed_with(self) -> int:
        try:
            self.until(lambda frame: False)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        return 0


Opened = Callable[..., Page]
Session = tuple[Visit, str]
