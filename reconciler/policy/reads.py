"""The half that looks."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.kind import Kind
from reconciler.policy.extent import Extent
from reconciler.policy.facts import ALWAYS_READ
from reconciler.policy.statements import Statement, in_order


def read_half(extent: Extent) -> list[Statement]:
    """What a look needs, the discovery look and `doctor` included.  sts:GetCallerIdentity needs no permission."""
    lists = {action for kind in extent.read for action in _reads(kind, named=kind in extent.kinds)}
    found = [
        Statement(sid="Look", actions=in_order({*ALWAYS_READ, *lists})),
        Statement(sid="WhoElseWrites", actions=("cloudtrail:LookupEvents",)),  # it knows no resources
    ]
    if extent.parameters:
        paths = [_parameter(extent, path) for path in extent.parameters]
        found.append(
            Statement(
                sid="ReadParameters",
                actions=("ssm:GetParameter", "ssm:GetParameters"),  # at creation; what is newer
                resources=in_order(paths),
            )
        )
    if extent.lease:
        found.append(of_lease(extent, "ReadLease", "dynamodb:GetItem"))
    if extent.roles:
        found.append(Statement(sid="OtherAccounts", actions=("sts:AssumeRole",), resources=extent.roles))
    return found


def _reads(kind: Kind, *, named: bool) -> Iterator[str]:
    """What reads a kind; of what the config does not name, that alone which says what it uses."""
    yield kind.action(kind.read.operation)
    if kind.read.completed:
        yield kind.action(kind.read.completed.operation)
    yield from (kind.action(one.operation) for one in kind.read.further if named or one.leaving)


def _parameter(extent: Extent, path: str) -> str:
    """Public parameters belong to no account."""
    owner = "" if path.startswith("/aws/") else extent.account
    return f"arn:{extent.partition}:ssm:*:{owner}:parameter/{path.removeprefix('/')}"


def of_lease(extent: Extent, sid: str, action: str) -> Statement:
    """The stack's own item and no other: its key is the stack's name."""
    table, region = extent.lease["table"], extent.lease["region"]
    return Statement(
        sid=sid,
        actions=(action,),
        resources=(f"arn:{extent.partition}:dynamodb:{region}:{extent.account}:table/{table}",),
        condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": extent.stack}},
    )
