"""How this process joins DDS: the user's profile or the shipped one, the common domain or one of its own."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from dofbot_ros.core.resources import share_file

PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""What Fast DDS reads: the name since 2.12, and the one before."""

DOMAINS = range(1, 100)
"""Domain ids whose ports lie below the ephemeral ones of Linux."""


def use_shipped_profile(environment: MutableMapping[str, str] | None = None) -> None:
    """Point Fast DDS at config/fastdds.xml unless the user chose a profile; call before rclpy.init()."""
    environment = os.environ if environment is None else environment
    if not any(environment.get(name) for name in PROFILE_VARIABLES):
        environment[PROFILE_VARIABLES[0]] = str(share_file("config", "fastdds.xml"))


@contextmanager
def private_domain() -> Iterator[None]:
    """What starts in here hears no other arm on the network, and nobody else on this machine hears it."""
    private = {
        "ROS_DOMAIN_ID": str(random.SystemRandom().choice(DOMAINS)),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    before = {name: os.environ.get(name) for name in private}
    os.environ.update(private)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
