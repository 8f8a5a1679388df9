"""Where calls are made: the one place that sends a request to AWS.  Used by `observe`, `discover` and `apply`.

It picks the client, counts, names what went wrong in our words, and logs; it decides nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jmespath
from botocore import xform_name

from reconciler.aws.codes import SDK_ERRORS, meaning
from reconciler.aws.session import Sessions
from reconciler.errors import Lost
from reconciler.model.calls import Call
from reconciler.model.things import Parameter, Text

READS = ("Describe", "Get", "List", "Search")


class Gateway:
    """All requests of a process go through here.  `counts` has their number by operation, `read` and `write`."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()

    def perform(self, call: Call) -> dict[str, Any]:
        """Make a call and give its answer; AwsError when it did not succeed.

        A call that creates something is sent exactly once: whether to try again is decided by who can look first.
        """
        parameters = self._read_parameters(call.parameters, call)
        with self._translated(str(call), call.creates):
            client = self.sessions.client(call.account, call.service, call.region, retries=not call.creates)
            self._count(call.operation)
            answer: dict[str, Any] = getattr(client, xform_name(call.operation))(**parameters)
        return answer

    def rows(
        self,
        *,
        account: str,
        region: str,
        service: str,
        operation: str,
        path: str,
        parameters: Mapping[str, Any],
        page: int | None = None,
    ) -> Iterator[Any]:
        """What a list operation gives at `path`, over all of its pages; Lost when an answer lacks the list."""
        method, name = xform_name(operation), f"{service}:{operation}"
        with self._translated(name):
            client = self.sessions.client(account, service, region)
            for answer in self._pages(client, method, operation, parameters, page):
                found = jmespath.search(path, answer)
                if found is None:
                    raise Lost(f"{name}: the answer has no {path}", code="IncompleteAnswer", call=name)
                yield from found if isinstance(found, list) else [found]

    def _pages(
        self, client: Any, method: str, operation: str, parameters: Mapping[str, Any], page: int | None
    ) -> Iterator[dict[str, Any]]:
        if not client.can_paginate(method):
            self._count(operation)
            answer = getattr(client, method)(**parameters)
            if answer.get("NextToken"):
                name = f"{client.meta.service_model.service_name}:{operation}"
                raise Lost(f"{name}: the answer is not the whole list", code="IncompleteAnswer", call=name)
            yield answer
            return
        size = {} if page is None else {"PageSize": page}
        try:
            for answer in client.get_paginator(method).paginate(PaginationConfig=size, **parameters):
                self._count(operation)
                yield answer
        except SDK_ERRORS:
            self._count(operation)  # a request that failed was one too
            raise

    def _read_parameters(self, value: Any, call: Call) -> Any:
        """`${ssm:…}` in the parameters of a call, read now and in the call's own region."""
        match value:
            case Parameter(path):
                return self.parameter(call.account, call.region, path)
            case Text(parts):
                return "".join(str(self._read_parameters(part, call)) for part in parts)
            case Mapping():
                return {name: self._read_parameters(inner, call) for name, inner in value.items()}
            case list() | tuple():
                return [self._read_parameters(inner, call) for inner in value]
        return value

    def parameter(self, account: str, region: str, path: str) -> str:
        """The value of a public SSM parameter."""
        with self._translated(f"ssm:GetParameter {path}"):
            client = self.sessions.client(account, "ssm", region)
            self._count("GetParameter")
            return str(client.get_parameter(Name=path)["Parameter"]["Value"])

    def _count(self, operation: str) -> None:
        with self._lock:
            self.counts["read" if operation.startswith(READS) else "write"] += 1
            self.counts[operation] += 1

    @contextmanager
    def _translated(self, call: str, creates: bool = False) -> Iterator[None]:
        try:
            yield
        except SDK_ERRORS as error:
            raise meaning(error, call=call, creates=creates) from error
