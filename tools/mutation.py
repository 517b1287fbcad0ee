"""Mutation testing: changes the code in small ways, and counts the changes that the unit tests notice (mutmut 3).

python tools/mutation.py [safety] [motion] [driver] [safety/governor ...] [--json] [--lift] [--resume] [--told]

Takes packages and modules; there is a figure and a gate for each module. Works on a copy in build/mutation. Survivors
are listed; `mutmut show NAME` in build/mutation/PACKAGE shows what was changed. With --resume, for work on tests, only
what nobody noticed the last time is tried again, and the rest of a run that was ended; a figure that counts comes from
a run without it, or from one since which tests were only added.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import gates

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "mutation"
TESTS = {
    "safety": ("test/unit/safety",),
    "motion": ("test/unit/motion",),
    "driver": ("test/unit/driver",),
}
LEFT_OUT = (
    # a program without site packages, which finds no mutmut, as changed code needs it
    "test/unit/safety/test_stop_line.py::test_the_sender_needs_no_site_packages_and_is_obeyed",
    # these take longer than all others together; what they alone notice counts as unnoticed
    "test/unit/safety/test_workspace_bench.py",
    "test/unit/safety/test_bodies.py::test_no_allowed_pose_near_the_table_has_a_part_below_it",
    "test/unit/safety/test_bodies.py::test_no_allowed_pose_has_a_part_in_base_or_link_1",
    "test/unit/safety/test_bodies.py::test_within_the_joint_limits_the_arm_cannot_touch_itself",
    "test/unit/safety/test_bodies.py::test_around_the_boundary_an_allowed_pose_is_above_the_table",
    "test/unit/safety/test_bodies.py::test_what_runs_into_the_base_is_refused_for_it",
    "test/unit/safety/test_governor.py::test_a_wish_at_rest_is_met_without_overshoot",
    "test/unit/safety/test_governor.py::test_no_sequence_of_wishes_breaks_a_limit",
    "test/unit/motion/test_twist_closed_loop.py",
    "test/unit/motion/test_online.py::test_no_finite_number_makes_it_raise_or_leave_its_limits",
    "test/unit/motion/test_grip_effort.py",
)
PACKAGES = tuple(TESTS)
NEEDED = ("dofbot_ros", "config", "urdf", "test/conftest.py", "test/unit", "tools", "requirements", "pyproject.toml")
NOTICED = ("killed", "timeout", "segfault", "caught by type check")
UNNOTICED = ("survived", "no tests", "suspicious", "not checked")
CONFIG = """[mutmut]
source_paths = dofbot_ros
only_mutate =
    {files}
pytest_add_cli_args_test_selection =
    {tests}
pytest_add_cli_args =
    -q
    -p
    no:cacheprovider
    --hypothesis-profile=derandomized
    {left_out}
also_copy =
    config
    urdf
    tools
    requirements
timeout_multiplier = 5
timeout_constant = 4
use_git_change_detection = false
track_dependencies = false
"""


class MutationError(Exception):
    """mutmut could not do its work; the message tells where to read why."""


@dataclass(frozen=True)
class Figures:
    """What became of one module's mutants.

    Attributes:
        mutants: how many were tried.
        killed: how many made a test fail, or run for ever.
        score: the same in percent.
        survivors: the others, by name.
    """

    mutants: int
    killed: int
    score: float
    survivors: tuple[str, ...]


def run(package: str, modules: Sequence[str], children: int, resume: bool, most_s: float) -> None:
    """Try the mutants of modules in dofbot_ros/`package`.

    Args:
        package: below dofbot_ros and test/unit.
        modules: files of that package without .py; all when empty.
        children: processes at a time.
        resume: keep the mutants that were killed the last time.
        most_s: for how long a mutant is tested at most, by the times that tests take on the unchanged code [s].

    Raises:
        MutationError: the tests fail on the unchanged code, or mutmut ended early.
    """
    folder = BUILD / package
    if resume:
        _forget_survivors(folder / "mutants")
        _forget_copies(folder / "mutants" / "dofbot_ros" / package)
    else:
        shutil.rmtree(folder / "mutants", ignore_errors=True)
    _update_copy(folder)
    files = [f"dofbot_ros/{package}/{module}.py" for module in modules or ("*",)]
    (folder / "setup.cfg").write_text(
        CONFIG.format(
            files="\n    ".join(files),
            tests="\n    ".join(TESTS[package]),
            left_out="\n    ".join(f"--deselect={test}" for test in LEFT_OUT),
        ),
        encoding="utf-8",
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["MUTATION_MOST_S"] = str(most_s)
    log = folder / "mutmut.log"
    with log.open("w", encoding="utf-8") as output:
        tried = subprocess.run(
            [sys.executable, str(ROOT / "tools" / "mutation_session.py"), "run", "--max-children", str(children)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if tried.returncode != 0:
        raise MutationError(f"mutmut ended with exit code {tried.returncode} on {package}: see {log}")


def told(package: str) -> dict[str, Figures]:
    """What became of the mutants of dofbot_ros/`package`; those that an ended run did not try count as survivors.

    Returns:
        `package.module` -> figures, of the modules of the last run in which there is something to change.

    Raises:
        MutationError: there is nothing to tell.
    """
    folder = BUILD / package
    log = folder / "mutmut.log"
    if not (folder / "mutants").is_dir():
        raise MutationError(f"no mutants of {package} have been made yet: leave --told out")
    words = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    results = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
    statuses: dict[str, dict[str, str]] = {}
    for name, status in re.findall(r"^\s+(\S+): (.+)$", results, re.MULTILINE):
        statuses.setdefault(".".join(name.split(".")[1:-1]), {})[name] = status
    if not statuses:
        raise MutationError(f"there are no mutants of {package}: see {log}")
    return {module: _figures(of_module, log) for module, of_module in sorted(statuses.items())}


def _figures(statuses: dict[str, str], log: Path) -> Figures:
    counts = Counter(statuses.values())
    if unknown := set(counts) - {*NOTICED, *UNNOTICED, "skipped"}:
        raise MutationError(f"mutants are {', '.join(sorted(unknown))}: see {log}")
    killed = sum(counts[status] for status in NOTICED)
    survivors = tuple(sorted(name for name, status in statuses.items() if status in UNNOTICED))
    mutants = killed + len(survivors)
    return Figures(mutants, killed, 100.0 * killed / mutants, survivors)


def _selected(names: Sequence[str]) -> dict[str, list[str]]:
    """Package -> its modules that were named, none for all of them.

    Raises:
        MutationError: there is no such package or module.
    """
    selected: dict[str, list[str]] = {}
    whole = {name for name in names or PACKAGES if name in PACKAGES}
    for name in names or PACKAGES:
        package, _, module = name.partition("/")
        if package not in PACKAGES or (module and not (ROOT / "dofbot_ros" / package / f"{module}.py").is_file()):
            raise MutationError(f"{name}: must be one of {', '.join(PACKAGES)}, or a module in it like safety/governor")
        modules = selected.setdefault(package, [])
        if module and package not in whole:
            modules.append(module)
    return selected


def _forget_survivors(mutants: Path) -> None:
    """Have mutmut try those again that survived: it tries what has no exit code, and 0, 5, 33 and 35 are no kills.

    Which tests call a function is asked anew, too: of a module that was not changed the last time nothing is known.
    """
    (mutants / "mutmut-stats.json").unlink(missing_ok=True)
    for file in mutants.rglob("*.meta"):
        told = json.loads(file.read_text(encoding="utf-8"))
        codes = told["exit_code_by_key"]
        told["exit_code_by_key"] = {name: None if code in (0, 5, 33, 35) else code for name, code in codes.items()}
        file.write_text(json.dumps(told), encoding="utf-8")


def _forget_copies(modules: Path) -> None:
    """Have mutmut make mutants of modules that were only copied the last time: it takes a copy for a module done."""
    for file in modules.glob("*.py"):
        if not file.with_name(f"{file.name}.meta").is_file():
            file.unlink()


def _update_copy(folder: Path) -> None:
    """Make `folder` what the working tree is, touching only files that differ."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *NEEDED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()}
    there = {
        path.relative_to(folder)
        for name in NEEDED
        for path in ([folder / name] if (folder / name).is_file() else (folder / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    for path in there - wanted:
        (folder / path).unlink()
    for path in wanted:
        source, copy = ROOT / path, folder / path
        if not copy.is_file() or not filecmp.cmp(source, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def main() -> int:
    """Run, print and hold to the gates. Returns the exit code: 1 where a gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PACKAGES)}, or of modules in them; none: all")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--lift", action="store_true", help="raise the gates in test/gates.json to what is reached")
    parser.add_argument("--resume", action="store_true", help="keep the mutants that were killed the last time")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1, help="mutants that are tried at a time")
    parser.add_argument(
        "--told", action="store_true", help="try nothing: what the last run found, also if it was ended"
    )
    parser.add_argument(
        "--most-s",
        type=float,
        default=float("inf"),
        help="give a mutant the likeliest tests only, up to so many seconds",
    )
    given = parser.parse_args()
    figures: dict[str, Figures] = {}
    try:
        for package, modules in _selected(given.names).items():
            if not given.told:
                run(package, modules, given.children, given.resume, given.most_s)
            figures |= told(package)
    except MutationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if given.json:
        sys.stdout.write(json.dumps({module: asdict(each) for module, each in figures.items()}, indent=2) + "\n")
    else:
        for module, each in figures.items():
            sys.stdout.write("".join(f"survived: {name}\n" for name in each.survivors))
            sys.stdout.write(f"{module}: {each.killed} of {each.mutants} mutants killed, {each.score:.1f} %\n")
    scores = {module: each.score for module, each in figures.items()}
    return gates.settle("mutation", scores, raise_gates=given.lift)


if __name__ == "__main__":
    sys.exit(main())
