"""Clusters and groups of nodes: one change at a time, and what EKS makes for them stays EKS's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds import BY_NAME
from tests import documents
from tests.conformance.fixture import Fixture
from tests.harness import HEAD, STACK, Host, host, tags

CLUSTER, GROUP = "eks-cluster/subject", "eks-nodegroup/subject"


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",), page_size=50) as made:
        yield made


def cluster(**changes: Any) -> str:
    return Fixture("eks-cluster").text(protect=False, **changes)


def group(**changes: Any) -> str:
    return Fixture("eks-nodegroup").text(**changes)


def written(ops: Host) -> list[str]:
    return [call.operation for call in ops.aws.writes if call.service == "eks"]


def test_each_sort_of_change_is_a_request_of_its_own_and_none_comes_before_the_last_is_done(
    ops: Host,
) -> None:
    ops.run(cluster(version="1.30"))
    ops.aws.clear_calls()
    network = {
        "subnetIds": ["${subnet/base}", "${subnet/other}"],
        "securityGroupIds": [],
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["192.0.2.0/24"],
    }
    changed = cluster(version="1.32", resourcesVpcConfig=network, upgradePolicy={"supportType": "STANDARD"})
    assert ops.run(changed).outcome == "settled"
    asked = [call for call in ops.aws.calls if call.service == "eks" and call.is_write]
    assert [call.error for call in asked] == [None] * len(asked), "none was refused"
    versions = [call.parameters["version"] for call in asked if call.operation == "UpdateClusterVersion"]
    assert versions == ["1.31", "1.32"], "one minor version after the other"
    assert written(ops).count("UpdateClusterConfig") == 2
    (seen,) = ops.rows("eks-cluster")
    assert (seen["version"], seen["upgradePolicy"]) == ("1.32", {"supportType": "STANDARD"})
    assert seen["resourcesVpcConfig"]["publicAccessCidrs"] == ["192.0.2.0/24"]


def test_logs_that_the_config_does_not_name_stay(ops: Host) -> None:
    ops.run(cluster())
    log = {"clusterLogging": [{"types": ["scheduler"], "enabled": True}]}
    ops.by_hand("eks", "UpdateClusterConfig", name="subject", logging=log)
    ops.aws.clock.advance(60)
    ops.aws.clear_calls()
    assert ops.run(cluster()).outcome == "settled"
    assert written(ops) == []


def test_how_many_nodes_there_are_is_whoever_scales_them_to_say(ops: Host) -> None:
    ops.run(group())
    scaling = {"minSize": 0, "maxSize": 2, "desiredSize": 2}
    named = {"clusterName": "base", "nodegroupName": "subject"}
    ops.by_hand("eks", "UpdateNodegroupConfig", **named, scalingConfig=scaling)
    ops.aws.clock.advance(60)
    assert ops.run(group()).outcome == "settled"
    assert ops.rows("eks-nodegroup")[0]["scalingConfig"] == scaling
    assert ops.run(group(scalingConfig={"minSize": 0, "maxSize": 1})).outcome == "settled"
    assert ops.rows("eks-nodegroup")[0]["scalingConfig"] == {**scaling, "maxSize": 1, "desiredSize": 1}


def test_a_group_begins_with_the_least_where_the_config_leaves_it_to_whoever_scales(ops: Host) -> None:
    """EKS takes all sizes together at creation, or none."""
    sizes = {"minSize": 2, "maxSize": 4}
    assert ops.run(group(scalingConfig=sizes)).outcome == "settled"
    assert ops.rows("eks-nodegroup")[0]["scalingConfig"] == {**sizes, "desiredSize": 2}


def test_a_group_follows_its_cluster_to_another_version_once_that_is_there(ops: Host) -> None:
    text = group()
    ops.run(text)
    ops.aws.clear_calls()
    newer = text.replace("  eks-cluster/base:\n", '  eks-cluster/base:\n    version: "1.34"\n')
    newer = newer.replace("    nodegroupName: subject\n", '    nodegroupName: subject\n    version: "1.34"\n')
    assert ops.run(newer).outcome == "settled"
    assert [one for one in written(ops) if "Version" in one] == [
        "UpdateClusterVersion",
        "UpdateNodegroupVersion",
    ]
    assert not [call for call in ops.aws.calls if call.error], "no call came too early"


MADE = {"auto-scaling-group": 1, "instance": 2, "launch-template": 1, "security-group": 1}
"""What EKS makes for a cluster and for a group of two nodes; it copies no tags of theirs."""
MARKS = {"aws:eks:cluster-name", "eks:nodegroup-name"}


def test_nodes_are_rolled_to_another_version_of_their_template_once(ops: Host) -> None:
    text = group()
    ops.run(text)
    ops.aws.clear_calls()
    newer = text.replace("version: '1'", "version: ${launch-template/nodes.LatestVersionNumber}")
    newer = newer.replace("InstanceType: t3.medium", "InstanceType: t3.large")
    assert ops.run(newer).outcome == "settled"
    assert ops.run(newer).outcome == "settled"
    assert written(ops).count("UpdateNodegroupVersion") == 1
    assert ops.rows("eks-nodegroup")[0]["launchTemplate"]["version"] == "2"


def test_a_group_in_somebody_elses_cluster_is_kept_and_goes_alone(ops: Host) -> None:
    """The config names the cluster; afterwards discovery tells where the group is."""
    config = documents.load(group())
    theirs = {name: config["resources"].pop(name) for name in list(config["resources"]) if name != GROUP}
    ops.run(documents.dump({"resources": theirs}))
    mine = HEAD.replace(STACK, "mine")
    seen = {
        str(thing.address): thing for thing in ops.loop(documents.dump({"resources": theirs})).look().owned
    }
    subject = config["resources"][GROUP] | {
        "clusterName": "base",
        "nodeRole": seen["iam-role/node"].arn,
        "subnets": [seen["subnet/base"].id],
    }
    del subject["launchTemplate"]
    text = mine + documents.dump({"resources": {GROUP: subject}})
    ops.asks_everywhere = True
    for _ in range(2):
        assert ops.run(text).outcome == "settled"
        ops.forget()
    assert written(ops).count("CreateNodegroup") == 1
    ops.forget()
    assert ops.destroy(f"{mine}resources: {{}}").outcome == "settled"
    assert (len(ops.rows("eks-nodegroup")), len(ops.rows("eks-cluster"))) == (0, 1)


def copy_tags(ops: Host, made: Mapping[str, list[dict[str, Any]]], claim: str) -> None:
    """Somebody copies our tags onto things of some kinds; an Auto Scaling group hands them down."""
    for kind, rows in made.items():
        owner = {"reconciler:stack": STACK, "reconciler:address": claim.replace("KIND", kind)}
        ours = [{"Key": key, "Value": value} for key, value in owner.items()]
        if kind == "auto-scaling-group":
            name = {"ResourceId": rows[0]["AutoScalingGroupName"], "ResourceType": kind}
            handed_down = [{**tag, **name, "PropagateAtLaunch": True} for tag in ours]
            ops.by_hand("autoscaling", "CreateOrUpdateTags", Tags=handed_down)
        else:
            ops.by_hand("ec2", "CreateTags", Resources=[row[BY_NAME[kind].id] for row in rows], Tags=ours)


def test_what_eks_makes_is_never_ours_whatever_tags_are_copied_onto_it(ops: Host) -> None:
    text = group(scalingConfig={"minSize": 0, "maxSize": 2, "desiredSize": 2})
    ops.run(text)
    made = {kind: [row for row in ops.rows(kind) if MARKS & tags(row).keys()] for kind in MADE}
    assert {kind: len(rows) for kind, rows in made.items()} == MADE
    assert [row for rows in made.values() for row in rows if "reconciler:stack" in tags(row)] == []
    ops.asks_everywhere = True
    for claim in ("eks-nodegroup/subject", "eks-cluster/base", "KIND/w"):
        copy_tags(ops, made, claim)
        ops.forget()
        ops.aws.clear_calls()
        report = ops.run(text)
        assert (report.outcome, ops.writes(), report.plan.conflicts) == ("settled", [], ()), claim
    assert ops.destroy(text).outcome == "settled"
    ids = [row[BY_NAME[kind].id] for kind, rows in made.items() for row in rows]
    assert [call for call in ops.aws.writes for id in ids if id in str(call.parameters)] == []
    assert [kind for kind in MADE for row in ops.rows(kind) if MARKS & tags(row).keys()] == []


def test_a_cluster_that_aws_protects_waits_for_a_person(ops: Host) -> None:
    ops.run(cluster(deletionProtection=True))
    report = ops.run(Fixture("eks-cluster").without(), allow_shrink=True, timeout=60)
    assert report.outcome != "settled"
    assert any("deletionProtection" in outcome.why for outcome in report.outcomes)
    assert len(ops.rows("eks-cluster")) == 1


def test_a_group_that_is_degraded_is_told_and_still_mended(ops: Host) -> None:
    from reconciler.sandbox.eks.store import store_of
    from reconciler.sandbox.world import current

    ops.run(group())
    _, ill = store_of(current(), "123456789012", "us-west-2").group("base", "subject")
    issue = {"code": "AsgInstanceLaunchFailures", "message": "no room", "resourceIds": []}
    ill.row |= {"status": "DEGRADED", "health": {"issues": [issue]}}
    report = ops.run(group(), timeout=30)
    assert any("DEGRADED" in one.why and "no room" in one.why for one in report.outcomes)
    assert ops.run(group(labels={"tier": "other"})).outcome == "settled"


WRONG = {
    "subnets in two zones": cluster(resourcesVpcConfig={"subnetIds": ["${subnet/base}"]}),
    "both minSize and maxSize": group(scalingConfig={"maxSize": 2}),
    "releaseVersion says the version": group(version="1.33", releaseVersion="1.33.0-20260201"),
    "do not go together": group(diskSize=20, launchTemplate={"id": "lt-1", "version": "1"}),
    "there is no such field": group(Version="1.33"),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_eks_would_refuse_is_told_before(ops: Host, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ops.run(WRONG[why])
    assert why in str(refused.value)
