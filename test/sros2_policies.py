"""Reads the SROS 2 policies: who may do what, as sets of names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).resolve().parents[1] / "config" / "sros2"
INCLUDE = "{http://www.w3.org/2001/XInclude}include"
RIGHTS = {
    "topics": ("publish", "subscribe"),
    "services": ("reply", "request"),
    "actions": ("execute", "call"),
}
Rights = dict[str, set[str]]
"""publish, subscribe, reply, request, execute, call -> names, relative or absolute."""


@dataclass
class Enclave:
    """One identity; `own` leaves out what node.xml grants to everybody."""

    path: str
    nodes: dict[str, Rights] = field(default_factory=dict)

    @property
    def own(self) -> Rights:
        together: Rights = defaultdict(set)
        for rights in self.nodes.values():
            for right, names in rights.items():
                together[right] |= names
        return together


def rights(profile: ElementTree.Element) -> Rights:
    """What the rules below one <profile> allow. Raises ValueError on a rule that is not understood."""
    allowed: Rights = defaultdict(set)
    for rule in profile:
        if rule.tag == INCLUDE:
            assert rule.attrib == {"href": "node.xml", "xpointer": "xpointer(/profile/*)"}
            continue
        granted = [right for right in RIGHTS[rule.tag] if rule.get(right) == "ALLOW"]
        if not granted or set(rule.attrib) != set(granted):
            raise ValueError(f"<{rule.tag} {rule.attrib}> grants nothing, or something else than ALLOW")
        for right in granted:
            for entry in rule:
                assert entry.tag == rule.tag[:-1]
                allowed[right].add(str(entry.text))
    return allowed


def common() -> Rights:
    """What every node may do."""
    return rights(ElementTree.parse(FOLDER / "node.xml").getroot())


def enclaves() -> dict[str, Enclave]:
    """Path without its slash -> enclave, of all policy files."""
    found = {}
    for file in sorted(FOLDER.glob("*.policy.xml")):
        root = ElementTree.parse(file).getroot()
        assert (root.tag, root.attrib) == ("policy", {"version": "0.2.0"})
        for element in root.iterfind("enclaves/enclave"):
            enclave = Enclave(element.attrib["path"].removeprefix("/"))
            for profile in element.iterfind("profiles/profile"):
                assert profile.attrib["ns"] == "/"
                assert [rule.tag for rule in profile].count(INCLUDE) == 1, "every node logs and has parameters"
                enclave.nodes[profile.attrib["node"]] = rights(profile)
            assert enclave.path not in found, f"{enclave.path} stands in two files"
            found[enclave.path] = enclave
    return found
