"""What teleop_node can be told: its ROS parameters, and the configuration that follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dofbot_ros.config.ranges import Checked, Positive, parameter
from dofbot_ros.teleop.config import TeleopConfig, as_mode, load_config


@dataclass(frozen=True)
class TeleopParameters(Checked):
    """What teleop_node can be told beside the configuration file."""

    source: str = parameter(
        "topic",
        "topic: camera/image_raw; joy: the topic joy; keyboard; gamepad or /dev/input/jsN; a landmark recording "
        "(.npz); or whatever camera_node takes: V4L2 index or path, video file, image folder, http stream.",
    )
    mode: str = parameter("", "hand or arm; empty: as the configuration says.")
    config_file: str = parameter("", "Configuration (YAML); empty for the shipped config/teleop.yaml.")
    calibration_file: str = parameter(
        "", "Calibration of the arm (YAML); empty for the arm that robot_description tells of."
    )
    auto_engage: bool = parameter(
        False, "Engage whenever that is possible, without a sign: for recordings and simulated arms."
    )
    loop: bool = parameter(False, "Files and folders begin again at their end.")
    overlay_rate_hz: Positive = parameter(10.0, "Overlay images a second at most, while somebody looks.")
    realtime: bool = parameter(
        True, "Ask the system to go before ordinary programs: on a busy machine the arm follows later without it."
    )

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.mode:
            as_mode(self.mode)
        yield from ()


def configuration(parameters: TeleopParameters) -> TeleopConfig:
    """The configuration file, with what the parameters say otherwise.

    Raises:
        ConfigError: a value that does not fit.
    """
    config = load_config(parameters.config_file or None)
    if parameters.mode:
        config = replace(config, mode=as_mode(parameters.mode))
    if parameters.auto_engage:
        config = replace(config, clutch=replace(config.clutch, signs=False))
    return config
