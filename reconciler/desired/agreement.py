"""What has to be alike, or must not be, between a resource and those that it refers to.  Called by `load`.

The facts are the records' (`Kind.alike`, `Kind.unlike`, `Kind.fits`); what cannot be told before AWS is asked is left
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.desired.findings import Findings
from reconciler.desired.resource import Made
from reconciler.model.address import Address
from reconciler.model.kind import Kind, Part
from reconciler.model.things import Desired, Ref, at


def check_agreement(made: Mapping[Address, Made], kinds: Mapping[str, Kind], findings: Findings) -> None:
    """Report what does not go together, each at the reference that is wrong."""
    every = {address: one.desired for address, one in made.items()}
    for address, one in made.items():
        kind = kinds[address.kind]
        for field, what, hint in kind.fits(one.desired, every) if kind.fits else ():
            findings.add(one.places.get(field, one.desired.place), (str(address), field), what, hint)
        for path, members in kind.alike.items():
            for ref in at(one.desired.spec, path.split(".")):
                if isinstance(ref, Ref) and (target := made.get(ref.to)):
                    for member in members:
                        _alike(one, target.desired, path, member, findings)
        for path, other in kind.unlike.items():
            _unlike(one, path, other, findings)
    _check_once(made, kinds, findings)


def _check_once(made: Mapping[Address, Made], kinds: Mapping[str, Kind], findings: Findings) -> None:
    """What can be in one thing alone is in one; said of the one that comes later."""
    first: dict[tuple[str, str, Ref], Address] = {}
    for address, one in made.items():
        for part in kinds[address.kind].parts:
            for ref in dict.fromkeys(_keys(part, one.desired)):
                has = first.setdefault((address.kind, part.field, ref), address)
                if has != address:
                    what = f"{ref.to} is in {has} too, and can be in one"
                    findings.add(_where(one, ref.to), (str(address), part.field), what, "")


def _keys(part: Part, desired: Desired) -> Iterator[Ref]:
    items = desired.spec.get(part.field) if part.alone else None
    for item in items if isinstance(items, list) else ():
        try:
            key = part.key(part.normal(item))
        except (KeyError, TypeError, AttributeError):  # it is told elsewhere that this is no such item
            continue
        if isinstance(key, Ref):
            yield key


def _alike(one: Made, target: Desired, path: str, member: str, findings: Findings) -> None:
    own, others = one.desired.spec.get(member), target.spec.get(member)
    if own == others or not _comparable(own, others):
        return
    what = f"{target.address} has {member} {others}, and this one {own}"
    findings.add(
        _where(one, target.address), (str(one.desired.address), path), what, "they have to be the same"
    )


def _unlike(one: Made, path: str, other: str, findings: Findings) -> None:
    value = one.desired.spec.get(path)
    if value is None or value != one.desired.spec.get(other):
        return
    where = _where(one, value.to) if isinstance(value, Ref) else one.desired.place
    what = f"{path} and {other} are both {value}"
    findings.add(where, (str(one.desired.address), other), what, "they have to be two")


def _comparable(one: Any, other: Any) -> bool:
    """Two references, or two ids as they are: what a reference will be is not known."""
    return isinstance(one, str | Ref) and type(one) is type(other)


def _where(one: Made, to: Address) -> Any:
    return next((edge.place for edge in one.edges if edge.to == to), one.desired.place)
