"""Real people: a video of a moving hand and photos of one hand each, through MediaPipe and the whole pipeline."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from needed import need

from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.types import N_JOINTS, FloatArray, ImageArray, ToolPose
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import InputError
from dofbot_ros.motion.source import Stream
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import MODES, CameraConfig, Mode, TeleopConfig
from dofbot_ros.teleop.input.landmarks import CameraLandmarks, Observation, Side
from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector
from dofbot_ros.teleop.input.model_files import BODY_MODEL, HAND_MODEL, model_folder
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.teleop.retargeting.body_mode import BodyMode
from dofbot_ros.teleop.retargeting.pipeline import TeleopCommand, landmark_pipeline
from dofbot_ros.teleop.retargeting.target_limiter import TargetLimiter
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source

need("mediapipe", reason="mediapipe is an extra: pip install 'dofbot_ros[teleop]'")

HANDS = Path(__file__).resolve().parents[3] / "shared" / "data" / "hands"
RECORDED = Path(__file__).resolve().parents[1] / "unit" / "teleop" / "data" / "hand_video.npz"
PHOTOS: dict[str, Side] = {"call": "left", "four": "left", "none": "left", "rock": "right"}
"""The hand that each person shows; theirs, not the image's."""

footage = pytest.mark.skipif(not HANDS.is_dir(), reason=f"the footage is not here: no folder {HANDS}")

START = ToolPose(0.20, 0.0, 0.14, 2.1, 0.0)
PERIOD, LATENCY_S = 1 / TeleopConfig().control_rate_hz, 0.03

Detector = Callable[[TeleopConfig], MediapipeDetector]


@pytest.fixture
def detector() -> Iterator[Detector]:
    opened: list[MediapipeDetector] = []

    def make(config: TeleopConfig) -> MediapipeDetector:
        opened.append(MediapipeDetector(config))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def without_models(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """Make this MediaPipe one that brings no models, with the files in `data`."""
    monkeypatch.delattr("mediapipe.solutions")
    monkeypatch.setenv("XDG_DATA_HOME", str(data))


def photo(name: str) -> ImageArray:
    image = cv2.cvtColor(cv2.imread(str(HANDS / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    return np.asarray(image, dtype=np.uint8)


class SensorNoise:
    """Noise of a camera, for pictures of one shape: for each a window somewhere in one field that is drawn once.

    Drawing it pixel by pixel takes as long as MediaPipe.
    """

    SPARE = 64
    """The field is larger than a picture by this [px]: windows meet once in some thousand."""

    def __init__(self, shape: tuple[int, ...], deviation: float) -> None:
        self._rng = np.random.default_rng(0)
        field = (shape[0] + self.SPARE, shape[1] + self.SPARE, *shape[2:])
        self._field = deviation * self._rng.standard_normal(field, dtype=np.float32)

    def __call__(self, image: ImageArray) -> ImageArray:
        """The picture with noise."""
        down, right = self._rng.integers(self.SPARE, size=2)
        window = self._field[down : down + image.shape[0], right : right + image.shape[1]]
        return np.clip(image + window, 0, 255).astype(np.uint8)


def play(seen: list[Observation], config: TeleopConfig) -> tuple[list[TeleopCommand], list[str], int]:
    """Follow `seen`, engaged by key as soon as that is possible, with the governor behind.

    Returns:
        The commands, the governor's reasons, and how often the clutch let go.
    """
    kinematics = Kinematics()
    workspace = Workspace(kinematics)
    driver = DriverConfig()
    limits = MotionLimits(
        np.append(kinematics.lower, 0.0), np.append(kinematics.upper, CLOSED),
        np.full(N_JOINTS, driver.max_velocity), np.full(N_JOINTS, driver.max_acceleration),
    )  # fmt: skip
    governor = Governor(limits, workspace, PERIOD, soft_start_s=0.0, timeout_s=driver.command_timeout_s)
    teleop = landmark_pipeline(config, kinematics, workspace)
    joints = np.append(kinematics.solve(START), 0.0)
    governor.start(joints, 0.0)
    commands: list[TeleopCommand] = []
    reasons: list[str] = []
    stream: Stream | None = None
    shown, released, was_engaged = 0, 0, False
    start = seen[0].stamp_s
    for tick in range(round((seen[-1].stamp_s - start + LATENCY_S) / PERIOD)):
        now = start + tick * PERIOD
        while shown < len(seen) and seen[shown].stamp_s + LATENCY_S <= now:
            teleop.observe(seen[shown], now)
            shown += 1
        if not commands:
            teleop.engage()
        command = teleop.step(joints, now)
        released += was_engaged and not teleop.status.engaged
        was_engaged = teleop.status.engaged
        if command is None:
            continue
        joints = command.position
        commands.append(command)
        if stream is None:
            stream = Stream(joints, now)
        stream.renew(joints, now)
        governed = governor.step(stream.setpoint(now, 1.0), now, now)
        # To be held to the speed and acceleration of the arm is no rejection.
        reasons += [reason for reason in governed.reasons if not reason.startswith(("velocity", "acceleration"))]
    return commands, reasons, released


def tools(commands: list[TeleopCommand]) -> FloatArray:
    return np.array([[c.tool.x, c.tool.y, c.tool.z] for c in commands])


BY_KEY = replace(TeleopConfig(), clutch=replace(TeleopConfig().clutch, signs=False))


@footage
@pytest.mark.slow
def test_the_hand_of_the_video_is_found_and_is_the_one_recorded(detector: Detector) -> None:
    """Every frame through MediaPipe; the stream in the tree was recorded from this video and must still be its like."""
    frames = open_source(CaptureConfig(video_device=str(HANDS / "human_hand_video.mp4")), ManualClock())
    source = CameraLandmarks(frames, detector(TeleopConfig()))
    seen: list[Observation] = []
    while (observation := source.read()) is not None:
        seen.append(observation)
    found = [o for o in seen if o.hand is not None]
    assert len(seen) == 621
    assert len(found) >= 0.98 * len(seen)
    assert not any(o.others for o in seen)
    assert {o.hand.side for o in found if o.hand} == {"right"}
    recorded = load_observations(RECORDED)
    apart = [
        np.abs(a.hand.image[:, :2] - b.hand.image[:, :2]).max()
        for a, b in zip(seen, recorded, strict=True)
        if a.hand and b.hand
    ]
    assert np.median(apart) < 2.0

    commands, reasons, released = play(seen, BY_KEY)
    assert released == 0
    assert not [reason for reason in reasons if "limit" not in reason]
    settled = seen[0].stamp_s + BY_KEY.clutch.settle_s
    assert len(commands) >= 0.98 * (seen[-1].stamp_s - settled) / PERIOD


def test_the_recorded_hand_is_followed_without_a_rejection() -> None:
    commands, reasons, released = play(load_observations(RECORDED), BY_KEY)
    assert released == 0
    assert not [reason for reason in reasons if "limit" not in reason]
    track = tools(commands)
    assert np.ptp(track, axis=0).max() > 0.02
    speeds = np.linalg.norm(np.diff(track, axis=0), axis=1) / PERIOD
    assert speeds.max() <= BY_KEY.motion.max_tool_speed + 1e-6


def test_the_recorded_fist_lets_go() -> None:
    _, _, released = play(load_observations(RECORDED), TeleopConfig())
    assert released >= 1


@footage
@pytest.mark.slow
@pytest.mark.parametrize("name", PHOTOS)
def test_each_photo_shows_one_hand_and_leaves_the_tool_still(name: str, detector: Detector) -> None:
    """Ten seconds of the photo with sensor noise: the tool stands to 0.5 mm rms, nothing lets go."""
    image, finder = photo(name), detector(TeleopConfig())
    with_noise = SensorNoise(image.shape, deviation=4.0)
    seen: list[Observation] = []
    for i in range(340):
        noisy = with_noise(image)
        seen.append(finder.detect(noisy, i / 30))
        finder.look_around(noisy)
    assert all(o.hand is not None and o.hand.side == PHOTOS[name] for o in seen)
    assert not any(o.others for o in seen)
    commands, reasons, released = play(seen, BY_KEY)
    assert (released, reasons) == (0, [])
    assert len(commands) >= 10.0 / PERIOD
    assert np.sqrt(tools(commands)[-round(10.0 / PERIOD) :].var(axis=0).sum()) <= 0.5e-3


@footage
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_arm_of_a_person_steers(side: Side, detector: Detector) -> None:
    """The man of `four` holds his left hand up, and the other one behind his back."""
    config = TeleopConfig(mode="arm", arm=replace(TeleopConfig().arm, side=side))
    finder, image = detector(config), photo("four")
    seen = [finder.detect(image, i / 30) for i in range(10)]
    assert all(o.body is not None for o in seen)
    assert all((o.hand is not None) == (side == "left") for o in seen[3:])
    kinematics = Kinematics()
    mode = BodyMode(config, TargetLimiter(kinematics, Workspace(kinematics), config.reach))
    readings = [mode.read(o) for o in seen]
    assert all(r.fault is None for r in readings)
    # The left elbow is bent upwards by some 100 degrees; the right hand rests behind his back.
    assert np.degrees(readings[-1].values[2]) == pytest.approx(100 if side == "left" else 85, abs=25)


@footage
def test_two_hands_are_seen_as_two(detector: Detector) -> None:
    """Two photos side by side: one hand is tracked, the look around finds the other one."""
    both = np.hstack([photo("four"), photo("rock")])
    finder = detector(TeleopConfig())
    others = []
    for i in range(9):
        others.append(finder.detect(both, i / 30).others)
        finder.look_around(both)
    assert others[0] == 0
    assert others[-1] >= 1


@pytest.fixture(scope="module")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's data folder with MediaPipe's model files: archives of the models that the wheel of 0.10.21 brings."""
    import mediapipe

    if not hasattr(mediapipe, "solutions"):
        pytest.skip("this MediaPipe brings no models")
    from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter

    models = Path(mediapipe.__file__).parent / "modules"

    def normalised(path: Path, mean: float, deviation: float) -> bytes:
        """The model with what the Tasks API wants to know of its input."""
        writer = MetadataWriter.create(bytearray(path.read_bytes())).add_image_input([mean], [deviation])
        return bytes(writer.populate()[0])

    data = tmp_path_factory.mktemp("data")
    folder = model_folder({"XDG_DATA_HOME": str(data)})
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / HAND_MODEL.name, "w", zipfile.ZIP_STORED) as archive:
        archive.write(models / "palm_detection" / "palm_detection_full.tflite", "hand_detector.tflite")
        archive.write(models / "hand_landmark" / "hand_landmark_full.tflite", "hand_landmarks_detector.tflite")
    with zipfile.ZipFile(folder / BODY_MODEL.name, "w", zipfile.ZIP_STORED) as archive:
        seen = normalised(models / "pose_detection" / "pose_detection.tflite", 127.5, 127.5)
        archive.writestr("pose_detector.tflite", seen)
        fine = normalised(models / "pose_landmark" / "pose_landmark_full.tflite", 0.0, 255.0)
        archive.writestr("pose_landmarks_detector.tflite", fine)
    return data


@footage
@pytest.mark.parametrize("mode", MODES)
def test_model_files_find_the_same_hand_and_body(
    mode: Mode, model_files: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a MediaPipe that brings no models (from 0.10.30 on), whose Tasks API is that of 0.10.21."""
    config = TeleopConfig(mode=mode, arm=replace(TeleopConfig().arm, side="left"))
    photos = PHOTOS if mode == "hand" else {"four": PHOTOS["four"]}

    def last_seen() -> list[Observation]:
        finders = [detector(config) for _ in photos]
        return [
            [finder.detect(photo(name), i / 30) for i in range(5)][-1]
            for name, finder in zip(photos, finders, strict=True)
        ]

    bundled = last_seen()
    without_models(monkeypatch, model_files)
    by_file = last_seen()
    for old, new, side in zip(bundled, by_file, photos.values(), strict=True):
        assert old.hand is not None
        assert new.hand is not None
        assert old.hand.side == new.hand.side == side
        assert np.abs(old.hand.image[:, :2] - new.hand.image[:, :2]).max() < 5.0
        assert (old.body is None) == (new.body is None) == (mode == "hand")
        if old.body is not None and new.body is not None:
            upper = slice(11, 15)  # shoulders and elbows
            assert np.abs(old.body.image[upper, :2] - new.body.image[upper, :2]).max() < 15.0


@footage
def test_two_hands_are_seen_as_two_by_model_files(
    model_files: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_models(monkeypatch, model_files)
    test_two_hands_are_seen_as_two(detector)


def test_a_model_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.task"
    with pytest.raises(InputError, match="no model file"):
        MediapipeDetector(TeleopConfig(camera=CameraConfig(hand_model=str(path))))
    path.write_bytes(b"not a model")
    with pytest.raises(InputError, match="is no model for MediaPipe's HandLandmarker"):
        MediapipeDetector(TeleopConfig(camera=CameraConfig(hand_model=str(path))))


def test_an_empty_picture_shows_nobody(detector: Detector) -> None:
    for mode in ("hand", "arm"):
        finder = detector(TeleopConfig(mode=mode))
        seen = finder.detect(np.full((480, 640, 3), 90, dtype=np.uint8), 0.0)
        finder.look_around(np.full((480, 640, 3), 90, dtype=np.uint8))
        assert (seen.hand, seen.body, seen.others) == (None, None, 0)
