"""Lists that several kinds are read from: each is asked for once a look.  Used by `observe` and `discover`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from reconciler.aws.gateway import Gateway


class Listings:
    """What one look has been answered; whoever asks for the same meanwhile waits for the answer, a failure too."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway, self._lock = gateway, threading.Lock()
        self._answers: dict[str, Future[list[Any]]] = {}

    def rows(self, **question: Any) -> Iterator[Any]:
        """As `Gateway.rows`; the whole list is read before its first row is given."""
        key = json.dumps(question, sort_keys=True)
        with self._lock:
            mine = key not in self._answers
            answer = self._answers.setdefault(key, Future())
        if mine:
            try:
                answer.set_result(list(self._gateway.rows(**question)))
            except BaseException as error:
                answer.set_exception(error)
                raise
        yield from answer.result()
