"""An agent's open page, as a socket: what it says, and what it is told."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.test import Client
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from helpdesk.customers.models import User
from tests.fixtures.desk import logged_in
from tests.fixtures.site import Site

SECONDS = 10.0
SUBPROTOCOL = Subprotocol("desk.v1")
Frame = dict[str, Any]


class Desk:
    """One socket. `said` are all frames so far."""

    def __init__(self, site: Site, client: Client | None, **headers: str) -> None:
        cookies = client.cookies if client is not None else {}
        name = settings.SESSION_COOKIE_NAME
        if name in cookies:
            headers["Cookie"] = f"{name}={cookies[name].value}"
        opening = connect(
            f"ws://{site.address}/ws/agent",
            additional_headers=headers,
            subprotocols=[SUBPROTOCOL],
            open_timeout=SECONDS,
        )
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(opening)
        self.said: list[Frame] = []
        self.cursor = 0

    def hello(self, after: int | None = None) -> Frame:
        """Say hello; the welcome."""
        self.say("hello", v=1, **({} if after is None else {"after": after}))
        welcome = self.until(lambda frame: frame["t"] == "welcome")
        if after is None:
            self.cursor = welcome["head"]
        return welcome

    def say(self, name: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"t": name, **fields}))

    def next(self, seconds: float = SECONDS) -> Frame:
        frame: Frame = json.loads(self.socket.recv(timeout=seconds))
        self.said.append(frame)
        if frame["t"] in ("ev", "cur"):
            self.cursor = frame["id"]
        return frame

    def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next frame that is wanted. Raises TimeoutError when it does not come."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            frame = self.next(end - time.monotonic())
            if wanted(frame):
                return frame
        raise TimeoutError(self.said)

    def event(self, kind: str) -> Frame:
        """The next fact of this kind."""
        return self.until(lambda frame: frame["t"] == "ev" and frame["d"]["kind"] == kind)

    def passes(self, event_id: int) -> list[Frame]:
        """All that is said until the cursor stands at this event, that fact included."""
        before = len(self.said)
        while self.cursor != event_id:
            try:
                self.next()
            except TimeoutError:
                raise AssertionError((event_id, self.said)) from None
        return self.said[before:]

    def closed_with(self) -> int:
        """The code with which it is closed."""
        try:
            while True:
                self.next()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def close(self) -> None:
        self._open.close()


class Desks:
    """Opens sockets on one site, and closes them all."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._open = ExitStack()

    def of(self, user: User, **headers: str) -> Desk:
        return self.by(logged_in(user), **headers)

    def by(self, client: Client | None, **headers: str) -> Desk:
        desk = Desk(self.site, client, **headers)
        self._open.callback(desk.close)
        return desk

    def close(self) -> None:
        self._open.close()
