"""From all that is wanted and all that was seen to a plan.  Called by `loop`, once a pass and again as things appear.

Wanted addresses are decided in order of dependence; then orphans, and things that make way, users before used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial

from reconciler.engine.converge import accepting, converge, goes_on, unready
from reconciler.engine.crowds import not_in_turn
from reconciler.engine.leaving import departure, is_protected, loosening
from reconciler.engine.memo import Memo
from reconciler.engine.moving import Moving
from reconciler.engine.order import AllFacts, awaited_by
from reconciler.engine.reach import Reach
from reconciler.engine.renaming import claims_of_earlier, heirs, heritage, renamed, taken_back
from reconciler.engine.resolve import attribute_of, resolve
from reconciler.engine.tied import Tied
from reconciler.engine.users import Users
from reconciler.engine.wording import half_ours, named
from reconciler.model.address import REPLACED, Address
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry, Plan
from reconciler.model.things import Desired, Observed, Pending, Ref, World, at, mentions, within
from reconciler.model.verdicts import Blocked, Settled, Steps, Verdict, Wait


class Planner:
    """The decisions about one stack for one config; `world` is what the last look saw.

    `held` are addresses that must not be created now, with the reason (see `engine.holds`).  `instead` gives, for
    the label and the steps of an entry, the verdict that takes their place: AWS has refused them, they have just
    failed, a person has paused them, they wait for a window.  `unprotected`: protected things may be deleted.
    `keep`: nothing is deleted or replaced, it is only told (`mode: upsert`).  `unwanted` is why that leaves which no
    address wants.  `accounts` are those of the config, in which calls can be made; empty: all are.  `memo` has what was
    concluded in earlier passes.
    """

    def __init__(
        self,
        *,
        stack: str,
        resources: Mapping[Address, Desired],
        facts: AllFacts,
        world: World,
        held: Mapping[Address, str] | None = None,
        instead: Callable[[str, Steps], Wait | Blocked | None] = lambda _, __: None,
        unprotected: bool = False,
        keep: bool = False,
        unwanted: str = "not in the config",
        accounts: Collection[str] = (),
        memo: Memo | None = None,
    ) -> None:
        self.stack, self.resources, self.facts, self.world = stack, resources, facts, world
        self.held, self.instead, self.unprotected = held or {}, instead, unprotected
        self.keep, self.unwanted, self._memo = keep, unwanted, (memo or Memo()).of(resources, facts, stack)
        self._reach, self._tied = Reach(world, facts, accounts, resources), Tied(world.things, facts)
        self._heirs = heirs(resources)
        self.renamed = dict(renamed(resources, world, self._claims, self._leaves))
        self._moving = Moving(resources, facts)
        self._verdicts, self._crowds = dict[Address, Verdict](), dict[str, Mapping[Address, str]]()

    def plan(self) -> Plan:
        """Everything there is to conclude."""
        wanted = [self.entry(address) for address in self._memo.order]
        return Plan(
            stack=self.stack,
            entries=(*wanted, *self._leaving()),
            conflicts=tuple(self._conflicts()),
            unread=self.world.unread,
            denied=self.world.denied,
            closed=self.world.closed,
            barred=self.world.barred,
        )

    def entry(self, address: Address) -> Entry:
        """The entry of one wanted address."""
        scope, verdict = self.resources[address].scope, self.verdict(address)
        return Entry(
            address=address,
            scope=scope,
            verdict=verdict,
            seen=self.holder(address),
            after=self._memo.needs(address),
            awaited_by=awaited_by(self.facts[address.kind].kind, verdict),
            unread=scope in self.world.unread,
        )

    def verdict(self, address: Address) -> Verdict:
        """The verdict on one wanted address; those of what it depends on are decided first."""
        if address not in self._verdicts:
            self._verdicts[address] = self._decide(self.resources[address])
        return self._verdicts[address]

    def keeps(self, entry: Entry) -> bool:
        """Whether an entry stays only because it is protected."""
        thing = entry.seen
        protected = thing is not None and is_protected(self.facts[thing.kind].kind, thing)
        return not entry.wanted and protected and not self.unprotected

    # ---- wanted addresses

    def _decide(self, desired: Desired) -> Verdict:
        if unread := self._reach.unread(desired.scope):
            return unread
        if why_not := self._doubt(desired):
            return Blocked(why_not)
        holder = self.holder(desired.address)
        if holder is None and desired.address in self.held:
            return Wait(self.held[desired.address])
        if holder is None and (stray := self._reach.stray(desired)):
            return stray
        kind = self.facts[desired.address.kind].kind
        if holder is None and (why := self._not_in_turn(kind).get(desired.address)):
            return Wait(why, "other")
        accepted = accepting(kind, desired, holder, self._reach.asked(holder)) if holder is not None else None
        if holder is not None and not (accepted or holder.unnamed) and (state := unready(kind, holder)):
            return state
        verdict = self._reach.within(accepted or self._resolve(desired, holder))
        if isinstance(verdict, Steps) and (instead := self.instead(str(desired.address), verdict)):
            return replace(instead, drift=verdict.drift)
        if isinstance(verdict, Steps) and verdict.verb == "replace" and self.keep:
            return Settled((f"not replaced, for mode is upsert: {verdict.why}",))
        return verdict

    def _not_in_turn(self, kind: Kind) -> Mapping[Address, str]:
        """Those of a kind that wait for others of it."""
        if kind.crowd is None:
            return {}
        if kind.name not in self._crowds:
            wanted = [desired for address, desired in self.resources.items() if address.kind == kind.name]
            things = [thing for thing in self.world.things if thing.kind == kind.name]
            self._crowds[kind.name] = not_in_turn(kind.crowd, wanted, things, self.holder)
        return self._crowds[kind.name]

    def _resolve(self, desired: Desired, holder: Observed | None) -> Verdict:
        facts = self.facts[desired.address.kind]
        making_way = self.world.replaced.get(desired.address, ())
        before = tuple(sorted(thing.id for thing in making_way if self.world.owns(thing)))
        if known := self._memo.recall(desired.address, holder, before, self.usable):
            return known
        spec = resolve(desired.spec, self.usable, self.holder)
        tags = resolve(desired.tags, self.usable)
        for needed in desired.depends_on if holder is None else ():
            if self._unfinished(needed):
                return Wait(f"needs {needed}, of which something is still to be done", "other")
        for needed in self._memo.needs(desired.address):
            if holder is None and (why := self._goes_on(needed)):
                return Wait(f"needs {needed}: {why}", "other")
            if self.usable(needed) is not None or self._made_first(needed):
                continue  # its value is known, or will be before this one's turn comes
            if holder is None or needed in spec.missing:
                return Wait(self._not_usable(needed), "other")
        wanted = self._moving.kept(desired.address, spec.value, holder, self.usable)
        whole = desired
        if wanted is not desired.spec or tags.value is not desired.tags:
            whole = replace(desired, spec=wanted, tags=tags.value)
        if holder is None and (given_back := taken_back(facts, whole, self.world)):
            return given_back
        held = partial(self._tied.waits, holder)
        verdict = converge(
            facts, desired=whole, observed=holder, stack=self.stack, making_way=before, held=held
        )
        self._memo.note(desired.address, holder, before, self.usable, verdict)
        if isinstance(verdict, Steps) and (why := self._too_early(desired, verdict) or self._lacks(verdict)):
            return Wait(why, "other", verdict.drift)
        if holder is not None and isinstance(verdict, Steps) and verdict.verb == "replace":
            return self._replacement(desired, holder, verdict)
        return verdict

    def _too_early(self, desired: Desired, steps: Steps) -> str:
        """Why AWS would refuse these steps: they name something that is there and not all yet that it has to be."""
        kind = self.facts[desired.address.kind].kind
        refs = [
            ref for path in kind.finished for ref in at(desired.spec, path.split(".")) if isinstance(ref, Ref)
        ]
        for ref in dict.fromkeys(refs):
            thing = self.usable(ref.to)
            name = attribute_of(thing, ref.attribute) if thing is not None else None
            if name is None or not any(mentions(call.parameters, name) for call in steps.calls):
                continue
            facts = self.facts[ref.to.kind]
            if thing is not None and facts.kind.ready and thing.state not in facts.kind.ready:
                return f"needs {ref.to}, which is {thing.state}"
            at_work = facts.kind.sequential and isinstance(self.verdict(ref.to), Steps)
            if at_work or self._unfinished(ref.to):
                return f"needs {ref.to}, of which something is still to be done"
            if why := self._goes_on(ref.to):
                return f"needs {ref.to}: {why}"
        return ""

    def _lacks(self, steps: Steps) -> str:
        """What these steps name that is not there and will not be made in this pass, as what could not be read."""
        named = (pending.of for pending in within([call.parameters for call in steps.calls], Pending))
        return next((self._not_usable(one) for one in named if not self._made_first(one)), "")

    def _replacement(self, desired: Desired, holder: Observed, verdict: Steps) -> Verdict:
        """No thing without a name may be the new one already; to be deleted first, the old one is used by nobody, and a
        new one could be made at once."""
        if why := self._nameless(holder.kind):
            return Blocked(f"{verdict.why}, and no new one could be made: {why}", verdict.drift)
        if desired.replace == "delete-first":
            heir = self._resolve(desired, None)
            if isinstance(heir, Wait | Blocked):
                why = f"{verdict.why}, and no new one could be made: {heir.why}"
                return Wait(why, "other", verdict.drift)
            if isinstance(heir, Steps):
                verdict = replace(verdict, afterwards=heir.calls)
        if desired.replace != "delete-first" or not (users := self._users.staying(holder)):
            return verdict
        who = named(users) if len(users) < 4 else f"{len(users)} things"
        instead = "" if self.facts[holder.kind].kind.unique else ", or say `replace: create-first`"
        return Blocked(
            f"{verdict.why}, and {who} still {'use' if len(users) > 1 else 'uses'} it: "
            f"take that out of the config first{instead}",
            verdict.drift,
        )

    def _goes_on(self, address: Address) -> str:
        """Why a thing that is there is not all yet that others need it for: its own small state machine goes on."""
        desired, thing = self.resources.get(address), self.usable(address)
        if desired is None or thing is None or not self.facts[address.kind].kind.then_operations:
            return ""
        whole = replace(desired, spec=resolve(desired.spec, self.usable, self.holder).value)
        verdict = goes_on(self.facts[address.kind].kind, whole, thing)
        return "" if isinstance(verdict, Settled) else verdict.why

    def _made_first(self, address: Address) -> bool:
        """Whether an address will have a new thing before this pass ends, if all goes well."""
        verdict = self.verdict(address) if address in self.resources else None
        return isinstance(verdict, Steps) and verdict.verb in {"create", "replace"}

    def _unfinished(self, address: Address) -> bool:
        """Whether a thing is there, and fields that can only be set after its creation are still to be."""
        desired, thing, facts = self.resources.get(address), self.holder(address), self.facts[address.kind]
        if desired is None or thing is None or all(facts.fields[name].at_birth for name in desired.spec):
            return False
        made_just_now = bool(facts.kind.ready) and thing.state not in facts.kind.ready
        return made_just_now or isinstance(self.verdict(address), Steps)

    def _not_usable(self, address: Address) -> str:
        """Why an address cannot be referred to now."""
        if address not in self.resources:
            return f"needs {address}, which is not in the config"
        match self.verdict(address):
            case Wait(why) | Blocked(why):
                return f"needs {address}: {why}"
        holder = self.holder(address)
        return f"needs {address}" + (f", which is {holder.state}" if holder else "")

    def usable(self, address: Address) -> Observed | None:
        """The thing at an address, if others may refer to it now."""
        holder = self.holder(address)
        if holder is None or address.kind not in self.facts:
            return None
        kind = self.facts[address.kind].kind
        return holder if not kind.ready or holder.state in kind.ready or holder.state in kind.usable else None

    def holder(self, address: Address) -> Observed | None:
        """The one thing that is ours and holds an address; None when there is none, or when it is in doubt."""
        claims = self._claims(address)
        if len(claims) == 1 and self.world.owns(claims[0]):
            return claims[0]
        return self.renamed.get(address) if not claims else None

    def _claims(self, address: Address) -> tuple[Observed, ...]:
        """Who claims an address; what is on its way out only while nothing else does."""
        claims = self.world.claims.get(address, ())
        if len(claims) < 2:
            return claims
        return tuple(thing for thing in claims if not self._leaves(thing)) or claims[:1]

    def _leaves(self, thing: Observed) -> bool:
        """Whether AWS is already deleting a thing."""
        return thing.state is not None and thing.state in self.facts[thing.kind].kind.leaving

    def _doubt(self, desired: Desired) -> str | None:
        """Why it is not clear who holds an address; None when it is."""
        address, claims = desired.address, self._claims(desired.address)
        if not claims and address not in self.renamed:
            claims = claims_of_earlier(desired, self.resources, self._claims)
        if len(claims) > 1:
            return f"{named(claims)} claim this address: remove the tags of those that are not meant"
        if claims and not self.world.owns(claims[0]):
            return half_ours(claims[0], self.stack)
        return None if claims or address in self.renamed else self._nameless(address.kind)

    def _nameless(self, kind: str) -> str | None:
        """Why any missing thing of a kind may be there under no name; None when there is no such thing."""
        if not (nameless := [thing for thing in self.world.nameless if thing.kind == kind]):
            return None
        return (
            f"{named(nameless)} has our stack tag and no address tag, so it may be this one: "
            "give it the tag reconciler:address, or remove its tag reconciler:stack"
        )

    # ---- things that no address wants

    @cached_property
    def _on_their_way_out(self) -> list[Observed]:
        kept = heritage(self.resources, self._claims, self.holder, self.renamed)
        return [
            thing
            for thing in self.world.owned
            if thing.address is not None
            and thing.id not in kept
            and (thing.replaced or thing.address not in self.resources)
        ]

    @cached_property
    def _users(self) -> Users:
        """Who uses whom, and what is on its way out."""
        return Users(self.world.owned, self._on_their_way_out, self.facts)

    def _leaving(self) -> list[Entry]:
        if not self._on_their_way_out:
            return []  # it is not cheap to find out who uses whom
        return [
            self._leave(thing, self._users) for thing in self._users.first() if not self._is_taken_back(thing)
        ]

    def _is_taken_back(self, thing: Observed) -> bool:
        """Whether the address that a thing made way for gets it back in this very pass."""
        heir = self._heirs.get(thing.address, thing.address) if thing.address else None
        if not thing.replaced or heir is None or heir not in self.resources or self.holder(heir) is not None:
            return False
        verdict = self.verdict(heir)
        return isinstance(verdict, Steps) and verdict.verb == "update"

    def _leave(self, thing: Observed, users: Users) -> Entry:
        assert thing.address is not None, "only things with an address can leave it"
        return Entry(
            address=thing.address,
            scope=thing.scope,
            verdict=self._farewell(thing, users),
            seen=thing,
            wanted=False,
            old=thing.replaced,
        )

    def _farewell(self, thing: Observed, users: Users) -> Verdict:
        assert thing.address is not None, "only things with an address can leave it"
        kind = self.facts[thing.kind].kind
        if self.keep:
            return Settled(("not in the config, and kept, for mode is upsert",))
        claims = self._claims(thing.address)
        if thing in claims and len(claims) > 1:
            return Blocked(f"{named(claims)} claim this address: remove the tags of those that are not meant")
        if unseen := self._reach.unseen(kind, thing):
            return unseen
        wanted = self.resources.get(self._heirs.get(thing.address, thing.address)) if thing.replaced else None
        if wanted is not None and wanted.protect and not self.unprotected:
            return Blocked("it made way for its successor, and the config says `protect: true`")
        if is_protected(kind, thing) and not self.unprotected:
            return Blocked(
                "it is protected: not in the config any more, and kept (say `protect: false` first)"
            )
        state = unready(kind, thing)
        if state and not isinstance(state, Blocked) and not (kind.decline and thing.state in kind.asking):
            return state
        if thing.replaced and (why := self._successor_missing(thing.address)):
            return Wait(why, "other")
        return self._in_turn(kind, thing, users)

    def _in_turn(self, kind: Kind, thing: Observed, users: Users) -> Verdict:
        """Users go first; those that use each other in a circle are loosened from each other before."""
        circle = {other.id for other in users.circle(thing)}
        still = users.of(thing)
        alone = bool(circle) and all(user.id in circle for user in still)
        if alone and (steps := loosening(kind, thing, circle - {thing.id}, self.unwanted)):
            return self._or_instead(thing, steps)
        if still:
            first = named(still) if len(still) < 4 else f"{len(still)} things"
            return Wait(f"{first} must go first", "other")
        why = "it makes way for its successor" if thing.replaced else self.unwanted
        leave = departure(kind, thing, why, self._reach.asked(thing))
        return self._or_instead(thing, self._reach.within(leave))

    def _or_instead(self, thing: Observed, steps: Verdict) -> Verdict:
        """The steps of a thing that leaves, or what takes their place."""
        label = f"{thing.address}{REPLACED}" if thing.replaced else str(thing.address)
        return (self.instead(label, steps) or steps) if isinstance(steps, Steps) else steps

    def _successor_missing(self, address: Address) -> str | None:
        address = self._heirs.get(address, address)
        if address not in self.resources:
            return None
        holder = self.holder(address)
        kind = self.facts[address.kind].kind
        if holder is None or (kind.ready and holder.state not in kind.ready):
            return f"waits until its successor {address} is ready"
        return None

    def _conflicts(self) -> Iterator[str]:
        for thing in self.world.things:
            if not self.world.owns(thing) and (thing.replaced or thing.address not in self.resources):
                yield half_ours(thing, self.stack)
