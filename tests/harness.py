"""An ops host for tests: the program as the command line puts it together, on a local AWS whose clock is held.

No second passes for real: waiting moves the held clock on.  Used by the tests of whole passes.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import cache, lru_cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import jmespath
from moto.iam.models import iam_backends

from reconciler.aws.discover import Discovered
from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.rows import completed
from reconciler.aws.schema import BotocoreSchema
from reconciler.aws.session import Sessions
from reconciler.choices import Choices
from reconciler.desired import File, build
from reconciler.kinds import ALL, BY_NAME
from reconciler.loop import Loop
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.config import Account, Config
from reconciler.model.fields import Facts
from reconciler.model.plan import Entry, Plan, Report
from reconciler.model.service import SERVICES, path_of
from reconciler.model.things import Observed, Scope
from reconciler.sandbox import HeldClock, LocalAws, local_aws
from reconciler.wall import Wall
from reconciler.workers import Workers, workers

ACCOUNT = "123456789012"
STACK = "test"
REGIONS = ("eu-central-1", "eu-west-1", "us-west-2")
"""Those that the account has enabled: each one more makes every discovery look slower."""
SCHEMA = BotocoreSchema()
PAGE = 10
"""Rows of a page: that lists have pages is what other tests are about, and each costs as much as a list."""
FACTS: dict[str, Facts] = {kind.name: Facts(kind, SCHEMA) for kind in ALL}
HEAD = f'stack: {STACK}\naccount: "{ACCOUNT}"\nregion: us-west-2\n'


def complete(text: str) -> str:
    """A config's text; one without a stack gets a head, one without limits gets such as stop nothing."""
    text = dedent(text).lstrip("\n")
    whole = text if text.startswith("stack:") or "\nstack:" in text else HEAD + text
    if "limits:" not in whole:  # the default ones would stop most tests: a fifth of what is owned
        whole = whole.rstrip() + "\nlimits: {deletes: 1000, percent: 100, per-hour: 1000}\n"
    return whole


@lru_cache(64)
def read(text: str) -> Config:
    """A config; nobody changes one."""
    file = File("test.yaml", complete(text).encode())
    return build([file], "test.yaml", kinds=BY_NAME, schema=SCHEMA, variables={}, environment={})


class Time(Wall):
    """The program's clock, moved together with AWS's.  Each wait takes `least` seconds, so that few looks are made."""

    def __init__(self, held: HeldClock, least: float = 0.0) -> None:
        self._held, self._least = held, least

    def now(self) -> float:
        return self._held.now().timestamp()

    monotonic = now

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        self._held.advance(max(seconds, self._least))


def _sessions(
    account: str = ACCOUNT, endpoint_url: str | None = None, accounts: Mapping[str, Account] | None = None
) -> Sessions:
    return Sessions(
        account=account,
        accounts=accounts or {},
        region="us-west-2",
        stack=STACK,
        endpoint_url=endpoint_url,
    )


_of_this_process = cache(_sessions)


def _known_to_nobody() -> Sessions:
    """The clients of this process, which are dear to make and remember nothing; who they are is to be asked anew."""
    sessions = copy(_of_this_process())
    sessions._known = {}
    return sessions


class Host:
    """Runs the program with one state directory against one local AWS."""

    def __init__(
        self,
        aws: LocalAws,
        state: Path,
        executor: Workers | None = None,
        endpoint_url: str | None = None,
        least_wait: float = 5.0,
    ) -> None:
        self.aws, self.state = aws, state
        self._ids = itertools.count()
        self._workers = executor or workers(4)
        self.time = Time(aws.clock, least_wait)
        self._endpoint_url = endpoint_url
        self._sessions = _known_to_nobody() if endpoint_url is None else _sessions(endpoint_url=endpoint_url)
        self.hand = Gateway(self._sessions)
        """Somebody else's hand in the account."""
        self.asks_everywhere = False
        """Whether each new config has all regions and networks asked for what it does not name.  Else that is spared:
        something of the stack's can be only where a config of this host has named it."""
        self._named: set[Scope] = set()
        self._others: dict[Any, Sessions] = {}
        """The clients of configs with several accounts, which are dear to make."""
        self.assumes_anew = False
        """Whether each process assumes its roles in other accounts itself, as it does outside of tests."""

    def clients_of_its_own(self) -> None:
        """For a test that does something to clients: nobody else gets these."""
        self._sessions = _sessions()
        self.hand = Gateway(self._sessions)

    def use(self, executor: Workers, time: Time) -> None:
        """Another number of workers, and another clock."""
        self._workers, self.time = executor, time

    def beside(self, state: Path) -> Host:
        """The same, with another state directory."""
        other = copy(self)
        other.state = state
        return other

    def loop(self, text: str, **choices: Any) -> Loop:
        """One process of the program, begun now."""
        config, time = read(text), self.time
        sessions = self._sessions
        if config.account != ACCOUNT or config.accounts:
            whose = (config.account, tuple(sorted(config.accounts.items())))
            if whose not in self._others or self.assumes_anew:
                self._others[whose] = _sessions(config.account, self._endpoint_url, config.accounts)
            sessions = copy(self._others[whose])
            sessions._known = {}
        memory = Memory.open(self.state, time.now)
        self._named |= {desired.scope for desired in config.resources.values()}
        if not (config.accounts or self.asks_everywhere) and memory.discovered(config.digest) is None:
            found = Discovered(scopes=frozenset(self._named), accounts=frozenset({ACCOUNT}))
            memory.keep(config.digest, found)
        return Loop(
            config=config,
            gateway=Gateway(sessions),
            facts=FACTS,
            memory=memory,
            executor=self._workers,
            new_id=lambda: f"pass-{next(self._ids)}",
            clock=time,
            choices=Choices(**choices),
        )

    def run(self, text: str, timeout: float = 600, **choices: Any) -> Report:
        """`run --once`."""
        return self.loop(text, **choices).until_settled(timeout)

    def plan(self, text: str, **choices: Any) -> Plan:
        """`plan`."""
        return self.loop(text, **choices).plan()[1]

    def destroy(self, text: str = "resources: {}", protected: bool = True) -> Report:
        """`destroy --yes`."""
        report = self.run(text, destroy=True, unprotected=protected)
        if report.outcome == "settled":
            self._named.clear()
        return report

    def entry(self, text: str, address: str) -> Entry:
        """One entry of the plan."""
        return next(entry for entry in self.plan(text).entries if entry.label == address)

    def seen(self, text: str, address: str) -> Observed:
        """The one thing that holds an address."""
        found = self.loop(text).look().claims[Address.parse(address)]
        assert len(found) == 1, found
        return found[0]

    def forget(self) -> None:
        """The state directory is lost."""
        shutil.rmtree(self.state, ignore_errors=True)

    def by_hand(
        self,
        service: str,
        operation: str,
        region: str = "us-west-2",
        account: str = ACCOUNT,
        **parameters: Any,
    ) -> Any:
        """A call that somebody else makes."""
        where = region if service not in SERVICES or SERVICES[service].regional else ""
        return self.hand.perform(
            Call(service=service, operation=operation, parameters=parameters, account=account, region=where)
        )

    def rows(
        self,
        kind: str,
        region: str = "us-west-2",
        within: list[dict[str, Any]] | None = None,
        account: str = ACCOUNT,
    ) -> list[dict[str, Any]]:
        """Everything of a kind that exists, ours or not, dead ones left out; `within` are its parents, if known."""
        record = BY_NAME[kind]
        where = region if record.regional else ""
        parents: list[Mapping[str, Any]] = [{}]
        if record.read.within:
            parent = BY_NAME[record.read.within]
            above = self.rows(parent.name, region, account=account) if within is None else within
            parents = [{record.lies_in(parent): row[parent.handle or parent.id]} for row in above]
        found: list[dict[str, Any]] = []
        for parameters in parents:
            rows: Iterable[dict[str, Any]] = self.hand.rows(
                account=account,
                region=where,
                service=record.service,
                operation=record.read.operation,
                path=record.read.path,
                parameters={**record.read.arguments, **parameters},
                page=record.read.page,
            )
            listed = [record.bare(row) for row in rows if record.read.only.items() <= row.items()]
            if how := record.read.completed:
                beside = {name: parameters[name] for name in how.alike}
                listed = list(completed(self.hand, record, Scope(kind, account, where), how, listed, beside))
            found += listed
        return [row for row in found if not self._dead(kind, row)]

    def _dead(self, kind: str, row: Mapping[str, Any]) -> bool:
        record = BY_NAME[kind]
        return record.state is not None and jmespath.search(record.state, row) in record.gone

    def ours(self, kind: str, region: str = "us-west-2", account: str = ACCOUNT) -> list[dict[str, Any]]:
        """Those of a kind that carry some stack's tag."""
        return [row for row in self.rows(kind, region, account=account) if "reconciler:stack" in tags(row)]

    def writes(self) -> list[str]:
        """The operations that changed something since the calls were last forgotten."""
        return [call.operation for call in self.aws.writes]


def tags(row: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a row, by key."""
    found = row.get("Tags") or row.get("TagSet") or row.get("tags") or ()
    return dict(found) if isinstance(found, Mapping) else {tag["Key"]: tag["Value"] for tag in found}


def move_home(kind: str, name: str, stack: str = STACK) -> None:
    """Have somebody else's thing stand where a stack's own do.  AWS lets nobody move one, so it is the local AWS's
    memory that is changed; where names have no paths there is nothing to do."""
    if not BY_NAME[kind].home.paths:
        return
    backend = iam_backends[ACCOUNT]["aws"]
    for one in (*backend.roles.values(), *backend.instance_profiles.values()):
        if one.id == name:
            one.path = path_of(stack)


@contextmanager
def host(
    folder: Path, least_wait: float = 5.0, asks_everywhere: bool = False, **settings: Any
) -> Iterator[Host]:
    """A host with an empty state directory, and a local AWS of its own whose every answer must fit its shape."""
    with local_aws(**{"regions": REGIONS, "page_size": PAGE, **settings}) as aws:
        found = Host(aws, folder / "state", least_wait=least_wait)
        found.asks_everywhere = asks_everywhere
        yield found
        assert aws.problems == []
