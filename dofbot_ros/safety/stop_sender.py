"""Sends an emergency stop to the arms of this machine, as fast as a program can start.

It is run as a file by a Python without site packages (`python -I -S`), so it imports the least that it needs: on a busy
machine the start of a program is what takes time. The other end of the line is stop_line.py.
"""

import os
import socket
import sys

PREFIX = "dofbot_ros/arm/"
STOP, WHO = b"estop", b"who"
ANSWER_S = 0.3
"""A node that runs answers within this time, on a busy machine too [s]."""
MOST_BYTES = 4096


def abstract_name(domain: int, namespace: str) -> str:
    """Of the socket of an arm, with the NUL that makes it one of no file."""
    return f"\0{PREFIX}{domain}/{namespace}"


def exchange(domain: int, namespace: str, message: bytes, timeout_s: float = ANSWER_S) -> "bytes | None":
    """Send STOP or WHO to the node of an arm. Returns its answer, None where none comes within `timeout_s` [s]."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("")  # the kernel gives it an address, to be answered at
        line.settimeout(timeout_s)
        try:
            line.sendto(message, abstract_name(domain, namespace))
            return line.recv(MOST_BYTES)
        except OSError:
            return None


def running() -> "list[tuple[int, str]]":
    """Domain and namespace of every arm that runs on this machine, in order."""
    found = set()
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as sockets:
        for line in sockets:
            _, here, rest = line.rstrip("\n").partition(f" @{PREFIX}")
            domain, _, namespace = rest.partition("/")
            if here and domain.isdecimal():
                found.add((int(domain), namespace))
    return sorted(found)


def chosen(domain: "str | None", namespace: "str | None") -> "list[tuple[int, str]] | None":
    """The arms that an emergency stop is for.

    Args:
        domain: of the arm; None: what ROS_DOMAIN_ID says.
        namespace: of the arm; None: not told.

    Returns:
        Domain and namespace of the one that is told; of every arm that runs on this machine where neither an argument
        nor ROS_DOMAIN_ID tells one, since who stops in a hurry knows no domain. None: a domain that is no number.
    """
    told = os.environ.get("ROS_DOMAIN_ID") or ""
    if domain is None and namespace is None and not told:
        return running()
    number = domain or told or "0"
    return [(int(number), (namespace or "").strip("/"))] if number.isdecimal() else None


def main(words: "list[str]") -> bool:
    """Stop the arms that the words behind `dofbot estop` name.

    Returns:
        Whether all of them have confirmed; False leaves everything else, help and errors too, to the command line.
    """
    options = dict(zip(words[::2], words[1::2]))  # noqa: B905 - a word too many is refused below
    domain, namespace = options.pop("--domain", None), options.pop("--namespace", None)
    arms = None if options or len(words) % 2 else chosen(domain, namespace)
    done = [arm for arm in arms or () if exchange(*arm, STOP) is not None]
    for number, place in done:
        sys.stderr.write(f"stopped the arm in ROS domain {number}{f', namespace /{place}' if place else ''}\n")
    return bool(arms) and len(done) == len(arms or ())


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
