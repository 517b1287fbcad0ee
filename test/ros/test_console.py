"""`dofbot console` in a real browser: it shows, steers and stops a running arm, and stops it when the page is lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dofbot_ros.bench.console.browser import browser, kill, missing, resize
from dofbot_ros.bench.console.page import Page
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.record.reader import Episode
from dofbot_ros.ros.probes.joint_watch import joint_watch
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.trials.log import PickSeries, open_log
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol, PlacedObject

from .conftest import DOFBOT, READY_S, SOON_S, Arm, StartArm, node_command

pytest.importorskip("pybullet")
pytest.importorskip("aiohttp")
if missing():
    pytest.skip(missing(), allow_module_level=True)

GRASP_S = 90.0
"""More than a grasp takes on a busy machine [s]."""
LOST_S = 5.0
"""The jog would go on for much longer than this [s]."""


@pytest.fixture(scope="module")
def arm(start_arm: StartArm) -> Arm:
    """As fast as the policies ask for."""
    return start_arm("sim_node", max_velocity=2.0, max_acceleration=16.0)


def namespace(arm: Arm) -> str:
    return str(arm.client.node.get_namespace().strip("/"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the console writes, and finds a series of trials of which one has been run."""
    return tmp_path_factory.mktemp("console")


@pytest.fixture(scope="module")
def address(arm: Arm, folder: Path) -> Iterator[str]:
    """Of a console for the arm, patient with a busy machine where a page falls silent."""
    words = [*DOFBOT, "console", "--namespace", namespace(arm), "--page-port", "0", "--page-lost", "1.0", "--json"]
    words += ["--record-to", f"{folder}/episodes", "--calibration", f"{folder}/calibration"]
    words += ["--series", f"{folder}/trials", "--trials", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        yield json.loads(console.stdout.readline())["address"]
        console.terminate()
        assert console.wait(SOON_S) == 130


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with browser(1200, 900, webgl=False) as driver:
        yield Page(driver, address)


def moving(arm: Arm) -> None:
    """Return once joint 1 has turned by 0.05 rad from here."""
    start = float(arm.client.position[0])
    arm.client.wait_until(lambda: abs(float(arm.client.position[0]) - start) > 0.05, SOON_S, "motion of joint 1")


def test_the_page_draws_the_arm(address: str) -> None:
    with browser(500, 600) as driver:
        page = Page(driver, address)
        page.until(lambda: "tool x" in page.find("#tool").text)
        page.until(lambda: orange(page.find("#scene").screenshot_as_png) > 50)
        assert driver.get_log("browser") == []


def orange(png: bytes) -> int:
    """Pixels in the colour of the arm's own orange parts."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    hue, saturation, _ = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    return int(((hue > 9) & (hue < 21) & (saturation > 200)).sum())


@pytest.fixture
def localiser(arm: Arm) -> Iterator[None]:
    with ProcessGroup([node_command("block_localizer_node", namespace(arm))]) as running:
        running.wait_ready(READY_S)
        yield


@pytest.mark.usefixtures("localiser")
def test_three_clicks_from_the_page_to_a_grasped_block(page: Page, arm: Arm) -> None:
    page.until(lambda: "yellow" in page.find("#block").text)
    page.drag("speed", 1.0)
    page.job("torque on")
    page.until(lambda: page.find("#state").text == "HOLD")
    page.job("plan")
    page.until(lambda: "Grasp carries it out" in page.find("#news").text)
    page.job("grasp")
    page.until(lambda: "is grasped and lifted" in page.find("#news").text, GRASP_S)
    assert arm.client.gap > 0.02


def test_a_slider_leads_the_arm(page: Page, arm: Arm) -> None:
    page.ready()
    page.drag("joint3", 0.4)
    arm.client.wait_until(lambda: abs(arm.client.position[2] - 0.4) < 0.03, SOON_S, "arm where the slider is")
    page.drag("gripper", 0.03)
    arm.client.wait_until(lambda: abs(arm.client.gap - 0.03) < 0.003, SOON_S, "gripper where the slider is")


def test_a_jog_button_moves_while_it_is_held(page: Page, arm: Arm) -> None:
    page.ready()
    page.hold("joint1+")
    moving(arm)
    page.let_go()
    page.until(lambda: page.find("#state").text == "HOLD")
    assert "Ready" in page.find("#lines").text


@pytest.mark.parametrize("how", ["button", "space bar"])
def test_the_emergency_stop_latches_until_reset(page: Page, arm: Arm, how: str) -> None:
    page.ready()
    page.hold("joint1-")
    moving(arm)
    if how == "button":
        page.let_go()
        page.find("#estop").click()
    else:
        page.find("body").send_keys(" ")
        page.let_go()
    arm.client.wait_until(lambda: arm.client.state == "ESTOP", SOON_S, "emergency stop")
    page.until(lambda: "Emergency stop" in page.find("#lines").text)
    page.job("reset")
    page.until(lambda: page.find("#state").text != "ESTOP")


def test_the_space_bar_presses_no_button(page: Page, arm: Arm) -> None:
    page.ready()
    home = page.find("[data-job='home']")
    page.until(home.is_enabled)
    home.send_keys(" ")
    page.until(lambda: page.find("#state").text == "ESTOP")
    assert "home" not in page.news.partition("\n")[0]
    page.ready()
    assert arm.client.state == "HOLD"


def test_a_second_operator_watches_until_handed_control(page: Page, address: str) -> None:
    driver, first = page.driver, page.driver.current_window_handle
    driver.switch_to.new_window("window")
    try:
        second = Page(driver, address)
        second.until(lambda: "you (operator" in second.find("#who").text)
        assert not second.find("[data-job='home']").is_enabled()
        assert second.find("#estop").is_enabled()
        second.find("#ask").click()
        driver.switch_to.window(first)
        page.until(lambda: "Hand over" in page.find("#ask").text)
        page.find("#ask").click()
        page.until(lambda: "you (operator" in page.find("#who").text)
        driver.switch_to.window(second_handle(driver, first))
        second.until(lambda: "You have control" in second.find("#who").text)
    finally:
        driver.switch_to.window(second_handle(driver, first))
        driver.close()
        driver.switch_to.window(first)
    page.until(lambda: page.find("#ask").text == "Take control")
    page.find("#ask").click()
    page.until(lambda: "You have control" in page.find("#who").text)


def second_handle(driver: Any, first: str) -> str:
    return next(handle for handle in driver.window_handles if handle != first)


def test_a_phone_shows_everything_without_scrolling_sideways(page: Page) -> None:
    resize(page.driver, 390, 844)
    try:
        width = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert width == 390
        for scrolled in (0, 100_000):
            page.driver.execute_script(f"window.scrollTo(0, {scrolled})")
            box = page.find("#estop").rect
            top = page.driver.execute_script("return document.getElementById('estop').getBoundingClientRect().top")
            assert box["width"] > 200
            assert 0 < top < 844 - box["height"] + 1
    finally:
        resize(page.driver, 1200, 900)


def test_a_camera_picture_comes_when_it_is_looked_at(page: Page) -> None:
    page.choose("look", "camera")
    page.until(lambda: page.find("#shown").is_displayed() and page.find("#shown").get_property("naturalWidth") > 100)
    page.choose("look", "")


def test_an_episode_is_recorded_and_kept_or_discarded(page: Page, folder: Path) -> None:
    page.ready()
    for job, kept in (("record success", 1), ("record discard", 1)):
        page.job("record start")
        page.until(lambda: " messages" in page.find("#recorded").text)
        page.job(job)
        if "discard" in job:
            page.job(job)  # it asks first
        page.until(lambda: page.find("#recorded").text == "Nothing is being recorded.")
        page.until(lambda: page.find("[data-job='record start']").is_displayed())
        assert len(list((folder / "episodes").glob("*.mcap"))) == kept
    page.until(lambda: "Discarded" in page.news)
    (episode,) = (folder / "episodes").glob("*.mcap")
    outcome = Episode(episode).outcome
    assert outcome is not None
    assert outcome.success is True


@pytest.mark.usefixtures("localiser")
def test_a_policy_is_run_started_stopped_and_ended_from_the_page(page: Page, arm: Arm) -> None:
    page.ready()
    page.until(lambda: "red" in page.find("#block").text, READY_S)
    page.choose("trained", "pick state")
    page.job("policy run")
    page.until(lambda: "policy_node runs" in page.news, READY_S)
    pressed_after = ""

    def runs() -> bool:
        """Pressed anew after a refusal: on a busy machine the localiser's first block comes later than the node."""
        nonlocal pressed_after
        newest = page.news.splitlines()[0]  # with its time: the page shows what is said twice in a row once
        if newest != pressed_after and ("has not been seen" in newest or not pressed_after):
            pressed_after = newest
            page.job("policy start")
        return "The policy (pick from state)" in page.find("#lines").text

    page.until(runs)
    page.find("#stop").click()
    page.until(lambda: page.state == "HOLD" and "The policy" not in page.find("#lines").text)
    page.job("policy end")
    page.until(lambda: "policy_node has ended" in page.news)
    page.until(lambda: page.find("[data-job='policy run']").is_displayed())
    assert arm.client.state == "HOLD"


def test_a_source_that_is_not_there_is_refused_in_words(page: Page) -> None:
    page.ready()
    page.find("#source").clear()
    page.find("#source").send_keys("/nowhere.mp4")
    page.job("teleop run")
    page.until(lambda: "teleop run: " in page.news)
    assert "/nowhere.mp4" in page.news


def test_trials_are_shown_as_they_go(page: Page, folder: Path) -> None:
    protocol = load_yaml(PickProtocol, share_file("config", "trials.yaml"))
    protocol = replace(protocol, conditions=protocol.conditions[:1])
    name = protocol.conditions[0].name
    with open_log(folder / "trials", PickSeries("aruco", "sim", 0, "truth", "", protocol)) as log:
        page.until(lambda: "0 of 2 trials done" in page.find("#counts").text)
        assert f"Now: {name}-000" in page.find("#runs").text
        log.append(PickRecord(name, 0, (PlacedObject("red", 0.2, 0.0, 0.0),), "missed", "truth"))
        page.until(lambda: "1 of 2 trials done: 0 succeeded, 1 failed" in page.find("#counts").text)
        assert f"{name}-000: failed, missed" in page.find("#trials").text


def test_the_calibration_leads_from_step_to_step(page: Page, folder: Path) -> None:
    page.find("#calibration summary").click()
    page.until(lambda: bool(page.driver.find_elements("css selector", "[data-step='hand-eye']")))
    page.find("[data-step='hand-eye']").click()
    page.until(lambda: "The steps before it come first" in page.find("#came").text)
    assert not page.find("[data-guide='start']").is_enabled()
    page.find("[data-step='camera']").click()
    page.choose("look", "camera")
    page.until(lambda: page.find("#shown").is_displayed())
    page.find("[data-guide='picture']").click()
    page.until(lambda: "1 of at least 15 pictures taken" in page.find("#came").text)
    page.choose("look", "")
    page.find("[data-step='board']").click()
    page.find("[data-guide='start']").click()
    page.until(lambda: "are ready to be printed" in page.find("#came").text, GRASP_S)
    assert (folder / "calibration" / "sheet.pdf").read_bytes().startswith(b"%PDF")


def test_a_killed_browser_stops_the_arm(page: Page, address: str, arm: Arm) -> None:
    page.driver.get("about:blank")  # so that control is free
    with browser(1200, 900, webgl=False) as driver, joint_watch(namespace(arm)) as watch:
        other = Page(driver, address)
        other.ready()
        other.hold("joint1+" if arm.client.position[0] < 0.0 else "joint1-")
        assert watch.turns()
        rest_s = watch.rest_after(kill(driver))
    # How soon is for `dofbot bench console`, and in virtual time for test/unit/console/test_session.py.
    assert rest_s < LOST_S
    assert arm.client.state == "HOLD"
