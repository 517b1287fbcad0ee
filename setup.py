"""ament_python build description; `colcon build` and `pip install` both read it."""

import re
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "dofbot_ros"
# `colcon build --symlink-install` runs a link to this file from its build folder.
HERE = Path(__file__).resolve().parent


def requirements(name: str) -> list[str]:
    """Pinned requirements of one part, as listed in requirements/<name>.txt."""
    lines = (HERE / "requirements" / f"{name}.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]


def names(part: str) -> list[str]:
    """The same packages without their pins: a ROS machine brings its own; requirements.txt is the tested set."""
    bounds = {"opencv-contrib-python": ">=4.6,<5", "numpy": ">=1.26"}
    plain = [re.split("[=<>]", line)[0] for line in requirements(part)]
    return [name + bounds.get(name, "") for name in plain]


def mediapipe() -> list[str]:
    """The newest wheel that brings its models; where there is none, one that takes them from files."""
    bundled = "python_version < '3.13'"
    return [
        f"mediapipe==0.10.21; {bundled} and platform_machine != 'aarch64'",
        f"mediapipe==0.10.18; {bundled} and platform_machine == 'aarch64'",
        "mediapipe>=1.0,<2; python_version >= '3.13'",
    ]


def tree(folder: str) -> list[tuple[str, list[str]]]:
    """data_files entries for every file below `folder`, kept in their sub-folders."""
    folders = sorted({str(p.parent.relative_to(HERE)) for p in (HERE / folder).rglob("*") if p.is_file()})
    files = {d: sorted(str(p.relative_to(HERE)) for p in (HERE / d).iterdir() if p.is_file()) for d in folders}
    return [(f"share/{PACKAGE}/{d}", names) for d, names in files.items()]


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["py.typed", "**/*.yaml", "**/*.html", "console/page/*"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *tree("launch"),
        *tree("urdf"),
        *tree("config"),
        *tree("models"),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools", *names("base")],
    extras_require={
        "ros": requirements("ros"),
        "sim": names("sim"),
        "teleop": [name for name in names("teleop") if name != "mediapipe"] + mediapipe(),
        "console": names("console"),
        "learn": names("learn"),
        "lerobot": names("lerobot"),
        "hopper": names("hopper"),
        "lab": names("lab"),
        "ray": requirements("ray"),
        "test": requirements("test"),
    },
    zip_safe=True,
    maintainer="dofbot_ros maintainers",
    maintainer_email="maintainers@dofbot-ros.example",
    description="A real-robot control daemon with ROS 2 for the Yahboom DofBot arm.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "dofbot = dofbot_ros.cli.entry:main",
            "driver_node = dofbot_ros.ros.nodes.driver_node:main",
            "sim_node = dofbot_ros.ros.nodes.sim_node:main",
            "world_node = dofbot_ros.ros.nodes.world_node:main",
            "camera_node = dofbot_ros.ros.nodes.camera_node:main",
            "block_localizer_node = dofbot_ros.ros.nodes.block_localizer_node:main",
            "teleop_node = dofbot_ros.ros.nodes.teleop_node:main",
            "grasp_node = dofbot_ros.ros.nodes.grasp_node:main",
            "policy_node = dofbot_ros.ros.nodes.policy_node:main",
        ]
    },
)
