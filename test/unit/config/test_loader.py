from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest

from dofbot_ros.config.loader import from_mapping, load_yaml, save_yaml, to_mapping
from dofbot_ros.config.ranges import Range
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


def doubling(levels: int) -> str:
    """A short file whose last entry holds 2 ** levels values."""
    return "a0: &a0 [1, 1]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, levels))


def merging(levels: int) -> str:
    """The same by merge keys."""
    return "a0: &a0 {x: 1}\n" + "".join(f"a{k}: &a{k} {{<<: [*a{k - 1}, *a{k - 1}]}}\n" for k in range(1, levels))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (doubling(40), "holds more than 50000 values, aliases counted"),
        (merging(40), "holds more than 50000 values, aliases counted"),
        ("a: &a [*a]", "an alias stands inside what it names"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested more than 50 deep"),
        ("a: " + "{x: " * 5000, "nested more than 50 deep"),
        ("- " * 5000, "nested more than 50 deep"),
        ("camera: {device: x}\nmode: bus\nmode: se", "key 'mode' stands twice"),
        ("camera: {device: x, device: y}", "key 'device' stands twice"),
        ("note: " + "x" * 300_000, "is longer than 256 kB"),
        ("note: " + "9" * 5000, "is not YAML"),
        ("note: 2026-99-99", "is not YAML"),
        ("note: !!timestamp x", "is not YAML"),
        ("note: !!int ''", "is not YAML"),
        ("note: !!bool x", "is not YAML"),
        ("note: " + "1:" * 400 + "1.5", "is not YAML|expected str"),
        ("note: !!python/object/apply:os.system [true]", "is not YAML"),
        ("[1, 2]: 3", "is not YAML"),
        ("note: \x00", "is not YAML"),
        ("camera: {device: x}\n---\nmode: se", "is not YAML"),
        ("camera: {device: x, rate_hz: .inf}", "camera: rate_hz: expected a finite number, got inf"),
        ("camera: {device: x, rate_hz: .nan}", "camera: rate_hz: expected a finite number, got nan"),
        ("camera: {device: x, rate_hz: 1" + "0" * 400 + "}", "rate_hz: expected a float, got a whole number too large"),
        ("camera: {device: x}\ngains: [1.0, -.inf]", r"gains\[1\]: expected a finite number, got -inf"),
        ("camera: {device: 0x" + "f" * 5000 + "}", "expected str, got a whole number of thousands of digits"),
        ("camera: {device: x}\n" + "k" * 500 + ": 1", r"key '(k|\.){1,90}' is not one of"),
    ],
)
def test_no_file_hangs_the_reader_or_gets_past_it(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_yaml(Config, path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < len(str(path)) + 600


def test_aliases_and_merges_within_reason_are_read(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("camera: &c {device: x, rate_hz: 5}\nby_name: {}\nnames: &n [a, b]\ngains: [1, 2]")
    assert load_yaml(Config, path).camera.rate_hz == 5.0


def test_an_exponent_needs_no_point(tmp_path):
    (tmp_path / "c.yaml").write_text("device: 1e3x\nrate_hz: 25e-1")
    assert load_yaml(Camera, tmp_path / "c.yaml") == Camera("1e3x", 2.5)


def test_a_file_without_end_is_not_read_to_its_end():
    with pytest.raises(ConfigError, match="/dev/zero: is longer than 256 kB"):
        load_yaml(Config, "/dev/zero")


def test_inf_passes_only_where_a_field_says_so():
    @dataclass(frozen=True)
    class Source:
        framerate: Annotated[float, Range(0.0, infinite=True)] = 0.0

    assert from_mapping(Source, {"framerate": float("inf")}, "f").framerate == float("inf")
    for value in (float("nan"), float("-inf")):
        with pytest.raises(ConfigError, match="f: framerate: expected a finite number"):
            from_mapping(Source, {"framerate": value}, "f")


def test_arithmetic_that_a_value_breaks_is_a_wrong_value():
    @dataclass(frozen=True)
    class Period:
        hz: float

        def __post_init__(self) -> None:
            _ = 1.0 / self.hz

    with pytest.raises(ConfigError, match="f: float division by zero"):
        from_mapping(Period, {"hz": 0.0}, "f")
