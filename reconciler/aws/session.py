"""Credentials, accounts and clients: one boto3 session per account, one client per service and region, shared.

Made once by `cli`; `gateway` asks it for clients.
"""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
import botocore.session
from botocore.config import Config as ClientConfig
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, IncompleteReadError

from reconciler import __version__
from reconciler.aws.codes import SDK_ERRORS, meaning
from reconciler.aws.decoding import ParserFactory, Rows
from reconciler.aws.schema import models, with_shared_models
from reconciler.aws.traffic import Traffic
from reconciler.errors import AwsError, Denied, Lost, NoCredentials, Refused, WrongAccount
from reconciler.log import get_logger
from reconciler.model.config import Account
from reconciler.model.service import SERVICES

ATTEMPTS = 3
CONNECT_SECONDS, READ_SECONDS = 5, 30
QUICK_SECONDS = 2
"""How long those wait for a connection, and for an answer, who are better off without one than waiting."""
CONNECTIONS = 32
RENEWING_SECONDS = 15 * 60
"""From when on before their end botocore tries to renew credentials; from ten minutes on it does not go on without."""
FEDERATED_NAME, FEDERATED_SECONDS = 32, 3600
"""Letters of a federated user's name at most; how long its keys last."""
SESSION_NAME = 64
"""Letters of a role session's name at most, out of [\\w+=,.@-].

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""


@dataclass(frozen=True, kw_only=True)
class ReadOnly:
    """That nothing may be changed, by AWS's own hand: the session policy of each account, by its id.

    `role` is the role to take on in our own account, whose credentials AWS may have no way to narrow; "" for none.
    """

    policies: Mapping[str, str]
    role: str = ""


class Sessions:
    """Clients for every account of a config.  Making one is not thread-safe and happens under a lock; using one is.

    `profile` and `endpoint_url` mean what they mean to the AWS CLI.  `region` is the config's default region, used
    to find the partition and for calls that have no region of their own.  While `stopping` gives true, no attempt
    after the first is sent.  `pass_id` gives the id of the pass that the calling thread works for, "" outside of any;
    it reaches CloudTrail in each request.  `clock` is monotonic, in seconds.  With `read_only` every request but those
    to STS is made with credentials that cannot do more than it allows.
    """

    def __init__(
        self,
        *,
        account: str,
        accounts: Mapping[str, Account],
        region: str,
        stack: str,
        profile: str | None = None,
        endpoint_url: str | None = None,
        stopping: Callable[[], bool] = lambda: False,
        pass_id: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.monotonic,
        read_only: ReadOnly | None = None,
    ) -> None:
        self.account = account
        self._read_only = read_only
        self.traffic = Traffic(stopping=stopping, pass_id=pass_id, clock=clock)
        self._accounts = {other.id: other for other in accounts.values()}
        self._endpoint_url, self._stack, self._profile, self._pass_id = endpoint_url, stack, profile, pass_id
        self._lock = threading.RLock()
        self.rows = Rows()
        """The rows of EC2's answers that are decoded already."""
        self._clients: dict[tuple[str, str, str, bool, bool], Any] = {}
        self._known: dict[str, tuple[str, str]] = {}
        self._expiring: dict[str, str] = {}
        try:
            self._main = boto3.Session(botocore_session=_botocore_session(profile, self.rows))
        except BotoCoreError as error:
            raise NoCredentials(f"{error}; see `aws configure list-profiles`") from error
        self._sessions = {} if read_only else {account: self._main}
        try:
            self.partition = self._main.get_partition_for_region(region) if region else "aws"
        except BotoCoreError as error:
            raise Refused(f"{error}; choose a region that AWS has") from error
        self.region = region or SERVICES["networkmanager"].homes["aws"]

    def home_of(self, service: str) -> str:
        """The region of a service's one endpoint in the partition; the default region where each has its own."""
        homes = SERVICES[service].homes if service in SERVICES else {}
        return homes.get(self.partition) or self.region

    def client(
        self, account: str, service: str, region: str = "", *, retries: bool = True, quick: bool = False
    ) -> Any:
        """The client of a service in a region of an account.

        `retries=False` sends each request exactly once; `quick` waits for an answer only for `QUICK_SECONDS`.
        """
        where = region or self.home_of(service)
        key = (account, service, where, retries, quick)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(account, service, where, retries, quick)
            return self._clients[key]

    def _make(self, account: str, service: str, region: str, retries: bool, quick: bool) -> Any:
        session: Any = self._session(account)  # the stubs know the services' names only as literals
        attempts = ATTEMPTS if retries else 1
        try:
            client = session.client(
                service,
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=_client_config(attempts, quick),
            )
        except BotoCoreError:
            raise
        except ValueError as error:  # what botocore says of an endpoint that is no URL
            raise Refused(f"{error}; correct --endpoint-url, or AWS_ENDPOINT_URL") from error
        refuse_cut_answers(client, attempts)
        self.traffic.watch(client, account)
        return client

    def _session(self, account: str) -> boto3.Session:
        with self._lock:
            if account not in self._sessions:
                self._sessions[account] = self._other(account)
            return self._sessions[account]

    def _other(self, account: str) -> boto3.Session:
        """A session with other credentials than our own: those of a role, or our own with less rights."""
        source = self._main.get_credentials()
        if source is None:
            raise NoCredentials(NOBODY)
        role = self._accounts.get(account)
        if account == self.account and self._read_only:
            role = Account(name="", id=account, role=self._read_only.role) if self._read_only.role else None
            if role is None and source.get_frozen_credentials().token:
                raise NoCredentials(f"--read-only: the credentials ({source.method}) {TEMPORARY}")
        if role is None:
            return self._renewing("federation", partial(self._federated, account))
        return self._renewing("assume-role", partial(self._assumed, role, source))

    def _renewing(self, method: str, fetch: Callable[[], dict[str, Any]]) -> boto3.Session:
        """A session whose credentials renew themselves for as long as the process lives."""
        session = _botocore_session(self._profile, self.rows)
        session._credentials = DeferredRefreshableCredentials(  # botocore has no public way to set these
            method=method, refresh_using=fetch
        )
        return boto3.Session(botocore_session=session)

    def _assumed(self, account: Account, source: Any) -> dict[str, Any]:
        """New credentials of a role, whose session is named after the pass that needs them."""
        arguments = {"RoleSessionName": session_name(self._stack, self._pass_id())}
        if account.external_id:
            arguments["ExternalId"] = account.external_id
        if self._read_only:
            arguments["Policy"] = self._read_only.policies[account.id]
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._sts_client,
            source_credentials=source,
            role_arn=account.role,
            extra_args=arguments,
        )
        found: dict[str, Any] = fetcher.fetch_credentials()
        return found

    def _federated(self, account: str) -> dict[str, Any]:
        """Our own keys with less rights.  A user's keys alone can ask for them, and they assume no role.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"""
        assert self._read_only is not None
        name = session_name(self._stack, self._pass_id())[:FEDERATED_NAME]
        try:
            found = self._sts_client("sts").get_federation_token(
                Name=name, Policy=self._read_only.policies[account], DurationSeconds=FEDERATED_SECONDS
            )["Credentials"]
        except SDK_ERRORS as error:
            told = meaning(error, call="sts:GetFederationToken")
            if isinstance(told, Denied):
                raise NoCredentials(f"--read-only: {told}; allow it to the user, or say {BY_ROLE}") from error
            raise
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"],
        }

    def _sts_client(self, service: str, **credentials: Any) -> Any:
        main: Any = self._main
        with self._lock:
            client = main.client(
                service,
                region_name=self.region,
                endpoint_url=self._endpoint_url,
                config=_client_config(ATTEMPTS),
                **credentials,
            )
        self.traffic.watch(client, self.account)
        return client

    # ---- who we are

    def verify(self) -> dict[str, AwsError]:
        """Make sure that in every account we are who the config says; WrongAccount or NoCredentials when not.

        STS is asked once for each set of credentials; the answer is remembered with the access key it belongs to.
        AwsError when STS cannot say who we are in our own account; the others of which that holds are given back,
        with the reason: nothing can be done in these, as where the role may not be assumed.
        """
        closed: dict[str, AwsError] = {}
        for account in (self.account, *sorted(self._accounts.keys() - {self.account})):
            try:
                found = self._identity(account)
            except AwsError as error:
                if account == self.account:
                    raise
                closed[account] = error
                continue
            if found == account:
                continue
            if account == self.account:
                raise WrongAccount(
                    f"the credentials belong to account {found} and the config says {account}: "
                    "nothing was done; choose other credentials (--profile) or correct `account:`"
                )
            raise WrongAccount(
                f"the role {self._accounts[account].role} leads to account {found} and the config says {account}: "
                "nothing was done; correct `accounts:`"
            )
        return closed

    def renew(self, account: str) -> bool:
        """Give up credentials that AWS does not take any more; whether others can be had, without a new process."""
        with self._lock:
            if self._sessions.get(account, self._main) is self._main:
                return False
            del self._sessions[account]
            self._clients = {key: client for key, client in self._clients.items() if key[0] != account}
        return True

    def _identity(self, account: str) -> str:
        """The account that the credentials for `account` belong to."""
        asked = "GetCallerIdentity" if account == self.account else "AssumeRole"
        try:
            credentials: Any = self._session(account).get_credentials()
            if credentials is None:
                raise NoCredentials(NOBODY)
            key = str(credentials.get_frozen_credentials().access_key)
            asked = "GetCallerIdentity"
            before, found = self._known.get(account, ("", ""))
            if before == key:
                self._note_end(account, key, credentials)
                return found
            with self.traffic.making("sts:GetCallerIdentity"):
                answer = self.client(account, "sts").get_caller_identity()
        except SDK_ERRORS as error:
            call = f"sts:{getattr(error, 'operation_name', asked)}"
            told = meaning(error, call=call)
            if account != self.account:
                mend = f"; {LET_US_IN}" if isinstance(told, Denied) else ""
                why = f"the role {self._accounts[account].role} cannot be used: {told}{mend}"
                raise type(told)(why, code=told.code, call=told.call, request_id=told.request_id) from error
            if isinstance(told, Denied):
                raise NoCredentials(f"AWS does not accept the credentials: {told}; {RENEW}") from error
            raise told from error
        if "Account" not in answer:
            name = "sts:GetCallerIdentity"
            raise Lost(f"{name}: the answer has no Account", code="IncompleteAnswer", call=name)
        found = str(answer["Account"])
        self._known[account] = (key, found)
        log = get_logger().bind(account=found, stack=self._stack)  # it may be asked outside of any pass
        if before:
            log.info("credentials.refreshed")
        if found == account:
            log.debug("identity.verified")  # every run says so: no news, unlike its opposite
        return found

    def _note_end(self, account: str, key: str, credentials: Any) -> None:
        """Say once of a key that it ends soon.  It was asked for just now, so that renewing it was tried."""
        ends_within = getattr(credentials, "refresh_needed", None)  # those for ever have no such method
        if ends_within is None or not ends_within(RENEWING_SECONDS) or self._expiring.get(account) == key:
            return
        self._expiring[account] = key
        left = bisect_left(range(RENEWING_SECONDS), True, key=ends_within)  # all that botocore answers of it
        get_logger().warning("credentials.expiring", account=account, expires_in_s=left, stack=self._stack)


def partition_of(region: str) -> str:
    """The partition that a region belongs to; that of the whole world where no region is known."""
    try:
        return str(models().get_partition_for_region(region)) if region else "aws"
    except BotoCoreError:
        return "aws"


BY_ROLE = "--assume-role ARN, a role that they may assume"
TEMPORARY = f"are temporary ones, and AWS has no way to take rights from them: say {BY_ROLE}"
RENEW = "renew them (`aws sso login`, `aws login`), or choose others (--profile)"
LET_US_IN = "let us assume it (its trust policy, our sts:AssumeRole)"
NOBODY = "there are no AWS credentials: set them as for the AWS CLI, or say --profile"


def session_name(stack: str, pass_id: str) -> str:
    """The name of a role session: `reconciler-<stack>-<pass>`, of which a long stack loses its end."""
    tail = f"-{pass_id}"[: SESSION_NAME // 2 + 8] if pass_id else ""
    name = f"reconciler-{stack}"[: SESSION_NAME - len(tail)] + tail
    return re.sub(r"[^\w+=,.@-]", "-", name, flags=re.ASCII)


def _client_config(attempts: int, quick: bool = False) -> ClientConfig:
    return ClientConfig(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=QUICK_SECONDS if quick else CONNECT_SECONDS,
        read_timeout=QUICK_SECONDS if quick else READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        user_agent_extra=f"reconciler/{__version__}",
    )


def _botocore_session(profile: str | None, rows: Rows) -> Any:
    """A botocore session with parsers of our own, which share the rows that they know."""
    session = with_shared_models(botocore.session.Session(profile=profile))
    session.register_component("response_parser_factory", ParserFactory(rows))
    return session


def refuse_cut_answers(client: Any, attempts: int) -> None:
    """Make a client notice answers that were cut off on the way.

    botocore reads a body that is shorter than its Content-Length without a word, and its JSON parser turns what is
    left into an answer without members: "no sites" where there are many.
    """

    def blank(response_dict: dict[str, Any], **_: Any) -> None:
        """No parser gets to see half an answer: it might fail in its own way, before the others here are asked."""
        if _is_short(response_dict["headers"], response_dict["status_code"], response_dict["body"]):
            response_dict.update(status_code=500, body=b"")

    def again(response: Any = None, attempts: int = 1, **_: Any) -> float | None:
        return 0.05 if response is not None and attempts < most and _short(response[0]) else None

    def check(http_response: Any, **_: Any) -> None:
        if _short(http_response):
            length = int(http_response.headers["content-length"])
            raise IncompleteReadError(actual_bytes=len(http_response.content), expected_bytes=length)

    most = attempts
    client.meta.events.register_first("before-parse", blank)
    client.meta.events.register_first("needs-retry", again)
    client.meta.events.register("after-call", check)


def _short(response: Any) -> bool:
    return _is_short(response.headers, response.status_code, response.content)


def _is_short(headers: Any, status: int, body: bytes) -> bool:
    length = headers.get("content-length")
    return length is not None and status != 204 and len(body) < int(length)
