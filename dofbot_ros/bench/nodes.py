"""What the nodes cost: driver_node streamed to at 50 Hz over a bus, block_localizer_node at 30 images a second."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.progress import track

from dofbot_ros.core.console import console
from dofbot_ros.core.parallel import ending_with_this_process
from dofbot_ros.errors import DofbotError
from dofbot_ros.supervisor import Command, ProcessGroup

DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")
READY_S = 20.0
SETTLE_S = 3.0
"""Discovery is over after this; what follows is measured [s]."""
IMAGES = 8
PARTS = 100
"""Of the progress bar."""


def measure(seconds: float = 20.0, *, driver_only: bool = False) -> dict[str, Any]:
    """Run both nodes at work and watch them from outside.

    The servo bus is an emulator in a process of its own. A further process streams joint positions at 50 Hz and
    camera_node plays drawn images of four marked blocks.

    Args:
        seconds: how long to watch [s].
        driver_only: driver_node and what it needs alone, without images and without `dofbot up sim`.

    Returns:
        driver_node, block_localizer_node: cpu_percent of one core; rss_mb, the resident memory at the end, and pss_mb,
            the same with what other processes use too divided among them;
        joint_states_hz, images_hz: the rates at which their results came; up_sim_ready_s: from the command
        `dofbot up sim` to its word that every node is ready; seconds.

    Raises:
        DofbotError: a process did not start, or ended early.
    """
    import psutil

    environment = {**os.environ, "ROS_DOMAIN_ID": str(random.SystemRandom().randrange(1, 100))}
    ready_s = None if driver_only else _up_sim(environment)
    watched = ("driver_node",) if driver_only else ("driver_node", "block_localizer_node")
    with tempfile.TemporaryDirectory(prefix="dofbot_bench_") as name:
        folder = Path(name)
        with ProcessGroup([_emulator(folder / "port")], environment) as bus:
            _wait_for(folder / "port", bus)
            with ProcessGroup(_nodes(folder, seconds, driver_only), environment) as nodes:
                nodes.wait_ready(READY_S)
                measured = {node: psutil.Process(nodes.pids()[node]) for node in watched}
                time.sleep(SETTLE_S)
                before = {node: sum(process.cpu_times()[:2]) for node, process in measured.items()}
                start = time.monotonic()
                for _ in track(range(PARTS), "nodes at work", console=console, transient=True):
                    time.sleep(seconds / PARTS)
                elapsed = time.monotonic() - start
                costs = {
                    node: {
                        "cpu_percent": 100.0 * (sum(process.cpu_times()[:2]) - before[node]) / elapsed,
                        "rss_mb": process.memory_info().rss / 1e6,
                        "pss_mb": process.memory_full_info().pss / 1e6,
                    }
                    for node, process in measured.items()
                }
                _wait_for(folder / "rates.json", nodes)
            rates = json.loads((folder / "rates.json").read_text())
    figures = {**costs, "joint_states_hz": rates["joint_states_hz"], "seconds": seconds}
    if not driver_only:
        figures |= {"images_hz": rates["images_hz"], "up_sim_ready_s": ready_s}
    return figures


def _up_sim(environment: dict[str, str]) -> float:
    """Start the stack `sim` as a user does, and end it again. Returns how long it took to be ready [s]."""
    begin = time.monotonic()
    with subprocess.Popen(
        (*DOFBOT, "up", "sim"),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=ending_with_this_process(),  # noqa: PLW1509 - calls the kernel only, takes no lock
    ) as stack:
        said = []
        for line in stack.stderr or ():
            said.append(line)
            if line.startswith("ready"):
                ready_s = time.monotonic() - begin
                stack.send_signal(signal.SIGINT)
                stack.communicate()
                return ready_s
    raise DofbotError(f"`dofbot up sim` ended before it was ready: {''.join(said[-1:]).strip()}")


def _emulator(link: Path) -> Command:
    return Command("emulator", (*DOFBOT, "emulate", "--link", str(link)))


def _nodes(folder: Path, seconds: float, driver_only: bool) -> list[Command]:
    probe = (str(seconds + SETTLE_S + 2.0), str(folder / "rates.json"))
    return [
        _node("driver_node", f"port:={folder / 'port'}", "reconnect_s:=0.2"),
        *([] if driver_only else _seeing(folder)),
        Command("stream_probe", (sys.executable, "-m", "dofbot_ros.ros.probes.stream", *probe), required=False),
    ]


def _seeing(folder: Path) -> list[Command]:
    """A camera that plays drawn images, and the localiser."""
    from dofbot_ros.vision.intrinsics import SIMULATED_FRAME

    images, info = _draw(folder)
    camera = (
        f"video_device:={images}",
        f"camera_info_url:={info}",
        "framerate:=30.0",
        "loop:=true",
        f"frame_id:={SIMULATED_FRAME}",
    )
    return [_node("camera_node", *camera), _node("block_localizer_node")]


def _node(name: str, *parameters: str) -> Command:
    words = [word for parameter in parameters for word in ("-p", parameter)]
    return Command(name, (sys.executable, "-m", f"dofbot_ros.ros.nodes.{name}", "--ros-args", *words))


def _draw(folder: Path) -> tuple[Path, Path]:
    """Images of blocks on the table from the simulation's overhead camera, and its camera_info file."""
    import cv2

    from dofbot_ros.bench.localizer import DrawnScenes
    from dofbot_ros.vision.intrinsics import save_intrinsics
    from dofbot_ros.vision.markers.block_layout import load_blocks

    scenes = DrawnScenes(load_blocks(), lifted=False)
    images, info = folder / "images", folder / "camera.yaml"
    images.mkdir()
    for seed in range(IMAGES):
        cv2.imwrite(str(images / f"{seed}.bmp"), scenes.show(seed)[0][..., ::-1])
    save_intrinsics(scenes.intrinsics, info)
    return images, info


def _wait_for(path: Path, group: ProcessGroup) -> None:
    deadline = time.monotonic() + READY_S
    while not path.exists():
        ended = [e for e in group.ended() if e.command.required]
        if ended or time.monotonic() > deadline:
            raise DofbotError(f"{ended[0]} early" if ended else f"{path.name} did not appear within {READY_S:g} s")
        time.sleep(0.05)
