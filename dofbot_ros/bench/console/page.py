"""The console's page as an operator uses it, by selenium."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dofbot_ros.errors import DofbotError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

LIMIT_S = 30.0
POLL_S = 0.05


class Page:
    """A page that is open, and has heard of the arm.

    Args:
        driver: of the browser.
        address: of the console.
    """

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        driver.get(address)
        self.until(lambda: self.state not in ("", "connecting", "no arm", "no connection"))

    def find(self, selector: str) -> WebElement:
        """The first element of a CSS selector."""
        return self.driver.find_element("css selector", selector)

    @property
    def state(self) -> str:
        """Of the arm, as the page shows it."""
        return self.find("#state").text

    @property
    def news(self) -> str:
        """What happened, as the page shows it, the newest first."""
        return self.find("#news").text

    def until(self, condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        """Return when `condition()` holds.

        Raises:
            DofbotError: not within `limit_s` [s]; with what the page shows.
        """
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                raise DofbotError(f"the page shows {self.state} after {limit_s:g} s: {self.news}")
            time.sleep(POLL_S)

    def job(self, name: str) -> None:
        """Press the button of a job once it can be pressed."""
        button = self.find(f"[data-job='{name}']")
        self.until(lambda: button.is_displayed() and button.is_enabled())
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)  # not below the header
        button.click()

    def ready(self) -> None:
        """Take control and switch the torque on, whatever was before."""
        ask = self.find("#ask")
        if ask.is_displayed() and ask.text == "Take control":
            ask.click()
        self.until(lambda: self.state in ("IDLE", "HOLD", "ESTOP", "FAULT"))
        if self.state in ("ESTOP", "FAULT"):
            self.job("reset")
        self.job("torque on")
        self.until(lambda: self.state == "HOLD")

    def drag(self, slider: str, value: float) -> None:
        """Move a slider to `value`, as a finger does."""
        self._set(slider, value)

    def _set(self, control: str, value: float | str) -> None:
        moved = "for (const e of ['input', 'change']) arguments[0].dispatchEvent(new Event(e))"
        self.driver.execute_script(f"arguments[0].value = arguments[1]; {moved}", self.find(f"#{control}"), value)

    def hold(self, jog: str) -> None:
        """Press a jog button, for instance joint1+, and do not let go."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).click_and_hold(self.find(f"[data-jog='{jog}']")).perform()

    def let_go(self) -> None:
        """Let go of what is held."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).release().perform()

    def choose(self, select: str, option: str) -> None:
        """Choose an option of a list once it is there."""
        self.until(lambda: option in self.find(f"#{select}").text)
        self._set(select, option)
