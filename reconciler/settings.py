"""What a run is told from outside the config: options of the command line and `RECONCILER_*` variables.

Built by `cli` with `Settings.gather`, read by `daemon`, `loop` and `demo`.  An option counts before its variable, the
variable before the default, and `origins` says which it was.  An empty variable is an unset one.  Pure: the
environment comes as an argument.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

PREFIX: Final = "RECONCILER_"
VARIABLE_PREFIX: Final = "RECONCILER_VAR_"

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

# ------------------------------------------------------------------------------------------------ values from text

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_PIECE: Final = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def duration(text: str) -> float:
    """Seconds: `10m` is 600.0, `1h30m` 5400.0, `500ms` 0.5; a bare number is in seconds."""
    stripped = text.strip()
    if _SECONDS.fullmatch(stripped):
        return float(stripped)
    if not _DURATION.fullmatch(stripped):
        raise ValueError(
            f"{text!r} is not a duration; write it like 90s, 10m or 1h30m (units: ms, s, m, h, d)"
        )
    return sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(stripped))


def at_least(least: float) -> Callable[[str], float]:
    """A parser of durations that are not shorter than `least` seconds."""

    def parse(text: str) -> float:
        found = duration(text)
        if found < least:
            raise ValueError(f"{text!r} is shorter than {least:g}s")
        return found

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not least <= int(text) <= most:
            raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser that takes these words only."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return parse


def textfile(text: str) -> Path:
    """A path of a file that node_exporter reads, which it does by the end of its name alone."""
    if not text.endswith(".prom"):
        raise ValueError(f"{text!r} does not end with .prom, and node_exporter reads no other files")
    return Path(text)


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """What `--var name=value` was given: the name ends at the first `=`, the last one of a name counts."""
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise ValueError(f"{name + equals!r} is not of the form name=value")
    return {name: value for name, _, value in pairs}


# -------------------------------------------------------------------------------------------------------- settings


def _setting(
    default: Any,
    parse: Callable[[str], Any] = str,
    *,
    why: str,
    unit: str = "",
    variable: bool = True,
) -> Any:
    """A field with all that `documented` tells of it.  `variable=False`: by option only."""
    return field(default=default, metadata={"parse": parse, "why": why, "unit": unit, "variable": variable})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How one run goes about its work.  What it works *on* is in the config."""

    config: Path | None = _setting(
        None, Path, unit="path", why="no default: which estate is meant must be said"
    )
    state_dir: Path = _setting(
        Path(".local/state/reconciler"),
        Path,
        unit="path",
        why="holds only what may be lost; a person's runs need no rights, a service gets systemd's STATE_DIRECTORY",
    )
    endpoint_url: str | None = _setting(
        None, unit="URL", why="AWS's own endpoints, unless botocore is told otherwise"
    )
    profile: str | None = _setting(
        None, unit="name", why="botocore's chain of credentials, as for the AWS CLI"
    )
    region: str | None = _setting(None, unit="region", why="counts only where the config names none")
    timeout: float = _setting(
        600.0,
        duration,
        unit="duration",
        why="a transit gateway with a VPN takes some minutes; for --once and destroy",
    )
    grace: float = _setting(
        5.0,
        duration,
        unit="duration",
        why="how long creations wait when nothing is remembered: most lists of AWS are current after 5 s",
    )
    metrics_file: Path | None = _setting(
        None, textfile, unit="path", why="no port is opened; a file in node_exporter's textfile folder"
    )
    lock_wait: float = _setting(
        0.0, duration, unit="duration", why="who holds the lock is told at once, by exit 75"
    )
    heartbeat: float = _setting(
        60.0, at_least(1.0), unit="duration", why="one line a minute tells the watchers that the daemon lives"
    )
    workers: int = _setting(
        20,
        whole(1, 64),
        unit="threads",
        why="reads side by side; more hardly make a pass shorter, which is one list after another in the end",
    )
    log_format: LogFormat = _setting(
        "auto", one_of("auto", "console", "json"), unit="word", why="for eyes on a terminal, JSON elsewhere"
    )
    log_level: LogLevel = _setting(
        "info",
        one_of("debug", "info", "warning", "error"),
        unit="word",
        why="one line for a pass without work",
    )
    allow_empty: bool = _setting(
        False, variable=False, why="an empty config is a mistake until a person says no"
    )
    allow_shrink: bool = _setting(
        False, variable=False, why="deletions past the budget want a person each time"
    )
    read_only: bool = _setting(
        False, variable=False, why="no look writes; who wants AWS to see to it needs rights for that"
    )
    assume_role: str | None = _setting(
        None, unit="ARN", why="only with --read-only, where the credentials are temporary ones"
    )
    variables: Mapping[str, str] = field(default_factory=dict)
    """By name: from --var, or from RECONCILER_VAR_NAME with the name in lower case."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """By setting, and by `variables.NAME`: `--workers`, `RECONCILER_WORKERS`, `STATE_DIRECTORY` or `default`."""

    @classmethod
    def gather(cls, options: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
        """Settings out of parsed options (None: not given; `var`: a list of `name=value`) and the environment.

        Options of other names are someone else's.  ValueError names the option or variable that is wrong.
        """
        found = {item.name: _find(item, options, environment) for item in _documented_fields()}
        variables, sources = _variables(options.get("var") or (), environment)
        origins = {name: origin for name, (_, origin) in found.items()} | sources
        return cls(
            **{name: value for name, (value, _) in found.items()}, variables=variables, origins=origins
        )


@dataclass(frozen=True)
class Documented:
    """One line of the documentation of settings."""

    name: str
    option: str
    variable: str
    default: str
    unit: str
    why: str


def documented() -> tuple[Documented, ...]:
    """Every setting with its unit, its default and the reason for it."""
    return tuple(
        Documented(
            name=item.name,
            option=_option(item.name),
            variable=_variable(item.name) if item.metadata["variable"] else "",
            default=f"~/{item.default}" if item.name == "state_dir" else _shown(item.default),
            unit=item.metadata["unit"],
            why=item.metadata["why"],
        )
        for item in _documented_fields()
    )


# ----------------------------------------------------------------------------------------------------------- origins


def _documented_fields() -> list[dataclasses.Field[Any]]:
    return [item for item in dataclasses.fields(Settings) if item.metadata]


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _shown(default: object) -> str:
    match default:
        case None | False:
            return ""
        case float():
            return f"{default:g}s"
        case _:
            return str(default)


def _find(
    item: dataclasses.Field[Any], options: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[Any, str]:
    """The value of one setting and where it comes from."""
    given = options.get(item.name)
    if given is not None and given is not False:
        return _parsed(item, given, _option(item.name)), _option(item.name)
    if item.metadata["variable"] and (text := environment.get(_variable(item.name))):
        return _parsed(item, text, _variable(item.name)), _variable(item.name)
    if item.name == "state_dir":
        return _state_dir(environment)
    return item.default, "default"


def _parsed(item: dataclasses.Field[Any], given: Any, origin: str) -> Any:
    """Text is parsed; what the command line has parsed already is taken as it is."""
    if not isinstance(given, str):
        return given
    try:
        return item.metadata["parse"](given)
    except ValueError as error:
        raise ValueError(f"{origin}: {error}") from None


def _state_dir(environment: Mapping[str, str]) -> tuple[Path, str]:
    """systemd's (the first, if the unit names several), else a person's own."""
    if given := environment.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0]), "STATE_DIRECTORY"
    home = Path(environment.get("HOME") or "~").expanduser()
    return home / ".local/state/reconciler", "default"


def _variables(texts: Iterable[str], environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Values and origins of the config's variables.  Here an empty variable of the environment is a value."""
    try:
        given = assignments(texts)
    except ValueError as error:
        raise ValueError(f"--var: {error}") from None
    ambient = {
        name.removeprefix(VARIABLE_PREFIX).lower(): name
        for name in sorted(environment)
        if name.startswith(VARIABLE_PREFIX) and name != VARIABLE_PREFIX
    }
    values = {name: environment[variable] for name, variable in ambient.items()} | given
    origins = {f"variables.{name}": f"--var {name}" if name in given else ambient[name] for name in values}
    return values, origins
