"""Every event that the log can hold: the interface of those who watch.  Used by `log`, shown by `reconciler events`.

Names and meanings are data; a line whose event is not here is an error under the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple


class Event(NamedTuple):
    """One event: the level it is usually logged at, and what it means."""

    level: Literal["debug", "info", "warning", "error", "critical"]
    meaning: str


EVENTS: Final[Mapping[str, Event]] = {
    # process
    "daemon.starting": Event("info", "the daemon has begun: config, lock and account come next"),
    "daemon.ready": Event("info", "the config is good, the lock is held, the account is the right one"),
    "daemon.stopping": Event("info", "asked to stop: the call in flight may finish, no other is made"),
    "daemon.stopped": Event("info", "the last line of a daemon, with what remains to be done"),
    "unit.failed": Event("critical", "the process ends, or a thread of it has ended, by an error nobody caught"),
    "heartbeat": Event("info", "once a minute: alive, and how long ago the last pass succeeded"),
    "watchdog.withheld": Event("error", "no progress: systemd is not told that all is well, so that it restarts us"),
    "clock.jumped": Event("warning", "wall and monotonic clock disagree by more than 30 s: all timers are set anew"),
    # config
    "config.loaded": Event("info", "the config was read and checked"),
    "config.refused": Event("error", "the config is wrong; every problem has its place"),
    "config.not_in_force": Event("warning", "keys of the config that this version does not act on"),
    "config.changed_on_disk": Event("info", "the files differ from what was loaded"),
    "config.reload.started": Event("info", "a reload was asked for"),
    "config.reloaded": Event("info", "the new config is in use from the next pass on"),
    "config.reload.refused": Event("error", "the new config is wrong; the last good one stays in use"),
    # identity
    "identity.verified": Event("info", "STS says that we are in the account that the config names"),
    "identity.mismatch": Event("error", "STS says that we are in another account; nothing was done"),
    "credentials.refreshed": Event("info", "new credentials; who we are is asked again"),
    "credentials.expiring": Event("warning", "the credentials end soon and could not be renewed yet"),
    "credentials.failed": Event("error", "credentials are missing or refused"),
    "endpoint.overridden": Event("warning", "calls go to another endpoint than AWS's own"),
    # lock
    "lock.acquired": Event("info", "this process holds the stack"),
    "lock.busy": Event("warning", "another process holds the stack"),
    "lock.lost": Event("error", "the lock file was replaced or removed; nothing is written until it is held again"),
    # state directory
    "state.unwritable": Event("warning", "the state directory cannot be written; work goes on, without remembering"),
    # pass
    "pass.started": Event("debug", "a pass begins, and why"),
    "pass.finished": Event("info", "the one line of a settled pass: outcome, counts, calls, time, next look"),
    "pass.failed": Event("error", "a pass could not be done, and why; the next one comes"),
    "plan.computed": Event("debug", "how many addresses have which verdict"),
    "kind.unknown": Event("warning", "could not be read whole: nothing of it is created or deleted in this pass"),
    # address
    "drift.detected": Event("info", "a path differs from the config; once for each new drift"),
    "change.started": Event("info", "a call that changes something is about to be made"),
    "change.succeeded": Event("info", "AWS has accepted the change"),
    "change.failed": Event("error", "AWS has not accepted the change, or gave no answer"),
    "change.deferred": Event("info", "the change is put off, and why"),
    "address.blocked": Event("warning", "only a change of the config, or of the thing by hand, helps"),
    "wait.slow": Event("info", "still waiting for AWS; once in 30 s"),
    # ownership
    "resource.adopted": Event("info", "a thing of ours was found under an address that had none"),
    "resource.released": Event("info", "a thing is no longer ours; it stays as it is"),
    "resource.orphaned": Event("warning", "a thing of ours whose address is not in the config"),
    "resource.unowned": Event("warning", "a thing that would fit an address, without our tags; it is left alone"),
    "ownership.conflict": Event("error", "two things claim one address, or one thing has half of our tags"),
    # guards
    "guard.stopped": Event("error", "a limit was hit; nothing was done, and the line says how to agree"),
    "guard.agreed": Event("warning", "a person has agreed to a plan that a guard had stopped"),
    "window.opened": Event("info", "a maintenance window has begun"),
    "window.closed": Event("info", "a maintenance window has ended"),
    "pause.started": Event("warning", "nothing is changed from here on, and why"),
    "pause.ended": Event("info", "changes are made again"),
    # API, log
    "api.throttled": Event("warning", "AWS asked for fewer calls; a summary, at most once a minute"),
    "library.log": Event("warning", "a library's line: its text in `message`, its name in `logger`, at its own level"),
    "log.suppressed": Event("info", "how often a line was left out because it repeats"),
}  # fmt: skip
"""Every event there is.  A new one is added here first; under the tests an unknown name is an error."""
