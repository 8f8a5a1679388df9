"""Managed prefix lists: ranges of addresses under one name, for routes and rules of security groups.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateManagedPrefixList, ModifyManagedPrefixList,
GetManagedPrefixListEntries) and https://docs.aws.amazon.com/vpc/latest/userguide/working-with-managed-prefix-lists.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.kinds.vpc import canonical
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Detail, Read
from reconciler.model.things import Desired, Observed

AT_ONCE = 100
"""How many entries one call adds, and removes."""


def _entry(item: Item) -> Item:
    return {"Cidr": canonical(item["Cidr"]), "Description": item.get("Description") or ""}


def _changes(
    prefix_list: Observed, added: Sequence[Item], changed: Sequence[Item], removed: Sequence[Item]
) -> list[Call]:
    """One call, for AWS works at one change at a time; what it has no room for is left to the next look.

    The words of an entry are changed by taking it out and putting it in again, which cannot be done at once."""
    gone = [{"Cidr": item["Cidr"]} for item in (*removed, *changed)][:AT_ONCE]
    come = [{name: value for name, value in item.items() if value} for item in added][:AT_ONCE]
    sides = {name: value for name, value in (("AddEntries", come), ("RemoveEntries", gone)) if value}
    version = prefix_list.raw["Version"]
    return [ec2("ModifyManagedPrefixList", PrefixListId=prefix_list.id, CurrentVersion=version, **sides)]


ENTRIES = Part(
    field="Entries",
    shape="AddPrefixListEntry",
    rows=lambda raw: [_entry(row) for row in raw.get("Entries") or ()],
    normal=_entry,
    key=lambda item: item["Cidr"],
    add=lambda prefix_list, items: _changes(prefix_list, items, (), ()),
    remove=lambda prefix_list, items: _changes(prefix_list, (), (), items),
    change=lambda prefix_list, items: _changes(prefix_list, (), items, ()),
    at_once=_changes,
    disruptive=True,  # while its words are changed an entry is out
    operations=("ModifyManagedPrefixList",),
)


def _make_room(prefix_list: Observed, wanted: Any) -> list[Call]:
    """Entries for which there will be no room have to go first."""
    if len(prefix_list.raw.get("Entries") or ()) > wanted:
        return []
    return [ec2("ModifyManagedPrefixList", PrefixListId=prefix_list.id, MaxEntries=wanted)]


def _fits(prefix_list: Desired, _: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """There is room for all entries, and they are of the list's own family."""
    entries, most = prefix_list.spec.get("Entries") or (), prefix_list.spec.get("MaxEntries")
    if isinstance(most, int) and len(entries) > most:
        yield "Entries", f"has {len(entries)}, and MaxEntries is {most}", ""
    family = prefix_list.spec.get("AddressFamily")
    for number, item in enumerate(entries):
        with suppress(ValueError, KeyError, TypeError):  # a reference, or reported elsewhere
            version = ipaddress.ip_network(item["Cidr"], strict=False).version
            if f"IPv{version}" != family:
                yield "Entries", f"Entries[{number}] is of IPv{version}, and AddressFamily is {family}", ""


PREFIX_LIST = Kind(
    name="prefix-list",
    about="Ranges of addresses under one name, for routes and rules; MaxEntries of them count in each that names it.",
    service="ec2",
    read=Read(
        operation="DescribeManagedPrefixLists",
        path="PrefixLists",
        ids="PrefixListIds",
        page=100,
        filters=None,
        details=[Detail(field="Entries", operation="GetManagedPrefixListEntries", path="Entries", many=True)],
    ),
    create="CreateManagedPrefixList",
    update="ModifyManagedPrefixList",
    delete="DeleteManagedPrefixList",
    id="PrefixListId",
    arn="PrefixListArn",
    state="State",
    # after a change that failed it is what it was before
    ready=frozenset(
        {
            "create-complete",
            "modify-complete",
            "modify-failed",
            "restore-complete",
            "restore-failed",
            "delete-failed",
        }
    ),
    usable=frozenset({"modify-in-progress", "restore-in-progress"}),
    failed=frozenset({"create-failed"}),
    errors="[StateMessage] | [?@]",
    leaving=frozenset({"delete-in-progress"}),
    gone=frozenset({"delete-complete"}),
    tag_type="prefix-list",
    refuses={
        "PrefixListName": lambda name: (
            "AWS keeps names that begin with com.amazonaws to itself"
            if str(name).startswith("com.amazonaws")
            else None
        )
    },
    fits=_fits,
    remedies={"MaxEntries": Remedy(operations=("ModifyManagedPrefixList",), make=_make_room, joins=True)},
    parts=(ENTRIES,),
    sequential=True,
)
