"""The command line as a user meets it: real processes, exit codes, one line for an expected error."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import dofbot_here

DOFBOT = Path(sys.executable).with_name("dofbot")


def dofbot(*arguments, cwd=None):
    return subprocess.run([DOFBOT, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd, check=False)


def test_version_and_help_work_from_any_directory(tmp_path):
    assert dofbot("--version", cwd=tmp_path).stdout.strip() == "0.1.0"
    listing = dofbot("--help", cwd=tmp_path)
    assert listing.returncode == 0
    for command in ("up", "demo", "localize", "emulate", "bench"):
        assert command in listing.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["up"],
        ["demo"],
        ["localize"],
        ["emulate"],
        ["bench"],
        *(["bench", name] for name in ("kinematics", "bus", "sim", "images", "nodes")),
    ],
)
def test_every_command_explains_itself(command):
    result = dofbot_here(*command, "--help")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 8


def test_an_unknown_command_is_wrong_usage():
    result = dofbot("wave")
    assert result.returncode == 2
    assert "No such command 'wave'" in result.stderr


def modules_after(code):
    """Names of the modules that a process of its own has imported when it has run `code`."""
    program = f"{code}; import sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stderr.split())


def test_help_is_quick_because_nothing_heavy_is_imported():
    loaded = modules_after(
        "from dofbot_ros.cli.main import command_line; from dofbot_ros.cli.options.examples import commands; "
        "print(*dict(commands(command_line())))"
    )
    assert {"dofbot_ros.cli.setup.arm_check", "dofbot_ros.cli.grasp.commands", "dofbot_ros.cli.bench"} <= loaded
    assert not {"torch", "cv2", "pybullet", "mediapipe", "rclpy", "numpy", "scipy", "matplotlib"} & loaded


def test_a_command_imports_no_other_command():
    loaded = modules_after("from dofbot_ros.cli.main import command_line; command_line().commands['emulate']")
    assert "dofbot_ros.cli.emulate" in loaded
    assert {name for name in loaded if name.startswith("dofbot_ros.cli.")} <= {
        "dofbot_ros.cli.main",
        "dofbot_ros.cli.emulate",
        "dofbot_ros.cli.options",
        "dofbot_ros.cli.options.checks",
        "dofbot_ros.cli.options.examples",
        "dofbot_ros.cli.options.late_group",
    }


def test_a_folder_that_cannot_be_made_is_one_line():
    result = dofbot("demo", "--trials", "1", "--out", "/proc/none")
    assert result.returncode == 1
    assert result.stderr == "dofbot: /proc/none: No such file or directory\n"
