"""What a policy is to cover, read out of a config.  Used by every module of this package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.model.config import Config
from reconciler.model.kind import Kind
from reconciler.model.things import Desired, Parameter, Ref, within
from reconciler.policy.facts import ACCEPTED_FIELD, HELD_TO, PASSED, PROFILE_FIELD, TEMPLATE_FIELD


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What a policy is to cover: the things of one account of a config.

    `records` are all kinds there are, `kinds` those that it may change and `read` those that it looks at.  `fields`
    are those that the config gives to a kind; one that is not in it may be given any.
    """

    stack: str
    account: str
    partition: str
    mode: str
    records: Mapping[str, Kind]
    kinds: tuple[Kind, ...]
    read: tuple[Kind, ...]
    fields: Mapping[str, frozenset[str]]
    regions: tuple[str, ...]
    parameters: tuple[str, ...]
    profiles: tuple[str, ...]
    passed: Mapping[str, tuple[str, ...]]
    """ARNs of others' roles that the config hands to services of AWS, by kind."""
    accepted: tuple[str, ...]
    asked: tuple[Kind, ...]
    """Kinds of things of other accounts of the config, which ask this one to accept them."""
    held: Mapping[str, tuple[str, ...]]
    """Values of `HELD_TO` by call; a call that is not in it is not held."""
    roles: tuple[str, ...]
    lease: Mapping[str, Any]


def extent(
    config: Config, kinds: Mapping[str, Kind], *, account: str, partition: str, everything: bool = False
) -> Extent:
    """What the policy of `account` has to cover: the kinds that the config has there, or `everything`."""
    here = [desired for desired in config.resources.values() if desired.account == account]
    named = {desired.address.kind for desired in here}
    chosen = [kind for kind in kinds.values() if everything or kind.name in named]
    # discovery looks into all that has no region, whatever the config names
    parents = {kind.read.within for kind in chosen}
    looked_into = [kind for kind in kinds.values() if not kind.regional and kind.home.is_in(partition)]
    read = [kind for kind in kinds.values() if kind in looked_into or kind in chosen or kind.name in parents]
    regions = {desired.region for desired in here if desired.region}
    home = account == config.account
    return Extent(
        stack=config.stack,
        account=account,
        partition=partition,
        mode=config.mode,
        records=kinds,
        kinds=tuple(chosen),
        read=tuple(read),
        fields={} if everything else _fields(here),
        regions=() if everything else tuple(sorted(regions)),
        parameters=tuple(sorted({found.path for one in here for found in within(one.spec, Parameter)})),
        profiles=tuple(sorted(_profiles(here))),
        passed={kind: tuple(sorted(_passed(here, kind, field))) for kind, (field, _) in PASSED.items()},
        accepted=tuple(sorted(_accepted(here))),
        asked=tuple(kind for kind in kinds.values() if kind.name in set(_asking(config, kinds, account))),
        held={} if everything else {action: tuple(sorted(_held(here, action))) for action in HELD_TO},
        roles=tuple(sorted(other.role for other in config.accounts.values())) if home else (),
        lease=config.lease if home else {},
    )


def _fields(resources: Iterable[Desired]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for desired in resources:
        found.setdefault(desired.address.kind, set()).update(desired.spec)
    return {kind: frozenset(names) for kind, names in found.items()}


def _accepted(resources: Iterable[Desired]) -> Iterator[str]:
    """The ids of others' things that the config accepts."""
    for desired in resources:
        items = desired.spec.get(ACCEPTED_FIELD) or ()
        yield from (item["AttachmentId"] for item in items if isinstance(item["AttachmentId"], str))


def _asking(config: Config, kinds: Mapping[str, Kind], account: str) -> Iterator[str]:
    """The kinds of things that are made in another account, and are accepted in this one."""
    for desired in config.resources.values():
        kind = kinds[desired.address.kind]
        if desired.account != account and (desired.accept or kind.asked_from):
            there = (config.resources.get(ref.to) for ref in within(desired.spec, Ref))
            if account in desired.spec.values() or any(one and one.account == account for one in there):
                yield kind.name


def _held(resources: Iterable[Desired], action: str) -> set[str]:
    """The values that the config gives to what a call is held to."""
    _, field, member = HELD_TO[action]
    items = [item for desired in resources for item in desired.spec.get(field) or ()]
    return {item[member] for item in items if isinstance(item, Mapping) and isinstance(item.get(member), str)}


def _passed(resources: Iterable[Desired], kind: str, field: str) -> set[str]:
    given = (desired.spec.get(field) for desired in resources if desired.address.kind == kind)
    return {role for role in given if isinstance(role, str)}


def _profiles(resources: Iterable[Desired]) -> Iterator[str]:
    """The names of instance profiles."""
    for desired in resources:
        template = desired.spec.get(TEMPLATE_FIELD)
        given = (template if isinstance(template, Mapping) else desired.spec).get(PROFILE_FIELD)
        name = (given.get("Name") or given.get("Arn")) if isinstance(given, Mapping) else None
        if isinstance(name, str):
            yield name.rpartition("/")[2]
