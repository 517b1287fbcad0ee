"""The console's web server: the page, and a websocket to each open one."""

from __future__ import annotations

import asyncio
import json
import socket
from concurrent.futures import Executor
from contextlib import suppress
from importlib import resources
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from dofbot_ros.arm.model import parse_model
from dofbot_ros.console.access import Access
from dofbot_ros.console.arm import ConsoleArm
from dofbot_ros.console.connection import Connection
from dofbot_ros.console.guide import Guide
from dofbot_ros.console.messages import MAX_BYTES, parse
from dofbot_ros.console.scene import scene_of
from dofbot_ros.console.session import LOST_S, Session
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.errors import DofbotError

PERIOD_S = 0.02
"""Of the stream of points, and of the look-out for lost pages [s]."""
TELL_EVERY = 3
"""Periods between two messages to the pages."""
PICTURE_EVERY = 10
"""Periods between two pictures to a page."""
WATCH_S = 0.5
"""Between two looks at trials and calibration [s]."""
MOST_PAGES = 8
COOKIE = "dofbot_console"
FILES = {
    "index.html": "text/html",
    "console.css": "text/css",
    "console.js": "text/javascript",
    "controls.js": "text/javascript",
    "arm3d.js": "text/javascript",
    "matrices.js": "text/javascript",
    "plot.js": "text/javascript",
    "beside.js": "text/javascript",
}
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Watched(Protocol):
    """Something beside the arm that the page shows, as trials.reporting.progress.SeriesWatch."""

    def read(self) -> dict[str, Any]:
        """What is shown, as plain data; empty for nothing."""
        ...


class ConsoleServer:
    """Serves one arm's console.

    Args:
        arm: the arm.
        access: who may open it.
        threads: where jobs wait for the arm.
        lost_s: as Session.
        guide: of the calibration; None where the page has none.
        series: trials whose progress is shown; None for none.
    """

    def __init__(
        self,
        arm: ConsoleArm,
        access: Access,
        threads: Executor,
        lost_s: float = LOST_S,
        *,
        guide: Guide | None = None,
        series: Watched | None = None,
    ) -> None:
        self._arm, self._access = arm, access
        self._guide, self._series = guide, series
        self._beside: dict[str, str] = {}
        self._session = Session(arm, MonotonicClock(), threads, lost_s)
        self._open: dict[int, Connection] = {}
        self._somebody = asyncio.Event()
        self._scene = ("", "")
        self._tasks: list[asyncio.Task[None]] = []

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/ws", self._talk)
        app.router.add_get("/written/{name}", self._written)
        app.router.add_get("/{name}", self._file)
        app.on_startup.append(self._start)
        app.on_cleanup.append(self._end)
        return app

    def address(self, port: int) -> str:
        """Of the page on `port`, for people to open; it holds the token where one is asked for."""
        host, token = self._access.host, self._access.token
        name = socket.gethostname() if host in ("0.0.0.0", "::") else host
        name = f"[{name}]" if ":" in name else name
        return f"http://{name}:{port}/" + (f"?token={token}" if token else "")

    async def _start(self, _: web.Application) -> None:
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._watch())]

    async def _end(self, _: web.Application) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    # -- pages and files ---------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        token = request.query.get("token") or request.cookies.get(COOKIE, "")
        if refusal := self._access.refusal(request.host, request.headers.get("Origin"), token):
            return web.Response(status=403, text=refusal, headers=SECURITY)
        if request.query.get("token") and request.path == "/":
            # The token leaves the address bar: a screenshot does not give it away.
            moved = web.HTTPFound("/")
            moved.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
            raise moved
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _page(self, _: web.Request) -> web.Response:
        return _served("index.html")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in FILES:
            return web.Response(status=404, text=f"there is no {name}", headers=SECURITY)
        return _served(name)

    async def _written(self, request: web.Request) -> web.StreamResponse:
        path = self._guide.file(request.match_info["name"]) if self._guide else None
        if path is None:
            return web.Response(status=404, text="no step has written that", headers=SECURITY)
        return web.FileResponse(path, headers=SECURITY)

    # -- the websocket -----------------------------------------------------------------------------------------------

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        if request.headers.get("Origin") is None:
            raise web.HTTPForbidden(text="a websocket comes from the console's page, with its Origin")
        if len(self._open) >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open: close one")
        channel = web.WebSocketResponse(heartbeat=5.0, max_msg_size=4 * MAX_BYTES, compress=False)
        await channel.prepare(request)
        page = self._session.operators.join()
        connection = Connection(channel)
        self._open[page] = connection
        connection.say("you", {"you": page})
        self._somebody.set()
        sender = asyncio.create_task(connection.run())
        try:
            async for message in channel:
                if message.type is WSMsgType.TEXT:
                    self._hear(page, connection, message.data)
        finally:
            self._session.leave(page)
            del self._open[page]
            sender.cancel()
            self._look()
            if not self._open:
                self._somebody.clear()
        return channel

    def _hear(self, page: int, connection: Connection, text: str) -> None:
        try:
            request = parse(text)
            self._session.take(page, request)
            if request.do == "look":
                connection.picture = request.text
                self._look()
            if request.do == "guide" and self._guide:
                self._guide.do(request.text, request.about, _camera(self._arm, connection.picture))
                self._tell_beside()
        except DofbotError as error:
            connection.say("refusal", {"refusal": str(error)})

    def _look(self) -> None:
        self._arm.look_at({c.picture for c in self._open.values() if c.picture})

    # -- the clockwork -----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Nothing runs while no page is open and nothing is under way."""
        count = 0
        due_s = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if not self._open and not self._session.busy:
                self._arm.listen(False)
                await self._somebody.wait()
                self._arm.listen(True)
                count = 0
            self._session.tick()
            count += 1
            if count % TELL_EVERY == 0:
                self._tell()
            if count % PICTURE_EVERY == 0:
                self._show()
            due_s = max(due_s + PERIOD_S, loop.time())
            await asyncio.sleep(due_s - loop.time())

    async def _watch(self) -> None:
        """Trials and calibration, while a page is open; files are read in a thread, the arm's stream does not wait."""
        while True:
            await self._somebody.wait()
            if self._series is not None:
                self._beside["series"] = json.dumps({"series": await asyncio.to_thread(self._series.read)})
            self._tell_beside()
            await asyncio.sleep(WATCH_S)

    def _tell_beside(self) -> None:
        if self._guide is not None:
            self._beside["guide"] = json.dumps({"guide": self._guide.told()})
        for connection in self._open.values():
            for kind, text in self._beside.items():
                connection.say_text(kind, text)

    def _tell(self) -> None:
        told = json.dumps({"arm": self._session.told()}, separators=(",", ":"))
        scene = self._described()
        news, self._session.news = self._session.news, []
        for connection in self._open.values():
            if scene:
                connection.say_text("scene", scene)
            connection.say_text("arm", told)
            for sentence in news:
                connection.say("news", {"news": sentence})

    def _described(self) -> str:
        """The scene as text, read once for each description; "" before the first."""
        urdf = self._arm.urdf
        if urdf and self._scene[0] != urdf:
            try:
                limits = {"lower": self._arm.robot.lower.tolist(), "upper": self._arm.robot.upper.tolist()}
                text = json.dumps({"scene": {**scene_of(parse_model(urdf, "robot_description")), **limits}})
            except DofbotError as error:
                self._session.news.append(f"The arm cannot be drawn: {error}.")
                text = ""
            self._scene = (urdf, text)
        return self._scene[1]

    def _show(self) -> None:
        for connection in self._open.values():
            if connection.picture:
                connection.show(*self._arm.picture(connection.picture))


def _camera(arm: ConsoleArm, shown: str) -> bytes:
    """The camera's picture as the page shows it (JPEG); nothing where it shows another, with drawings on it."""
    return arm.picture(shown)[1] if shown == "camera" else b""


def _served(name: str) -> web.Response:
    body = resources.files("dofbot_ros.console").joinpath("page", name).read_bytes()
    return web.Response(body=body, content_type=FILES[name], charset="utf-8", headers=SECURITY)
