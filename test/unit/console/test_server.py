"""The web server: pages and websockets for those who may have them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is an extra: pip install 'dofbot_ros[console]'")

from aiohttp import ClientSession, CookieJar, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from dofbot_ros.console.access import Access
from dofbot_ros.console.server import FILES, ConsoleServer

from .conftest import DaemonArm, Deferred, Desk

Visit = Callable[[TestClient[Any, Any], str], Awaitable[None]]


def visit(desk: Desk, host: str, job: Visit) -> None:
    """Serve a console, and run `job` as its visitor, with the token."""

    async def serve() -> None:
        access = Access.of(host)
        server = TestServer(ConsoleServer(DaemonArm(desk.bench), access, Deferred()).app())
        async with TestClient(server, cookie_jar=CookieJar(unsafe=True)) as client:
            await job(client, access.token)

    asyncio.run(serve())


def origin(client: TestClient[Any, Any]) -> dict[str, str]:
    return {"Origin": str(client.make_url("/")).rstrip("/")}


async def hear(socket: Any, kind: str) -> Any:
    """The first message of a kind."""
    while kind not in (message := json.loads((await socket.receive(timeout=10.0)).data)):
        pass
    return message[kind]


def test_the_page_and_all_its_files_are_served_and_nothing_else(desk: Desk) -> None:
    async def job(client: TestClient[Any, Any], token: str) -> None:
        page = await (await client.get("/")).text()
        assert "EMERGENCY STOP" in page
        for name in FILES:
            answer = await client.get(f"/{name}")
            assert answer.status == 200
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            assert "http://" not in (await answer.text()).replace("http://www.w3.org", "")  # nothing from elsewhere
        for name in ("session.py", "..%2fserver.py", "page"):
            assert (await client.get(f"/{name}")).status == 404

    visit(desk, "127.0.0.1", job)


def test_a_page_hears_of_the_arm_and_is_told_what_is_wrong_with_its_words(desk: Desk) -> None:
    async def job(client: TestClient[Any, Any], token: str) -> None:
        async with client.ws_connect("/ws", headers=origin(client)) as socket:
            assert await hear(socket, "you") == 1
            scene = await hear(socket, "scene")
            assert "link5" in scene["links"]
            assert (await hear(socket, "arm"))["state"] == "HOLD"
            await socket.send_str('{"do": "dance"}')
            assert "'dance' is not one of" in await hear(socket, "refusal")
            await socket.send_str('{"do": "estop"}')
            for _ in range(200):
                desk.bench.run(0.02)
                if (await hear(socket, "arm"))["state"] == "ESTOP":
                    return
            raise AssertionError("no emergency stop")

    visit(desk, "127.0.0.1", job)


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_websocket_of_another_site_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    async def job(client: TestClient[Any, Any], token: str) -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect("/ws", headers=headers)
        assert refused.value.status == 403

    visit(desk, "127.0.0.1", job)


def test_from_elsewhere_the_token_opens_the_page_and_moves_into_a_cookie(desk: Desk) -> None:
    async def job(client: TestClient[Any, Any], token: str) -> None:
        async with ClientSession() as stranger:
            assert (await stranger.get(client.make_url("/"))).status == 403
            assert (await stranger.get(client.make_url("/?token=guess"))).status == 403
        answer = await client.get(f"/?token={token}")
        assert answer.status == 200
        assert "token" not in str(answer.url)
        async with client.ws_connect("/ws", headers=origin(client)) as socket:
            assert await hear(socket, "you") == 1

    visit(desk, "0.0.0.0", job)
