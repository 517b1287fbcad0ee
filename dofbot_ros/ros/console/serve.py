"""Runs the console: the arm's stack, unless it runs already, a client of it, and the web server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from aiohttp import web

from dofbot_ros.console.access import Access
from dofbot_ros.console.guide import Guide
from dofbot_ros.console.server import ConsoleServer
from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.ros.clients.connect import RUNNING
from dofbot_ros.ros.console.arm import RosConsoleArm
from dofbot_ros.ros.console.client import ConsoleClient
from dofbot_ros.ros.console.nodes import NodesBeside
from dofbot_ros.ros.console.recording import Recording
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.managed_stack import managed_stack
from dofbot_ros.ros.runtime.service_manager import READY, notify
from dofbot_ros.trials.reporting.progress import SeriesWatch

NODE = "console"
"""By this name the driver ranks it as an operator."""
MOVES = {"teleop": "teleop/engage", "policy": "policy/start"}
"""Kind of node -> the service by which it is known to run."""
LOOK_S = 0.5
"""Whether the stack still runs is seen this often [s]."""
THREADS = 2


def serve(
    backend: str,
    stack: str,
    given: Mapping[str, str],
    *,
    namespace: str,
    host: str,
    page_port: int,
    lost_s: float,
    episodes: Path,
    calibration: Path,
    series: tuple[Path, int] | None,
    started: Callable[[str], None],
) -> None:
    """Serve the console until Ctrl-C, or until a node of the stack ends.

    Args:
        backend: sim, emulator or serial start a stack; running takes one that runs.
        stack: name of the stack.
        given: arguments of it.
        namespace: of the arm.
        host: address to listen on; one that other machines reach asks for a token.
        page_port: to listen on; 0 for any that is free.
        lost_s: a page that commands and says nothing for so long is lost, and the arm stops [s].
        episodes: folder of recordings.
        calibration: folder of the guided calibration.
        series: folder and number of the trials whose progress is shown; None for none.
        started: called with the page's address once it can be opened.

    Raises:
        DofbotError: the stack cannot be started or ends; the port is taken.
    """
    if backend == RUNNING and given:
        raise InputError(f"a stack that runs already takes no {', '.join(given)}: these are arguments of its start")
    with ExitStack() as running:
        check: Callable[[], None] = lambda: None  # noqa: E731 - replaced by the stack's own
        if backend != RUNNING:
            arguments = {**given, **({"namespace": namespace} if namespace else {})}
            check = running.enter_context(managed_stack(stack, backend, arguments))
        background = running.enter_context(BackgroundNode(NODE, namespace))
        client = ConsoleClient(background.node, background.check)
        background.spin()
        threads = running.enter_context(ThreadPoolExecutor(THREADS, thread_name_prefix="job"))
        recording = Recording(episodes, namespace)
        running.callback(recording.close)
        nodes = NodesBeside(namespace, lambda kind: client.serves(MOVES[kind]), client.fault_of)
        running.callback(nodes.close)
        guide = Guide(calibration)
        running.callback(guide.close)
        arm = RosConsoleArm(client, background.listen, recording, nodes)
        watch = SeriesWatch(*series) if series else None
        server = ConsoleServer(arm, Access.of(host), threads, lost_s, guide=guide, series=watch)

        def check_both() -> None:
            background.check()
            check()

        asyncio.run(_run(server, host, page_port, started, check_both))


async def _run(
    server: ConsoleServer, host: str, page_port: int, started: Callable[[str], None], check: Callable[[], None]
) -> None:
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, page_port)
        try:
            await site.start()
        except OSError as error:
            why = os.strerror(error.errno or 0)
            place = f"{host} port {page_port}"
            raise DofbotError(f"the page cannot be served at {place}: {why}; name another --page-port") from error
        assert site._server is not None
        started(server.address(site._server.sockets[0].getsockname()[1]))  # type: ignore[attr-defined]
        notify(READY)
        while True:
            check()
            await asyncio.sleep(LOOK_S)
    finally:
        await runner.cleanup()
