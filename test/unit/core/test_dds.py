"""Which transports and which discovery range a node gets: this machine alone, unless the one switch opens it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dofbot_ros.core import dds
from dofbot_ros.core.dds import (
    NETWORK_VARIABLE,
    PEERS_VARIABLE,
    PROFILE_VARIABLES,
    RANGE_VARIABLE,
    configure_dds,
    network,
    private_domain,
    reserved_domain,
)
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import DofbotError, InputError

LOCAL_PROFILE, OPEN_PROFILE = (str(share_file("config", name)) for name in ("fastdds.xml", "fastdds_open.xml"))
DDS = "{http://www.eprosima.com}"
FREE = 1000 * os.getpid()
"""Domains that no arm and no other run of these tests has: ROS ends at 232."""


def configured(**given: str) -> tuple[dict[str, str], list[str]]:
    environment = dict(given)
    return environment, configure_dds(environment)


def interfaces(profile: str) -> dict[str, list[str]]:
    """Transport type -> addresses it is bound to, of the transports that the default participant uses."""
    root = ElementTree.parse(profile).getroot()
    used = [e.text for e in root.findall(f".//{DDS}userTransports/{DDS}transport_id")]
    assert root.findtext(f".//{DDS}useBuiltinTransports") == "false"
    return {
        str(transport.findtext(f"{DDS}type")): [str(e.text) for e in transport.iter(f"{DDS}address")]
        for transport in root.iter(f"{DDS}transport_descriptor")
        if transport.findtext(f"{DDS}transport_id") in used
    }


def test_by_default_discovery_and_transports_stay_on_this_machine() -> None:
    environment, warnings = configured()
    assert environment == {PROFILE_VARIABLES[0]: LOCAL_PROFILE, RANGE_VARIABLE: "LOCALHOST"}
    assert warnings == []
    assert interfaces(LOCAL_PROFILE) == {"SHM": [], "UDPv4": ["127.0.0.1"]}


def test_opened_it_is_as_ros_does_it_and_says_so() -> None:
    environment, (warning,) = configured(**{NETWORK_VARIABLE: "open"})
    assert environment == {NETWORK_VARIABLE: "open", PROFILE_VARIABLES[0]: OPEN_PROFILE}
    assert warning.startswith("open to the network")
    assert interfaces(OPEN_PROFILE) == {"SHM": [], "UDPv4": []}


@pytest.mark.parametrize("reach", dds.NETWORKS)
def test_a_node_that_sends_no_pictures_takes_less_shared_memory_and_is_reached_as_the_others(reach: str) -> None:
    paths, sizes = [], []
    for pictures in (True, False):
        environment = {NETWORK_VARIABLE: reach}
        configure_dds(environment, pictures=pictures)
        paths.append(environment[PROFILE_VARIABLES[0]])
        sizes.append(int(ElementTree.parse(paths[-1]).findtext(f".//{DDS}segment_size") or 0))
    assert sizes == [16 * 2**20, 512 * 2**10]
    assert interfaces(paths[0]) == interfaces(paths[1])


@pytest.mark.parametrize("variable", PROFILE_VARIABLES)
def test_the_users_own_profile_stays_and_is_named_since_it_decides_who_is_heard(variable: str) -> None:
    environment, (warning,) = configured(**{variable: "/my/profile.xml"})
    assert environment == {variable: "/my/profile.xml", RANGE_VARIABLE: "LOCALHOST"}
    assert "/my/profile.xml" in warning
    environment, (warning,) = configured(**{variable: "/my/profile.xml", NETWORK_VARIABLE: "open"})
    assert environment[variable] == "/my/profile.xml"
    assert warning.startswith("open to the network")


@pytest.mark.parametrize(("reach", "profile"), [("local", LOCAL_PROFILE), ("open", OPEN_PROFILE)])
def test_a_shipped_profile_that_somebody_exported_does_not_stand_against_the_switch(
    tmp_path: Path, reach: str, profile: str
) -> None:
    copy = tmp_path / "fastdds.xml"
    copy.write_bytes(Path(LOCAL_PROFILE if reach == "open" else OPEN_PROFILE).read_bytes())
    environment, _ = configured(**{PROFILE_VARIABLES[0]: str(copy), NETWORK_VARIABLE: reach})
    assert environment[PROFILE_VARIABLES[0]] == profile


@pytest.mark.parametrize(
    ("given", "warns"),
    [
        ({RANGE_VARIABLE: "LOCALHOST"}, []),
        ({RANGE_VARIABLE: "OFF"}, []),
        ({RANGE_VARIABLE: "SUBNET"}, ["ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET"]),
        ({PEERS_VARIABLE: "10.0.0.7"}, ["ROS_STATIC_PEERS=10.0.0.7"]),
    ],
)
def test_the_users_ros_variables_stay_but_open_nothing_and_he_is_told(given: dict[str, str], warns: list[str]) -> None:
    environment, warnings = configured(**given)
    assert environment == {RANGE_VARIABLE: "LOCALHOST", **given, PROFILE_VARIABLES[0]: LOCAL_PROFILE}
    assert [warning.split(" finds nobody")[0] for warning in warnings] == warns


def test_a_value_that_does_not_exist_is_refused_rather_than_taken_for_open_or_closed() -> None:
    with pytest.raises(InputError, match="DOFBOT_NETWORK 'opn' is not one of local, open"):
        network({NETWORK_VARIABLE: "opn"})
    assert network({NETWORK_VARIABLE: ""}) == "local"


def test_a_private_domain_is_local_even_where_the_network_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NETWORK_VARIABLE, "open")
    monkeypatch.delenv(RANGE_VARIABLE, raising=False)
    with private_domain():
        assert (network(), os.environ[RANGE_VARIABLE]) == ("local", "LOCALHOST")
        assert 1 <= int(os.environ["ROS_DOMAIN_ID"]) < 100
    assert network() == "open"
    assert RANGE_VARIABLE not in os.environ


def test_a_domain_that_is_reserved_here_is_nobody_elses_until_it_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dds, "DOMAINS", range(FREE, FREE + 3))
    with ExitStack() as held:
        domains = [held.enter_context(reserved_domain()) for _ in range(2)]
        code = (
            "from dofbot_ros.core import dds\n"
            f"dds.DOMAINS = range({FREE}, {FREE} + 3)\n"
            "with dds.reserved_domain() as domain: print(domain)"
        )
        elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert sorted([*domains, int(elsewhere.stdout)]) == [FREE, FREE + 1, FREE + 2]
        held.enter_context(reserved_domain())
        with pytest.raises(DofbotError, match="are all reserved"), reserved_domain():
            pass
    with reserved_domain() as domain:
        assert domain in dds.DOMAINS
