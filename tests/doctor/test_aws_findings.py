"""What is said of AWS's answers: values in, findings out."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.aws.checkup import Answer, Credentials
from reconciler.doctor import aws_findings as judge
from reconciler.doctor.finding import Finding, exit_status
from reconciler.doctor.questions import FAKE, NO_DRY_RUN, NOTHING_YET, Place, Rehearsals
from reconciler.errors import AwsError, Denied, Gone, IdentityError, Lost, Refused, Throttled
from reconciler.model.calls import Call

US, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/edge"
NOW = 1_800_000_000.0
AWS = "https://ec2.eu-west-1.amazonaws.com"


def call(operation: str, service: str = "ec2", region: str = "eu-west-1", **parameters: Any) -> Call:
    return Call(service=service, operation=operation, parameters=parameters, account=US, region=region)


def answer(
    operation: str = "DescribeTags", error: AwsError | None = None, endpoint: str = AWS, **more: Any
) -> Answer:
    about = {name: more.pop(name) for name in ("service", "region") if name in more}
    parameters = more.pop("parameters", {})
    return Answer(call=call(operation, **about, **parameters), error=error, endpoint=endpoint, **more)


LOST = Lost("ec2:DescribeTags: no answer (ConnectTimeoutError: …)", code="ConnectTimeoutError")
EXPIRED = Denied("sts:GetCallerIdentity: ExpiredToken: …", code="ExpiredToken")

CREDENTIALS: dict[str, tuple[Credentials, str, int]] = {
    "a role's": (Credentials(account=US, method="iam-role", expires=NOW + 3600), "ok", 0),
    "a role's, about to be renewed": (Credentials(account=US, method="iam-role", expires=NOW + 60), "ok", 0),
    "a person's": (Credentials(account=US, method="sso", expires=NOW + 3600), "ok", 0),
    "a person's, about to end": (Credentials(account=US, method="sso", expires=NOW + 60), "warning", 0),
    "ended": (Credentials(account=US, method="sso", expires=NOW - 1), "bad", 77),
    "for ever": (Credentials(account=US, method="shared-credentials-file", lasting=True), "warning", 0),
    "temporary, of the environment": (Credentials(account=US, method="env"), "warning", 0),
    "none": (Credentials(account=US), "bad", 77),
    "a session that has ended": (
        Credentials(account=US, error=IdentityError("the SSO session …")),
        "bad",
        77,
    ),
    "not to be had": (Credentials(account=US, error=LOST), "bad", 1),
}


@pytest.mark.parametrize(("found", "status", "exit"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_credentials(found: Credentials, status: str, exit: int) -> None:
    told = judge.of_credentials(found, "", NOW)
    assert (told.status, exit_status([told])) == (status, exit)
    assert bool(told.mend) == (status != "ok")


def test_where_credentials_come_from_and_when_they_end() -> None:
    told = judge.of_credentials(
        Credentials(account=OTHER, method="assume-role", expires=NOW + 3600), ROLE, NOW
    )
    assert told.what == f"{OTHER}, by {ROLE}: from assume-role: until 2027-01-15 09:00:00Z, then renewed"


def test_a_role_that_we_may_not_assume() -> None:
    told = judge.of_credentials(Credentials(account=OTHER, error=Denied("AccessDenied: …")), ROLE, NOW)
    assert (told.status, told.exit) == ("bad", 77)
    assert "sts:AssumeRole" in told.mend


def who(found: str = US, error: AwsError | None = None, **more: Any) -> Answer:
    data = {} if error else {"Account": found, "Arn": f"arn:aws:sts::{found}:assumed-role/ops/me"}
    return answer("GetCallerIdentity", error, service="sts", data=data, **more)


IDENTITIES: dict[str, tuple[Answer, str, str, int]] = {
    "as the config says": (who(), US, "ok", 0),
    "another account": (who(OTHER), US, "bad", 77),
    "no config to compare with": (who(OTHER), "", "ok", 0),
    "refused": (who(error=EXPIRED), US, "bad", 77),
    "unreachable": (who(error=LOST), US, "bad", 1),
}


@pytest.mark.parametrize(("found", "wanted", "status", "exit"), IDENTITIES.values(), ids=IDENTITIES)
def test_the_account(found: Answer, wanted: str, status: str, exit: int) -> None:
    told = judge.of_identity(found, "", wanted)
    assert (told.status, exit_status([told])) == (status, exit)


def test_the_wrong_account_names_both_and_what_to_correct() -> None:
    assert judge.of_identity(who(OTHER), "", US).what == f"{OTHER}, and the config says {US}"
    assert "--profile" in judge.of_identity(who(OTHER), "", US).mend
    assert "`accounts:`" in judge.of_identity(who(OTHER), ROLE, US).mend


CLOCKS = {
    "equal": ([0.4], "ok", "agrees"),
    "a little ahead": ([12.0], "ok", "12 s ahead of AWS"),
    "half a minute is bearable": ([-30.0], "ok", "30 s behind AWS"),
    "more is a warning": ([31.0], "warning", "31 s ahead of AWS"),
    "five minutes are the last": ([-300.0], "warning", "5m00s behind AWS"),
    "more is refused": ([301.0], "bad", "5m01s ahead of AWS"),
    "hours": ([-7260.0], "bad", "2h01m behind AWS"),
    "an answer that was long under way": ([40.0, 1.0], "ok", "agrees"),
    "an answer without a date": ([None, 31.0], "warning", "31 s ahead of AWS"),
}


@pytest.mark.parametrize(("skews", "status", "said"), CLOCKS.values(), ids=CLOCKS)
def test_the_clock(skews: list[float | None], status: str, said: str) -> None:
    told = judge.of_clock([who(skew=skew) for skew in skews])
    assert told.status == status
    assert said in told.what
    assert bool(told.mend) == (status != "ok")


def test_a_clock_that_nobody_can_compare() -> None:
    assert judge.of_clock([who()]).status == "unknown"


def test_when_nothing_can_be_reached_there_is_one_line() -> None:
    told = judge.unreachable(
        [who(error=LOST, endpoint="https://sts.us-west-2.amazonaws.com"), who(error=LOST)]
    )
    assert told is not None
    assert told.status == "bad"
    assert told.what.startswith("cannot reach sts.us-west-2.amazonaws.com, ")
    assert "proxy" in told.mend
    assert judge.unreachable([who(error=LOST), who()]) is None
    assert judge.unreachable([who(error=EXPIRED)]) is None
    assert judge.unreachable([]) is None


def test_endpoints_that_were_reached_are_one_line_a_service() -> None:
    found = list(
        judge.of_doors(
            [
                answer(region="eu-west-1"),
                answer(region="us-west-2", error=Denied("no", code="UnauthorizedOperation")),
                answer(region="us-east-1", error=Throttled("slow down", code="RequestLimitExceeded")),
                answer("DescribeGlobalNetworks", service="networkmanager", region=""),
            ]
        )
    )
    assert [(one.status, one.what) for one in found] == [
        ("ok", "ec2 in eu-west-1, in us-west-2, in us-east-1: reached"),
        ("ok", "networkmanager at ec2.eu-west-1.amazonaws.com: reached"),
    ]


DOORS = {
    "no way there": (LOST, "cannot reach"),
    "the region is not enabled": (Denied("…", code="AuthFailure"), "although STS knows us"),
    "there is no such table": (Gone("no table", code="ResourceNotFoundException"), "no table"),
    "there is no such parameter": (Refused("no parameter", code="ParameterNotFound"), "no parameter"),
}


@pytest.mark.parametrize(("error", "said"), DOORS.values(), ids=DOORS)
def test_an_endpoint_that_is_no_use(error: AwsError, said: str) -> None:
    (told,) = judge.of_doors([answer(error=error)])
    assert told.status == "bad"
    assert said in told.what
    assert told.mend


# ---------------------------------------------------------------------------------------------------------- rights

HERE = Place(US, "eu-west-1")
ALLOWED = Refused("Request would have succeeded", code="DryRunOperation")
DENIED = Denied(
    "You are not authorized. Encoded authorization failure message: abc", code="UnauthorizedOperation"
)


def rights(*answers: Answer, untold: Any = None) -> list[Finding]:
    return list(judge.of_rights(answers, untold or {}))


def test_what_is_allowed_is_counted_and_what_is_not_is_named() -> None:
    found = rights(
        answer("CreateVpc", ALLOWED),
        answer("DescribeVpcs"),
        answer("DeleteVpc", DENIED),
        answer("RunInstances", DENIED),
    )
    assert [(one.status, one.what) for one in found] == [
        ("bad", f"not allowed in eu-west-1 of {US}: ec2:DeleteVpc, ec2:RunInstances"),
        ("ok", f"allowed in eu-west-1 of {US}: 2 operations of ec2"),
    ]
    assert exit_status(found) == 1
    assert "abc" not in str(found)


def test_regions_of_which_the_same_is_to_be_said_are_one_line() -> None:
    found = rights(
        *(answer("DeleteVpc", DENIED, region=region) for region in ("eu-west-1", "us-west-2")),
        answer("CreateVpc", DENIED, region="us-east-1"),
    )
    assert [one.what for one in found] == [
        f"not allowed in eu-west-1, us-west-2 of {US}: ec2:DeleteVpc",
        f"not allowed in us-east-1 of {US}: ec2:CreateVpc",
    ]


def test_a_change_of_what_is_not_there_may_be_refused_for_its_lack_of_tags() -> None:
    (told,) = rights(answer("DeleteVpc", DENIED, parameters={"VpcId": f"vpc-{FAKE}"}))
    assert (told.status, told.what.endswith("a policy that goes by tags refuses that")) == ("unknown", True)
    birth = {"VpcId": f"vpc-{FAKE}", "TagSpecifications": [{"ResourceType": "subnet"}]}
    for operation, parameters in (("CreateSubnet", birth), ("DescribeVpcs", {"VpcIds": [f"vpc-{FAKE}"]})):
        assert [one.status for one in rights(answer(operation, DENIED, parameters=parameters))] == ["bad"]


UNTOLD = {
    "an invented id": (Gone("no vpc", code="InvalidVpcID.NotFound"), f"vpc-{FAKE}", NOTHING_YET),
    "our own id, and gone": (Gone("no vpc", code="InvalidVpcID.NotFound"), "vpc-1", "InvalidVpcID.NotFound"),
    "a parameter": (Refused("secret", code="InvalidParameterValue"), "vpc-1", "InvalidParameterValue"),
    "throttled": (Throttled("slow", code="RequestLimitExceeded"), "vpc-1", "RequestLimitExceeded"),
    "no answer": (Lost("no answer", code="Timeout"), "vpc-1", "Timeout"),
    "never sent": (Refused("secret is not valid"), "vpc-1", "could not be made"),
}


@pytest.mark.parametrize(("error", "id", "said"), UNTOLD.values(), ids=UNTOLD)
def test_what_a_dry_run_does_not_tell_is_unknown(error: AwsError, id: str, said: str) -> None:
    (told,) = rights(answer("DeleteVpc", error, parameters={"VpcId": id}))
    assert (told.status, exit_status([told])) == ("unknown", 0)
    assert said in told.what
    assert "secret" not in told.what


def test_what_cannot_be_asked_is_told_once_for_each_reason() -> None:
    untold = {
        (HERE, "ec2:ModifyVpcAttribute"): NO_DRY_RUN,
        (Place(US, ""), "networkmanager:CreateSite"): NO_DRY_RUN,
        (Place(US, ""), "networkmanager:GetSites"): NOTHING_YET,
    }
    assert [(one.status, one.what) for one in rights(untold=untold)] == [
        ("unknown", f"cannot be told in eu-west-1 of {US}: ec2:ModifyVpcAttribute: {NO_DRY_RUN}"),
        ("unknown", f"cannot be told in the global region of {US}: networkmanager:CreateSite: {NO_DRY_RUN}"),
        ("unknown", f"cannot be told in the global region of {US}: networkmanager:GetSites: {NOTHING_YET}"),
    ]


# --------------------------------------------------------------------------------------- who may be tried at all

DELETION, READ = call("DeleteVpc", VpcId="vpc-1", DryRun=True), call("DescribeVpcs", DryRun=True)
TRIED = Rehearsals(calls=(DELETION, READ), untold={})

DOOR_OF = {
    "AWS's own": ({"endpoint": AWS}, [DELETION, READ]),
    "China's": ({"endpoint": "https://ec2.cn-north-1.amazonaws.com.cn"}, [DELETION, READ]),
    "a way to EC2 of somebody's own": (
        {"endpoint": "https://proxy.example.com", "server": "AmazonEC2"},
        [DELETION, READ],
    ),
    "an imitation": ({"endpoint": "http://127.0.0.1:5000", "server": "Werkzeug/3"}, [READ]),
    "one that only sounds like AWS": ({"endpoint": "https://ec2.amazonaws.com.example.org"}, [READ]),
    "not reached": ({"endpoint": AWS, "error": LOST}, []),
}


@pytest.mark.parametrize(("door", "calls"), DOOR_OF.values(), ids=DOOR_OF)
def test_a_change_is_rehearsed_only_where_that_is_known_to_do_nothing(
    door: dict[str, Any], calls: list[Call]
) -> None:
    found = judge.safe(TRIED, [answer(**door)])
    assert list(found.calls) == calls
    assert len(found.untold) == len(TRIED.calls) - len(calls)


def test_nothing_is_tried_where_nobody_was_asked() -> None:
    assert judge.safe(TRIED, [answer(region="us-west-2")]).calls == ()
