"""Things that can be in one place alone go from one to another, and what AWS spells otherwise comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

import pytest

from reconciler.model.verdicts import Steps
from tests.harness import Host, host

IMAGE = "'${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}'"
TWO = dedent("""
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, AvailabilityZone: us-west-2a}
      instance/a: {ImageId: IMAGE, InstanceType: t3.micro, SubnetId: "${subnet/s}"}
      instance/b: {ImageId: IMAGE, InstanceType: t3.micro, SubnetId: "${subnet/s}"}
""").replace("IMAGE", IMAGE)
DISK = """\
  volume/d: {AvailabilityZone: us-west-2a, Size: 8, protect: false,
    Attachments: [{InstanceId: "${instance/a}", Device: /dev/sdf}]}
"""
CARD = """\
  network-interface/n: {SubnetId: "${subnet/s}", Attachment: [{InstanceId: "${instance/a}", DeviceIndex: 1}]}
"""


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One account, in which each test has a config of its own."""
    with host(tmp_path_factory.mktemp("moves"), 10.0, regions=("us-west-2",)) as made:
        yield made


@pytest.mark.parametrize(("what", "verb"), [(DISK, "Volume"), (CARD, "NetworkInterface")])
def test_what_is_on_one_machine_goes_to_another(ops: Host, what: str, verb: str) -> None:
    before = TWO + what
    assert ops.run(before, allow_shrink=True).outcome == "settled"
    ops.aws.clear_calls()
    report = ops.run(before.replace('Id: "${instance/a}"', 'Id: "${instance/b}"'), timeout=300)
    assert report.outcome == "settled", report.outcomes
    assert ops.writes().count(f"Detach{verb}") == 1
    done = [call for call in ops.aws.writes if call.operation == f"Attach{verb}" and not call.error]
    assert len(done) == 1


def test_none_of_the_networks_own_options_is_what_the_region_gives(ops: Host) -> None:
    options = "  dhcp-options/o: {DhcpConfigurations: [{Key: domain-name, Values: [example.com]}]}\n"
    one = 'CidrBlock: 10.0.0.0/16, DhcpOptionsId: "${dhcp-options/o}"'
    assert (
        ops.run(TWO.replace("CidrBlock: 10.0.0.0/16", one) + options, allow_shrink=True).outcome == "settled"
    )
    ops.aws.clear_calls()
    none = TWO.replace("CidrBlock: 10.0.0.0/16", "CidrBlock: 10.0.0.0/16, DhcpOptionsId: null")
    assert ops.run(none).outcome == "settled"
    assert ops.writes().count("AssociateDhcpOptions") == 1


def test_the_end_of_a_spot_request_is_the_same_in_each_spelling(ops: Host) -> None:
    spot = "{MarketType: spot, SpotOptions: {ValidUntil: '2030-01-01T00:00:00Z', SpotInstanceType: one-time}}"
    text = TWO + (
        "  launch-template/t: {LaunchTemplateName: t, LaunchTemplateData: {InstanceType: t3.micro,"
        f" InstanceMarketOptions: {spot}}}}}\n"
    )
    assert ops.run(text, allow_shrink=True).outcome == "settled"
    assert "CreateLaunchTemplateVersion" not in ops.writes()


def test_a_log_group_is_the_same_with_the_end_that_its_own_service_gives_it(ops: Host) -> None:
    text = TWO + (
        '  flow-log/f: {ResourceType: VPC, ResourceIds: ["${vpc/v}"], TrafficType: ALL,'
        " DeliverLogsPermissionArn: ROLE,"
        ' LogDestination: "arn:aws:logs:us-west-2:123456789012:log-group:flows:*"}\n'
        "  iam-role/logs: {RoleName: logs, AssumeRolePolicyDocument: {Statement: {Effect: Allow,"
        " Principal: {Service: vpc-flow-logs.amazonaws.com}, Action: 'sts:AssumeRole'}}}\n"
    ).replace("ROLE", '"${iam-role/logs}"')
    report = ops.run(text, allow_shrink=True)
    assert report.outcome == "settled", report.outcomes


GATEWAY = 'internet-gateway/g: {VpcId: "${vpc/v}"}'


def test_a_network_is_cut_off_within_a_window_and_joined_at_any_time(ops: Host) -> None:
    plain = TWO + "  vpc/w: {CidrBlock: 10.1.0.0/16, protect: false}\n"
    joined = plain + f"  {GATEWAY}\n"
    assert ops.run(plain + "  internet-gateway/g: {}\n", allow_shrink=True).outcome == "settled"
    first = ops.entry(joined, "internet-gateway/g").verdict
    assert isinstance(first, Steps)
    assert not first.disruptive
    assert ops.run(joined).outcome == "settled"
    moved = ops.entry(plain + f"  {GATEWAY.replace('vpc/v', 'vpc/w')}\n", "internet-gateway/g").verdict
    assert isinstance(moved, Steps)
    assert moved.disruptive


def test_records_of_a_machine_come_while_it_runs_and_its_name_does_not(ops: Host) -> None:
    named = "InstanceType: t3.micro, PrivateDnsNameOptions: {EnableResourceNameDnsARecord: true}"
    assert ops.run(TWO, allow_shrink=True).outcome == "settled"
    ops.aws.clear_calls()
    assert ops.run(TWO.replace("InstanceType: t3.micro", named, 1)).outcome == "settled"
    assert "ModifyPrivateDnsNameOptions" in ops.writes()
    assert "StopInstances" not in ops.writes()
    ops.aws.clear_calls()
    other = named.replace("{Enable", "{HostnameType: resource-name, Enable")
    assert ops.run(TWO.replace("InstanceType: t3.micro", other, 1)).outcome == "settled"
    order = [name for name in ops.writes() if not name.endswith("Tags")]
    assert order == ["StopInstances", "ModifyPrivateDnsNameOptions", "StartInstances"]


SUBNETS = dedent("""
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, AvailabilityZone: us-west-2a}
      subnet/t: {VpcId: "${vpc/v}", CidrBlock: 10.0.2.0/24, AvailabilityZone: us-west-2a}
      KIND/a: {VpcId: "${vpc/v}", Associations: [{SubnetId: "${subnet/s}"}]}
      KIND/b: {VpcId: "${vpc/v}", Associations: [{SubnetId: "${subnet/t}"}]}
""")


@pytest.mark.parametrize(
    ("kind", "move"),
    [("network-acl", "ReplaceNetworkAclAssociation"), ("route-table", "ReplaceRouteTableAssociation")],
)
def test_a_subnet_goes_from_one_of_ours_to_another_in_a_single_call(ops: Host, kind: str, move: str) -> None:
    """It never falls to the default one in between, in whichever order the two are put right."""
    before = SUBNETS.replace("KIND", kind)
    swapped = before.replace("subnet/s}", "subnet/x}").replace("subnet/t}", "subnet/s}").replace("/x}", "/t}")
    for here, there in ((before, swapped), (swapped, before)):
        assert ops.run(here, allow_shrink=True).outcome == "settled"
        ops.aws.clear_calls()
        assert ops.run(there).outcome == "settled"
        moves = [call for call in ops.aws.writes if not call.operation.endswith("Tags")]
        assert [(call.operation, call.error) for call in moves] == [(move, None)] * 2
    given_up = before.replace('[{SubnetId: "${subnet/t}"}]', "[]")
    ops.aws.clear_calls()
    assert ops.run(given_up).outcome == "settled"
    assert len([name for name in ops.writes() if not name.endswith("Tags")]) == 1


SITE = """
resources:
  global-network/g: {}
  subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, AvailabilityZone: us-west-2a}
  vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
  device/d: {GlobalNetworkId: "${global-network/g}", AWSLocation: WHERE}
"""


def test_a_device_goes_from_a_zone_to_a_subnet(ops: Host) -> None:
    zone, subnet = "{Zone: us-west-2a}", '{SubnetArn: "${subnet/s.arn}"}'
    assert ops.run(SITE.replace("WHERE", zone), allow_shrink=True).outcome == "settled"
    report = ops.run(SITE.replace("WHERE", subnet), timeout=300)
    assert report.outcome == "settled", report.outcomes


GROUPS = """\
  security-group/one: {VpcId: "${vpc/v}", GroupName: one, Description: one}
  security-group/two: {VpcId: "${vpc/v}", GroupName: two, Description: two}
"""


def test_what_is_set_at_the_first_interface_is_set_there_once_a_machine_has_two(ops: Host) -> None:
    def with_group(name: str, check: str) -> str:
        set_there = f'SecurityGroupIds: ["${{security-group/{name}}}"], SourceDestCheck: {check}, Image'
        return TWO.replace("Image", set_there, 1) + GROUPS + CARD

    assert ops.run(with_group("one", "true"), allow_shrink=True).outcome == "settled"
    ops.aws.clear_calls()
    after = with_group("two", "false")
    report = ops.run(after)
    assert report.outcome == "settled", report.outcomes
    assert [call.operation for call in ops.aws.calls if call.error] == []
    seen = ops.seen(after, "instance/a")
    assert seen.spec["SourceDestCheck"] is False
    assert seen.spec["SecurityGroupIds"] == [ops.seen(after, "security-group/two").id]
    assert ops.seen(after, "network-interface/n").raw["SourceDestCheck"] is True
