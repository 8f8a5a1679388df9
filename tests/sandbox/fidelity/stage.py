"""Prepares the local AWS for a sample: makes what the sample's request and answer take for granted.

Each maker is given the thing as the sample shows it and makes one like it with plain boto3; what the sample calls by an
id of its own is from then on known by the id that the local AWS gave.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.model import ServiceModel

from reconciler.sandbox import LocalAws

from ..conftest import client
from .samples import Sample

ACCOUNT = "123456789012"
_MAKES = re.compile(r"Create|Associate|Register")
_STATES = ("State", "LinkAssociationState")


class Stage:
    """What was made for one sample."""

    def __init__(self, aws: LocalAws, model: ServiceModel, sample: Sample) -> None:
        self.aws, self.model, self.sample = aws, model, sample
        self.nm = client("networkmanager")
        self.known: dict[str, str] = {}

    def prepare(self) -> dict[str, Any]:
        """Makes all that must be there; the sample's parameters with the ids of the local AWS."""
        given = self.sample.parameters
        if "GlobalNetworkId" in given:  # so that what is shown can refer to it
            self.real(given["GlobalNetworkId"])
        if "DeviceId" in given and "LinkId" in given:
            self._one_site(given)
        if not _MAKES.match(self.sample.operation):
            for shown in _things(self.sample.output):
                self.like(shown)
        settles = "CREATING" not in _states(self.sample.output) or self.sample.operation.startswith("Delete")
        if settles:
            self.aws.clock.advance(60)
        return self.translated(self.sample.parameters)

    def translated(self, value: Any) -> Any:
        """A value with every id and ARN in it as the local AWS has them."""
        if isinstance(value, Mapping):
            return {name: self.translated(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.translated(inner) for inner in value]
        return self.real(value) if isinstance(value, str) else value

    # --------------------------------------------------------------------------------------------- ids and ARNs

    def real(self, text: str) -> str:
        """An id or ARN of the sample in the local AWS, where the thing is made if it is not there yet; any other text
        as it is."""
        if text in self.known:
            return self.known[text]
        if text.startswith("arn:"):
            return self._real_arn(text)
        kind = re.match(r"(global-network|site|device|link|core-network|attachment)-(?=[0-9a-fE]|cdef)", text)
        if kind is None:
            return text
        self._make(kind[1], text, {})
        return self.known[text]

    def _real_arn(self, text: str) -> str:
        head, _, path = text.rpartition(":")
        kind, *ids = path.split("/")
        region = head.split(":")[3]
        if kind in ("site", "device", "link", "global-network", "attachment", "core-network"):
            return f"arn:aws:networkmanager::{ACCOUNT}:" + "/".join([kind, *(self.real(one) for one in ids)])
        identity = {
            "transit-gateway": self._transit_gateway,
            "customer-gateway": self._customer_gateway,
            "vpc": self._vpc,
            "subnet": self._subnet,
        }[kind](region)
        self.known[text] = f"arn:aws:ec2:{region}:{ACCOUNT}:{kind}/{identity}"
        return self.known[text]

    # ------------------------------------------------------------------------------------------------ the makers

    def _one_site(self, pair: Mapping[str, Any]) -> None:
        """A device and a link of the same site, which can be associated."""
        site = self._new("site", {})
        self.known[pair["DeviceId"]] = self._new("device", {"SiteId": site})
        self.known[pair["LinkId"]] = self._new("link", {"SiteId": site})

    def like(self, shown: Mapping[str, Any]) -> None:
        """Makes a thing like one that the sample's answer shows."""
        if "Attachment" in shown:
            inner = shown["Attachment"]
            self._make("attachment", inner["AttachmentId"], {**shown, **inner})
        elif "AttachmentType" in shown:
            self._make("attachment", shown["AttachmentId"], shown)
        elif "LinkAssociationState" in shown:
            if shown["DeviceId"] not in self.known:
                self._one_site(shown)
            self._call("AssociateLink", shown)
        elif "CustomerGatewayArn" in shown:
            self.translated(shown)
            self._register(self.known["transit gateway"])
            self.aws.clock.advance(60)
            self._call("AssociateCustomerGateway", shown)
        elif "TransitGatewayArn" in shown:
            self._call("RegisterTransitGateway", shown)
        elif "TagList" in shown:
            self.nm.tag_resource(
                ResourceArn=self.real(self.sample.parameters["ResourceArn"]), Tags=shown["TagList"]
            )
        else:
            names = ("Device", "Link", "Site", "GlobalNetwork")
            name = next((one for one in names if f"{one}Arn" in shown), "CoreNetwork")
            self._make(xform_name(name, "-"), shown[f"{name}Id"], shown)

    def _make(self, kind: str, identity: str, shown: Mapping[str, Any]) -> None:
        if kind == "attachment":
            self.known[identity] = self._attachment(shown)
        elif kind == "core-network":
            self.known[identity] = self._core_network(shown)
        elif identity in self.known:  # made for the request's sake, and now shown
            given = {k: v for k, v in shown.items() if k == "Description"}
            getattr(self.nm, f"update_{kind.replace('-', '_')}")(
                GlobalNetworkId=self.known[identity], **given
            )
        else:
            self.known[identity] = self._new(kind, shown)

    def _new(self, kind: str, shown: Mapping[str, Any]) -> str:
        """A global network, site, device or link with those of the members shown that a create call takes."""
        name = "".join(part.title() for part in kind.split("-"))
        shape = self.model.operation_model(f"Create{name}").input_shape
        assert shape is not None
        given = {k: self.translated(v) for k, v in shown.items() if k in shape.members}
        if "GlobalNetworkId" in shape.required_members:
            given["GlobalNetworkId"] = self._network()
        if kind == "link":
            given = {
                "SiteId": given.get("SiteId") or self._new("site", {}),
                "Bandwidth": {"UploadSpeed": 1},
                **given,
            }
        answer = getattr(self.nm, f"create_{kind.replace('-', '_')}")(**given)[name]
        return str(answer[f"{name}Id"])

    def _network(self) -> str:
        there = [real for word, real in self.known.items() if word.startswith("global-network-")]
        return there[0] if there else self.real("global-network-01231231231231231")

    def _call(self, operation: str, shown: Mapping[str, Any]) -> None:
        given = {k: self.real(v) for k, v in shown.items() if isinstance(v, str) and k not in _STATES}
        getattr(self.nm, xform_name(operation))(**given)

    def _register(self, gateway: str) -> None:
        self.nm.register_transit_gateway(GlobalNetworkId=self._network(), TransitGatewayArn=gateway)
        self.aws.clock.advance(60)

    def _core_network(self, shown: Mapping[str, Any]) -> str:
        edges = [one["EdgeLocation"] for one in shown.get("Edges", [])] or ["us-east-1"]
        names = [one["Name"] for one in shown.get("Segments", [])] or ["dev"]
        waits = self.sample.operation == "RejectAttachment"
        rule = {
            "rule-number": 1,
            "conditions": [{"type": "any"}],
            "action": {"association-method": "constant", "segment": names[0]},
        }
        policy = {
            "version": "2021.12",
            "core-network-configuration": {
                "asn-ranges": ["64512-64555"],
                "edge-locations": [{"location": edge} for edge in edges],
            },
            "segments": [{"name": name, "require-attachment-acceptance": waits} for name in names],
            # a sample's attachment is in no segment unless it says so
            "attachment-policies": [rule] if waits else [],
        }
        more = {"Description": shown["Description"]} if "Description" in shown else {}
        made = self.nm.create_core_network(
            GlobalNetworkId=self._network(), PolicyDocument=json.dumps(policy), **more
        )
        self.aws.clock.advance(60)
        return str(made["CoreNetwork"]["CoreNetworkId"])

    def _attachment(self, shown: Mapping[str, Any]) -> str:
        given: dict[str, Any] = {"CoreNetworkId": self.real(shown["CoreNetworkId"])}
        if shown.get("Tags"):
            given["Tags"] = shown["Tags"]
        is_vpc = shown["AttachmentType"] == "VPC"
        region = shown["EdgeLocation"]
        vpc = shown["ResourceArn"] if is_vpc else f"arn:aws:ec2:{region}:{ACCOUNT}:vpc/below"
        subnets = shown.get("SubnetArns") or [f"arn:aws:ec2:{region}:{ACCOUNT}:subnet/below"]
        made = self.nm.create_vpc_attachment(
            **given, VpcArn=self.real(vpc), SubnetArns=[self.real(one) for one in subnets]
        )["VpcAttachment"]["Attachment"]
        if is_vpc:
            return str(made["AttachmentId"])
        self.known[shown["ResourceArn"].rpartition("/")[2]] = made["AttachmentId"]
        self.aws.clock.advance(60)
        made = self.nm.create_connect_attachment(
            **given,
            TransportAttachmentId=made["AttachmentId"],
            EdgeLocation=region,
            Options={"Protocol": "GRE"},
        )["ConnectAttachment"]["Attachment"]
        return str(made["AttachmentId"])

    # ------------------------------------------------------------------------------------------- things of EC2

    def _transit_gateway(self, region: str) -> str:
        made = client("ec2", region).create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
        self.aws.clock.advance(60)
        self.known["transit gateway"] = f"arn:aws:ec2:{region}:{ACCOUNT}:transit-gateway/{made}"
        return str(made)

    def _customer_gateway(self, region: str) -> str:
        ec2, gateway = client("ec2", region), self._transit_gateway(region)
        made = ec2.create_customer_gateway(Type="ipsec.1", IpAddress="198.51.100.7", BgpAsn=65000)
        identity = made["CustomerGateway"]["CustomerGatewayId"]
        self.aws.clock.advance(60)
        ec2.create_vpn_connection(CustomerGatewayId=identity, Type="ipsec.1", TransitGatewayId=gateway)
        self.aws.clock.advance(60)
        if self.sample.operation == "AssociateCustomerGateway":
            self._register(self.known["transit gateway"])
        return str(identity)

    def _vpc(self, region: str) -> str:
        made = client("ec2", region).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.known["vpc"] = made
        return str(made)

    def _subnet(self, region: str) -> str:
        number = self.known["subnets"] = str(int(self.known.get("subnets", "-1")) + 1)
        made = client("ec2", region).create_subnet(
            VpcId=self.known["vpc"],
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=region + "abcdef"[int(number)],
        )
        return str(made["Subnet"]["SubnetId"])


def _things(output: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The things that an answer shows: one, or a list of them."""
    if "TagList" in output:
        return [output]
    found: list[Mapping[str, Any]] = []
    for value in output.values():
        found += value if isinstance(value, list) else [value]
    return found


def _words(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [word for inner in value.values() for word in _words(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in _words(inner)]
    return [value] if isinstance(value, str) else []


def _states(value: Any) -> list[str]:
    return [word for word in _words(value) if word.isupper()]
