"""The camera's pictures in an episode: when they were made, and what they show."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.record.reader import Episode, Recorded, understood
from dofbot_ros.record.timing import times_made
from dofbot_ros.record.topics import IMAGES
from dofbot_ros.vision.cameras.pictures import PictureError, decode_picture


def picture_times(episode: Episode) -> FloatArray:
    """When the pictures were made, on the recorder's clock [s], (k,), in the order of their messages.

    Raises:
        InputError: messages that are no pictures, or stamps that do not fit their arrival.
    """
    stamps = [Recorded(m.topic, m.received_s, _only_stamp(m.content)) for m in episode.messages(IMAGES)]
    with understood(episode.path, f"its messages on {IMAGES}"):
        return times_made(stamps)


def decoded(episode: Episode, message: Recorded) -> ImageArray:
    """The picture of a message, RGB (h, w, 3).

    Raises:
        InputError: it is none.
    """
    try:
        with understood(episode.path, f"its messages on {IMAGES}"):
            data = bytes(message.content.data)
        return decode_picture(data)
    except PictureError as error:
        raise InputError(f"{episode.path}: an image of {IMAGES} {error}") from error


def _only_stamp(content: Any) -> Any:
    """The message without its picture."""
    return SimpleNamespace(header=getattr(content, "header", None))
