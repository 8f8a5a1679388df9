"""Network Manager's tags, pages, filters, lengths and quotas."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws, local_aws

from .conftest import client, code, refusal
from .test_networkmanager import BANDWIDTH, one_of_each, site, sites


def tags(nm: Any, arn: str) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in nm.list_tags_for_resource(ResourceArn=arn)["TagList"]}


def test_tags_are_set_at_birth_replaced_and_removed(nm: Any, network: str) -> None:
    made = site(nm, network, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    arn = made["SiteArn"]
    assert made["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
    nm.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "c", "Value": "3"}])
    assert tags(nm, arn) == {"a": "2", "b": "", "c": "3"}
    nm.untag_resource(ResourceArn=arn, TagKeys=["a", "c", "never"])
    assert sites(nm, network)[0]["Tags"] == [{"Key": "b", "Value": ""}]
    nm.untag_resource(ResourceArn=arn, TagKeys=["b"])
    assert "Tags" not in sites(nm, network)[0]


def test_tagging_is_no_update(aws: LocalAws, nm: Any, network: str) -> None:
    made = site(nm, network)
    aws.clock.advance(1)
    nm.tag_resource(ResourceArn=made["SiteArn"], Tags=[{"Key": "a", "Value": "1"}])
    assert sites(nm, network)[0]["State"] == "AVAILABLE"


def test_fifty_tags_and_no_more(nm: Any, network: str) -> None:
    many = [{"Key": str(number), "Value": "x"} for number in range(50)]
    made = site(nm, network, Tags=many)
    more = [{"Key": "one too many", "Value": "x"}]
    assert code(nm.tag_resource, ResourceArn=made["SiteArn"], Tags=more) == (
        "ServiceQuotaExceededException",
        402,
    )
    nm.tag_resource(ResourceArn=made["SiteArn"], Tags=[{"Key": "0", "Value": "replaced"}])
    assert len(tags(nm, made["SiteArn"])) == 50
    assert code(nm.create_site, GlobalNetworkId=network, Tags=[*many, *more])[1] == 402


@pytest.mark.parametrize("key", ["aws:mine", "AWS:mine", "x" * 129])
def test_reserved_and_long_keys_are_refused(nm: Any, network: str, key: str) -> None:
    bad = [{"Key": key, "Value": "x"}]
    made = site(nm, network)
    assert code(nm.tag_resource, ResourceArn=made["SiteArn"], Tags=bad) == ("ValidationException", 400)
    assert code(nm.create_site, GlobalNetworkId=network, Tags=bad) == ("ValidationException", 400)
    assert len(sites(nm, network)) == 1


def test_tagging_something_unknown(nm: Any, network: str) -> None:
    unknown = f"arn:aws:networkmanager::123456789012:site/{network}/site-0123456789abcdef0"
    assert code(nm.list_tags_for_resource, ResourceArn=unknown) == ("ResourceNotFoundException", 404)
    assert code(nm.untag_resource, ResourceArn="arn:aws:s3:::x", TagKeys=["a"]) == (
        "ValidationException",
        400,
    )


def test_pages_are_short_when_nobody_says_how_long(nm: Any, network: str) -> None:
    made = [site(nm, network)["SiteId"] for _ in range(7)]
    first = nm.get_sites(GlobalNetworkId=network)
    assert [one["SiteId"] for one in first["Sites"]] == made[:3]
    second = nm.get_sites(GlobalNetworkId=network, NextToken=first["NextToken"])
    assert [one["SiteId"] for one in second["Sites"]] == made[3:6]
    last = nm.get_sites(GlobalNetworkId=network, NextToken=second["NextToken"])
    assert [one["SiteId"] for one in last["Sites"]] == made[6:]
    assert "NextToken" not in last
    assert [one["SiteId"] for one in sites(nm, network)] == made


def test_max_results_is_honoured_and_bounded(nm: Any, network: str) -> None:
    for _ in range(6):
        site(nm, network)
    page = nm.get_sites(GlobalNetworkId=network, MaxResults=5)
    assert len(page["Sites"]) == 5
    assert len(nm.get_sites(GlobalNetworkId=network, MaxResults=500)["Sites"]) == 6
    assert "NextToken" not in nm.get_sites(GlobalNetworkId=network, MaxResults=6)
    assert code(nm.get_sites, GlobalNetworkId=network, MaxResults=501) == ("ValidationException", 400)


def test_tokens_are_bound_to_their_request(nm: Any, network: str) -> None:
    for _ in range(4):
        site(nm, network)
        nm.create_device(GlobalNetworkId=network)
    token = nm.get_sites(GlobalNetworkId=network)["NextToken"]
    assert code(nm.get_devices, GlobalNetworkId=network, NextToken=token) == ("ValidationException", 400)
    assert code(nm.get_sites, GlobalNetworkId=network, NextToken="made up") == ("ValidationException", 400)
    assert (
        code(nm.get_sites, GlobalNetworkId=network, SiteIds=["x"], NextToken=token)[0]
        == "ValidationException"
    )


def test_nothing_is_left_out_when_something_goes_between_pages(aws: LocalAws, nm: Any, network: str) -> None:
    made = [site(nm, network)["SiteId"] for _ in range(6)]
    first = nm.get_sites(GlobalNetworkId=network)
    nm.delete_site(GlobalNetworkId=network, SiteId=made[0])
    nm.delete_site(GlobalNetworkId=network, SiteId=made[2])
    aws.clock.advance(1)
    second = nm.get_sites(GlobalNetworkId=network, NextToken=first["NextToken"])
    assert {one["SiteId"] for one in second["Sites"]} >= {made[3]}
    rest = (
        nm.get_sites(GlobalNetworkId=network, NextToken=second["NextToken"]) if "NextToken" in second else {}
    )
    seen = {one["SiteId"] for page in (first, second, rest) for one in page.get("Sites", [])}
    assert seen == set(made)


def test_at_most_ten_ids(nm: Any, network: str) -> None:
    ids = [f"site-{number:017x}" for number in range(11)]
    assert nm.get_sites(GlobalNetworkId=network, SiteIds=ids[:10])["Sites"] == []
    assert code(nm.get_sites, GlobalNetworkId=network, SiteIds=ids) == ("ValidationException", 400)
    assert nm.get_connections(GlobalNetworkId=network, ConnectionIds=ids)["Connections"] == []


def test_filters(nm: Any, network: str) -> None:
    made = one_of_each(nm, network)
    other = site(nm, network)["SiteId"]
    nm.create_link(GlobalNetworkId=network, SiteId=other, Type="fibre", Provider="one", Bandwidth=BANDWIDTH)
    nm.create_link(GlobalNetworkId=network, SiteId=other, Type="fibre", Provider="two", Bandwidth=BANDWIDTH)

    def links(**given: Any) -> int:
        return len(nm.get_links(GlobalNetworkId=network, **given)["Links"])

    assert links() == 3
    assert links(SiteId=other) == 2
    assert links(Type="fibre") == 2
    assert links(Type="fibre", Provider="two") == 1
    assert code(nm.get_links, GlobalNetworkId=network, SiteId=other, Type="fibre")[0] == "ValidationException"
    assert (
        code(nm.get_links, GlobalNetworkId=network, SiteId=other, Provider="one")[0] == "ValidationException"
    )
    within = nm.get_devices(GlobalNetworkId=network, SiteId=made["Site"]["SiteId"])["Devices"]
    assert [one["DeviceId"] for one in within] == [made["Device"]["DeviceId"]]
    device = {"GlobalNetworkId": network, "DeviceId": made["Device"]["DeviceId"]}
    assert len(nm.get_connections(**device)["Connections"]) == 1
    far = {"GlobalNetworkId": network, "DeviceId": made["Connection"]["ConnectedDeviceId"]}
    assert nm.get_connections(**far)["Connections"] == []


def test_five_global_networks(nm: Any) -> None:
    for _ in range(5):
        nm.create_global_network()
    response = refusal(nm.create_global_network)
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "ServiceQuotaExceededException",
        402,
    )
    assert response["LimitCode"] == "L-2418390E"
    assert response["ServiceCode"] == "networkmanager"


def test_quotas_can_be_set() -> None:
    with local_aws(quotas={"Site": 1, "GlobalNetwork": 7}):
        nm = client("networkmanager")
        for _ in range(7):
            network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        site(nm, network)
        assert code(nm.create_site, GlobalNetworkId=network) == ("ServiceQuotaExceededException", 402)


@pytest.mark.parametrize("member", ["Description", "Vendor", "Model", "SerialNumber", "Type"])
def test_lengths(nm: Any, network: str, member: str) -> None:
    longest = 128 if member in ("Vendor", "Model", "SerialNumber") else 256
    nm.create_device(GlobalNetworkId=network, **{member: "x" * longest})
    response = refusal(nm.create_device, GlobalNetworkId=network, **{member: "x" * (longest + 1)})
    assert response["Error"]["Code"] == "ValidationException"
    assert [one["Name"].lower() for one in response["Fields"]] == [member.lower()]


def test_a_link_needs_a_bandwidth_and_plain_texts(nm: Any, network: str) -> None:
    where = {"GlobalNetworkId": network, "SiteId": site(nm, network)["SiteId"]}
    assert code(nm.create_link, **where, Bandwidth={}) == ("ValidationException", 400)
    assert code(nm.create_link, **where, Bandwidth=BANDWIDTH, Type="a|b") == ("ValidationException", 400)
    assert code(nm.create_link, **where, Bandwidth=BANDWIDTH, Provider="x" * 129)[0] == "ValidationException"
    nm.create_link(**where, Bandwidth=BANDWIDTH, Type="a b", Provider="x" * 128)
