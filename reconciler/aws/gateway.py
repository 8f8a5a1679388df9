"""Where calls are made: the one place that sends a request to AWS.  Used by `observe`, `discover` and `apply`.

It picks the client, counts, and names what went wrong in our words; it decides nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import jmespath
from botocore import xform_name

from reconciler.aws.codes import EXPIRED, SDK_ERRORS, meaning, partial_refusal
from reconciler.aws.large import LargeAnswers
from reconciler.aws.limits import READS
from reconciler.aws.patience import Patience, Place
from reconciler.aws.session import RENEW, Sessions
from reconciler.aws.traffic import InFlight
from reconciler.errors import Lost, NoCredentials, NotYet
from reconciler.model.calls import Call
from reconciler.model.things import Parameter, Text

MORE = ("IsTruncated", "AdditionalRoutesAvailable")
"""Members of an answer that say that there is more, beside or without a token for it, by service."""
UNFINISHED = ("NextToken", "NextMarker", *MORE)
"""All that say so."""
AT_ONCE = 10
"""Parameters that SSM gives in one answer."""
SIZES = ("MaxRecords",)
"""What takes the largest page of those lists through which the SDK cannot page."""


class Gateway:
    """All requests of a process go through here.

    What is in `before_write` is called with the call right before each attempt of a request that changes something;
    by raising it keeps the attempt from being sent, and the error reaches the caller.
    """

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.patience = Patience()
        self.before_write: list[Callable[[Call], None]] = []
        self._large = LargeAnswers()
        self._paginators: dict[Hashable, tuple[Any, Any]] = {}
        self._by_hand: dict[tuple[str, str], str | None] = {}
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """The number of requests so far by operation, `read` and `write`; `throttled` has the answers of AWS that
        asked for fewer, those that the SDK has dealt with itself included."""
        with self._lock:
            return self._counts + Counter(throttled=self.sessions.traffic.throttled)

    @property
    def evidence(self) -> float:
        """When a request was last begun or answered, on the monotonic clock, in seconds."""
        return self.sessions.traffic.evidence

    def in_flight(self) -> tuple[InFlight, ...]:
        """The requests that are being made now, the oldest first.  Any thread may ask."""
        return self.sessions.traffic.in_flight()

    def take_turn(self, call: Call) -> None:
        """Wait until AWS should take a call that changes something."""
        if limits := self.sessions.traffic.limits:
            limits.take(self._place(call), call.service, call.operation, call.parameters)

    def has_room(self, call: Call, flying: int) -> bool:
        """Whether such a call should be begun now, while `flying` of its sort are."""
        limits = self.sessions.traffic.limits
        where = self._place(call)
        return limits is None or limits.has_room(where, call.service, call.operation, call.parameters, flying)

    def at_once(self, call: Call, flying: int) -> bool:
        """Whether such a call would not have to wait for AWS's rate, while `flying` of its sort are."""
        limits = self.sessions.traffic.limits
        where = self._place(call)
        return limits is None or limits.at_once(where, call.service, call.operation, call.parameters, flying)

    def _place(self, call: Call) -> Place:
        where = call.region or self.sessions.home_of(call.service)
        return call.account or self.sessions.account, where

    def perform(self, call: Call) -> dict[str, Any]:
        """Make a call and give its answer; AwsError when it did not succeed.

        A call that creates something is sent exactly once: whether to try again is decided by who can look first.
        """
        parameters = self._read_parameters(call.parameters, call)
        with self._translated(str(call), call.account, call.creates):
            client = self.sessions.client(call.account, call.service, call.region, retries=not call.creates)
            with self._request(call.service, call.operation, partial(self._ask_leave, call)):
                answer: dict[str, Any] = getattr(client, xform_name(call.operation))(**parameters)
        if refusal := partial_refusal(answer, str(call)):
            raise refusal
        return answer

    def _ask_leave(self, call: Call) -> None:
        for ask in self.before_write:
            ask(call)

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
        with self._translated(name, account):
            client = self.sessions.client(account, service, region)
            which = (account, region, name)
            for answer in self._pages(client, method, operation, parameters, page, which):
                self.patience.heard((account, region))
                found = jmespath.search(path, answer)
                if found is None:
                    raise Lost(f"{name}: the answer has no {path}", code="IncompleteAnswer", call=name)
                if isinstance(found, list):
                    self._large.note(which, len(found))
                yield from found if isinstance(found, list) else [found]

    def _pages(
        self,
        client: Any,
        method: str,
        operation: str,
        parameters: Mapping[str, Any],
        page: int | None,
        which: Hashable,
    ) -> Iterator[dict[str, Any]]:
        service = client.meta.service_model.service_name
        if (service, operation) not in self._by_hand:
            self._by_hand[service, operation] = by_hand(client, method, operation)
        if (size_of_page := self._by_hand[service, operation]) is not None:
            more = {size_of_page: page} if size_of_page and page is not None else {}
            yield from self._pages_by_hand(client, method, operation, {**parameters, **more}, which)
            return
        size = {} if page is None else {"PageSize": page}
        known, paginator = self._paginators.get(which, (None, None))
        if (
            known is not client
        ):  # the SDK makes a class for each that is asked for; clients go with their credentials
            paginator = client.get_paginator(method)
            self._paginators[which] = client, paginator
        pages = iter(paginator.paginate(PaginationConfig=size, **parameters))
        last: dict[str, Any] = {}
        while True:
            with self._large.turn(which), self._request(service, operation):
                answer = next(pages, None)
            if answer is None:
                _whole(last, MORE, f"{service}:{operation}")  # the SDK ends where there is no token
                return
            last = answer
            yield answer

    def _pages_by_hand(
        self, client: Any, method: str, operation: str, parameters: Mapping[str, Any], which: Hashable
    ) -> Iterator[dict[str, Any]]:
        """The pages of an operation that takes the token of the last one, or none at all."""
        service = client.meta.service_model.service_name
        token: str | None = None
        while True:
            more = {} if token is None else {"NextToken": token}
            with self._large.turn(which), self._request(service, operation):
                answer = getattr(client, method)(**parameters, **more)
            before, token = token, answer.get("NextToken")
            if not token or token == before or "NextToken" not in members(client, operation)[0]:
                _whole(answer, UNFINISHED, f"{service}:{operation}")
                yield answer
                return
            yield answer

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
        with self._translated(f"ssm:GetParameter {path}", account):
            client = self.sessions.client(account, "ssm", region)
            with self._request("ssm", "GetParameter"):
                return str(client.get_parameter(Name=path)["Parameter"]["Value"])

    def parameters(self, account: str, region: str, paths: Sequence[str]) -> dict[str, str]:
        """The values of SSM parameters by their paths, of those that there are; a request for each ten."""
        found: dict[str, str] = {}
        client = self.sessions.client(account, "ssm", region)
        for first in range(0, len(paths), AT_ONCE):
            with self._translated("ssm:GetParameters", account), self._request("ssm", "GetParameters"):
                answer = client.get_parameters(Names=list(paths[first : first + AT_ONCE]))
            found |= {str(one["Name"]): str(one["Value"]) for one in answer["Parameters"]}
        return found

    @contextmanager
    def _request(
        self, service: str, operation: str, allow: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """One request, with all of its attempts: in flight meanwhile, and counted if anything was sent."""
        changes = not operation.startswith(READS)
        name = f"{service}:{operation}"
        with self.sessions.traffic.making(name, changes=changes, allow=allow if changes else None) as request:
            try:
                yield
            finally:
                if request.sent:
                    with self._lock:
                        self._counts["write" if changes else "read"] += 1
                        self._counts[operation] += 1

    @contextmanager
    def _translated(self, call: str, account: str, creates: bool = False) -> Iterator[None]:
        try:
            yield
        except SDK_ERRORS as error:
            found = meaning(error, call=call, creates=creates)
            if found.code in EXPIRED and self.sessions.renew(account):
                why = f"the credentials for {account} have expired, and are asked for anew: {found}"
                raise NotYet(why, code=found.code, call=call, request_id=found.request_id) from error
            if found.code in EXPIRED:  # no other call fares better, so that nothing is gained by going on
                raise NoCredentials(f"the credentials have expired: {found}; {RENEW}") from error
            raise found from error


def members(client: Any, operation: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What an operation takes, and what it answers, by the service's model."""
    model = client.meta.service_model.operation_model(operation)
    taken, answered = (shape.members if shape else {} for shape in (model.input_shape, model.output_shape))
    return taken, answered


def by_hand(client: Any, method: str, operation: str) -> str | None:
    """The parameter for the size of a page ("" for none) of a list that is turned here: where the SDK cannot, and where
    nothing is to it but a NextToken, as with most, since the SDK takes a twentieth of a small pass for that."""
    taken, answered = members(client, operation)
    if not client.can_paginate(method):
        return next((name for name in SIZES if name in taken), "")
    plain = "NextToken" in taken and "NextToken" in answered and not answered.keys() & {*MORE}
    return "MaxResults" if plain and "MaxResults" in taken else None


def _whole(answer: Mapping[str, Any], marks: Sequence[str], call: str) -> None:
    """Lost where an answer says that it is not all there is."""
    if any(answer.get(mark) for mark in marks):
        raise Lost(f"{call}: the answer is not the whole list", code="IncompleteAnswer", call=call)
