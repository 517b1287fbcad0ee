"""One open page as the server talks to it: of what changes only the newest is sent, and a slow page delays no other."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web

NEWEST = ("arm", "scene", "series", "guide")
"""Kinds of messages of which only the newest counts, and one that is the same as the last is not sent again."""
QUEUED = 20


class Connection:
    """The sending side of a websocket.

    Args:
        socket: to the page.

    Attributes:
        picture: name of the picture that the page shows; "" for none.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._latest: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        self._queue: deque[str] = deque(maxlen=QUEUED)
        self._picture: tuple[int, bytes] | None = None
        self._shown = 0
        self._wake = asyncio.Event()
        self.picture = ""

    def say(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send an object."""
        self.say_text(kind, json.dumps(content))

    def say_text(self, kind: str, text: str) -> None:
        """Send JSON; of the kinds in NEWEST what is newest, of the others everything."""
        if kind not in NEWEST:
            self._queue.append(text)
        elif self._sent.get(kind) != text:
            self._latest[kind] = text
        else:
            return
        self._wake.set()

    def show(self, number: int, jpeg: bytes) -> None:
        """Send a picture, unless it was sent."""
        if number != self._shown and jpeg:
            self._picture, self._shown = (number, jpeg), number
            self._wake.set()

    async def run(self) -> None:
        """Send until the socket closes."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._flush()
        except ConnectionError:
            return  # the receiving side sees the end of the socket, and ends both

    async def _flush(self) -> None:
        while self._queue:
            await self._socket.send_str(self._queue.popleft())
        for kind in list(self._latest):
            text = self._sent[kind] = self._latest.pop(kind)
            await self._socket.send_str(text)
        if self._picture is not None:
            (_, jpeg), self._picture = self._picture, None
            await self._socket.send_bytes(jpeg)
