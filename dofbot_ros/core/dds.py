"""How this process joins DDS: on this machine alone unless the network is opened, and in which domain."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import DofbotError, InputError, one_of

NETWORK_VARIABLE = "DOFBOT_NETWORK"
"""The one switch; `network:=` of a stack sets it for the stack's nodes."""
LOCAL, OPEN = "local", "open"
NETWORKS = (LOCAL, OPEN)

PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""What Fast DDS reads: the name since 2.12, and the one before."""
PROFILES = {
    (LOCAL, True): "fastdds.xml",
    (LOCAL, False): "fastdds_small.xml",
    (OPEN, True): "fastdds_open.xml",
    (OPEN, False): "fastdds_open_small.xml",
}
"""Network, and whether pictures are sent -> the shipped profile in config/."""
RANGE_VARIABLE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
PEERS_VARIABLE = "ROS_STATIC_PEERS"
WITHIN_THIS_MACHINE = ("LOCALHOST", "OFF")
"""Discovery ranges that ask for nobody outside."""

DOMAINS = range(1, 100)
"""Domain ids whose ports lie below the ephemeral ones of Linux."""
RESERVED_PREFIX = "dofbot_ros/domain/"
"""Of the local socket that reserves a domain."""


def network(environment: MutableMapping[str, str] | None = None) -> str:
    """Who can reach the nodes: "local", this machine alone (the default), or "open", every machine on the network.

    Raises:
        InputError: DOFBOT_NETWORK has another value.
    """
    value = (os.environ if environment is None else environment).get(NETWORK_VARIABLE) or LOCAL
    if value not in NETWORKS:
        raise InputError(one_of(NETWORK_VARIABLE, value, NETWORKS))
    return value


def configure_dds(environment: MutableMapping[str, str] | None = None, *, pictures: bool = True) -> list[str]:
    """Choose discovery range and transports for nodes to come; call before rclpy.init().

    local: participants are searched on this machine, and transports are shared memory and the loopback interface, so
    that a peer elsewhere that knows the address is not heard either. open: as ROS does without us. A Fast DDS profile
    that the user chose stays, and so do his ROS variables.

    Args:
        environment: changed in place; None: this process's.
        pictures: whether they send pictures: shared memory for those costs a process 16 MiB.

    Returns:
        Warnings, one line each: the network is open, or the user's own settings make it so or remain without effect.

    Raises:
        InputError: DOFBOT_NETWORK has a value that does not exist.
    """
    environment = os.environ if environment is None else environment
    reach = network(environment)
    chosen = [environment[name] for name in PROFILE_VARIABLES if environment.get(name)]
    foreign = [profile for profile in chosen if not _shipped(Path(profile))]
    if not foreign:
        environment[PROFILE_VARIABLES[0]] = str(share_file("config", PROFILES[reach, pictures]))
    if reach == OPEN:
        return ["open to the network: other machines can reach this node, and the arm through it; see docs/security.md"]
    if not environment.get(RANGE_VARIABLE):
        environment[RANGE_VARIABLE] = WITHIN_THIS_MACHINE[0]
    if foreign:
        return [f"transports are those of {foreign[0]}: whether other machines can reach this node is up to that file"]
    beyond = [
        f"{name}={environment[name]}"
        for name in (RANGE_VARIABLE, PEERS_VARIABLE)
        if environment.get(name) and environment[name] not in WITHIN_THIS_MACHINE
    ]
    return [f"{word} finds nobody outside this machine: {NETWORK_VARIABLE}=open lets it" for word in beyond]


def _shipped(profile: Path) -> bool:
    """Whether it is one of ours, in whichever installation: who exports the local one can still open the network."""
    ours = {share_file("config", name).read_bytes() for name in PROFILES.values()}
    return profile.is_file() and profile.read_bytes() in ours


@contextmanager
def reserved_domain() -> Iterator[int]:
    """A ROS domain that nobody else on this machine gets here until the block ends, drawn by chance.

    The kernel gives it back however its owner ends (unix(7), abstract sockets; Linux only).

    Raises:
        DofbotError: all of DOMAINS are reserved.
    """
    order = random.SystemRandom().sample(DOMAINS, len(DOMAINS))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as owner:
        for domain in order:
            try:
                owner.bind(f"\0{RESERVED_PREFIX}{domain}")
            except OSError:
                continue
            yield domain
            return
    raise DofbotError(f"ROS domains {DOMAINS[0]} to {DOMAINS[-1]} are all reserved: end a program that holds one")


@contextmanager
def private_domain(domain: int | None = None) -> Iterator[None]:
    """What starts in here hears no other arm on the network, and nobody else on this machine hears it.

    Args:
        domain: the ROS domain to take, which programs of this machine that name it share; a reserved one when None.

    Raises:
        DofbotError: no domain is free.
    """
    with reserved_domain() if domain is None else nullcontext(domain) as number:
        private = {
            "ROS_DOMAIN_ID": str(number),
            RANGE_VARIABLE: WITHIN_THIS_MACHINE[0],
            NETWORK_VARIABLE: LOCAL,
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
