"""What is asked: only what cannot change anything, in the words that the SDK and AWS accept."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from reconciler.aws.checkup import Answer
from reconciler.aws.limits import READS
from reconciler.doctor import questions
from reconciler.doctor.aws_findings import seen
from reconciler.doctor.questions import FAKE, NO_DRY_RUN, NOTHING_YET, Place, Seen
from reconciler.kinds import ALL
from reconciler.model.calls import Call
from reconciler.model.config import Config
from reconciler.model.kind import Kind
from tests.conformance.fixture import Fixture
from tests.harness import ACCOUNT, FACTS, SCHEMA, STACK, read

HERE = Place(ACCOUNT, "us-west-2")
ESTATE = """
resources:
  global-network/main: {}
  site/one: {GlobalNetworkId: "${global-network/main}"}
  vpc/a: {CidrBlock: 10.0.0.0/16, EnableDnsSupport: false, Tags: {team: net}}
  vpc/b: {CidrBlock: 10.1.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.0.0.0/24, MapPublicIpOnLaunch: true}
  security-group/web:
    VpcId: ${vpc/a}
    GroupName: web
    Description: web
    Ingress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIpv4: 0.0.0.0/0}]
  instance/worker:
    ImageId: ${ssm:/aws/image}
    InstanceType: t3.micro
    SubnetId: ${subnet/a}
    SecurityGroupIds: ["${security-group/web}"]
"""
IDS = {(HERE, "vpc"): "vpc-1", (HERE, "subnet"): "subnet-1", (HERE, "security-group"): "sg-1"}
IMAGE = {(HERE, "/aws/image"): "ami-1"}


def rehearsed(config: Config, seen: Seen) -> dict[str, Call]:
    found = questions.rehearsals(config, FACTS, SCHEMA, seen)
    names = [str(call) for call in found.calls]
    assert len(set(names)) == len(names), "each is asked once"
    assert not {name for _, name in found.untold} & set(names)
    return dict(zip(names, found.calls, strict=True))


def test_a_creation_is_rehearsed_as_it_will_be_made() -> None:
    calls = rehearsed(read(ESTATE), Seen(ids=IDS, parameters=IMAGE))
    vpc = calls["ec2:CreateVpc"]
    assert vpc.parameters["CidrBlock"] == "10.0.0.0/16"
    (specification,) = vpc.parameters["TagSpecifications"]
    tags = {tag["Key"]: tag["Value"] for tag in specification["Tags"]}
    assert tags.pop("reconciler:applied")
    assert tags == {"team": "net", "reconciler:stack": STACK, "reconciler:address": "vpc/a"}
    assert calls["ec2:CreateSubnet"].parameters["VpcId"] == "vpc-1"
    launch = calls["ec2:RunInstances"].parameters
    assert (launch["ImageId"], launch["SubnetId"], launch["SecurityGroupIds"]) == (
        "ami-1",
        "subnet-1",
        ["sg-1"],
    )
    assert (launch["MinCount"], launch["MaxCount"]) == (1, 1)


def test_the_rest_is_about_things_of_the_stack_or_about_nothing() -> None:
    ours = rehearsed(read(ESTATE), Seen(ids=IDS))
    assert ours["ec2:DeleteVpc"].parameters == {"VpcId": "vpc-1", "DryRun": True}
    assert ours["ec2:CreateTags"].parameters["Resources"] == ["vpc-1"]
    assert ours["ec2:CreateTags"].parameters["Tags"] == [{"Key": "reconciler:stack", "Value": STACK}]
    assert ours["ec2:TerminateInstances"].parameters["InstanceIds"] == [f"i-{FAKE}"]
    nothing = rehearsed(read(ESTATE), Seen())
    assert nothing["ec2:DeleteVpc"].parameters["VpcId"] == f"vpc-{FAKE}"
    assert nothing["ec2:DeleteSecurityGroup"].parameters["GroupId"] == f"sg-{FAKE}"
    assert nothing["ec2:CreateSubnet"].parameters["VpcId"] == f"vpc-{FAKE}"


def test_what_cannot_be_rehearsed_says_why() -> None:
    untold = questions.rehearsals(read(ESTATE), FACTS, SCHEMA, Seen(ids=IDS)).untold
    assert untold[HERE, "ec2:ModifyVpcAttribute"] == NO_DRY_RUN
    assert untold[HERE, "ec2:RunInstances"] == NOTHING_YET  # the image was not read
    away = Place(ACCOUNT, "")
    assert untold[away, "networkmanager:CreateSite"] == NO_DRY_RUN
    assert untold[away, "networkmanager:GetSites"] == NOTHING_YET
    calls = rehearsed(read(ESTATE), Seen(networks={ACCOUNT: "global-network-1"}))
    assert calls["networkmanager:GetSites"].parameters == {"GlobalNetworkId": "global-network-1"}


SERVICES = botocore.session.Session()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@pytest.mark.parametrize("known", [True, False], ids=["with things", "with none"])
def test_every_question_passes_the_checks_of_the_sdk_and_changes_nothing(kind: Kind, known: bool) -> None:
    config = read(Fixture(kind.name).base)
    places = {Place(desired.account, desired.region) for desired in config.resources.values()}
    types = {other.tag_type for other in ALL if other.tag_type}
    there = Seen(
        ids={(place, type): f"{type}-1" for place in places for type in types},
        networks={ACCOUNT: "global-network-1"},
        parameters={
            (Place(call.account, call.region), str(call.parameters["Name"])): "ami-1"
            for call in questions.doors(config)
            if call.service == "ssm"
        },
    )
    calls = rehearsed(config, there if known else Seen())
    for call in [*questions.doors(config), *questions.identities([ACCOUNT]), *calls.values()]:
        assert call.operation.startswith(READS) or call.parameters["DryRun"] is True
        model = SERVICES.get_service_model(call.service).operation_model(call.operation)
        report = ParamValidator().validate(call.parameters, model.input_shape)
        assert not report.has_errors(), f"{call}: {report.generate_report()}"
    wanted = {f"{kind.service}:{operation}" for operation in (kind.create, kind.delete, kind.read.operation)}
    untold = questions.rehearsals(config, FACTS, SCHEMA, there if known else Seen()).untold
    assert wanted <= calls.keys() | {name for _, name in untold}


def test_every_endpoint_that_a_pass_needs_is_asked_once() -> None:
    config = read("""
        stack: test
        account: "123456789012"
        accounts: {edge: {id: "210987654321", role: "arn:aws:iam::210987654321:role/r"}}
        region: us-west-2
        resources:
          instance/a: {ImageId: "${ssm:/aws/image}", InstanceType: t3.micro}
          instance/b: {ImageId: "${ssm:/aws/image}", InstanceType: t3.micro}
          vpc/a: {region: eu-west-1, CidrBlock: 10.0.0.0/16}
          vpc/b: {account: edge, region: eu-west-1, CidrBlock: 10.0.0.0/16}
    """)
    asked = [(call.account, call.region, str(call)) for call in questions.doors(config)]
    edge = "210987654321"
    assert sorted(asked) == [
        (ACCOUNT, "", "networkmanager:DescribeGlobalNetworks"),
        (ACCOUNT, "eu-west-1", "ec2:DescribeTags"),
        (ACCOUNT, "us-west-2", "ec2:DescribeTags"),
        (ACCOUNT, "us-west-2", "ssm:GetParameter"),
        (edge, "", "networkmanager:DescribeGlobalNetworks"),
        (edge, "eu-west-1", "ec2:DescribeTags"),
        (edge, "us-west-2", "ec2:DescribeTags"),
    ]


def test_the_lease_is_asked_for_its_table() -> None:
    config = read(
        'stack: test\naccount: "123456789012"\nlease: {table: locks, region: us-east-1}\nresources: {}\n'
    )
    (call,) = [call for call in questions.doors(config) if call.service == "dynamodb"]
    assert (str(call), call.region) == ("dynamodb:GetItem", "us-east-1")
    assert call.parameters == {"TableName": "locks", "Key": {"stack": {"S": STACK}}}
    untold = questions.rehearsals(config, FACTS, SCHEMA, Seen()).untold
    assert untold == {(Place(ACCOUNT, "us-east-1"), "dynamodb:PutItem"): NO_DRY_RUN}


def test_what_the_doors_show() -> None:
    def shown(operation: str, region: str = "us-west-2", parameters: Any = None, **data: Any) -> Answer:
        call = Call(
            service="x", operation=operation, parameters=parameters or {}, account=ACCOUNT, region=region
        )
        return Answer(call=call, data=data)

    ours = [{"Key": "reconciler:stack", "Value": STACK}]
    found = seen(
        [
            shown("DescribeTags", Tags=[{"ResourceType": "vpc", "ResourceId": "vpc-1"}]),
            shown("DescribeTags", "eu-west-1", Tags=[{"ResourceType": "vpc", "ResourceId": "vpc-2"}]),
            shown(
                "DescribeGlobalNetworks",
                "",
                GlobalNetworks=[{"GlobalNetworkId": "other"}, {"GlobalNetworkId": "ours", "Tags": ours}],
            ),
            shown("GetParameter", parameters={"Name": "/aws/image"}, Parameter={"Value": "ami-1"}),
        ],
        read(ESTATE),
    )
    assert found.ids == {(HERE, "vpc"): "vpc-1", (Place(ACCOUNT, "eu-west-1"), "vpc"): "vpc-2"}
    assert found.networks == {ACCOUNT: "ours"}
    assert found.parameters == IMAGE
