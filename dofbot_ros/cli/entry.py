"""The executable `dofbot`: an emergency stop goes its own short way, all else to the command line in main.py.

Nothing is imported here that an emergency stop does not need: typer and rich alone take longer than the stop.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["estop"] and _stopped(sys.argv[2:]):
        return
    from dofbot_ros.cli.main import main as command_line

    command_line()


def _stopped(words: list[str]) -> bool:
    """Stop the arms that `words` name; False leaves everything else, help and errors too, to the command line."""
    from dofbot_ros.errors import InputError
    from dofbot_ros.safety.stop_line import chosen, stop

    options = dict(zip(words[::2], words[1::2], strict=False))
    domain, namespace = options.pop("--domain", None), options.pop("--namespace", None)
    if options or len(words) % 2 or not (domain is None or domain.isdecimal()):
        return False
    try:
        arms = chosen(None if domain is None else int(domain), namespace)
    except InputError:
        return False
    done = stop(arms)
    for who in done:
        sys.stderr.write(f"stopped {who}\n")
    return bool(arms) and len(done) == len(arms)


if __name__ == "__main__":
    main()
