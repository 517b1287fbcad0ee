"""A headless Chromium for measurements and tests of the console's page, driven by selenium."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dofbot_ros.errors import DofbotError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = 500
"""Narrower windows are phones [px]."""


def missing() -> str:
    """What keeps a browser from being started here, and how it comes; "" where nothing does."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed here: pip install selenium"
    if _chromium() is None or shutil.which("chromedriver") is None:
        return "no chromium with its chromedriver here: sudo apt install chromium chromium-driver"
    return ""


@contextmanager
def browser(width: int, height: int, *, webgl: bool = True) -> Iterator[Chrome]:
    """A browser with one window.

    Args:
        width, height: of the page [px].
        webgl: draw in 3D, in software: it takes most of a core while the arm moves.

    Raises:
        DofbotError: there is none here.
    """
    if trouble := missing():
        raise DofbotError(trouble)
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = _chromium() or ""
    words = ["--headless=new", "--disable-dev-shm-usage", "--hide-scrollbars", f"--window-size={width},{height}"]
    words += (
        ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"] if webgl else ["--disable-gpu", "--disable-3d-apis"]
    )
    if os.geteuid() == 0:
        words.append("--no-sandbox")  # Chromium refuses root its sandbox; the page is our own
    for word in words:
        options.add_argument(word)
    driver = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    try:
        resize(driver, width, height)
        yield driver
    finally:
        _signal(driver, signal.SIGCONT)  # one that was frozen has to hear that it is to quit
        with suppress(Exception):  # one that was killed cannot
            driver.quit()
        driver.service.stop()


def resize(driver: Chrome, width: int, height: int) -> None:
    """Give the page this size [px], whatever the least width of a window is."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def kill(driver: Chrome) -> float:
    """End all processes of the browser by SIGKILL. Returns when, as ROS counts time [s]."""
    return _signal(driver, signal.SIGKILL)


def freeze(driver: Chrome) -> float:
    """Stop all processes of the browser where they are (SIGSTOP), as kill(); its connections stay open."""
    return _signal(driver, signal.SIGSTOP)


def _signal(driver: Chrome, number: signal.Signals) -> float:
    import psutil

    processes = psutil.Process(driver.service.process.pid).children(recursive=True)
    sent_s = time.time()
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
    return sent_s


def _chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
