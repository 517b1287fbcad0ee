"""When recorded messages were made: arrival jitters, stamps do not, but they may come from another clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.record.reader import Recorded

MAX_CLOCK_RATIO = 1.1
"""Stamps may run faster or slower than arrivals by this factor; in a short recording by STEP_S in all, since a recorder
that has to wait for a busy machine takes some messages late."""
STEP_S = 0.5
"""A stamp that moves by so much more or less than the arrival from one message to the next is on a clock that was set,
or follows a message that was held up [s]."""


def times_made(messages: Sequence[Recorded]) -> FloatArray:
    """When each message was made, on the recorder's clock [s], shape (n,).

    A stamp in the header counts, moved by the median difference to the arrivals of its topic: clocks of two machines
    differ by a constant, until one of them is set; from there on by another. Messages without a stamp were made when
    they arrived.

    Raises:
        InputError: stamps that run faster or slower than the recorder's clock.
    """
    received = np.array([m.received_s for m in messages], dtype=np.float64)
    headers = np.array([_header_s(m) for m in messages], dtype=np.float64)
    topics = np.array([m.topic for m in messages])
    made = received.copy()
    for topic in dict.fromkeys(topics):
        rows = np.flatnonzero((topics == topic) & (headers > 0.0))
        if not rows.size:
            continue
        stamped, came = np.diff(headers[rows]), np.diff(received[rows])
        set_anew = np.abs(stamped - came) > STEP_S
        span, received_span = float(stamped[~set_anew].sum()), float(came[~set_anew].sum())
        even = 1 / MAX_CLOCK_RATIO < span / received_span < MAX_CLOCK_RATIO if received_span > 1.0 else True
        if not even and abs(span - received_span) > STEP_S:
            raise InputError(
                f"{span:.1f} s of {topic} came within {received_span:.1f} s: "
                "recorded from a simulation that did not run in real time (rtf:=1.0)"
            )
        for part in np.split(rows, np.flatnonzero(set_anew) + 1):
            made[part] = headers[part] + np.median(received[part] - headers[part])
    return made


def _header_s(message: Recorded) -> float:
    """The stamp of a message [s]; 0 without one."""
    stamp = getattr(getattr(message.content, "header", None), "stamp", None)
    return 0.0 if stamp is None else float(stamp.sec) + 1e-9 * float(stamp.nanosec)
