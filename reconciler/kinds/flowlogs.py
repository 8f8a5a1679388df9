"""Flow logs: what goes through a network, written down.

Nothing of one can change but its tags.  A creation answers with ids alone, and tells in a good answer what it could
not do.  Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateFlowLogs, FlowLog, DeleteFlowLogs) and
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.address import Address
from reconciler.model.kind import Kind
from reconciler.model.reads import Read
from reconciler.model.things import Desired, Observed, Ref, Spec
from reconciler.model.verdicts import Settled, Verdict

TYPES = {
    "vpc": ("vpc", "VPC"),
    "subnet": ("subnet", "Subnet"),
    "eni": ("network-interface", "NetworkInterface"),
    "tgw": ("transit-gateway", "TransitGateway"),
    "tgw-attach": ("transit-gateway-vpc-attachment", "TransitGatewayAttachment"),
    "nat": ("nat-gateway", "RegionalNatGateway"),
    "core-network": ("core-network", "CoreNetwork"),
}
"""How the id of what is watched begins, the kind of it, and what EC2 calls it here; a list does not show the last."""


def _flow_log(raw: Spec) -> Spec:
    """A row in CreateFlowLogs' words."""
    watched = str(raw.get("ResourceId", ""))  # a creation answers without it
    _, type = TYPES.get(watched.rpartition("-")[0], ("", None))
    return {**raw, "ResourceIds": [watched], "ResourceType": type}


def _group(arn: Any) -> Any:
    """A log group's ARN has `:*` at its end in its own service, and not here."""
    return arn.removesuffix(":*") if isinstance(arn, str) else arn


def _one(ids: Any) -> str | None:
    return (
        None
        if isinstance(ids, list) and len(ids) == 1
        else "a flow log watches one thing: write another for each"
    )


def _fits(log: Desired, every: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """The type has to be that of what is referred to."""
    types, given = dict(TYPES.values()), log.spec.get("ResourceType")
    for ref in log.spec.get("ResourceIds") or ():
        if isinstance(ref, Ref) and types.get(ref.to.kind, given) != given:
            type = types[ref.to.kind]
            yield "ResourceType", f"{ref.to} is a {type}", f"write ResourceType: {type}"


def _deliveries(log: Desired, observed: Observed) -> Verdict:
    """Whether what is written down arrives; a log that nobody gets is worth a word."""
    if observed.raw.get("DeliverLogsStatus") != "FAILED":
        return Settled()
    return Settled(
        (f"nothing is delivered: {observed.raw.get('DeliverLogsErrorMessage') or 'AWS does not say why'}",)
    )


FLOW_LOG = Kind(
    name="flow-log",
    about="What goes through a network, a subnet or an interface, written down; a ${ of its LogFormat is $${ here.",
    service="ec2",
    read=Read(operation="DescribeFlowLogs", path="FlowLogs", ids="FlowLogIds", page=1000, filters="Filter"),
    create="CreateFlowLogs",
    delete="DeleteFlowLogs",
    destroy=lambda log: [ec2("DeleteFlowLogs", FlowLogIds=[log.id])],
    id="FlowLogId",
    arn_tail="vpc-flow-log/{id}",
    state="FlowLogStatus",
    ready=frozenset({"ACTIVE"}),
    refs={
        "DeliverLogsPermissionArn": "iam-role.arn",
        "ResourceIds[]": tuple(kind for kind, _ in TYPES.values()),
    },
    fits=_fits,
    answers_tags=False,
    tag_type="vpc-flow-log",
    normal={"LogDestination": _group},
    refuses={"ResourceIds": _one},
    project=_flow_log,
    then=_deliveries,
)
