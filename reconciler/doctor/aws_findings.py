"""What is to be said of AWS's answers.  Pure: from the answers that `aws.checkup` has got to findings."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from reconciler.aws.checkup import Answer, Credentials
from reconciler.aws.limits import READS
from reconciler.doctor.finding import Finding, bad, ok, unknown, warning
from reconciler.doctor.questions import FAKE, NOTHING_YET, Place, Rehearsals, Seen
from reconciler.errors import AwsError, Denied, Gone, IdentityError, Lost, Refused, Throttled
from reconciler.exits import NOT_ALLOWED
from reconciler.model.calls import Call
from reconciler.model.config import Config
from reconciler.model.things import STACK_TAG

SKEW_WARNED, SKEW_REFUSED = 30.0, 300.0
"""Seconds between our clock and AWS's: five minutes are too many for a signature.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv4-troubleshooting.html"""
SOON = 15 * 60.0
"""Seconds before their end from which on botocore tries to renew credentials."""
RENEWED = frozenset({"assume-role", "assume-role-with-web-identity", "container-role", "iam-role"})
"""botocore's words for credentials that renew themselves without a person."""
NOT_RIGHTS = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "NotAuthorized"})
AWS_HOSTS = (
    *(".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"),
    *(".api.amazonwebservices.com.cn", ".api.amazonwebservices.eu"),
    *(".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk", ".csp.hci.ic.gov"),
)
"""How AWS's own hosts end, by partition, as botocore's endpoints have them."""
EC2_SERVER = "AmazonEC2"
"""What EC2 calls itself in the header Server."""


# ---------------------------------------------------------------------------------------------------- who we are


def of_endpoints(urls: Mapping[str, str]) -> Iterator[Finding]:
    """Addresses that replace AWS's own, by the setting that they come from."""
    for name, url in urls.items():
        what = f"{name}: calls go to {url} instead of AWS's own endpoint"
        yield warning("endpoints", what, "unset it, unless it is meant")


def of_credentials(found: Credentials, role: str, now: float) -> Finding:
    """Where the credentials for an account come from, and how long they last.  `role` is "" for our own account."""
    whose = f"{found.account}, by {role}: " if role else ""
    if isinstance(found.error, Lost | Throttled):
        return bad("credentials", f"{whose}they could not be had: {found.error}", REACH)
    if found.error is not None:
        mend = f"let us assume {role} (its trust policy, our sts:AssumeRole)" if role else RENEW
        return bad("credentials", f"{whose}{found.error}", mend, NOT_ALLOWED)
    if not found.method:
        return bad(
            "credentials", "there are none", "set them as for the AWS CLI, or say --profile", NOT_ALLOWED
        )
    told = f"{whose}from {found.method}"
    if found.lasting:
        return warning(
            "credentials",
            f"{told}: a key that lasts for ever",
            "use a role (instance profile, Roles Anywhere, SSO), so that a stolen key ends by itself",
        )
    if found.expires is None:
        return warning(
            "credentials",
            f"{told}: they end, and when is not told",
            "for a service use a role, whose credentials renew themselves",
        )
    until = datetime.fromtimestamp(found.expires, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if found.expires <= now:
        return bad("credentials", f"{told}: ended {until}", RENEW, NOT_ALLOWED)
    if found.method not in RENEWED and found.expires - now < SOON:
        return warning("credentials", f"{told}: they end {until}", RENEW)
    return ok("credentials", f"{told}: until {until}, then renewed")


def of_identity(answer: Answer, role: str, wanted: str) -> Finding:
    """Whether STS says that we are in the account of the config.  `wanted` is "" when the config cannot be read."""
    error = answer.error
    if error is None:
        found, arn = str(answer.data.get("Account", "")), str(answer.data.get("Arn", ""))
        if not wanted:
            return ok("account", f"{found}, as {arn}")
        if found == wanted:
            return ok("account", f"{found} as the config says, as {arn}")
        mend = "correct the role in `accounts:`" if role else "correct `account:`, or say --profile"
        return bad("account", f"{found}, and the config says {wanted}", mend, NOT_ALLOWED)
    if isinstance(error, Denied | IdentityError):
        return bad(
            "account", f"{wanted or 'unknown'}: {error}", f"{RENEW}; look at the clock too", NOT_ALLOWED
        )
    return bad("account", f"{wanted or 'unknown'}: {error}", REACH)


RENEW = "renew them (`aws sso login`, `aws login`), or say --profile"
REACH = "look at network, DNS, proxy (HTTPS_PROXY) and --endpoint-url"


def of_clock(answers: Sequence[Answer]) -> Finding:
    """This host's clock against AWS's."""
    skews = [answer.skew for answer in answers if answer.skew is not None]
    if not skews:
        return unknown(
            "clock", "no answer tells what time it is at AWS", "compare `date -u` with another clock"
        )
    skew = min(skews, key=abs)  # what was long under way looks more skewed than it is
    told = f"{_span(abs(skew))} {'ahead of' if skew > 0 else 'behind'} AWS"
    mend = "let it be set by the network (timedatectl set-ntp true, chrony)"
    if abs(skew) > SKEW_REFUSED:
        return bad("clock", f"{told}: AWS refuses what is signed so", mend)
    if abs(skew) > SKEW_WARNED:
        return warning("clock", f"{told}: at 5 minutes AWS refuses", mend)
    return ok("clock", "agrees with AWS's" if abs(skew) < 2 else told)


def _span(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest} s"


# ------------------------------------------------------------------------------------------------------- endpoints


def reached(answer: Answer) -> bool:
    """Whether somebody has answered, with what they have or with a refusal."""
    return not isinstance(answer.error, Lost) and not (
        isinstance(answer.error, Refused) and not answer.endpoint
    )


def of_doors(answers: Sequence[Answer]) -> Iterator[Finding]:
    """Whether every endpoint can be reached; those that can are told together by service."""
    good: dict[str, list[str]] = {}
    for answer in answers:
        call = answer.call
        where = f"{call.service} in {call.region}" if call.region else call.service
        if not reached(answer):
            yield bad("endpoints", f"{where} of {call.account}: cannot reach it: {answer.error}", REACH)
        elif answer.code in ("AuthFailure", "OptInRequired", "UnrecognizedClientException"):
            yield bad(
                "endpoints",
                f"{where} of {call.account}: {answer.code}, although STS knows us",
                f"enable {call.region or 'the service'} for the account, if it is not",
            )
        elif isinstance(answer.error, Refused) or answer.code == "ResourceNotFoundException":
            yield bad(
                "endpoints", f"{where} of {call.account}: {answer.error}", "correct the config, or make it"
            )
        else:
            host = urlsplit(answer.endpoint).netloc
            good.setdefault(call.service, []).append(f"in {call.region}" if call.region else f"at {host}")
    for service, places in good.items():
        yield ok("endpoints", f"{service} {', '.join(dict.fromkeys(places))}: reached")


def unreachable(answers: Sequence[Answer]) -> Finding | None:
    """One line instead of many when nothing of AWS can be reached."""
    if not answers or any(reached(answer) for answer in answers):
        return None
    hosts = dict.fromkeys(urlsplit(answer.endpoint).netloc or answer.call.service for answer in answers)
    return bad("aws", f"cannot reach {', '.join(hosts)}: {answers[0].error}", REACH)


def seen(answers: Sequence[Answer], config: Config) -> Seen:
    """What the answers of the doors show of the stack."""
    ids: dict[tuple[Place, str], str] = {}
    networks: dict[str, str] = {}
    parameters: dict[tuple[Place, str], str] = {}
    for answer in answers:
        place = Place(answer.call.account, answer.call.region)
        for row in answer.data.get("Tags") or ():
            ids.setdefault((place, str(row["ResourceType"])), str(row["ResourceId"]))
        rows = answer.data.get("GlobalNetworks") or ()
        ours = [row for row in rows if {"Key": STACK_TAG, "Value": config.stack} in (row.get("Tags") or ())]
        for row in (*ours, *rows):
            networks.setdefault(place.account, str(row["GlobalNetworkId"]))
        if "Parameter" in answer.data:
            path = str(answer.call.parameters["Name"])
            parameters[place, path] = str(answer.data["Parameter"]["Value"])
    return Seen(ids=ids, networks=networks, parameters=parameters)


# ---------------------------------------------------------------------------------------------------------- rights


SIMULATE = "`aws iam simulate-principal-policy` may tell"
NOTHING_TAGGED = f"{NOTHING_YET}, and a policy that goes by tags refuses that"
UNTRUSTED = "it does not go to AWS's own EC2, which alone is trusted to change nothing in a dry run"
NOT_REACHED = "its endpoint was not reached"
UNSETTLED = "before it is settled who we are"


def not_entered(account: str) -> Finding:
    """That nobody has looked at rights in an account, since we are not known to be in it."""
    return unknown("rights", f"not looked at in {account} {UNSETTLED} there")


def within(rehearsals: Rehearsals, accounts: Container[str]) -> Rehearsals:
    """Those of some accounts."""
    calls = tuple(call for call in rehearsals.calls if call.account in accounts)
    untold = {key: why for key, why in rehearsals.untold.items() if key[0].account in accounts}
    return Rehearsals(calls=calls, untold=untold)


def safe(rehearsals: Rehearsals, doors: Sequence[Answer]) -> Rehearsals:
    """Those that may be tried: where somebody has answered who is known to keep what a dry run promises.

    Imitations of AWS are known to take some dry runs for the real thing, so that nothing is tried on one.
    """
    answered = {(d.call.service, Place(d.call.account, d.call.region)): d for d in doors}
    calls: list[Call] = []
    untold = dict(rehearsals.untold)
    for call in rehearsals.calls:
        place = Place(call.account, call.region)
        door = answered.get((call.service, place))
        if door is None or not reached(door):
            untold[place, str(call)] = NOT_REACHED
        elif not call.operation.startswith(READS) and not _honest(door):
            untold[place, str(call)] = UNTRUSTED
        else:
            calls.append(call)
    return Rehearsals(calls=tuple(calls), untold=untold)


def _honest(door: Answer) -> bool:
    host = urlsplit(door.endpoint).hostname or ""
    return host.endswith(AWS_HOSTS) or door.server == EC2_SERVER


def of_rights(answers: Sequence[Answer], untold: Mapping[tuple[Place, str], str]) -> Iterator[Finding]:
    """What we may and may not do, places of which the same is to be said together."""
    allowed: dict[Place, list[str]] = {}
    denied: dict[Place, list[str]] = {}
    unclear: dict[Place, dict[str, list[str]]] = {}
    for answer in answers:
        place, name = Place(answer.call.account, answer.call.region), str(answer.call)
        if answer.error is None or answer.code == "DryRunOperation":
            allowed.setdefault(place, []).append(name)
        elif answer.code in NOT_RIGHTS and not _about_nothing(answer.call):
            denied.setdefault(place, []).append(name)
        else:
            unclear.setdefault(place, {}).setdefault(_why(answer), []).append(name)
    for (place, name), why in untold.items():
        unclear.setdefault(place, {}).setdefault(why, []).append(name)
    for places, names in _alike(denied):
        yield bad(
            "rights",
            f"not allowed in {places}: {names}",
            "allow it (`reconciler iam-policy` prints what is needed), and look for a Deny of the organisation",
        )
    for places, names in _alike(allowed):
        yield ok("rights", f"allowed in {places}: {_counted(names)}")
    reasons = dict.fromkeys(why for found in unclear.values() for why in found)
    for why in reasons:
        some = {place: found[why] for place, found in unclear.items() if why in found}
        for places, names in _alike(some):
            yield unknown("rights", f"cannot be told in {places}: {names}: {why}", SIMULATE)


def _counted(names: str) -> str:
    """Which they are matters only where something is missing."""
    each = names.split(", ")
    services = dict.fromkeys(name.partition(":")[0] for name in each)
    return f"{len(each)} operation{'' if len(each) == 1 else 's'} of {', '.join(services)}"


def _about_nothing(call: Call) -> bool:
    """Whether it would change a thing that is not there: such a thing has no tags, whatever we may do to our own."""
    changes = not call.operation.startswith(READS) and "TagSpecifications" not in call.parameters
    return changes and FAKE in str(call.parameters)


def _why(answer: Answer) -> str:
    """No more than the code: the text of an answer may repeat what was sent."""
    if answer.code in NOT_RIGHTS:
        return NOTHING_TAGGED
    if isinstance(answer.error, Gone) and FAKE in str(answer.call.parameters):
        return NOTHING_YET
    if isinstance(answer.error, AwsError) and answer.error.code:
        return f"AWS answers {answer.error.code}"
    return "the dry run could not be made"


def _alike(by_place: Mapping[Place, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Places and names in words; places with the same names are one."""
    together: dict[str, list[Place]] = {}
    for place, names in by_place.items():
        together.setdefault(", ".join(dict.fromkeys(names)), []).append(place)
    for names, places in together.items():
        by_account: dict[str, list[str]] = {}
        for place in places:
            by_account.setdefault(place.account, []).append(place.region or "the global region")
        yield (
            "; ".join(f"{', '.join(regions)} of {account}" for account, regions in by_account.items()),
            names,
        )
