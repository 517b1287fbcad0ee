"""One step of the calibration in a process of its own, so that nothing else waits for it: JSON lines on stdout.

Called as `python -m dofbot_ros.calibration.guided.worker STEP FOLDER PICTURES`. A line is an object with `progress`
(a sentence), and at last one with `result` (sentences) or `error` (one line).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from dofbot_ros.calibration.guided.steps import run_step
from dofbot_ros.errors import DofbotError


def main() -> int:
    """Run the step that the command line names."""
    os.nice(10)  # the loops of an arm on the same machine go first
    name, folder, pictures = sys.argv[1:4]
    try:
        _say("result", run_step(name, Path(folder), Path(pictures), lambda words: _say("progress", words)))
    except (DofbotError, OSError) as error:
        _say("error", str(error))
        return 1
    return 0


def _say(key: str, words: str | list[str]) -> None:
    sys.stdout.write(json.dumps({key: words}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
