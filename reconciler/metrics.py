"""A status as Prometheus metrics, in a file for node_exporter's textfile collector.  Written by `board`.

There is no port: the file is put in place whole, and what node_exporter finds there is what the process last said.
The format is Prometheus' text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats); there are
no timestamps in it, for node_exporter refuses a file that has one.  No label grows with the estate: an address is
never a label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from reconciler.moments import seconds
from reconciler.status import Status
from reconciler.whole import FOR_ALL, write_whole

STATES: Final = ("starting", "standby", "looking", "idle", "degraded", "paused", "stopping", "stopped")
OUTCOMES: Final = ("settled", "done", "waiting", "planned", "partial", "failed", "guarded", "interrupted")
VERBS: Final = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
"""The verb of a change, and the word for an address that it was done to."""
STATUSES: Final = (
    *("settled", "created", "updated", "replaced", "deleted"),
    *("failed", "waiting", "blocked"),
)
MODE: Final = 0o644
"""node_exporter is another user; a umask must not keep it out."""


class Metric(NamedTuple):
    """A metric: its type, what it means, and the labels it has beside `stack`."""

    type: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()


METRICS: Final[Mapping[str, Metric]] = {
    "reconciler_info": Metric(
        "gauge",
        "Always 1: who has written this, and with which config.",
        ("account", "version", "config_hash", "what"),
    ),
    "reconciler_state": Metric(
        "gauge", "1 for the state that the process is in, 0 for all others.", ("state",)
    ),
    "reconciler_start_time_seconds": Metric("gauge", "When the process has begun."),
    "reconciler_heartbeat_timestamp_seconds": Metric("gauge", "When the process has last written this."),
    "reconciler_interval_seconds": Metric(
        "gauge", "Between two looks at a settled estate; absent for a run that ends."
    ),
    "reconciler_last_success_timestamp_seconds": Metric(
        "gauge", "When a pass has last ended well; absent while none has."
    ),
    "reconciler_last_pass_timestamp_seconds": Metric(
        "gauge", "When a pass has last ended; absent while none has."
    ),
    "reconciler_last_pass_duration_seconds": Metric("gauge", "How long that pass took."),
    "reconciler_next_pass_timestamp_seconds": Metric(
        "gauge", "When the next pass begins; absent when none does."
    ),
    "reconciler_passes_total": Metric("counter", "Passes since the process began.", ("outcome",)),
    "reconciler_changes_total": Metric("counter", "Things changed since the process began.", ("verb",)),
    "reconciler_api_calls_total": Metric("counter", "Requests to AWS since the process began."),
    "reconciler_api_throttled_total": Metric("counter", "Those of them that AWS has throttled."),
    "reconciler_resources": Metric("gauge", "Resources of the config in use."),
    "reconciler_addresses": Metric(
        "gauge", "Addresses by what became of them in the last pass.", ("status",)
    ),
    "reconciler_unread": Metric(
        "gauge", "Kinds in regions, and accounts, that the last pass could not read whole."
    ),
    "reconciler_conflicts": Metric("gauge", "Things whose ownership is in doubt."),
    "reconciler_problem": Metric("gauge", "1 when the last pass could not be done at all."),
    "reconciler_guard_stopped": Metric("gauge", "1 when a guard has stopped the last pass."),
    "reconciler_config_stale": Metric("gauge", "1 while a newer config is refused."),
    "reconciler_config_loaded_timestamp_seconds": Metric("gauge", "When the config in use was taken."),
    "reconciler_paused": Metric("gauge", "1 while the whole stack is paused."),
    "reconciler_paused_addresses": Metric("gauge", "Addresses that are paused one by one."),
}
"""Every metric there is, in the order of the file; the rules and the dashboard in monitoring/ are held against it."""


class Sample(NamedTuple):
    """One line: a metric, the values of its own labels, and its value."""

    name: str
    labels: tuple[str, ...]
    value: float


def samples(status: Status, now: float) -> Iterator[Sample]:
    """What a status says at `now`, in seconds since the epoch.  Series that can rise are there from the start, at 0."""

    def one(name: str, value: float | None, *labels: str) -> Iterator[Sample]:
        if value is not None:
            yield Sample(f"reconciler_{name}", labels, float(value))

    config, last = status.config, status.last_pass
    yield from one("info", 1, status.account, status.program, str(config.get("hash", "")), status.what)
    for state in STATES:
        yield from one("state", status.state == state, state)
    yield from one("start_time_seconds", status.started)
    yield from one("heartbeat_timestamp_seconds", now)
    yield from one("interval_seconds", status.interval)
    yield from one("last_success_timestamp_seconds", status.last_success)
    yield from one("next_pass_timestamp_seconds", status.next_look)
    for outcome in OUTCOMES:
        yield from one("passes_total", status.passes[outcome], outcome)
    for verb, word in VERBS.items():
        yield from one("changes_total", status.changes[word], verb)
    yield from one("api_calls_total", status.api_calls)
    yield from one("api_throttled_total", status.throttled)
    yield from one("resources", config.get("resources"))
    if last is not None:
        yield from one("last_pass_timestamp_seconds", last["ended"])
        yield from one("last_pass_duration_seconds", last["duration_ms"] / 1000)
        for word in STATUSES:
            yield from one("addresses", last[word], word)
    yield from one("unread", len(status.unread))
    yield from one("conflicts", len(status.conflicts))
    yield from one("problem", bool(status.problem))
    yield from one("guard_stopped", bool(status.guard))
    yield from one("config_stale", bool(config.get("stale")))
    yield from one("config_loaded_timestamp_seconds", config.get("loaded"))
    paused = [
        pause["address"] for pause in status.pauses if pause["until"] is None or seconds(pause["until"]) > now
    ]
    yield from one("paused", status.state == "paused" or "" in paused)
    yield from one("paused_addresses", len(paused) - paused.count(""))


def text(status: Status, now: float) -> str:
    """The whole file: each metric that has a value, with its HELP and its TYPE."""
    found: dict[str, list[Sample]] = {name: [] for name in METRICS}
    for sample in samples(status, now):
        found[sample.name].append(sample)
    lines: list[str] = []
    for name, metric in METRICS.items():
        if found[name]:
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.type}"]
        for sample in found[name]:
            labels = zip(("stack", *metric.labels), (status.stack, *sample.labels), strict=True)
            inner = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels)
            lines.append(f"{name}{{{inner}}} {_number(sample.value)}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def write(path: Path, status: Status, now: float) -> None:
    """Put the file in place, whole or not at all, readable for all; OSError when that cannot be.

    The name of the temporary file beside it does not end with `.prom`, so that node_exporter does not read it.
    """
    write_whole(path, text(status, now).encode(), mode=FOR_ALL, sync=False)
