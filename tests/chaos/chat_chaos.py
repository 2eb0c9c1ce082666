"""Visitors with two tabs each and agents who answer, while sockets are cut and servers are killed; and what came of it.

A tab keeps the rules of the protocol (docs/chat.md): it applies the frame after its position, and whatever else comes
is counted against the server. What is said is sent again with the same id until it is acknowledged.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

KEY: Final = "pk_demo"
PATIENCE: Final = 150.0
# So many seconds without a word, pings included, and a tab takes the socket for dead.
SILENCE: Final = 25.0
Frame = Mapping[str, Any]


@dataclass
class Figures:
    """What happened in a run. `repeated` and `gaps` are frames that no tab should get on one connection."""

    said: int = 0
    answered: int = 0
    reconnects: int = 0
    polls: int = 0
    cut: int = 0
    sent_again: int = 0
    repeated: int = 0
    gaps: int = 0
    lost: int = 0
    twice: int = 0
    out_of_order: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)


class Chaos:
    """One run: everybody shares the figures, the chance and a client for HTTP. `pace` are the most seconds between two
    messages.
    """

    def __init__(self, address: str, tokens: list[str], seed: int, messages: int, pace: float) -> None:
        self.address, self.tokens, self.messages, self.pace = address, tokens, messages, pace
        self.chance = random.Random(seed)
        self.figures = Figures()
        self.is_over = asyncio.Event()
        self.http = httpx.AsyncClient(
            base_url=f"http://{address}",
            timeout=8,
            trust_env=False,
            limits=httpx.Limits(max_connections=60, max_keepalive_connections=20),
        )

    def cid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    async def until_taken(self, path: str, authorization: str, body: Frame) -> Frame:
        """As an outbox does it: anything but a 2xx means sending the same again. Raises AssertionError at a 4xx."""
        headers = {"Authorization": authorization} if authorization else {}
        why = ""
        end = asyncio.get_running_loop().time() + PATIENCE
        attempt = 0
        while asyncio.get_running_loop().time() < end:
            try:
                response = await self.http.post(path, json=body, headers=headers)
            except httpx.HTTPError as error:
                why = repr(error)
            else:
                if response.is_success:
                    self.figures.sent_again += attempt > 0
                    found: Frame = response.json()
                    return found
                self.figures.refused[response.status_code] += 1
                why = f"{response.status_code} {response.text[:300]}"
                assert response.status_code >= 500 or response.status_code == 429, (path, why)
            attempt += 1
            await asyncio.sleep(self.chance.uniform(0.05, 0.8))
        raise AssertionError(f"{path} was never taken: {why}")


class Tab:
    """A page with its own position, on sockets that break and long polls in between."""

    def __init__(self, chaos: Chaos, token: str, conversation: str) -> None:
        self.chaos, self.token, self.conversation = chaos, token, conversation
        self.position = 0
        self.view: list[tuple[int, str]] = []

    def apply(self, frame: Frame) -> bool:
        """False for a frame that does not follow."""
        number = frame.get("seq")
        if number is None:
            return True
        if number <= self.position:
            self.chaos.figures.repeated += 1
            return True
        if number != self.position + 1:
            self.chaos.figures.gaps += 1
            return False
        self.position = number
        if frame["t"] == "msg.new":
            self.view.append((number, frame["d"]["text"]))
        return True

    async def run(self) -> None:
        while not self.chaos.is_over.is_set():
            try:
                await (self._poll() if self.chaos.chance.random() < 0.15 else self._listen())
            except (OSError, WebSocketException, httpx.HTTPError, TimeoutError):
                await asyncio.sleep(self.chaos.chance.uniform(0.05, 0.5))

    async def _poll(self) -> None:
        self.chaos.figures.polls += 1
        path = f"/chat/api/conversations/{self.conversation}/events?after={self.position}&wait=2"
        response = await self.chaos.http.get(path, headers={"Authorization": f"Bearer {self.token}"})
        if response.status_code != 200:
            assert response.status_code >= 500, response.text[:300]
            return
        for frame in response.json()["frames"]:
            self.apply(frame)

    async def _listen(self) -> None:
        url, protocol = f"ws://{self.chaos.address}/ws/chat", Subprotocol("desk.v1")
        async with connect(url, subprotocols=[protocol], open_timeout=5, close_timeout=1, proxy=None) as socket:
            self.chaos.figures.reconnects += 1
            hello = {"t": "hello", "v": 1, "key": KEY, "session": self.token, "conv": self.conversation}
            await socket.send(json.dumps({**hello, "after": self.position, "panel": True}))
            cut = asyncio.create_task(self._cut(socket))
            try:
                while True:
                    await self._take(socket, json.loads(await asyncio.wait_for(socket.recv(), SILENCE)))
            finally:
                cut.cancel()

    async def _take(self, socket: ClientConnection, frame: Frame) -> None:
        assert frame["t"] != "reset", frame
        if not self.apply(frame):
            await socket.send(json.dumps({"t": "sync", "after": self.position}))
        elif frame["t"] == "ping":
            await socket.send(json.dumps({"t": "pong", "head": self.position}))
        elif frame["t"] == "msg.new" and self.chaos.chance.random() < 0.3:
            await socket.send(json.dumps({"t": "read", "upto": self.position}))

    async def _cut(self, socket: ClientConnection) -> None:
        """The cable is pulled, or everything ends."""
        chance = self.chaos.chance
        seconds = chance.uniform(0.1, 1.5) if chance.random() < 0.3 else chance.uniform(1.5, 8)
        try:
            async with asyncio.timeout(seconds):
                await self.chaos.is_over.wait()
        except TimeoutError:
            self.chaos.figures.cut += 1
        socket.transport.abort()


class Visitor:
    """Says everything once, from one tab or from both at once."""

    def __init__(self, chaos: Chaos, number: int) -> None:
        self.chaos, self.number = chaos, number
        self.said: list[str] = []
        self.answers: list[str] = []
        self.tabs: list[Tab] = []
        self.conversation_id = 0
        self.begun = asyncio.Event()

    async def run(self) -> None:
        opened = await self.chaos.until_taken("/chat/api/session", "", {"key": KEY, "lang": "en"})
        token = opened["session"]
        conversation = ""
        for number in range(self.chaos.messages):
            text = f"visitor {self.number} says {number}"
            path = f"/chat/api/conversations/{conversation}/messages" if conversation else "/chat/api/conversations"
            ack = await self._say(path, token, {"cid": self.chaos.cid(), "text": text})
            self.said.append(text)
            self.chaos.figures.said += 1
            if not conversation:
                conversation, self.conversation_id = ack["conv"], ack["number"]
                self.tabs = [Tab(self.chaos, token, conversation) for _ in range(2)]
                self.begun.set()
            await asyncio.sleep(self.chaos.chance.uniform(0, self.chaos.pace))

    async def _say(self, path: str, token: str, body: Frame) -> Frame:
        """Two tabs may send what waits at the same time."""
        times = 2 if self.chaos.chance.random() < 0.3 else 1
        acks = await asyncio.gather(*(self.chaos.until_taken(path, f"Bearer {token}", body) for _ in range(times)))
        assert len({(ack["conv"], ack["id"], ack["seq"]) for ack in acks}) == 1, acks
        return acks[0]

    async def show(self) -> None:
        await self.begun.wait()
        async with asyncio.TaskGroup() as tabs:
            for tab in self.tabs:
                tabs.create_task(tab.run())

    async def be_answered(self, token: str) -> None:
        await self.begun.wait()
        path = f"/api/v1/conversations/{self.conversation_id}/messages/"
        for number in range(self.chaos.messages):
            await asyncio.sleep(self.chaos.chance.uniform(0, self.chaos.pace))
            text = f"visitor {self.number} is told {number}"
            body = {"kind": "outbound", "text": text, "client_id": self.chaos.cid(), "status": "open"}
            await self.chaos.until_taken(path, f"Token {token}", body)
            self.answers.append(text)
            self.chaos.figures.answered += 1


Log = Callable[[list[int]], Awaitable[dict[int, list[tuple[int, str]]]]]


async def run(chaos: Chaos, visitors: int, killing: Callable[[], Coroutine[Any, Any, None]], log: Log) -> Figures:
    """Everybody talks until everything is said and every tab has seen it; then the views are compared with `log`, which
    gives the messages of conversations by their public numbers, as they stand in the database.
    """
    everybody = [Visitor(chaos, number) for number in range(visitors)]
    shown = [asyncio.create_task(visitor.show()) for visitor in everybody]
    killer = asyncio.create_task(killing())
    async with chaos.http:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as talk:
            for visitor in everybody:
                talk.create_task(visitor.run())
                talk.create_task(visitor.be_answered(chaos.tokens[visitor.number % len(chaos.tokens)]))
        await killer
        written = await log([visitor.conversation_id for visitor in everybody])
        await _all_seen(everybody, written, shown)
        chaos.is_over.set()
        await asyncio.gather(*shown)
    for visitor in everybody:
        _compare(chaos.figures, visitor, written.get(visitor.conversation_id, []))
    return chaos.figures


async def _all_seen(
    everybody: list[Visitor], written: Mapping[int, list[tuple[int, str]]], shown: list[asyncio.Task[None]]
) -> None:
    """Until every tab stands where the log ends, or the patience does: then the comparison says what is missing."""
    end = asyncio.get_running_loop().time() + PATIENCE / 3
    heads = {visitor: written[visitor.conversation_id][-1][0] for visitor in everybody}
    while asyncio.get_running_loop().time() < end:
        for task in shown:
            if task.done():
                task.result()
        if all(tab.position >= head for visitor, head in heads.items() for tab in visitor.tabs):
            return
        await asyncio.sleep(0.1)


def _compare(figures: Figures, visitor: Visitor, written: list[tuple[int, str]]) -> None:
    texts = [text for _number, text in written]
    for said in (visitor.said, visitor.answers):
        figures.lost += len(set(said) - set(texts))
        figures.out_of_order += [text for text in texts if text in set(said)] != said
    figures.twice += len(texts) - len(set(texts))
    for tab in visitor.tabs:
        seen = [text for _number, text in tab.view]
        figures.lost += len(set(texts) - set(seen))
        figures.twice += len(seen) - len(set(seen))
        figures.out_of_order += tab.view != written[: len(tab.view)]
