"""Which camera looked at the trials of a series: written into its folder, and compared when the series goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.files import write_whole
from dofbot_ros.errors import InputError

FILE = "camera.json"


@dataclass(frozen=True)
class CameraIdentity:
    """What tells a camera from another one; "" where that is not known.

    Attributes:
        name: that its driver gives it; of a file or stream where that is the camera.
        usb_id: vendor and product, as in 046d:0825.
        serial: number of the camera; of a simulated one, a digest of how it looks at the table.
        bus: USB port it is plugged into, as in 1-2.
        size: of its images, as in 640x480.
    """

    name: str = ""
    usb_id: str = ""
    serial: str = ""
    bus: str = ""
    size: str = ""

    def __str__(self) -> str:
        """In one line."""
        known = [
            self.name or "camera that tells no name",
            self.usb_id,
            f"serial {self.serial}" if self.serial else "",
            f"USB port {self.bus}" if self.bus else "",
            self.size,
        ]
        return ", ".join(word for word in known if word)


def identity_of(told: Mapping[str, str], size: str) -> CameraIdentity:
    """The camera behind an entry of diagnostics.

    Args:
        told: values of camera_node's entry, or of a simulated world's; empty for a driver that has none.
        size: of the images, as in 640x480.
    """
    known = {field.name: told.get(field.name, "") for field in fields(CameraIdentity)}
    return CameraIdentity(**{**known, "name": known["name"] or told.get("device", ""), "size": size})


def require_same_camera(folder: Path, camera: CameraIdentity, *, begun: bool) -> None:
    """See that the series in `folder` goes on with its own camera; its beginning writes down which one that is.

    Args:
        folder: of the series.
        camera: that looks at the table now.
        begun: whether trials of it were run already.

    Raises:
        InputError: it is another camera, or looks otherwise; names what differs, and the remedy.
    """
    held = read_camera(folder) if begun else None
    if held is None:
        write_whole(folder / FILE, json.dumps(to_mapping(camera), indent=1) + "\n")
        return
    for name, remedy in REMEDIES.items():
        before, now = getattr(held, name), getattr(camera, name)
        if before != now:
            differs = f"{WORDS[name]} {before or 'unknown'}, now {now or 'unknown'}"
            raise InputError(f"{folder} was begun with another camera ({differs}): {remedy}, or take another --out")


def read_camera(folder: Path) -> CameraIdentity | None:
    """The camera of the series in `folder`; None where none was written down.

    Raises:
        InputError: the file cannot be understood.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return from_mapping(CameraIdentity, json.loads(path.read_bytes()), str(path))
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}): move it away, or take another --out") from error


WORDS = {"name": "name", "usb_id": "USB id", "serial": "serial number", "size": "image size", "bus": "USB port"}
REMEDIES = {
    "name": "plug the first one in",
    "usb_id": "plug the first one in",
    "serial": "plug the first one in",
    "size": "set image_width and image_height as before",
    "bus": "plug it into that port, since a calibration belongs to one camera and two of a kind look alike",
}
"""In the order in which they are compared -> what makes it the same camera again."""
