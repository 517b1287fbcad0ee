"""How far arm, camera, blocks and table of one kind of desk are from what the software is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Checked, Finite, Index, NotNegative
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.sim.rendering.flaws import TableKind

OWN = "own"
"""The desk without errors: the simulation as it is."""
NAMES = (OWN, "careful", "typical", "rough")
CALIBRATED = ":calibrated"
"""Ends the name of a desk whose software has been told what a calibration without error finds."""


@dataclass(frozen=True)
class CameraErrors(Checked):
    """The overhead camera. Directions and signs are drawn for each installation, sizes are as given.

    Attributes:
        position_mm, turn_deg: true pose against the believed one.
        focal_percent: true focal length against the believed one.
        lens_k1: true radial distortion.
        lens_k1_percent: believed distortion against the true one.
        defocus_px: standard deviation of the blur.
        jpeg_quality: 1..100; 0 for none.
        noise: standard deviation of the sensor's noise [grey levels of 255].
        log_gamma, log_exposure, log_white_balance: largest natural logarithm of these factors, drawn evenly.
        shadow: share of the table's light that a shadow takes.
        latency_s: age of an image at its delivery, for which it is stamped.
        loss: share of the images that never arrive.
    """

    position_mm: NotNegative = 0.0
    turn_deg: NotNegative = 0.0
    focal_percent: NotNegative = 0.0
    lens_k1: Finite = 0.0
    lens_k1_percent: NotNegative = 0.0
    defocus_px: NotNegative = 0.0
    jpeg_quality: Index = 0
    noise: NotNegative = 0.0
    log_gamma: NotNegative = 0.0
    log_exposure: NotNegative = 0.0
    log_white_balance: NotNegative = 0.0
    shadow: NotNegative = 0.0
    latency_s: NotNegative = 0.0
    loss: NotNegative = 0.0


@dataclass(frozen=True)
class BlockErrors(Checked):
    """Blocks and their markers.

    Attributes:
        marker_small_percent: markers are printed this much too small.
        size_mm: edge of the cubes against the believed one, of either sign.
        glue_mm, glue_deg: place and angle of each label against the middle of its face.
        mass_factor: on the blocks' mass.
        pad_friction: Coulomb coefficient between finger pads and block; 0.8 is the simulation's own.
    """

    marker_small_percent: NotNegative = 0.0
    size_mm: NotNegative = 0.0
    glue_mm: NotNegative = 0.0
    glue_deg: NotNegative = 0.0
    mass_factor: NotNegative = 1.0
    pad_friction: NotNegative = 0.8


@dataclass(frozen=True)
class ArmErrors(Checked):
    """The arm and how it stands.

    Attributes:
        zero_deg: zero of servos 1 to 5 against the believed one, of either sign each.
        scale_percent: ticks per degree of servos 1 to 5 against the believed ones, of either sign each.
        link_mm: length of upper arm, forearm and tool, of either sign each.
        base_height_mm: of joint 2 above the table, of either sign.
        tilt_deg: of the arm's base against the table, about any horizontal axis.
        droop_deg: servos give way by this at full stretch; encoders see it.
        flex_deg: links bend by this at full stretch; encoders do not see it.
        play_deg: whole width of the play in the gears of joints 1 to 5.
        speed_factor: on the servos' no-load speed.
        finger_mm: of the fingers along the tool and along the closing line, of either sign each.
    """

    zero_deg: NotNegative = 0.0
    scale_percent: NotNegative = 0.0
    link_mm: NotNegative = 0.0
    base_height_mm: NotNegative = 0.0
    tilt_deg: NotNegative = 0.0
    droop_deg: NotNegative = 0.0
    flex_deg: NotNegative = 0.0
    play_deg: NotNegative | None = None
    speed_factor: NotNegative = 1.0
    finger_mm: NotNegative = 0.0


@dataclass(frozen=True)
class DeskConfig(Checked):
    """One kind of desk.

    Attributes:
        name: as reports show it.
        tables: what the table may look like; one is drawn for each installation.
        camera, blocks, arm: the errors.
    """

    name: str = OWN
    tables: tuple[TableKind, ...] = ("plain",)
    camera: CameraErrors = field(default_factory=CameraErrors)
    blocks: BlockErrors = field(default_factory=BlockErrors)
    arm: ArmErrors = field(default_factory=ArmErrors)

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.tables:
            yield "tables must name at least one kind of table"


def desk_label(desk: str, seed: int) -> str:
    """Kind and number of a desk, for reports: `desk` is a name or a file, `seed` says which installation of it."""
    return desk if desk == OWN else f"{Path(desk).stem} {seed}"


def load_desk(desk: str | Path) -> DeskConfig:
    """The ranges of a desk.

    Args:
        desk: own, careful, typical, rough, or the path of a file like config/desks/typical.yaml; ":calibrated" at its
            end changes no errors.

    Raises:
        InputError: no such desk, and no such file.
        ConfigError: the file cannot be used, and where.
    """
    desk = str(desk).removesuffix(CALIBRATED)
    if desk == OWN:
        return DeskConfig()
    if desk in NAMES:
        return _shipped(desk)
    if not Path(desk).is_file():
        raise UsageError(f"{one_of('desk', desk, NAMES)}, or the path of a desk file")
    return load_yaml(DeskConfig, desk)


@lru_cache(maxsize=len(NAMES))
def _shipped(name: str) -> DeskConfig:
    return load_yaml(DeskConfig, share_file("config", "desks", f"{name}.yaml"))
