"""What is remembered between looks and runs, in the state directory.  Used by `apply` and `loop`.

It may be deleted at any moment: then creations wait a little, and nothing else changes.  A journal of JSON lines,
each forced to the disk before what it announces is done, rewritten short when a process begins.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.aws.discover import Discovered
from reconciler.aws.journal import Journal
from reconciler.model.address import Address
from reconciler.model.flap import Flap
from reconciler.model.remembered import APART, LOST_ANSWER, UNLISTED, Remembered
from reconciler.model.things import Observed, Scope, World
from reconciler.whole import write_whole

DISCOVERY_SECONDS = 3600.0
"""How long what a discovery look found is believed."""

Clock = Callable[[], float]
"""Seconds since the epoch."""


@dataclass
class Memory:
    """The journal of one stack.  Safe to use from several threads.

    `fresh` is True when there was no journal to read: nothing is known of earlier runs, since `since`; `found`, when
    things of the stack were seen that nobody remembers making.
    A directory that cannot be written is said once in the log; what would be written is then kept in memory only.
    """

    directory: Path
    clock: Clock
    since: float = 0.0
    fresh: bool = True
    found: bool = False
    intents: dict[Address, float] = field(default_factory=dict)
    tokens: dict[Address, float] = field(default_factory=dict)
    created: dict[Address, tuple[str, float]] = field(default_factory=dict)
    seen: dict[Address, tuple[str, float | None]] = field(default_factory=dict)
    accounts: dict[Address, str] = field(default_factory=dict)
    """In which of them what is `seen` was."""
    generations: dict[Address, int] = field(default_factory=dict)
    flaps: dict[str, Flap] = field(default_factory=dict)
    """What was put right lately, by label; for the flap breaker."""
    alone: set[Address] = field(default_factory=set)
    """What is not made with others, since AWS would not make all of them: of this process alone."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._journal = Journal(self.directory / "memory.jsonl", without="remembering")

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Memory:
        """Read what an earlier process left, or begin anew."""
        memory = cls(directory, clock, since=clock())
        for entry in memory._journal.entries():
            memory._replay(entry)
        memory._not_from_the_future()
        return memory

    @property
    def path(self) -> Path:
        return self._journal.path

    def begin(self) -> None:
        """Write the journal anew, short; the first write of a process that is going to change something."""
        with self._lock:
            lines: list[dict[str, Any]] = [{"since": self.since, "fresh": self.fresh, "found": self.found}]
            lines += [{"intent": str(address), "at": at} for address, at in self.intents.items()]
            lines += [{"token": str(address), "at": at} for address, at in self.tokens.items()]
            lines += [
                {"created": str(address), "id": id, "at": at} for address, (id, at) in self.created.items()
            ]
            lines += [
                {"seen": str(address), "id": id, "missed": at, "account": self.accounts.get(address, "")}
                for address, (id, at) in self.seen.items()
            ]
            lines += [{"generation": str(address), "value": n} for address, n in self.generations.items()]
            lines += [{"flap": label, **flap.as_data()} for label, flap in self.flaps.items()]
            self._journal.rewrite(lines)

    # ---- creations

    def intend(self, *addresses: Address) -> None:
        """A creation is about to be sent that no token protects, or one of several addresses at once."""
        with self._lock:
            now = self.clock()
            self.intents |= dict.fromkeys(addresses, now)
            self._journal.append(*({"intent": str(address), "at": now} for address in addresses))

    def intend_with_token(self, address: Address) -> None:
        """A creation is about to be sent whose token protects this address, and not what becomes of it."""
        with self._lock:
            self.tokens[address] = self.clock()
            self._journal.append({"token": str(address), "at": self.tokens[address]})

    def refused(self, *addresses: Address) -> None:
        """AWS answered that it did not create it."""
        with self._lock:
            held = [address for address in addresses if self._answered(address)]
            if held:
                self._journal.append(*({"refused": str(address)} for address in held))

    def made(self, address: Address, id: str) -> None:
        """AWS answered that it created it."""
        self.all_made({address: id})

    def all_made(self, ids: Mapping[Address, str]) -> None:
        """AWS answered that it created these."""
        with self._lock:
            now = self.clock()
            for address, id in ids.items():
                self._answered(address)
                self.alone.discard(address)
                self.created[address] = (id, now)
            lines = ({"created": str(address), "id": id, "at": now} for address, id in ids.items())
            self._journal.append(*lines)

    def _answered(self, address: Address) -> bool:
        """A creation is under way no more; whether it was."""
        found = [under_way.pop(address, None) for under_way in (self.intents, self.tokens)]
        return found != [None, None]

    def next_generation(self, address: Address, generation: int) -> None:
        """Tokens up to this generation are used up."""
        with self._lock:
            self.generations[address] = generation
            self._journal.append({"generation": str(address), "value": generation})

    def keep_flap(self, label: str, flap: Flap | None) -> None:
        """What was put right of an address lately; None for nothing any more."""
        with self._lock:
            self.flaps.pop(label, None)
            if flap is not None:
                self.flaps[label] = flap
            self._journal.append({"flap": label, **(flap.as_data() if flap else {"fields": None})})

    def deleted(self, address: Address) -> None:
        """AWS answered that it deleted what was made for an address: the token of that is used up."""
        with self._lock:
            self.next_generation(address, self.generations.get(address, 0) + 1)

    @property
    def remembered(self) -> Remembered:
        """A copy for those who judge."""
        with self._lock:
            self._not_from_the_future()
            return self._copy()

    def _copy(self) -> Remembered:
        return Remembered(
            since=self.since,
            fresh=self.fresh,
            found=self.found,
            intents=dict(self.intents),
            tokens=dict(self.tokens),
            created=dict(self.created),
            seen=dict(self.seen),
        )

    # ---- looks

    def looked(self, world: World, *, everywhere: bool = True) -> None:
        """A look is over: what it showed need not be remembered, what it missed is counted.

        Only scopes that were read whole count, and only where it is known that no others hold anything
        (`everywhere`).
        """
        with self._lock:
            before = self._copy()
            known = {id for id, _ in (*self.created.values(), *self.seen.values())}
            begun = {*self.intents, *self.tokens}
            self.found = self.found or any(
                thing.id not in known and thing.address not in begun for thing in world.things
            )
            present = {thing.address: thing for thing in world.owned if thing.address and not thing.replaced}
            for address, thing in present.items():
                self._answered(address)
                self.created.pop(address, None)
                self.seen[address], self.accounts[address] = (thing.id, None), thing.account
            if everywhere:
                self._miss(present, world)
            self._forget_old()
            if before != self._copy():
                self.begin()

    def _miss(self, present: Mapping[Address, Observed], world: World) -> None:
        dead = {thing.id for thing in world.dead}
        unread = {scope for scope in world.unread if scope.account not in world.closed}
        read = {scope.kind for scope in world.read} - {scope.kind for scope in unread}
        now = self.clock()
        for address, (id, missed) in list(self.seen.items()):
            if address in present or address.kind not in read or self.accounts.get(address) in world.closed:
                continue
            if id in dead or (missed is not None and now >= missed + APART):
                # a later look agrees, or AWS itself says that it is gone
                del self.seen[address]
                if (
                    self.created.get(address, ("", 0.0))[0] == id
                ):  # and not its successor, which lists may lag behind
                    del self.created[address]
            elif missed is None:
                self.seen[address] = (id, now)

    def _forget_old(self) -> None:
        """Evidence that `engine.holds` does not count any more."""
        self._not_from_the_future()
        now = self.clock()
        self.intents = {address: at for address, at in self.intents.items() if now < at + LOST_ANSWER}
        self.tokens = {address: at for address, at in self.tokens.items() if now < at + LOST_ANSWER}
        for address, (_, at) in list(self.created.items()):
            if now >= at + UNLISTED:  # it is dead, and its token would be answered with it for ever
                del self.created[address]
                self.deleted(address)

    def _not_from_the_future(self) -> None:
        """The clock may have been set back: what would hold creations for hours is taken to be of this moment."""
        now = self.clock()
        self.since = _until(now, self.since)
        self.intents = {address: _until(now, at) for address, at in self.intents.items()}
        self.tokens = {address: _until(now, at) for address, at in self.tokens.items()}
        self.created = {address: (id, _until(now, at)) for address, (id, at) in self.created.items()}
        self.seen = {
            address: (id, at if at is None else _until(now, at)) for address, (id, at) in self.seen.items()
        }

    # ---- discovery

    def discovered(self, digest: str) -> Discovered | None:
        """What the last discovery look found, if it is recent and was made for the same config."""
        try:
            note = json.loads((self.directory / "discovery.json").read_bytes())
            if note["by"] != __version__ or note["digest"] != digest:
                return None
            if not 0 <= self.clock() - note["at"] < DISCOVERY_SECONDS:
                return None
            return Discovered(
                frozenset(Scope(*map(_text, scope)) for scope in note["scopes"]),
                frozenset((Scope(*map(_text, scope)), _text(id)) for scope, id in note["parents"]),
                {_text(where): _text(why) for where, why in note["unread"].items()},
                frozenset(map(_text, note["denied"])),
                frozenset(
                    (_text(account), _text(region), _text(service))
                    for account, region, service in note["unasked"]
                ),
                frozenset(map(_text, note["accounts"])),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, digest: str, found: Discovered) -> None:
        """Remember what a discovery look found, and what it could not ask."""
        note = {
            "by": __version__,  # another version may know other kinds
            "digest": digest,
            "at": self.clock(),
            "scopes": sorted(map(list, found.scopes)),
            "parents": sorted([list(scope), id] for scope, id in found.parents),
            "unread": dict(found.unread),
            "denied": sorted(found.denied),
            "unasked": sorted(map(list, found.unasked)),
            "accounts": sorted(found.accounts),
        }
        content = json.dumps(note).encode()
        self._journal.attempt(lambda: write_whole(self.directory / "discovery.json", content))

    # ---- the file

    def _replay(self, entry: dict[str, Any]) -> None:
        try:
            match entry:
                case {"since": int() | float() as since, "fresh": bool(fresh), "found": bool(found)}:
                    self.since, self.fresh, self.found = float(since), fresh, found
                case {"intent": str(address), "at": int() | float() as at}:
                    self.intents[Address.parse(address)] = float(at)
                case {"token": str(address), "at": int() | float() as at}:
                    self.tokens[Address.parse(address)] = float(at)
                case {"refused": str(address)}:
                    self._answered(Address.parse(address))
                case {"created": str(address), "id": str(id), "at": int() | float() as at}:
                    self._answered(Address.parse(address))
                    self.created[Address.parse(address)] = (id, float(at))
                case {"seen": str(address), "id": str(id), "missed": int() | float() | None as missed}:
                    self.seen[Address.parse(address)] = (id, missed if missed is None else float(missed))
                    self.accounts[Address.parse(address)] = str(entry.get("account", ""))
                case {"generation": str(address), "value": int(value)}:
                    self.generations[Address.parse(address)] = value
                case {"flap": str(label), "fields": None}:
                    self.flaps.pop(label, None)
                case {"flap": str(label)}:
                    self.flaps[label] = Flap.of(entry)
        except (ValueError, OverflowError):
            return  # a line that is not ours says nothing


def _until(now: float, at: float) -> float:
    """A time, or now for one that is yet to come (or is no time)."""
    return at if at <= now else now


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
