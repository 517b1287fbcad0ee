"""How far camera, blocks and arm of a desk are from what the software is told, as random quantities."""

from __future__ import annotations

from dataclasses import dataclass

from dofbot_ros.config.ranges import Checked, Finite, Index, NotNegative


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
