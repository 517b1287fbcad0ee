"""How a simulated arm and camera differ from the drawing: all zero by default, drawn from a desk's ranges otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from dofbot_ros.config.ranges import POSITIVE, Checked, Positive, Range, Share

TableKind = Literal["plain", "wood", "printed", "cluttered"]

MAX_LENGTH_M = 0.02
MAX_ANGLE_RAD = 0.2
Offset: TypeAlias = Annotated[float, Range(-MAX_LENGTH_M, MAX_LENGTH_M)]
Give: TypeAlias = Annotated[float, Range(0.0, MAX_ANGLE_RAD)]


@dataclass(frozen=True)
class ArmFlaws(Checked):
    """Differences of the true arm from the drawn one.

    Gravity bends joints 2 to 4 in proportion to its torque on each; the angles below are those of joint 2 with the arm
    stretched out level, where that torque is greatest.

    Attributes:
        upper_arm_m, forearm_m, tool_m: added to the link lengths [m].
        base_height_m: added to the height of joint 2 above the table [m].
        tilt: rotation of base_link about the table's x and y axes [rad].
        finger_along_m, finger_across_m: displacement of both fingers along the tool and along the closing line [m].
        droop_rad: servo positions give way by this under full gravity; encoders see it [rad].
        flex_rad: links bend by this beyond the encoders, which do not see it [rad].
        play_rad: whole width of the play in the gears of joints 2 to 4, which gravity takes up [rad].
    """

    upper_arm_m: Offset = 0.0
    forearm_m: Offset = 0.0
    tool_m: Offset = 0.0
    base_height_m: Offset = 0.0
    tilt: Annotated[tuple[float, float], Range(-MAX_ANGLE_RAD, MAX_ANGLE_RAD)] = (0.0, 0.0)
    finger_along_m: Offset = 0.0
    finger_across_m: Offset = 0.0
    droop_rad: Give = 0.0
    flex_rad: Give = 0.0
    play_rad: Give = 0.0

    @property
    def rigid(self) -> bool:
        """Whether gravity bends nothing."""
        return not (self.droop_rad or self.flex_rad or self.play_rad)


@dataclass(frozen=True)
class PictureFlaws(Checked):
    """What a real camera does to its image, in the order in which it happens.

    Attributes:
        k1: radial distortion of the lens, as OpenCV's first coefficient.
        defocus_px: standard deviation of the blur [px].
        exposure: factor on the light.
        white_balance: factors on red, green, blue.
        gamma: exponent of the tone curve, on levels 0..1.
        jpeg_quality: 1..100; 0 for no compression.
        shadow: share of the table's light that a shadow takes, 0..1.
        latency_s: age of an image when it is delivered, and stamped [s].
        loss: share of the images that never arrive, 0..1.
    """

    k1: Annotated[float, Range(-0.6, 0.6)] = 0.0
    defocus_px: Annotated[float, Range(0.0, 20.0)] = 0.0
    exposure: Positive = 1.0
    white_balance: Annotated[tuple[float, float, float], POSITIVE] = (1.0, 1.0, 1.0)
    gamma: Positive = 1.0
    jpeg_quality: Annotated[int, Range(0, 100)] = 0
    shadow: Share = 0.0
    latency_s: Annotated[float, Range(0.0, 5.0)] = 0.0
    loss: Annotated[float, Range(0.0, below=1.0)] = 0.0
