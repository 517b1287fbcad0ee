"""Seeing networks learn: is XOR solved, how large and quick is its film, how many frames a second are served."""

from __future__ import annotations

import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from dofbot_ros.lab.live.data_sets import load_data_set
from dofbot_ros.lab.live.film import write_gif
from dofbot_ros.lab.live.learner import LearnConfig, learn
from dofbot_ros.lab.live.prune import PruneConfig, prune_network
from dofbot_ros.lab.live.server import FrameServer


def measure(seeds: int = 10) -> dict[str, Any]:
    """Measure the films and the server on XOR with layers 2,5,5,5,5,1, and pruning on the spiral.

    Returns:
        `solved`: seeds whose network tells all points right; `seeds`; `gif_s`, `gif_bytes`: learning and writing the
        slowest film, the largest file; `same_file`: whether a seed gives the same file twice; `frames_per_s`: that a
        client of the server receives while the network learns as fast as it can; `prune_s`: five seeds, seven
        trainings each. Times as `..._s` on the wall and `..._cpu_s` of the processor, where the machine is shared.
    """
    data = load_data_set("xor")
    solved, largest, slowest, slowest_cpu = 0, 0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            begin, begin_cpu = time.monotonic(), time.process_time()
            frames = list(learn(data, LearnConfig(seed=seed)))
            largest = max(largest, write_gif(frames, Path(folder) / f"{seed}.gif", "xor"))
            slowest = max(slowest, time.monotonic() - begin)
            slowest_cpu = max(slowest_cpu, time.process_time() - begin_cpu)
            solved += frames[-1].score == 1.0
        again = Path(folder) / "again.gif"
        write_gif(list(learn(data, LearnConfig(seed=0))), again, "xor")
        same = again.read_bytes() == (Path(folder) / "0.gif").read_bytes()
    begin, begin_cpu = time.monotonic(), time.process_time()
    prune_network(load_data_set("spiral", 1000), PruneConfig())
    return {
        "seeds": seeds,
        "solved": solved,
        "gif_s": slowest,
        "gif_cpu_s": slowest_cpu,
        "gif_bytes": largest,
        "same_file": same,
        "prune_s": time.monotonic() - begin,
        "prune_cpu_s": time.process_time() - begin_cpu,
        **served(),
    }


def served(frames: int = 200) -> dict[str, float]:
    """Frames a second that reach a client over HTTP while the network learns, on the wall and of the processor."""
    data = load_data_set("xor")
    with FrameServer(0, "xor") as server, urllib.request.urlopen(f"{server.url}frames", timeout=60.0) as page:
        begin, begin_cpu = time.monotonic(), time.process_time()
        for frame in learn(data, LearnConfig(steps=frames, frames=frames)):
            server.send(frame)
        server.finish()
        received = sum(line.startswith(b"data: {") for line in page)
        wall, cpu = time.monotonic() - begin, time.process_time() - begin_cpu
    return {"frames_per_s": received / wall, "frames_per_cpu_s": received / cpu}
