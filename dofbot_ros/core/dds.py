"""Which Fast DDS profile a process uses: the user's, else the one shipped here, which carries whole images."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from dofbot_ros.core.resources import share_file

PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""What Fast DDS reads: the name since 2.12, and the one before."""


def use_shipped_profile(environment: MutableMapping[str, str] | None = None) -> None:
    """Point Fast DDS at config/fastdds.xml unless the user chose a profile; call before rclpy.init()."""
    environment = os.environ if environment is None else environment
    if not any(environment.get(name) for name in PROFILE_VARIABLES):
        environment[PROFILE_VARIABLES[0]] = str(share_file("config", "fastdds.xml"))
