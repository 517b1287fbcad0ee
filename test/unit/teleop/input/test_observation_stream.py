"""Frames that are dropped rather than queued, cameras that come back, and reports that survive the wire."""

from __future__ import annotations

import os
import pty
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.teleop.config import GamepadConfig, ManualConfig
from dofbot_ros.teleop.input.gamepad import joy_input
from dofbot_ros.teleop.input.keyboard import Keyboard
from dofbot_ros.teleop.input.keyboard_pad import KeyboardPad
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.input.latest_frame import LatestFrame, NewestFrames
from dofbot_ros.teleop.input.observation_stream import ENDED, CameraFeed
from dofbot_ros.teleop.input.recorded_feed import RecordedFeed
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.teleop.input.source import check_source
from dofbot_ros.teleop.retargeting.manual import Axis
from dofbot_ros.teleop.sessions.report import TeleopReport, landmarks_from_json, landmarks_json
from dofbot_ros.vision.cameras.frames import CameraError, CameraLostError, Frame

RECORDED = Path(__file__).parents[1] / "data" / "hand_video.npz"
PATIENCE_S = 60.0


def frame(stamp_s: float) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), stamp_s)


class Camera:
    """Gives the frames of a list, then fails or ends."""

    def __init__(self, stamps: list[float], error: CameraError | None = None) -> None:
        self._stamps, self._error = iter(stamps), error
        self.closed = threading.Event()

    def read(self) -> Frame | None:
        stamp_s = next(self._stamps, None)
        if stamp_s is None and self._error is not None:
            raise self._error
        return None if stamp_s is None else frame(stamp_s)

    def close(self) -> None:
        self.closed.set()


class Nobody:
    """A detector that finds nobody."""

    def detect(self, image: ImageArray, stamp_s: float) -> Observation:
        return Observation(stamp_s, image.shape[1], image.shape[0])

    def look_around(self, image: ImageArray) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_slow_reader_gets_the_newest_frame_and_the_others_are_counted() -> None:
    slot = LatestFrame()
    for stamp_s in (1.0, 2.0, 3.0):
        slot.put(frame(stamp_s))
    newest = slot.read()
    assert newest is not None
    assert newest.stamp_s == 3.0
    assert (slot.frames, slot.dropped) == (3, 2)
    slot.put(frame(4.0))
    slot.end(CameraLostError("unplugged"))
    last = slot.read()
    assert last is not None
    assert last.stamp_s == 4.0
    with pytest.raises(CameraLostError, match="unplugged"):
        slot.read()


def test_closing_lets_a_waiting_reader_go() -> None:
    slot, got = LatestFrame(), []
    reader = threading.Thread(target=lambda: got.append(slot.read()))
    reader.start()
    slot.close()
    reader.join(PATIENCE_S)
    assert got == [None]


def test_the_source_is_closed_by_the_thread_that_reads_it() -> None:
    camera = Camera([1.0])
    frames = NewestFrames(camera)
    assert frames.read() is not None
    assert frames.read() is None
    frames.close()
    assert camera.closed.wait(PATIENCE_S)


def test_a_lost_camera_is_said_and_opened_again() -> None:
    cameras = [Camera([1.0, 2.0], CameraLostError("unplugged")), Camera([3.0])]
    opened: Iterator[Camera] = iter(cameras)
    seen: list[float] = []
    troubles: list[str] = []
    ended = threading.Event()

    def take(observation: Observation, _: ImageArray | None) -> None:
        seen.append(observation.stamp_s)
        if observation.stamp_s == 3.0:
            ended.set()

    feed: CameraFeed

    def open_frames() -> LatestFrame:
        troubles.append(feed.trouble)
        return NewestFrames(next(opened))

    feed = CameraFeed(open_frames, Nobody())
    failures: list[BaseException] = []
    feed.start(take, failures.append)
    assert ended.wait(PATIENCE_S)
    feed.close()
    assert troubles == ["not opened yet", "unplugged"]
    assert seen[-1] == 3.0
    assert feed.frames == 3
    assert feed.dropped == 3 - len(seen)
    assert not failures


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_recording_plays_at_its_own_pace_and_ends_or_begins_again(rounds: int) -> None:
    clock, seen = ManualClock(100.0), load_observations(RECORDED)[:10]
    taken: list[float] = []
    last = threading.Event()

    def take(observation: Observation, image: ImageArray | None) -> None:
        assert image is None
        taken.append(observation.stamp_s)
        if len(taken) == rounds * len(seen):
            last.set()

    feed = RecordedFeed(seen, clock, loop=rounds > 1)
    feed.start(take, lambda _: None)
    assert last.wait(PATIENCE_S)
    if rounds == 1:
        deadline = time.monotonic() + PATIENCE_S
        while feed.trouble != ENDED:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    feed.close()
    steps = np.diff([o.stamp_s for o in seen])
    again = np.append(steps, steps.mean())
    np.testing.assert_allclose(np.diff(taken)[: rounds * len(seen) - 1], np.tile(again, rounds)[:-1])
    assert taken[0] == 100.0


def test_landmarks_survive_the_wire() -> None:
    seen = load_observations(RECORDED)[3]
    assert seen.hand is not None
    world = seen.hand.world.copy()
    world[4, 1] = np.nan
    sent = Observation(1.5, 640, 480, Landmarks(seen.hand.image, world, 0.9, "left"), None, 1)
    got = landmarks_from_json(landmarks_json(sent, 2.5))
    assert (got.stamp_s, got.width, got.height, got.body, got.others) == (2.5, 640, 480, None, 1)
    assert got.hand is not None
    np.testing.assert_allclose(got.hand.image, seen.hand.image, atol=0.006)
    np.testing.assert_allclose(got.hand.world, world, atol=1e-5)
    assert (got.hand.side, got.hand.score, got.hand.visibility) == ("left", 0.9, None)
    with pytest.raises(InputError, match="no message of teleop/landmarks"):
        landmarks_from_json('{"stamp_s": 1.0}')


@pytest.mark.parametrize("target", [None, (0.2, 0.0, 0.1, 2.0, 0.0)])
def test_a_report_survives_the_wire(target: tuple[float, ...] | None) -> None:
    report = TeleopReport(
        True, "hand lost", "", "", "ACTIVE", 0.0, False, 5, 1, 4, 10.0, 10.02, 0.02, target
    )  # fmt: skip
    assert TeleopReport.from_json(report.to_json()) == report


def test_keys_steer_like_a_pad_and_an_old_enter_engages_nothing() -> None:
    """Through joy_input, as the node reads them: Enter engages, letting go by itself takes another Enter."""
    layout = GamepadConfig()
    terminal, keys = pty.openpty()
    try:
        with Keyboard(keys) as keyboard:
            pad = KeyboardPad(keyboard, layout)

            def press(typed: bytes, now_s: float, engaged: bool) -> tuple[str | None, list[float]]:
                os.write(terminal, typed)
                given = joy_input(*pad.read(now_s, engaged), now_s, layout, ManualConfig())
                return given.clutch, given.rates.tolist()

            ask, rates = press(b"wo", 1.0, False)
            assert ask == "release"
            assert rates[Axis.X] == 1.0
            assert rates[Axis.GAP] == 1.0
            assert press(b"\n", 1.1, False)[0] == "engage"
            assert press(b"a", 1.2, True)[1][Axis.Y] == 1.0
            assert press(b"", 1.4, True) == ("engage", [0.0] * 6)
            assert press(b"", 1.5, False)[0] == "release"
            assert press(b"\n", 2.0, False)[0] == "engage"
            assert press(b"", 2.0 + KeyboardPad.PATIENCE_S + 0.1, False)[0] == "release"
            assert press(b"\n", 6.0, False)[0] == "engage"
            assert press(b" ", 6.1, True)[0] == "release"
    finally:
        os.close(terminal)
        os.close(keys)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "an empty source"),
        ("none.npz", "is no landmark recording"),
        ("none.mp4", "no such video file"),
        ("/dev/input/js99", "no gamepad can be read there"),
        ("/dev/video99", "no such camera"),
    ],
)
def test_a_source_that_is_not_there_is_one_clear_line(source: str, message: str) -> None:
    with pytest.raises(DofbotError, match=message) as refusal:
        check_source(source)
    assert "\n" not in str(refusal.value)
