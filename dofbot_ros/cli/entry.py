"""The executable `dofbot`: an emergency stop goes its own short way, all else to the command line in main.py.

Nothing is imported here that an emergency stop does not need: typer and rich alone take longer than the stop.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["estop"]:
        from dofbot_ros.safety.stop_sender import main as stop

        if stop(sys.argv[2:]):
            return
    from dofbot_ros.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
