"""What a user of Network Manager relies on, for the classic resources."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reconciler.sandbox import HeldClock, LocalAws, local_aws

from .conftest import client, code, refusal

BANDWIDTH = {"UploadSpeed": 10, "DownloadSpeed": 20}


def site(nm: Any, network: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = nm.create_site(GlobalNetworkId=network, **more)["Site"]
    return made


def sites(nm: Any, network: str) -> list[dict[str, Any]]:
    pages = nm.get_paginator("get_sites").paginate(GlobalNetworkId=network)
    return [one for page in pages for one in page["Sites"]]


def one_of_each(nm: Any, network: str) -> dict[str, dict[str, Any]]:
    """A site, a device and a link in it, a second device and a connection between the two."""
    made: dict[str, dict[str, Any]] = {"Site": site(nm, network)}
    within = {"GlobalNetworkId": network, "SiteId": made["Site"]["SiteId"]}
    made["Device"] = nm.create_device(**within)["Device"]
    made["Link"] = nm.create_link(**within, Bandwidth=BANDWIDTH)["Link"]
    other = nm.create_device(GlobalNetworkId=network)["Device"]
    made["Connection"] = nm.create_connection(
        GlobalNetworkId=network,
        DeviceId=made["Device"]["DeviceId"],
        ConnectedDeviceId=other["DeviceId"],
        LinkId=made["Link"]["LinkId"],
    )["Connection"]
    return made


READS = {"Site": "get_sites", "Device": "get_devices", "Link": "get_links", "Connection": "get_connections"}


def test_ids_and_arns_are_as_aws_makes_them(nm: Any, network: str) -> None:
    assert re.fullmatch(r"global-network-[0-9a-f]{17}", network)
    shown = nm.describe_global_networks()["GlobalNetworks"][0]
    assert shown["GlobalNetworkArn"] == f"arn:aws:networkmanager::123456789012:global-network/{network}"
    for name, made in one_of_each(nm, network).items():
        kind = name.lower()
        assert re.fullmatch(rf"{kind}-[0-9a-f]{{17}}", made[f"{name}Id"])
        assert (
            made[f"{name}Arn"] == f"arn:aws:networkmanager::123456789012:{kind}/{network}/{made[f'{name}Id']}"
        )


def test_states_follow_the_clock_and_nothing_else(aws: LocalAws, nm: Any, network: str) -> None:
    made = one_of_each(nm, network)

    def states() -> set[str]:
        shown = [
            getattr(nm, READS[name])(**{"GlobalNetworkId": network, f"{name}Ids": [one[f"{name}Id"]]})
            for name, one in made.items()
        ]
        return {one["State"] for answer, name in zip(shown, made, strict=True) for one in answer[f"{name}s"]}

    assert {one["State"] for one in made.values()} == {"PENDING"}
    assert states() == {"PENDING"}
    aws.clock.advance(0.5)
    assert states() == {"AVAILABLE"}
    for name, one in made.items():
        where = {"GlobalNetworkId": network, f"{name}Id": one[f"{name}Id"]}
        updated = getattr(nm, f"update_{name.lower()}")(**where, Description="new")
        assert updated[name]["State"] == "UPDATING"
    assert states() == {"UPDATING"}
    aws.clock.advance(0.5)
    assert states() == {"AVAILABLE"}
    for name in ("Connection", "Device", "Link", "Site"):
        all_of_them = getattr(nm, READS[name])(GlobalNetworkId=network)[f"{name}s"]
        for each in [one[f"{name}Id"] for one in all_of_them]:
            answer = getattr(nm, f"delete_{name.lower()}")(**{"GlobalNetworkId": network, f"{name}Id": each})
            assert answer[name]["State"] == "DELETING"
            shown = getattr(nm, READS[name])(**{"GlobalNetworkId": network, f"{name}Ids": [each]})
            assert shown[f"{name}s"][0]["State"] == "DELETING"
        aws.clock.advance(0.5)
        assert getattr(nm, READS[name])(GlobalNetworkId=network)[f"{name}s"] == []
    assert nm.delete_global_network(GlobalNetworkId=network)["GlobalNetwork"]["State"] == "DELETING"
    assert nm.describe_global_networks()["GlobalNetworks"][0]["State"] == "DELETING"
    aws.clock.advance(0.5)
    assert nm.describe_global_networks()["GlobalNetworks"] == []


def test_a_delete_overtakes_the_state_that_was_to_come(aws: LocalAws, nm: Any, network: str) -> None:
    made = site(nm, network)
    nm.delete_site(GlobalNetworkId=network, SiteId=made["SiteId"])
    aws.clock.advance(0.5)
    assert sites(nm, network) == []


def test_every_state_takes_less_than_half_a_second_by_default_and_seconds_as_published() -> None:
    for delays, before in (("fast", 0.5), ("aws", 60.0)):
        with local_aws(delays=delays) as aws:  # type: ignore[arg-type]  # the loop widens the literals
            nm = client("networkmanager")
            network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
            aws.clock.advance(0.0 if delays == "fast" else 1.0)
            assert nm.describe_global_networks()["GlobalNetworks"][0]["State"] == "PENDING"
            aws.clock.advance(before)
            assert (
                nm.describe_global_networks(GlobalNetworkIds=[network])["GlobalNetworks"][0]["State"]
                == "AVAILABLE"
            )


def test_an_unknown_global_network_is_a_validation_error(nm: Any) -> None:
    response = refusal(nm.get_sites, GlobalNetworkId="global-network-0123456789abcdef0")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "ValidationException"
    assert response["Reason"] == "FieldValidationFailed"
    assert "Global network not found" in response["Fields"][0]["Message"]
    assert code(nm.create_site, GlobalNetworkId="global-network-0") == ("ValidationException", 400)


def test_an_unknown_id_in_a_filter_is_an_empty_list(nm: Any, network: str) -> None:
    assert nm.get_sites(GlobalNetworkId=network, SiteIds=["site-0123456789abcdef0"])["Sites"] == []
    assert nm.describe_global_networks(GlobalNetworkIds=["global-network-0"])["GlobalNetworks"] == []


@pytest.mark.parametrize("name", ["Site", "Device", "Link", "Connection"])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_an_unknown_child_is_not_found(nm: Any, network: str, name: str, verb: str) -> None:
    wanted = f"{name.lower()}-0123456789abcdef0"
    call = getattr(nm, f"{verb}_{name.lower()}")
    with pytest.raises(nm.exceptions.ResourceNotFoundException) as caught:
        call(**{"GlobalNetworkId": network, f"{name}Id": wanted})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert caught.value.response["ResourceId"] == wanted
    assert caught.value.response["ResourceType"] == name.lower()


def test_a_child_of_another_network_is_not_found(nm: Any, network: str) -> None:
    other = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    made = site(nm, other)
    assert code(nm.delete_site, GlobalNetworkId=network, SiteId=made["SiteId"])[1] == 404
    assert nm.get_sites(GlobalNetworkId=network, SiteIds=[made["SiteId"]])["Sites"] == []


def test_two_creates_make_two_things(nm: Any, network: str) -> None:
    same = {"Description": "the same", "Tags": [{"Key": "a", "Value": "b"}]}
    assert site(nm, network, **same)["SiteId"] != site(nm, network, **same)["SiteId"]
    assert len(sites(nm, network)) == 2


def test_deletes_are_refused_while_something_is_inside(aws: LocalAws, nm: Any, network: str) -> None:
    made = one_of_each(nm, network)
    where = {"GlobalNetworkId": network}
    refused = refusal(nm.delete_global_network, **where)["Error"]
    assert refused["Code"] == "ValidationException"
    assert "cannot be deleted due to existing devices, sites, or links" in refused["Message"]
    refused = refusal(nm.delete_site, **where, SiteId=made["Site"]["SiteId"])["Error"]
    assert "cannot be deleted due to existing association" in refused["Message"]
    assert code(nm.delete_device, **where, DeviceId=made["Device"]["DeviceId"])[0] == "ValidationException"
    assert code(nm.delete_link, **where, LinkId=made["Link"]["LinkId"])[0] == "ValidationException"


def test_a_thing_under_deletion_still_blocks_its_parent(aws: LocalAws, nm: Any, network: str) -> None:
    made = site(nm, network)
    nm.delete_site(GlobalNetworkId=network, SiteId=made["SiteId"])
    assert code(nm.delete_global_network, GlobalNetworkId=network) == ("ValidationException", 400)
    aws.clock.advance(0.5)
    nm.delete_global_network(GlobalNetworkId=network)


def test_the_unverified_refusal_can_be_a_conflict() -> None:
    with local_aws(unverified_block="ConflictException"):
        nm = client("networkmanager")
        network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        made = one_of_each(nm, network)
        where = {"GlobalNetworkId": network}
        assert code(nm.delete_device, **where, DeviceId=made["Device"]["DeviceId"]) == (
            "ConflictException",
            409,
        )
        assert code(nm.delete_site, **where, SiteId=made["Site"]["SiteId"]) == ("ValidationException", 400)


def test_updates_keep_what_is_left_out_and_clear_what_is_empty(aws: LocalAws, nm: Any, network: str) -> None:
    location = {"Address": "123 AI Lane", "Latitude": "-27.470", "Longitude": "153.020"}
    made = site(nm, network, Description="old", Location=location)
    where = {"GlobalNetworkId": network, "SiteId": made["SiteId"]}
    assert nm.update_site(**where, Description="new")["Site"]["Location"] == location
    assert "Description" not in nm.update_site(**where, Description="")["Site"]
    blank = {"Address": "", "Latitude": "", "Longitude": ""}
    assert "Location" not in nm.update_site(**where, Location=blank)["Site"]
    assert "Description" not in sites(nm, network)[0]


def test_coordinates_come_back_as_they_were_sent(nm: Any, network: str) -> None:
    location = {"Latitude": "47.60620", "Longitude": "-122.3321"}
    site(nm, network, Location=location)
    assert sites(nm, network)[0]["Location"] == location


def test_a_device_leaves_its_site_with_an_empty_string(nm: Any, network: str) -> None:
    made = site(nm, network)
    device = nm.create_device(GlobalNetworkId=network, SiteId=made["SiteId"])["Device"]
    nm.update_device(GlobalNetworkId=network, DeviceId=device["DeviceId"], SiteId="")
    nm.delete_site(GlobalNetworkId=network, SiteId=made["SiteId"])


def test_a_device_changes_from_zone_to_subnet(nm: Any, network: str) -> None:
    arn = "arn:aws:ec2:us-west-2:123456789012:subnet/subnet-0123456789abcdef0"
    device = nm.create_device(GlobalNetworkId=network, AWSLocation={"Zone": "usw2-az1"})["Device"]
    where = {"GlobalNetworkId": network, "DeviceId": device["DeviceId"]}
    updated = nm.update_device(**where, AWSLocation={"Zone": "", "SubnetArn": arn})["Device"]
    assert updated["AWSLocation"] == {"SubnetArn": arn}
    both = {"Zone": "usw2-az1", "SubnetArn": arn}
    assert code(nm.create_device, GlobalNetworkId=network, AWSLocation=both) == ("ValidationException", 400)


def test_references_must_exist(nm: Any, network: str) -> None:
    missing = "site-0123456789abcdef0"
    expected = ("ResourceNotFoundException", "ValidationException")
    assert code(nm.create_device, GlobalNetworkId=network, SiteId=missing)[0] in expected
    assert code(nm.create_link, GlobalNetworkId=network, SiteId=missing, Bandwidth=BANDWIDTH)[0] in expected
    nowhere = {"DeviceId": "device-0123456789abcdef0", "ConnectedDeviceId": "device-0123456789abcdef1"}
    assert code(nm.create_connection, GlobalNetworkId=network, **nowhere)[0] in expected


def test_creation_time_is_the_clocks() -> None:
    clock = HeldClock()
    with local_aws(clock):
        clock.advance(90)
        made = client("networkmanager").create_global_network()["GlobalNetwork"]
        assert made["CreatedAt"] == clock.now()


def test_one_store_whatever_region(nm: Any, network: str) -> None:
    there = client("networkmanager", "eu-west-1").describe_global_networks()["GlobalNetworks"]
    assert [one["GlobalNetworkId"] for one in there] == [network]
    assert client("networkmanager", "us-gov-west-1").describe_global_networks()["GlobalNetworks"] == []


def test_arns_carry_the_partition(aws: LocalAws) -> None:
    made = client("networkmanager", "us-gov-west-1").create_global_network()["GlobalNetwork"]
    assert made["GlobalNetworkArn"].startswith("arn:aws-us-gov:networkmanager::123456789012:global-network/")


def test_counts(nm: Any, network: str) -> None:
    one_of_each(nm, network)
    counts = nm.get_network_resource_counts(GlobalNetworkId=network, MaxResults=50)["NetworkResourceCounts"]
    assert {one["ResourceType"]: one["Count"] for one in counts} == {
        "site": 1,
        "device": 2,
        "link": 1,
        "connection": 1,
    }


def test_an_unknown_global_network_cannot_be_changed(nm: Any) -> None:
    unknown = {"GlobalNetworkId": "global-network-0123456789abcdef0"}
    assert code(nm.update_global_network, **unknown) == ("ResourceNotFoundException", 404)
    answer = refusal(nm.delete_global_network, **unknown)
    assert answer["Error"]["Code"] == "ResourceNotFoundException"
    assert (answer["ResourceType"], answer["ResourceId"]) == ("global-network", unknown["GlobalNetworkId"])
