"""Serves the console from a thread of a program that simulates by itself, without ROS."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from aiohttp import web

from dofbot_ros.console.access import Access
from dofbot_ros.console.arm import ConsoleArm
from dofbot_ros.console.server import ConsoleServer
from dofbot_ros.errors import DofbotError

HOST = "127.0.0.1"
START_S = 20.0


@contextmanager
def served(arm: ConsoleArm) -> Iterator[str]:
    """Serve the page of `arm` on a free port of this machine while the context lasts; yields its address.

    Raises:
        DofbotError: the page cannot be served.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="job") as jobs:
        server = ConsoleServer(arm, Access.of(HOST), jobs)
        page = _Page(server)
        page.thread.start()
        if not page.ready.wait(START_S):
            raise DofbotError(f"the page cannot be served at {HOST}: {page.trouble or 'it does not begin'}")
        try:
            yield server.address(page.port)
        finally:
            page.close()


class _Page:
    """The server's event loop in a thread of its own."""

    def __init__(self, server: ConsoleServer) -> None:
        self._server = server
        self.port, self.trouble = 0, ""
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def close(self) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self.thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self.trouble = str(error)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._server.app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, 0)
            await site.start()
            assert site._server is not None
            self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
            self.ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()
