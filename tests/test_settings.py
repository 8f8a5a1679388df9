"""Settings: durations, and which of option, variable and default counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.settings import Settings, assignments, documented, duration

HOME = {"HOME": "/home/ada"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600.0),
        ("90s", 90.0),
        ("1h30m", 5400.0),
        ("500ms", 0.5),
        ("1.5h", 5400.0),
        ("2d", 172800.0),
        ("0", 0.0),
        ("45", 45.0),
        (" 5s ", 5.0),
    ],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "10x", "m", "-5s", "1h 30m", "10 m", "5M", "1..5s", "inf", "nan", "1e3", "٣s", "10m5"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration; write it like 90s, 10m or 1h30m"):
        duration(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_pieces_of_a_duration_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


def test_an_option_counts_before_its_variable_and_that_before_the_default() -> None:
    environment = HOME | {"RECONCILER_WORKERS": "3", "RECONCILER_GRACE": "1s", "RECONCILER_REGION": ""}
    settings = Settings.gather({"workers": "5", "grace": None, "region": None}, environment)
    assert (settings.workers, settings.grace, settings.timeout, settings.region) == (5, 1.0, 600.0, None)
    origins = settings.origins
    assert [origins[name] for name in ("workers", "grace", "timeout", "region")] == [
        "--workers",
        "RECONCILER_GRACE",
        "default",
        "default",
    ]


def test_every_setting_has_an_origin() -> None:
    settings = Settings.gather({}, HOME)
    assert set(settings.origins) == {item.name for item in documented()}
    assert set(settings.origins.values()) == {"default"}


@pytest.mark.parametrize(
    ("options", "environment", "directory", "origin"),
    [
        ({"state_dir": "/a"}, {"RECONCILER_STATE_DIR": "/b", "STATE_DIRECTORY": "/c"}, "/a", "--state-dir"),
        ({}, {"RECONCILER_STATE_DIR": "/b", "STATE_DIRECTORY": "/c"}, "/b", "RECONCILER_STATE_DIR"),
        ({}, {"STATE_DIRECTORY": "/var/lib/c:/var/lib/d"}, "/var/lib/c", "STATE_DIRECTORY"),
        ({}, {}, "/home/ada/.local/state/reconciler", "default"),
    ],
)
def test_the_state_directory(
    options: dict[str, Any], environment: dict[str, str], directory: str, origin: str
) -> None:
    settings = Settings.gather(options, HOME | environment)
    assert (settings.state_dir, settings.origins["state_dir"]) == (Path(directory), origin)


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        ({"timeout": "soon"}, {}, "--timeout: 'soon' is not a duration"),
        ({}, {"RECONCILER_WORKERS": "many"}, "RECONCILER_WORKERS: 'many' is not a whole number from 1 to 64"),
        ({}, {"RECONCILER_WORKERS": "0"}, "RECONCILER_WORKERS: '0' is not"),
        ({}, {"RECONCILER_LOG_FORMAT": "xml"}, "RECONCILER_LOG_FORMAT: 'xml' is none of auto, console, json"),
        ({"var": ["x"]}, {}, "--var: 'x' is not of the form name=value"),
        ({"var": ["=1"]}, {}, "--var: '=' is not of the form name=value"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    options: dict[str, Any], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match="^" + message):
        Settings.gather(options, HOME | environment)


def test_what_the_command_line_has_parsed_is_taken_as_it_is() -> None:
    settings = Settings.gather({"timeout": 30.0, "config": Path("a.yaml"), "verb": "plan"}, HOME)
    assert (settings.timeout, settings.config) == (30.0, Path("a.yaml"))


def test_guards_are_lifted_by_option_only() -> None:
    environment = HOME | {"RECONCILER_ALLOW_EMPTY": "true", "RECONCILER_ALLOW_SHRINK": "1"}
    settings = Settings.gather({"allow_empty": False}, environment)
    assert (settings.allow_empty, settings.allow_shrink) == (False, False)
    assert Settings.gather({"allow_shrink": True}, HOME).allow_shrink is True


def test_variables_come_from_options_and_environment() -> None:
    environment = HOME | {
        "RECONCILER_VAR_IMAGE": "ami-1",
        "RECONCILER_VAR_SIZE": "big",
        "RECONCILER_VAR_NONE": "",
    }
    settings = Settings.gather({"var": ["size=small", "url=a=b"]}, environment)
    assert settings.variables == {"image": "ami-1", "none": "", "size": "small", "url": "a=b"}
    assert settings.origins["variables.size"] == "--var size"
    assert settings.origins["variables.image"] == "RECONCILER_VAR_IMAGE"


def test_the_last_assignment_of_a_name_counts() -> None:
    assert assignments(["x=1", "x="]) == {"x": ""}


def test_every_setting_says_its_unit_and_why() -> None:
    for item in documented():
        assert item.why, item.name
        assert item.unit or item.name.startswith(("allow_", "read_only")), item.name
    table = {item.name: item for item in documented()}
    assert (table["timeout"].option, table["timeout"].variable, table["timeout"].default) == (
        "--timeout",
        "RECONCILER_TIMEOUT",
        "600s",
    )
    assert table["state_dir"].default == "~/.local/state/reconciler"
    assert table["allow_empty"].variable == ""


@pytest.mark.parametrize("text", ["0", "0s", "500ms"])
def test_a_heartbeat_is_not_faster_than_once_a_second(text: str) -> None:
    with pytest.raises(ValueError, match=r"--heartbeat: .* is shorter than 1s"):
        Settings.gather({"heartbeat": text}, {})
