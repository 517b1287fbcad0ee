"""What reports of trials are made of: one HTML file with its pictures inside, the table from above, units."""

from __future__ import annotations

import base64
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cv2

from dofbot_ros import __version__
from dofbot_ros.errors import DependencyError
from dofbot_ros.vision.cameras.frame_files import read_image
from dofbot_ros.vision.cameras.frames import CameraError

FILE = "report.html"
THUMBNAIL = (400, 300)
THUMBNAIL_QUALITY = 72
MAP_SCALE, MAP_ORIGIN = 600.0, (160.0, 196.0)
"""Of the table from above, in a picture of 320 x 216 with forward up: units a metre, and where joint 1 is."""
BASE_CORNER, BASE_SIZE = (0.045, 0.06), (72.0, 36.0)
"""The arm's plate there: its corner at the left and in front [m], its width and height [units]."""
GOOD, BAD, UNKNOWN = "#16794a", "#b3261e", "#5c6675"


def write_page(folder: Path, template: str, content: dict[str, Any]) -> Path:
    """Write report.html into `folder`, as write_file."""
    return write_file(folder / FILE, template, content)


def write_file(path: Path, template: str, content: dict[str, Any]) -> Path:
    """Write a page from one of the templates beside this file; it says when, and by which version. Returns `path`.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader
    except ImportError as error:
        raise DependencyError("jinja2", "sim", "the report") from error
    loader = FileSystemLoader(Path(__file__).parent)
    pages = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made = f"Written {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC by dofbot_ros {version()}."
    path.write_text(pages.get_template(template).render(made=made, **content), encoding="utf-8")
    return path


def version() -> str:
    """Of this package; with the commit where it runs from a checkout."""
    commit = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(commit, capture_output=True, text=True, timeout=5.0, check=True)
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__}, commit {done.stdout.strip()}"


def on_map(x: float, y: float) -> tuple[float, float]:
    """Where a point x, y of base_link [m] is in the picture of the table from above."""
    return round(MAP_ORIGIN[0] - MAP_SCALE * y, 1), round(MAP_ORIGIN[1] - MAP_SCALE * x, 1)


def table_map(title: str, label: str, key: str, marks: dict[str, Any]) -> dict[str, Any]:
    """The panel that shows the table from above.

    Args:
        title: over the picture.
        label: what the picture is, for who cannot see it.
        key: what its marks mean.
        marks: what is drawn, for the block `map` of the template.
    """
    (x, y), (w, h) = on_map(*BASE_CORNER), BASE_SIZE
    return {"title": title, "label": label, "key": key, "base": {"x": x, "y": y, "w": w, "h": h}, **marks}


def thumbnail(path: Path) -> str:
    """The picture as a small JPEG in base64; "" where there is none that can be read."""
    if not path.exists():
        return ""
    try:
        image = read_image(path)
    except CameraError:
        return ""  # the others of the report are worth more
    small = cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1]
    return base64.b64encode(jpeg.tobytes()).decode("ascii")


def unit(value: float | None, name: str, digits: int = 0) -> str:
    """A figure with its unit; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f} {name}"


def tone(success: bool | None) -> str:
    """Style of a trial's word: good, bad, or "" where it does not count."""
    return {True: "good", False: "bad", None: ""}[success]


def colour(success: bool | None) -> str:
    """Colour of a trial in a chart."""
    return {True: GOOD, False: BAD, None: UNKNOWN}[success]
