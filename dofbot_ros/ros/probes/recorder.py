"""A recorder for the fault matrix whose system clock is set while it records; the arm must not notice."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo, Outcome
from dofbot_ros.record.steady import SteadyUnixTime
from dofbot_ros.record.topics import default_topics
from dofbot_ros.ros.clients.recorder import RecordNode
from dofbot_ros.ros.runtime.service_manager import READY, notify

FIND_S = 30.0


def main() -> int:
    """Record for so long, and set the clock in the middle of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--step", type=float, default=-3600.0, help="by which the clock is set [s]")
    parser.add_argument("--result", type=Path, required=True, help="the episode's path, and steps that were noticed")
    given = parser.parse_args()
    with RecordNode(default_topics(1.0)) as node:
        node.wait_for_publishers(FIND_S)
        step_s = time.monotonic() + 0.5 * given.seconds

        def unix_ns() -> int:
            return time.time_ns() + (int(1e9 * given.step) if time.monotonic() >= step_s else 0)

        writer = EpisodeWriter(given.out, EpisodeInfo(time.time(), "clock"))
        node.start(writer.write, writer.note, SteadyUnixTime(unix_ns))
        notify(READY)
        time.sleep(given.seconds)
        node.close()
    writer.finish(Outcome(None, given.seconds))
    steps = [step.step_s for step in writer.clock_steps]
    given.result.write_text(json.dumps({"path": str(writer.path), "steps": steps, "messages": writer.counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
