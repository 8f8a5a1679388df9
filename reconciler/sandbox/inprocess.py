"""The local AWS inside a test's process, without HTTP.

Called by tests: `with local_aws() as aws:` gives boto3 clients that talk to nothing outside, a held clock, the record
of calls and the faults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from moto import mock_aws

from . import pipeline
from .calls import Call
from .clock import HeldClock
from .errors import AwsError
from .faults import Cut, Drop, Effect, Hook, Lag, LoseAnswer, Refuse, Rule, Strike, Target
from .faults.file import read_rules
from .settings import Delays, Profile, Settings
from .world import World, begin

# what would make boto3 look beyond the process, or choose another account or region
_HIDDEN_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_NETWORKMANAGER",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


class LocalAws:
    """What a test holds in its hand: the clock, the record of calls, and what goes wrong."""

    def __init__(self, world: World, clock: HeldClock) -> None:
        self._world = world
        self.clock = clock

    @property
    def calls(self) -> list[Call]:
        """Every request so far, oldest first, failed ones included."""
        return list(self._world.calls.all)

    @property
    def writes(self) -> list[Call]:
        """The calls that can change something."""
        return self._world.calls.writes

    def clear_calls(self) -> None:
        """Forgets the calls so far."""
        self._world.calls.clear()

    def change(self, **settings: Any) -> None:
        """Other settings from now on: `page_size=1`, `short_pages=True`, …"""
        self._world.settings = replace(self._world.settings, **settings)

    @property
    def problems(self) -> list[str]:
        """Answers that do not fit botocore's output shapes; empty unless the sandbox is wrong."""
        return self._world.problems

    @property
    def warnings(self) -> list[str]:
        """Values in answers that botocore's enums do not list."""
        return self._world.warnings

    @property
    def on_call(self) -> list[Hook]:
        """Functions called as (moment, call): "before" each operation, and "after" each that took effect, also if its
        answer is lost. What they raise (AwsError or a botocore connection error) the client sees; what is raised
        "before" keeps the operation from happening."""
        return self._world.faults.hooks

    def fail(
        self,
        service: str,
        operation: str,
        *,
        code: str,
        message: str = "injected",
        status: int | None = None,
        times: int = 1,
        **members: Any,
    ) -> None:
        """The next `times` calls are refused with this error and have no effect; `operation` "*" is any.

        `status` None: what the service's model or EC2 says of the code. `members`: further members of the error.
        """
        self._set(service, operation, Refuse(AwsError(code, message, status, **members)), times)

    def drop(self, service: str, operation: str, *, times: int = 1) -> None:
        """The connection closes before anything happened."""
        self._set(service, operation, Drop(), times)

    def lose_answer(self, service: str, operation: str, *, times: int = 1) -> None:
        """The operation happens, and the connection closes before its answer arrives."""
        self._set(service, operation, LoseAnswer(), times)

    def truncate(self, service: str, operation: str, *, times: int = 1) -> None:
        """The answer comes with half of its body, while Content-Length tells the whole."""
        self._set(service, operation, Cut(), times)

    def hide(
        self, service: str, operation: str = "*", *, seconds: float | None = None, calls: int | None = None
    ) -> None:
        """Things made from now on are missing from lists, for `seconds` of the clock each, or from the next `calls`
        lists (all pages of a list count as one). ValueError unless exactly one of the two is given."""
        if (seconds is None) == (calls is None):
            raise ValueError("say either seconds or calls")
        self._set(service, operation, Lag(seconds, calls), None)

    def _set(self, service: str, operation: str, effect: Effect, times: int | None) -> None:
        self._world.faults.add(Rule(calls=(Target(service, operation),), do=effect, times=times))

    def faults(self, text: str) -> None:
        """Sets the rules of a text in the language of docs/faults.md; FaultsFileError for a mistake in it."""
        self._world.faults.add(*read_rules(text, "rules").rules)

    @property
    def strikes(self) -> list[Strike]:
        """What the rules have struck so far, oldest first."""
        return list(self._world.faults.strikes)

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self._world.faults.clear()


@contextmanager
def local_aws(
    clock: HeldClock | None = None,
    page_size: int = 3,
    delays: Delays | Profile = "fast",
    quotas: Mapping[str, int] | None = None,
    unverified_block: Literal["ValidationException", "ConflictException"] = "ValidationException",
    token_mismatch_first: bool = True,
    repeated_launch_shows_tags: bool = True,
    unfiltered_link_associations: bool = True,
    no_resource_policy: Literal["", "ResourceNotFoundException", "ValidationException"] = "",
    connection_links_associated: bool = False,
    cleared_fields: Literal["absent", "empty"] = "absent",
    regions: tuple[str, ...] | None = None,
    seed: int = 0,
) -> Iterator[LocalAws]:
    """A local AWS for the time of the `with` block; boto3 clients reach it if they are made inside, or were made inside
    an earlier one: they remember nothing, and outside of any they would ask the real AWS.

    In: the clock that decides when states change (default: a new held one); the page size of all lists; seconds per
    transition; quotas by resource name; seven answers that no public reference shows (`settings.Settings` says which);
    the seed of what faults leave to chance.
    Everything is empty at the start and forgotten at the end. The account is 123456789012, the default region
    us-west-2.
    """
    pipeline.install()
    held = clock or HeldClock()
    settings = Settings(
        clock=held,
        delays=delays if isinstance(delays, Delays) else Delays.named(delays),
        page_size=page_size,
        quotas=quotas or {},
        unverified_block=unverified_block,
        token_mismatch_first=token_mismatch_first,
        repeated_launch_shows_tags=repeated_launch_shows_tags,
        unfiltered_link_associations=unfiltered_link_associations,
        no_resource_policy=no_resource_policy,
        connection_links_associated=connection_links_associated,
        cleared_fields=cleared_fields,
        regions=regions,
        check_answers=True,
        seed=seed,
    )
    with _environment(), mock_aws():
        world = begin(settings)
        try:
            yield LocalAws(world, held)
        finally:
            begin(Settings())


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in (*_HIDDEN_VARIABLES, "AWS_DEFAULT_REGION")}
    os.environ["AWS_DEFAULT_REGION"] = "us-west-2"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
