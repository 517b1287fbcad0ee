"""How far this process has grown at most since a moment; its all-time peak would hide what comes after a larger one."""

from __future__ import annotations

import re
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """The peak from here on (proc(5): writing 5 to clear_refs sets VmHWM back)."""

    def __init__(self) -> None:
        CLEAR.write_text("5", encoding="ascii")
        self._before_kb = _kb("VmRSS")

    def grown_mb(self) -> float:
        """By how much the process was larger at most than when this was made [MB]."""
        return (_kb("VmHWM") - self._before_kb) / 1024.0


def _kb(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) if found else 0
