"""Files that are whole or not there: written beside their place, and moved into it when they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write what is to be `path`; it gets its name, and its bytes are on the disk, when the context ends well.

    An error in the context leaves `path` as it was. The draft ends as `path` does, for writers that go by the suffix.
    """
    draft = path.with_name(f".part-{path.name}")
    draft.touch()
    mode = draft.stat().st_mode
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        # Some writers put a file of their own there, that their owner alone may read whatever the umask says.
        draft.chmod(mode)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
