"""A pass keeps to the rates that AWS publishes, on a local AWS that enforces them, and is as fast as they allow."""

from __future__ import annotations

from reconciler.aws.limits import Limits
from tests.faults.killing import Inline
from tests.harness import REGIONS, Host
from tests.together import least, under_rates

GROUPS, ENDPOINTS = 58, 9
ESTATE = f"""
resources:
  vpc/v: {{CidrBlock: 10.1.0.0/16, EnableDnsSupport: true}}
  security-group/g-${{each.n}}:
    for: {{n: {[*range(GROUPS)]}}}
    GroupName: g-${{each.n}}
    Description: one
    VpcId: ${{vpc/v}}
  vpc-endpoint/${{each.service}}:
    for: {{service: {["s3", "dynamodb"]}}}
    VpcId: ${{vpc/v}}
    VpcEndpointType: Gateway
    ServiceName: com.amazonaws.us-west-2.${{each.service}}
  vpc-endpoint/i-${{each.service}}:
    for: {{service: {["ssm", "ssmmessages", "ec2messages", "ecr.api", "ecr.dkr", "sts", "logs"]}}}
    VpcId: ${{vpc/v}}
    VpcEndpointType: Interface
    ServiceName: com.amazonaws.us-west-2.${{each.service}}
"""


def test_a_pass_slows_itself_before_aws_does(ops: Host) -> None:
    ops.clients_of_its_own()
    ops.use(Inline(), ops.time)  # waiting moves the one clock there is: one after the other
    ops.aws.faults("[{call: '*', do: throttle}]")
    loop, waits = ops.loop(ESTATE), list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        ops.aws.clock.advance(seconds)

    loop.gateway.sessions.traffic.limits = Limits(ops.time.monotonic, wait)
    assert loop.until_settled(3600).outcome == "settled"
    assert len(ops.ours("security-group")) == GROUPS
    assert len(ops.ours("vpc-endpoint")) == ENDPOINTS
    assert loop.gateway.counts["throttled"] == 0
    least = (ENDPOINTS - 4) / 0.3  # the slowest bucket of all: four at once, then one in three seconds
    assert 0 < sum(waits) <= least / 0.9


MACHINES = 14
SLOW = f"""
resources:
  instance/${{each.region}}-${{each.n}}:
    for: {{region: {[*REGIONS]}, n: {{from: 1, to: {MACHINES}}}}}
    region: ${{each.region}}
    ImageId: ${{ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}
    InstanceType: t3.micro
    UserData: ${{each.n}}  # no two of a region are alike: each takes a call of its own
"""


def test_who_waits_for_a_rate_keeps_no_other_region_waiting(ops: Host) -> None:
    """There are fewer workers than machines in a region: done region by region, it would take three times as long."""
    loop = under_rates(ops, SLOW, 4)
    began = ops.time.monotonic()
    assert loop.one_pass("test").count("created") == MACHINES * len(REGIONS)
    assert loop.gateway.counts["throttled"] == 0
    slowest = least(ops.aws.calls)
    assert slowest == (MACHINES - 5) / 2  # RunInstances: five at once, then two a second
    assert ops.time.monotonic() - began <= slowest / 0.8
