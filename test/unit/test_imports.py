"""What may import what: ROS stays in ros/ and launch/, heavy packages out of what a Jetson or a Pi runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dofbot_ros"
ROS = {"rclpy", "launch", "launch_ros", "builtin_interfaces", "ament_index_python", "rosgraph_msgs", "rcl_interfaces"}
HEAVY = ("torch", "mediapipe", "pybullet", "scipy", "matplotlib", "jinja2", "pandas", "gymnasium")
LIGHT_NODES = {
    "driver_node": (*HEAVY, "cv2", "psutil"),
    "camera_node": HEAVY,
    "block_localizer_node": HEAVY,
    "policy_node": HEAVY,
    "grasp_node": HEAVY,
}


def imported(path: Path) -> Iterator[str]:
    """Top-level names of the packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def is_ros(name: str) -> bool:
    return name in ROS or name.endswith(("_msgs", "_srvs"))


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_nodes_import_ros(path: Path) -> None:
    if PACKAGE / "ros" not in path.parents:
        assert not [name for name in imported(path) if is_ros(name)]


@pytest.mark.slow
@pytest.mark.parametrize("node", LIGHT_NODES)
def test_a_light_node_imports_nothing_heavy(node: str) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed here")
    code = f"import sys, dofbot_ros.ros.nodes.{node}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60.0, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & set(LIGHT_NODES[node])
    assert "dofbot_ros" in loaded
