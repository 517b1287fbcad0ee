"""Writes docs/licences.md: version, licence and homepage of every direct pin, as the installed packages tell them.

python tools/licences.py            writes the file
python tools/licences.py --check    exit code 1 where it is not what would be written, 2 where packages are missing
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
PARTS = (*re.findall(r"-r requirements/(\w+)\.txt", (ROOT / "requirements.txt").read_text()), "ray")
LONGEST = 60
"""A licence field that is longer holds the whole text [characters]; the classifier then names it."""
BY_HAND = {
    "ray": ("Apache-2.0", "https://github.com/ray-project/ray"),
    "ros-fastdds": ("Apache-2.0", "https://github.com/eProsima/Fast-DDS"),
}
"""Licence and homepage, from the project's page, where nothing installed tells: requirements.txt leaves ray out, and
the wheel of Fast DDS declares nothing."""

HEAD = """# Licences of what this package is built on

Made by `make licences`; a test holds it to the pins. Direct dependencies with the version that is pinned in
`requirements/`, and the licence that the package itself declares. Group `test` is never installed with the product.
What each is for stands in [dependencies](dependencies.md); this package itself is Apache-2.0 ([LICENSE](../LICENSE)).

| group | package | version | licence | homepage |
|---|---|---|---|---|
"""


class NotInstalledError(Exception):
    """A package that is pinned is not installed here, or in another version."""


@dataclass(frozen=True)
class Pin:
    """One line of requirements/<part>.txt."""

    part: str
    name: str
    version: str


def pins() -> Iterator[Pin]:
    """Every direct pin, in the order of the files."""
    for part in PARTS:
        for line in (ROOT / "requirements" / f"{part}.txt").read_text().splitlines():
            if line.strip() and not line.startswith(("#", "-")):
                name, _, version = line.strip().partition("==")
                yield Pin(part, name, version)


def row(pin: Pin) -> str:
    """The table row of one pin.

    Raises:
        NotInstalledError: the package is not installed here, or in another version.
    """
    if pin.name in BY_HAND:
        licence, homepage = BY_HAND[pin.name]
    else:
        try:
            told = metadata.metadata(pin.name)
        except metadata.PackageNotFoundError as error:
            raise NotInstalledError(f"{pin.name} is not installed") from error
        installed = told["Version"].partition("+")[0]
        if installed != pin.version:
            raise NotInstalledError(f"{pin.name} is installed in version {installed}, the pin is {pin.version}")
        licence, homepage = _ros(pin.name) if pin.name.startswith("ros-") else _told(told)
    return f"| {pin.part} | {pin.name} | {pin.version} | {licence} | {homepage} |\n"


def _told(told: metadata.PackageMetadata) -> tuple[str, str]:
    """Licence and homepage by core metadata: the SPDX expression, a short licence field, or the classifier."""
    classifiers = [c.split(" :: ")[-1] for c in told.get_all("Classifier") or [] if c.startswith("License :: OSI")]
    field = _field(told, "License")
    short = field if field and len(field) <= LONGEST and "\n" not in field else ""
    licence = _field(told, "License-Expression") or short or ", ".join(classifiers)
    links = dict(re.split(r",\s*", url, maxsplit=1) for url in told.get_all("Project-URL") or [])
    named = {label.lower(): url for label, url in links.items()}
    wanted = ("homepage", "repository", "source", "code", "upstream", "documentation")
    homepage = _field(told, "Home-page") or next((named[label] for label in wanted if label in named), "")
    return licence or "not declared", homepage


def _field(told: metadata.PackageMetadata, name: str) -> str:
    return told[name] if name in told else ""  # noqa: SIM401 - this protocol has no get()


def _ros(name: str) -> tuple[str, str]:
    """Of a ROS wheel, which declares nothing itself, by the package.xml that it installs."""
    package = name.removeprefix("ros-").replace("-", "_")
    root = ElementTree.parse(Path(sys.prefix) / "share" / package / "package.xml").getroot()
    licence = " and ".join(str(element.text) for element in root.iterfind("license"))
    return licence, f"https://index.ros.org/p/{package}"


def page() -> str:
    """The whole file.

    Raises:
        NotInstalledError: not every pin is installed here.
    """
    return HEAD + "".join(row(pin) for pin in pins())


def main() -> int:
    """Write or check. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    try:
        text = page()
    except NotInstalledError as error:
        sys.stderr.write(f"{error}: pip install -r requirements.txt\n")
        return 2
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.stderr.write("docs/licences.md is not what the pins say: make licences\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
