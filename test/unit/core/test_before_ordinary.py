"""A program's threads go before ordinary ones where the system permits it, whoever has started them."""

from __future__ import annotations

import os
import subprocess
import sys

from dofbot_ros.core.realtime import NICE

PROGRAM = """
import os, threading
from dofbot_ros.core.realtime import before_ordinary_programs

def note():
    told.wait()
    seen.append(os.getpriority(os.PRIO_PROCESS, 0))

told, seen = threading.Event(), []
threads = [threading.Thread(target=note)]
threads[0].start()
threading.Thread(target=lambda: None).start()
permitted = before_ordinary_programs()
threads.append(threading.Thread(target=note))
threads[1].start()
told.set()
for thread in threads:
    thread.join()
print(permitted, os.getpriority(os.PRIO_PROCESS, 0), *seen)
"""


def test_threads_from_before_and_after_the_call_go_first_where_permitted() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    done = subprocess.run((sys.executable, "-c", PROGRAM), capture_output=True, text=True, check=True)
    permitted, *seen = done.stdout.split()
    expected = max(before + NICE, -20) if permitted == "True" else before
    assert seen == [str(expected)] * 3
