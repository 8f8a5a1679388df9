"""The thread that looks: one pass after the other, as long as there is a reason.  Used by `process`.

Reasons that come while a pass runs are kept together and make exactly one more pass.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from reconciler.aws.gateway import Gateway
from reconciler.engine.pacing import Next, next_look, waits_for_aws
from reconciler.errors import AwsError, GuardError, ReconcilerError
from reconciler.log import get_logger
from reconciler.loop import PACES, Loop
from reconciler.model.config import Config
from reconciler.model.plan import Ended
from reconciler.say import event_of

BY_PERSON: Final = frozenset({"signal"})
"""Triggers that mean: try everything at once, whatever has failed."""

LONGEST_WAIT: Final = 3600.0
"""Seconds; the end of a pause may be further away than what a condition can wait for."""


class Passes:
    """Runs the passes of a loop in a thread of its own.

    `may_look` is asked before each pass, in that thread; without its leave there is none.
    `told` hears of the end of each, and of all else that changes for those who watch.
    """

    def __init__(self, loop: Loop, may_look: Callable[[], bool], told: Callable[[], None]) -> None:
        self._loop, self._may_look, self._told = loop, may_look, told
        self._condition = threading.Condition()
        self._reasons: dict[str, None] = {}
        self._config: Config | None = None
        self._gateway: Gateway | None = None
        self._stopping = False
        self._failed = self._quiet = 0
        self.busy_since: float | None = None
        """When the pass that runs has begun, in seconds of the monotonic clock."""
        self.next: Next | None = None
        self.next_at: float | None = None
        """When a look comes before the regular one, in seconds of the monotonic clock."""
        self.thread = threading.Thread(target=self._run, name="passes", daemon=True)
        loop.ended.append(self._ended)

    def start(self) -> None:
        """Begin with a look."""
        self._reasons["start"] = None
        self.thread.start()

    def look(self, trigger: str) -> None:
        """There is a reason to look; any thread may say so, no signal handler."""
        with self._condition:
            self._reasons[trigger] = None
            self._condition.notify()

    def take(self, config: Config, gateway: Gateway | None) -> None:
        """Go on with another config, from the next pass on, which comes at once; `gateway`: by another way to AWS."""
        with self._condition:
            self._config, self._gateway = config, gateway or self._gateway
            self._reasons["reload"] = None
            self._condition.notify()

    def stop(self) -> None:
        """No further pass."""
        with self._condition:
            self._stopping = True
            self._condition.notify()

    # ---- in the thread

    def _run(self) -> None:
        while (trigger := self._wait()) is not None:
            self.busy_since = time.monotonic()
            try:
                self._swap()
                if self._may_look():
                    self.busy_since = time.monotonic()  # it may have stood by for days
                    self._loop.one_pass(trigger + self._swap())
                else:
                    self._not_done()
            except Exception as error:
                self._end_badly(error)
            finally:
                self.busy_since = None
            self._told()

    def _wait(self) -> str | None:
        """Why to look now; None to end."""
        with self._condition:
            while not self._stopping:
                left = None if self.next_at is None else self.next_at - time.monotonic()
                if not self._reasons and self.next is not None and left is not None and left <= 0:
                    self._reasons[self.next.trigger] = None
                if self._reasons:
                    trigger = "+".join(self._reasons)
                    if BY_PERSON & self._reasons.keys():
                        self._loop.backoff.forget()
                    self._reasons.clear()
                    self._set(None)  # else a pass that cannot even end is followed by another at once
                    return trigger
                self._condition.wait(None if left is None else min(left, LONGEST_WAIT))
            return None

    def _swap(self) -> str:
        """Take the newest config, and say so if it is one more reason to look.

        Asked right before a pass, for who has stood by for long must not begin with a config of long ago; and before
        the question whether there is one, since the way to AWS may be another.
        """
        with self._condition:
            config, gateway = self._config, self._gateway
            self._config = self._gateway = None
            more = "+reload" if "reload" in self._reasons else ""
            self._reasons.pop("reload", None)
        if config is not None:
            self._loop.take(config, gateway)
        return more

    def _end_badly(self, error: Exception) -> None:
        """Say what has ended a pass; when there is another is decided by `_ended`, or here where it was not asked."""
        match error:
            case GuardError():
                pass  # the guard has told it
            case AwsError():
                get_logger().error(event_of(error), **told_of(error))
            case ReconcilerError():
                get_logger().error(event_of(error), reason=str(error))
            case _:  # a mistake of ours is no reason to leave the estate alone from here on
                get_logger().critical("unit.failed", error=str(error), exc_info=error)
                if self.next is None:
                    self._not_done()

    def _not_done(self) -> None:
        """There was no pass: try again, ever more rarely."""
        self._failed += 1
        self._set(next_look(None, failed=self._failed, due=None, chance=self._loop.chance))

    def _ended(self, ended: Ended) -> None:
        """A pass is over: decide whether there is a look before the regular one."""
        if ended.guard:
            self._failed = 0
            self._set(None)  # only a person, or the next regular look, changes what a guard says
        elif ended.problem:
            self._not_done()
        else:
            self._failed = 0
            self._quiet = 0 if ended.report.changed or not waits_for_aws(ended.report) else self._quiet + 1
            dues = (self._loop.backoff.due(self._loop.clock.monotonic()), self._loop.held_for(ended.report))
            due = min((left for left in dues if left is not None), default=None)
            self._set(
                next_look(
                    ended.report,
                    failed=0,
                    due=due,
                    chance=self._loop.chance,
                    quiet=self._quiet,
                    paces=PACES,
                )
            )

    def _set(self, following: Next | None) -> None:
        self.next = following
        self.next_at = None if following is None else time.monotonic() + following.seconds


def told_of(error: AwsError) -> dict[str, object]:
    """The fields of a line about an error of AWS."""
    return {"reason": str(error), "aws_error_code": error.code, "aws_request_id": error.request_id}
