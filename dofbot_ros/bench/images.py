"""How many camera images arrive in another process, and how late."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from typing import Any

import numpy as np
from rich.progress import track

from dofbot_ros.core.console import console
from dofbot_ros.core.dds import PROFILE_VARIABLES
from dofbot_ros.errors import DofbotError

PARTS = 100
"""Of the progress bar."""


DELIVERIES = ("as-nodes", "best-effort")
"""Those of ros/probes/images.py, which imports ROS."""
SENDERS = ("shipped", "default")


def measure(
    seconds: float = 20.0, hz: float = 30.0, delivery: str = "as-nodes", sender: str = "shipped"
) -> dict[str, Any]:
    """Send 640x480 rgb8 images from one process to another through ROS.

    Args:
        seconds: how long images are sent [s].
        hz: images a second.
        delivery: how they are subscribed to: as the nodes do, or with best effort.
        sender: the Fast DDS profile of the publisher: ours, or none, as another project's camera driver has it.

    Returns:
        sent; delivered: fraction that arrived whole; p50_ms, p95_ms: from before the message is filled
        in the sender to a numpy image in the receiver [ms].

    Raises:
        DofbotError: one of the two processes failed.
    """
    count = round(seconds * hz)
    # A domain of its own: nobody else's traffic is measured.
    environment = {**os.environ, "ROS_DOMAIN_ID": str(random.SystemRandom().randrange(1, 102))}
    without_profile = {PROFILE_VARIABLES[0]: os.devnull} if sender == "default" else {}
    ends: dict[str, tuple[list[str], dict[str, str]]] = {
        "receive": ([str(seconds + 20.0), "--delivery", delivery], {}),
        "send": ([str(hz)], without_profile),
    }
    processes = {
        end: subprocess.Popen(
            [sys.executable, "-m", "dofbot_ros.ros.probes.images", end, str(count), *words],
            stdout=subprocess.PIPE,
            env={**environment, **more},
        )
        for end, (words, more) in ends.items()
    }
    try:
        for _ in track(range(PARTS), "images on their way", console=console, transient=True):
            time.sleep(seconds / PARTS)
        output = {end: process.communicate(timeout=40.0)[0] for end, process in processes.items()}
    except subprocess.TimeoutExpired as error:
        raise DofbotError(f"no result long after the last image: {' '.join(error.cmd)}") from error
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    for end, process in processes.items():
        if process.returncode != 0:
            raise DofbotError(f"the process that was to {end} images ended with exit code {process.returncode}")
    ages_ms = 1e3 * np.array(json.loads(output["receive"])["ages_s"])
    sent = json.loads(output["send"])["sent"]
    p50, p95 = np.percentile(ages_ms, [50, 95]) if ages_ms.size else (np.nan, np.nan)
    return {"sent": sent, "delivered": ages_ms.size / sent, "p50_ms": float(p50), "p95_ms": float(p95)}
