"""A few seconds of fuzzing; DOFBOT_FUZZ_N sets the inputs, `dofbot bench fuzz` does it at length."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dofbot_ros.bench.fuzz import codecs, target
from dofbot_ros.bench.fuzz.mutate import flipped
from dofbot_ros.bench.fuzz.run import all_targets, measure
from dofbot_ros.bench.fuzz.target import Target, run_target
from dofbot_ros.errors import FrameError, InputError
from dofbot_ros.hardware.wire.framing import Framing

N = int(os.environ.get("DOFBOT_FUZZ_N", "60"))

NAMES = (
    "codecs: frames",
    "codecs: streams",
    "codecs: replies",
    "yaml: calibration",
    "yaml: camera info",
    "yaml: camera pose",
    "yaml: world",
    "yaml: blocks",
    "yaml: randomization",
    "yaml: domains",
    "yaml: teleop",
    "yaml: trials",
    "yaml: policy spec",
    "yaml: pose spec",
    "urdf",
    "arrangement",
    "objects",
    "landmarks",
    "trials",
    "npz",
    "mcap: bytes",
    "mcap: content",
    "pictures",
    "ros: pose",
    "ros: twist",
    "ros: joint states",
    "ros: image",
    "ros: camera info",
    "ros: joy",
    "ros: detections",
    "ros: stamps",
    "ros: frames",
    "ros: what nodes keep",
    "ros: commands",
)


@pytest.fixture(scope="module")
def targets() -> Iterator[dict[str, Target]]:
    with all_targets() as made:
        yield {one.name: one for one in made}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_right_values_and_refusals_comes_out(targets: dict[str, Target], name: str) -> None:
    if name.startswith("ros: ") and name not in targets:
        pytest.skip("ROS 2 is not installed here")
    one = targets[name]
    inputs = max(300, N) if name == "ros: commands" else N

    result = run_target(one, max(1, round(inputs * max(1.0, one.share))), seed=0)

    assert result["failures"] == []
    assert result["refused"] < result["inputs"]


def test_no_target_is_left_out(targets: dict[str, Target]) -> None:
    assert set(targets) in (set(NAMES), {name for name in NAMES if not name.startswith("ros: ")})


@pytest.mark.slow
def test_a_run_tells_what_it_did_and_the_same_seed_does_the_same() -> None:
    once, again = (measure(3, seed=1, only="codecs") for _ in range(2))

    assert set(once["targets"]) == {"codecs: frames", "codecs: streams", "codecs: replies"}
    assert once["inputs"] == 3 * 120
    assert once["failed"] == 0
    for name, result in once["targets"].items():
        assert result["refused"] == again["targets"][name]["refused"]
    with pytest.raises(InputError, match="target 'codex' is not one of"):
        measure(1, only="codex")


# -- that it finds what is there to find ------------------------------------------------------------------------------


def failures_of(case: object) -> list[dict[str, object]]:
    result = run_target(Target("broken", case), 3, seed=0)  # type: ignore[arg-type]
    return list(result["failures"])


def test_errors_that_are_not_ours_are_failures_and_tell_the_case() -> None:
    def case(rng: random.Random) -> None:
        raise ValueError("unexpected")

    found = failures_of(case)
    assert [one["case"] for one in found] == [0, 1, 2]
    assert "ValueError: unexpected (test_fuzz.py:" in str(found[0]["error"])


@pytest.mark.parametrize("text", ["", "two\nlines", "x" * 1001])
def test_messages_that_are_not_one_line_are_failures(text: str) -> None:
    def case(rng: random.Random) -> None:
        raise InputError(text)

    assert "a message of" in str(failures_of(case)[0]["error"])


def test_refusals_are_none() -> None:
    def case(rng: random.Random) -> None:
        raise InputError("this is wrong, that would be right")

    assert failures_of(case) == []


def test_slow_cases_and_memory_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "MAX_CASE_S", -1.0)
    monkeypatch.setattr(target, "MAX_GROWTH_MB", -1.0)

    errors = [str(one["error"]) for one in failures_of(lambda rng: None)]
    assert sum("took" in error for error in errors) == 3
    assert "the process grew by" in errors[-1]


def test_a_decoder_that_takes_any_sum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Framing, "body", lambda self, frame: frame[2:-1])

    made = {one.name: one for one in codecs.targets(None)}  # type: ignore[arg-type]
    assert any("accepted" in str(one["error"]) for one in run_target(made["codecs: frames"], 200, 0)["failures"])


def test_a_decoder_that_loses_frames_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    original = codecs.FrameDecoder.feed

    def forgetful(self: codecs.FrameDecoder, data: bytes) -> list[bytes]:
        return original(self, data[:-1] if len(data) == 16 else data)

    monkeypatch.setattr(codecs.FrameDecoder, "feed", forgetful)
    made = {one.name: one for one in codecs.targets(None)}  # type: ignore[arg-type]
    assert run_target(made["codecs: streams"], 400, 0)["failed"] > 0


def test_frames_are_judged_by_the_documents_own_examples() -> None:
    ping = bytes.fromhex("ff ff 01 02 01 fb")  # the maker's example: ping servo 1
    assert codecs.is_frame(codecs.FRAMINGS[0], ping)
    rng = random.Random(0)
    for _ in range(200):
        damaged = flipped(rng, ping, 1)
        if damaged == ping:
            continue
        accepted = True
        try:
            codecs.FRAMINGS[0].body(damaged)
        except FrameError:
            accepted = False
        assert accepted == codecs.is_frame(codecs.FRAMINGS[0], damaged)


def test_memory_that_was_taken_and_given_back_counts_and_what_was_before_does_not() -> None:
    # In a process of its own: what earlier tests left here may be given back in between.
    code = (
        "from dofbot_ros.bench.fuzz.memory import PeakMemory\n"
        "del [bytes(300 * 2**20)][:]\n"
        "memory = PeakMemory()\n"
        "print(memory.grown_mb())\n"
        "content = bytearray(100 * 2**20)\n"
        "content[:: 2**12] = b'x' * len(content[:: 2**12])  # touched, or the system would not count it\n"
        "del content\n"
        "print(memory.grown_mb())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before < 50
    assert 90 < after < 150
