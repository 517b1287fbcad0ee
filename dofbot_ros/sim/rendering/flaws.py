"""How a simulated arm and camera differ from the drawing: all zero by default, drawn from a desk's ranges otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from dofbot_ros.errors import ConfigError

TableKind = Literal["plain", "wood", "printed", "cluttered"]

MAX_LENGTH_M = 0.02
MAX_ANGLE_RAD = 0.2


@dataclass(frozen=True)
class ArmFlaws:
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

    upper_arm_m: float = 0.0
    forearm_m: float = 0.0
    tool_m: float = 0.0
    base_height_m: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    finger_along_m: float = 0.0
    finger_across_m: float = 0.0
    droop_rad: float = 0.0
    flex_rad: float = 0.0
    play_rad: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            limit = MAX_LENGTH_M if name.endswith("_m") else MAX_ANGLE_RAD
            for number in value if isinstance(value, tuple) else (value,):
                if not abs(number) <= limit:
                    raise ConfigError(f"{name} must be within -{limit:g}..{limit:g}, got {number}")
        if min(self.droop_rad, self.flex_rad, self.play_rad) < 0.0:
            raise ConfigError("droop_rad, flex_rad and play_rad must not be negative")

    @property
    def rigid(self) -> bool:
        """Whether gravity bends nothing."""
        return not (self.droop_rad or self.flex_rad or self.play_rad)


@dataclass(frozen=True)
class PictureFlaws:
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

    k1: float = 0.0
    defocus_px: float = 0.0
    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    jpeg_quality: int = 0
    shadow: float = 0.0
    latency_s: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if not -0.6 <= self.k1 <= 0.6:
            raise ConfigError(f"k1 is the distortion of a usable lens: -0.6 to 0.6, got {self.k1:g}")
        if not (0.0 <= self.defocus_px <= 20.0 and 0.0 <= self.latency_s <= 5.0):
            raise ConfigError("defocus_px is 0 to 20 px, latency_s 0 to 5 s")
        if not all(0.0 < factor < math.inf for factor in (self.exposure, self.gamma, *self.white_balance)):
            raise ConfigError("exposure, gamma and white_balance are positive factors")
        if not 0 <= self.jpeg_quality <= 100:
            raise ConfigError(f"jpeg_quality is 1 to 100, or 0 for none, got {self.jpeg_quality}")
        if not (0.0 <= self.shadow <= 1.0 and 0.0 <= self.loss < 1.0):
            raise ConfigError("shadow and loss are shares: 0 to 1, loss below 1")
