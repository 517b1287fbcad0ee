"""What the console costs, how soon it is seen, and how soon the arm rests when its page is lost."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dofbot_ros.bench.console.browser import browser, freeze, kill, missing, resize
from dofbot_ros.bench.console.page import Page
from dofbot_ros.bench.console.stalls import stalls
from dofbot_ros.core.parallel import ending_with_this_process
from dofbot_ros.errors import DofbotError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from dofbot_ros.ros.probes.joint_watch import JointWatch

DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")
WIDE, PHONE = (1200, 900), (390, 844)
"""Windows of the pictures [px]."""
SETTLE_S = 2.0
PAINTS = 5
GRASP_S = 90.0
START_S = 60.0
PRESSES = 5
JPEG_QUALITY = 85


def measure(seconds: float, losses: int, pictures: Path | None, tell: Callable[[str], None]) -> dict[str, Any]:
    """Serve a simulated arm, and look at it with a browser without 3D, which would draw in software on the same cores.

    Args:
        seconds: of each of the two measurements of load [s].
        losses: how often the page is lost in each of the ways.
        pictures: folder for screenshots, of a browser with 3D; None for none.
        tell: called with what is being done.

    Returns:
        cpu_percent: of one core that the console takes with nobody looking, watched, and watched while a jog button is
        held; first_paint_s: from asking for the page to its first content, of PAINTS loads; rest_s: from the loss to
        the arm's last motion by joint_states, where the browser is killed and where it freezes; stall_s: how long
        this machine stood still at most meanwhile, by a thread that only sleeps.

    Raises:
        DofbotError: no browser here, or the console does not come.
    """
    from dofbot_ros.ros.probes.joint_watch import joint_watch
    from dofbot_ros.ros.runtime.managed_stack import managed_stack

    if trouble := missing():
        raise DofbotError(trouble)
    with (
        managed_stack("bringup", "sim", {"localize": "true"}),
        _console() as (address, process),
        joint_watch() as watch,
    ):
        tell("nobody looks")
        time.sleep(SETTLE_S)
        idle = _percent(process, seconds)
        with browser(*WIDE, webgl=False) as driver:
            tell("first paint")
            paints = [_paint_s(driver, address) for _ in range(PAINTS)]
            page = Page(driver, address)
            page.ready()
            page.choose("look", "camera")
            tell("watched")
            watched = _percent(process, seconds)
            page.hold("joint1+")
            steered = _percent(process, 2.0)
            page.let_go()
        rests: dict[str, list[tuple[float, float]]] = {}
        for how, lose in (("killed", kill), ("frozen", freeze)):
            rests[how] = []
            for number in range(losses):
                tell(f"page lost: {how} {number + 1}")
                rests[how].append(_rest_s(address, watch, lose))
        if pictures is not None:
            tell("pictures")
            take_pictures(address, pictures)
    return {
        "cpu_percent": {"nobody looks": idle, "watched": watched, "steered": steered},
        "first_paint_s": _summary(paints),
        "rest_s": {how: _summary([rest for rest, _ in values]) for how, values in rests.items()},
        "stall_s": {how: _summary([stall for _, stall in values]) for how, values in rests.items()},
        "losses": losses,
        "seconds": seconds,
    }


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "worst": max(values)}


def take_pictures(address: str, folder: Path) -> None:
    """Screenshots of a console with a planned grasp: console_1200.jpg and console_390.jpg."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser(*WIDE) as driver:
        page = Page(driver, address)
        page.ready()
        page.choose("look", "camera")
        page.choose("block", "red")
        page.job("plan")
        page.until(lambda: "Grasp carries it out" in page.news, GRASP_S)
        for name, size in (("console_1200", WIDE), ("console_390", PHONE)):
            resize(driver, *size)
            time.sleep(SETTLE_S)
            _write(driver.get_screenshot_as_png(), folder / f"{name}.jpg")


def _write(png: bytes, path: Path) -> None:
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


@contextmanager
def _console() -> Iterator[tuple[str, int]]:
    """A console for the arm of this ROS domain: its address and process id."""
    words = [*DOFBOT, "console", "--page-port", "0", "--json"]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=ending_with_this_process(),  # noqa: PLW1509 - calls the kernel only, takes no lock
    ) as console:
        assert console.stdout is not None
        line = console.stdout.readline()
        if not line:
            raise DofbotError("the console ended before it was ready: try `dofbot console`")
        try:
            yield json.loads(line)["address"], console.pid
        finally:
            console.terminate()
            console.wait(START_S)


def _percent(process: int, seconds: float) -> float:
    import psutil

    def used() -> float:
        return float(sum(psutil.Process(process).cpu_times()[:2]))

    before, start = used(), time.monotonic()
    time.sleep(seconds)
    return 100.0 * (used() - before) / (time.monotonic() - start)


def _paint_s(driver: Chrome, address: str) -> float:
    driver.get("about:blank")
    Page(driver, address)
    script = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
    return 1e-3 * float(driver.execute_script(script))


def _rest_s(address: str, watch: JointWatch, lose: Callable[[Chrome], float]) -> tuple[float, float]:
    """Lose a page of its own while it jogs joint 1.

    Returns:
        How long the arm moved on, and how long the machine stood still at most meanwhile [s].
    """
    with browser(*WIDE, webgl=False) as driver:
        page = Page(driver, address)
        page.ready()
        for _ in range(PRESSES):
            # On a busy machine a page falls silent now and then; what was stopped has to be pressed anew.
            page.hold("joint1+" if watch.position < 0.0 else "joint1-")
            if watch.turns():
                with stalls() as machine:
                    rest_s = watch.rest_after(lose(driver))
                return rest_s, machine.worst_s
            page.let_go()
            time.sleep(SETTLE_S)
    raise DofbotError(f"joint1 did not turn in {PRESSES} attempts: is the machine too busy?")
