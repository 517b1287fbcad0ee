"""Coverage of the code that keeps the arm safe, by unit and contract tests alone, statements and branches.

python tools/branch_coverage.py [--json] [--lift]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gates

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("safety", "motion", "driver", "hardware")
TESTS = (*(f"test/unit/{package}" for package in PACKAGES), "test/contract")


class CoverageError(Exception):
    """The tests failed, so that their coverage means nothing."""


def measure() -> dict[str, Any]:
    """Run the tests. Returns coverage.py's JSON report.

    Raises:
        CoverageError: a test failed.
    """
    coverage = [sys.executable, "-m", "coverage"]
    with tempfile.TemporaryDirectory() as folder:
        data, report = f"{folder}/data", Path(folder) / "report.json"
        tests = [*coverage, "run", f"--data-file={data}", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        if subprocess.run(tests, cwd=ROOT, stdout=sys.stderr, check=False).returncode != 0:
            raise CoverageError("the tests fail: see above")
        words = [*coverage, "json", "-q", f"--data-file={data}", "-o", str(report)]
        subprocess.run(words, cwd=ROOT, check=True)
        measured: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return measured


def figures(report: dict[str, Any]) -> dict[str, float]:
    """`package.statements` and `package.branches` -> how many of them ran [%]."""
    result = {}
    for package in PACKAGES:
        files = [f["summary"] for name, f in report["files"].items() if name.startswith(f"dofbot_ros/{package}/")]
        for kind, ran, all_of_them in (
            ("statements", "covered_lines", "num_statements"),
            ("branches", "covered_branches", "num_branches"),
        ):
            total = sum(each[all_of_them] for each in files)
            result[f"{package}.{kind}"] = 100.0 * sum(each[ran] for each in files) / total
    return result


def missing(report: dict[str, Any]) -> list[str]:
    """`file: lines and branches that did not run`, of the files where there are some."""
    lines = []
    for name, told in sorted(report["files"].items()):
        branches = [f"{start}->{end if end > 0 else 'exit'}" for start, end in told["missing_branches"]]
        left = [str(line) for line in told["missing_lines"]] + branches
        if left:
            lines.append(f"{name}: {', '.join(left)}")
    return lines


def main() -> int:
    """Measure, print and hold to the gates. Returns the exit code: 1 where a gate does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--lift", action="store_true", help="raise the gates in test/gates.json to what is reached")
    given = parser.parse_args()
    try:
        report = measure()
    except CoverageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    reached, left = figures(report), missing(report)
    if given.json:
        sys.stdout.write(json.dumps({"figures": reached, "missing": left}, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"not run: {line}\n" for line in left))
        sys.stdout.write("".join(f"{name}: {figure:.1f} %\n" for name, figure in reached.items()))
    return gates.settle("coverage", reached, raise_gates=given.lift)


if __name__ == "__main__":
    sys.exit(main())
