"""Parameters of teleoperation; config/teleop.yaml spells them, docs/teleoperation.md says how to tune them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Checked, Count, Index, Interval, NotNegative, Positive, Range, Share
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import ToolPose
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.teleop.input.landmarks import Side
from dofbot_ros.teleop.retargeting.filters import OneEuroConfig, RestConfig

Mode = Literal["hand", "arm"]
MODES: tuple[Mode, ...] = ("hand", "arm")
Sign = Literal["none", "open palm", "fist", "raised hand"]
Motion = Literal["forward", "left", "up", "back", "right", "down"]

MOTIONS: dict[Motion, tuple[int, float]] = {
    "forward": (0, 1.0), "left": (1, 1.0), "up": (2, 1.0),
    "back": (0, -1.0), "right": (1, -1.0), "down": (2, -1.0),
}  # fmt: skip
"""The operator's directions -> axis and sign in the operator's frame (x to the camera, y to his left, z up)."""


START = ToolPose(0.20, 0.0, 0.14, 2.1)
"""A bent pose, from which the tool can go anywhere; the upright arm is at the edge of its reach."""


@dataclass(frozen=True)
class CameraConfig(Checked):
    """How the operator is seen.

    Attributes:
        horizontal_fov_deg: of the camera; turns the hand's size in the image into its distance [deg].
        mirrored: the image is flipped like a mirror (some webcams and video calls do that).
        min_detection, min_tracking: MediaPipe's thresholds, 0 to 1.
        hand_model, body_model: MediaPipe .task files for its Tasks API; empty for the models inside the wheel, or where
            it holds none for those in ~/.local/share/dofbot_ros/mediapipe.
        look_around_every: look for further hands in every n-th frame.
    """

    horizontal_fov_deg: Annotated[float, Range(10.0, 170.0)] = 60.0
    mirrored: bool = False
    min_detection: Share = 0.5
    min_tracking: Share = 0.5
    hand_model: str = ""
    body_model: str = ""
    look_around_every: Count = 4


@dataclass(frozen=True)
class FilterConfig(Checked):
    """One-Euro parameters and dead zones.

    Attributes:
        position: of the hand across the view [m].
        depth: logarithm of the hand's distance from the camera, which is ten times noisier than its place across.
        depth_rest: the same, filtered calmer, to tell a hand at rest from one that moves.
        angle: of the hand's pitch and roll [rad].
        joint: of the person's arm in mode `arm` [rad].
        opening: of pinch and hand opening, 0 to 1.
        position_zone_m, angle_zone_rad, joint_zone_rad, opening_zone: how far what rests must move at least to be
            followed.
        depth_zone: likewise, as a share of the distance.
        rest: when a hand is resting.
        lead_s: how far ahead of its last sample a moving hand's place is told, which makes up for what camera, detector
            and servos take [s].
    """

    position: OneEuroConfig = field(default_factory=lambda: OneEuroConfig(1.0, 60.0, 2.0))
    depth: OneEuroConfig = field(default_factory=lambda: OneEuroConfig(3.5, 0.0, 2.0, trend=True))
    depth_rest: OneEuroConfig = field(default_factory=lambda: OneEuroConfig(0.8, 3.0, 0.5))
    angle: OneEuroConfig = field(default_factory=lambda: OneEuroConfig(0.4, 0.3, 0.3))
    joint: OneEuroConfig = field(default_factory=lambda: OneEuroConfig(1.0, 2.0, 1.0))
    opening: OneEuroConfig = field(default_factory=lambda: OneEuroConfig(1.5, 2.0, 1.0))
    position_zone_m: NotNegative = 0.003
    depth_zone: NotNegative = 0.008
    angle_zone_rad: NotNegative = 0.12
    joint_zone_rad: NotNegative = 0.02
    opening_zone: NotNegative = 0.02
    rest: RestConfig = field(default_factory=RestConfig)
    lead_s: Annotated[float, Range(0.0, 0.2)] = 0.11


@dataclass(frozen=True)
class HandConfig(Checked):
    """Mode `hand`: the tool moves as the hand moves.

    Attributes:
        hand: which hand may steer; any takes the one that is seen.
        axes: which motion of the hand moves the tool along +x, +y, +z of base_link.
        scale: tool travel per hand travel along each axis of base_link.
        pitch_scale, roll_scale: tool turn per hand turn; 0 leaves the angle as it was on engaging.
        palm_m: wrist to middle knuckle of the operator [m]; a wrong value scales the motion, nothing else.
        pinch_closed, pinch_open: distance of thumb and index tips in palm lengths that closes and opens the gripper.
    """

    hand: Literal["any", "left", "right"] = "any"
    axes: tuple[Motion, Motion, Motion] = ("forward", "left", "up")
    scale: tuple[float, float, float] = (0.6, 0.8, 0.8)
    pitch_scale: float = 0.2
    roll_scale: float = 0.8
    palm_m: Positive = 0.095
    pinch_closed: NotNegative = 0.25
    pinch_open: float = 0.9

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if {MOTIONS[m][0] for m in self.axes} != {0, 1, 2}:
            yield f"axes must name one of forward/back, left/right and up/down each, got {list(self.axes)}"
        if not self.pinch_closed < self.pinch_open:
            yield f"pinch_closed must be below pinch_open, got {self.pinch_closed} and {self.pinch_open}"


@dataclass(frozen=True)
class ArmConfig(Checked):
    """Mode `arm`: joints 1 to 4 take the angles of the person's arm.

    Attributes:
        side: which arm steers; the other one is raised to engage and to release.
        facing: `same`: the robot turns to its left when the person reaches to his left; `mirror`: as a mirror would.
        gain: joint angle per angle of the person, joints 1 to 4.
        offset_rad: added to joints 1 to 4 [rad]; 0 makes a hanging arm the upright robot.
        min_visibility: of shoulders, hips, elbow and wrist.
        align_s: after engaging, the time over which the robot's pose is led over to the person's [s].
        opening_closed, opening_open: hand opening (0 fist, 1 flat hand) that closes and opens the gripper.
    """

    side: Side = "right"
    facing: Literal["same", "mirror"] = "same"
    gain: tuple[float, float, float, float] = (1.0, 1.0, 0.7, 1.0)
    offset_rad: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    min_visibility: Share = 0.5
    align_s: Positive = 3.0
    opening_closed: float = 0.2
    opening_open: float = 0.8

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.opening_closed < self.opening_open:
            yield f"opening_closed must be below opening_open, got {self.opening_closed} and {self.opening_open}"


@dataclass(frozen=True)
class ClutchConfig(Checked):
    """When the arm follows, and when it stops following.

    Attributes:
        engage_hold_s: the engaging sign must be held this long [s].
        release_hold_s: the releasing sign must be held this long [s].
        signs: take engaging and releasing signs; false leaves it to keys and services.
        hold_after_s: the arm lets go when the newest usable frame is older than this [s].
        settle_s: a hand must have been seen this long before it can engage; the filters come to rest meanwhile [s].
        min_score: least trust in a detection, 0 to 1.
        max_hand_speed, jump_m: a hand that has moved by more than jump_m + max_hand_speed * time since the last usable
            frame is taken for a mistake of the detector [m/s], [m].
    """

    engage_hold_s: float = 0.8
    release_hold_s: float = 0.4
    signs: bool = True
    hold_after_s: Annotated[float, Range(0.05, 0.2)] = 0.15
    settle_s: float = 1.0
    min_score: Share = 0.6
    max_hand_speed: float = 3.0
    jump_m: float = 0.1


@dataclass(frozen=True)
class ReachConfig(Checked):
    """The part of the workspace that may be steered into, in base_link; what lies outside is clamped.

    Attributes:
        x, y, z: lower and upper bound of the tool point [m].
        pitch_deg: lower and upper bound of the tool's pitch, 0 up, 90 level, 180 straight down [deg].
        clearance_m: kept to table and base, beside the governor's margins [m].
    """

    x: Interval = (0.05, 0.32)
    y: Interval = (-0.28, 0.28)
    z: Interval = (0.01, 0.42)
    pitch_deg: Interval = (0.0, 180.0)
    clearance_m: float = 0.005


@dataclass(frozen=True)
class MotionConfig(Checked):
    """How the arm moves while it follows.

    Attributes:
        max_tool_speed: of the tool point [m/s]; never exceeded while following.
        max_velocity, max_acceleration, max_jerk: of every joint [rad/s], [rad/s^2], [rad/s^3].
    """

    max_tool_speed: Positive = 0.25
    max_velocity: Positive = 1.5
    max_acceleration: Positive = 7.5
    max_jerk: Positive = 200.0


FASTEST = 10.0
"""Beyond what the arm can do by far: no speed of a stick is higher [m/s, 1/s, rad/s]."""
StickSpeed: TypeAlias = Annotated[float, Range(above=0.0, at_most=FASTEST)]


@dataclass(frozen=True)
class ManualConfig(Checked):
    """Keyboard and gamepad at full deflection.

    Attributes:
        linear: of the tool point [m/s].
        pitch: share of the pitch range that the point allows, per second [1/s].
        roll: [rad/s].
        gap: of the gripper [m/s].
        dead_zone: of the sticks, 0 to 1.
    """

    linear: StickSpeed = 0.10
    pitch: StickSpeed = 0.6
    roll: StickSpeed = 0.8
    gap: StickSpeed = 0.06
    dead_zone: Annotated[float, Range(0.0, below=1.0)] = 0.12


@dataclass(frozen=True)
class GamepadConfig(Checked):
    """Which axis and button does what, as sensor_msgs/Joy numbers them; the defaults are an Xbox pad's.

    Attributes:
        x, y, z, pitch, roll: axes; up and left are positive.
        close, open: buttons of the gripper.
        hold: button that is held to engage; letting go of it releases.
    """

    x: Index = 1
    y: Index = 0
    z: Index = 4
    roll: Index = 3
    pitch: Index = 7
    close: Index = 0
    open: Index = 1
    hold: Index = 5


@dataclass(frozen=True)
class TeleopConfig(Checked):
    """Everything that can be set; see the parts."""

    mode: Mode = "hand"
    control_rate_hz: Annotated[float, Range(10.0, 200.0)] = 100.0
    camera: CameraConfig = field(default_factory=CameraConfig)
    filter: FilterConfig = field(default_factory=FilterConfig)
    hand: HandConfig = field(default_factory=HandConfig)
    arm: ArmConfig = field(default_factory=ArmConfig)
    clutch: ClutchConfig = field(default_factory=ClutchConfig)
    reach: ReachConfig = field(default_factory=ReachConfig)
    motion: MotionConfig = field(default_factory=MotionConfig)
    manual: ManualConfig = field(default_factory=ManualConfig)
    gamepad: GamepadConfig = field(default_factory=GamepadConfig)


def as_mode(name: str) -> Mode:
    """The mode of this name.

    Raises:
        ConfigError: there is none; names the valid ones.
    """
    for mode in MODES:
        if mode == name:
            return mode
    raise UsageError(one_of("mode", name, MODES))


def load_config(path: str | Path | None = None) -> TeleopConfig:
    """The given YAML file, or config/teleop.yaml.

    Raises:
        ConfigError: a value that does not fit.
    """
    return load_yaml(TeleopConfig, path if path else share_file("config", "teleop.yaml"))
