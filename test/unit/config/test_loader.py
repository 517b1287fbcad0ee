from dataclasses import dataclass, field
from typing import Literal

import pytest

from dofbot_ros.config.loader import from_mapping, load_yaml, save_yaml, to_mapping
from dofbot_ros.errors import CalibrationError, ConfigError


@dataclass(frozen=True)
class Camera:
    device: str
    rate_hz: float = 30.0

    def __post_init__(self) -> None:
        if self.rate_hz <= 0:
            raise ConfigError(f"rate_hz must be positive, got {self.rate_hz}")


@dataclass(frozen=True)
class Config:
    camera: Camera
    mode: Literal["bus", "se"] = "bus"
    gains: tuple[float, float] = (1.0, 2.0)
    names: tuple[str, ...] = ()
    by_name: dict[str, int] = field(default_factory=dict)
    note: str | None = None
    strict: bool = True


def test_everything_survives_a_round_trip(tmp_path):
    config = Config(Camera("/dev/video0", 15.0), "se", (0.5, 1.0), ("a", "b"), {"x": 1}, "hello", False)
    save_yaml(config, tmp_path / "c.yaml")
    assert load_yaml(Config, tmp_path / "c.yaml") == config
    assert to_mapping(config)["gains"] == [0.5, 1.0]


def test_whole_numbers_are_taken_for_floats_but_not_truth_values():
    assert from_mapping(Camera, {"device": "x", "rate_hz": 5}, "f").rate_hz == 5.0
    with pytest.raises(ConfigError, match="f: rate_hz: expected float, got True"):
        from_mapping(Camera, {"device": "x", "rate_hz": True}, "f")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"camera": {"device": "x", "rate": 3}}, r"f: camera: key 'rate' is not one of device, rate_hz \(did"),
        ({}, "f: missing camera"),
        ([], "f: expected a mapping of Config"),
        ({"camera": {"device": 3}}, "f: camera: device: expected str, got 3"),
        ({"camera": {"device": "x"}, "mode": "bsu"}, r"f: mode: value 'bsu' is not one of bus, se \(did"),
        ({"camera": {"device": "x"}, "gains": [1.0]}, "f: gains: expected 2 values, got 1"),
        ({"camera": {"device": "x"}, "gains": 1.0}, "f: gains: expected a list"),
        ({"camera": {"device": "x"}, "names": ["a", 2]}, r"f: names\[1\]: expected str, got 2"),
        ({"camera": {"device": "x"}, "by_name": 2}, "f: by_name: expected a mapping"),
        ({"camera": {"device": "x", "rate_hz": -1.0}}, r"f: camera: rate_hz must be positive, got -1\.0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_place(content, message):
    with pytest.raises(ConfigError, match=message):
        from_mapping(Config, content, "f")


def test_the_kind_of_error_is_kept():
    @dataclass(frozen=True)
    class Servo:
        zero: int = 0

        def __post_init__(self) -> None:
            raise CalibrationError("zero is implausible")

    with pytest.raises(CalibrationError, match="f: zero is implausible"):
        from_mapping(Servo, {}, "f")


def test_unreadable_files_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        load_yaml(Config, tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("camera: [1, 2")
    with pytest.raises(ConfigError, match=r"broken\.yaml: is not YAML") as error:
        load_yaml(Config, broken)
    assert "\n" not in str(error.value)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not YAML"):
        load_yaml(Config, broken)
