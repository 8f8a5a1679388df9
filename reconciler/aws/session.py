"""Credentials, accounts and clients: one boto3 session per account, one client per service and region, shared.

Made once by `cli`; `gateway` asks it for clients.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config as ClientConfig
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, IncompleteReadError

from reconciler import __version__
from reconciler.aws.codes import SDK_ERRORS, meaning
from reconciler.aws.schema import with_shared_models
from reconciler.errors import Denied, IdentityError, Refused
from reconciler.model.config import Account

HOME = {"aws": "us-west-2", "aws-us-gov": "us-gov-west-1"}
"""Where the one endpoint of Network Manager is, by partition; elsewhere it is in each region.

https://docs.aws.amazon.com/general/latest/gr/networkmanager.html"""
ATTEMPTS = 3
CONNECT_SECONDS, READ_SECONDS = 5, 30
CONNECTIONS = 32


class Sessions:
    """Clients for every account of a config.  Making one is not thread-safe and happens under a lock; using one is.

    `profile` and `endpoint_url` mean what they mean to the AWS CLI.  `region` is the config's default region, used
    to find the partition and for calls that have no region of their own.
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
    ) -> None:
        self.account = account
        self._accounts = {other.id: other for other in accounts.values()}
        self._endpoint_url, self._stack, self._profile = endpoint_url, stack, profile
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str, str, bool], Any] = {}
        self._known: dict[str, tuple[str, str]] = {}
        try:
            self._main = boto3.Session(botocore_session=_botocore_session(profile))
        except BotoCoreError as error:
            raise IdentityError(f"{error}; see `aws configure list-profiles`") from error
        self._sessions = {account: self._main}
        try:
            self.partition = self._main.get_partition_for_region(region) if region else "aws"
        except BotoCoreError as error:
            raise Refused(f"{error}; choose a region that AWS has") from error
        self.home = HOME.get(self.partition, region)
        """The region of services that have one endpoint in the partition."""
        self.region = region or self.home

    def client(self, account: str, service: str, region: str = "", *, retries: bool = True) -> Any:
        """The client of a service in a region of an account; `retries=False` sends each request exactly once."""
        where = region or (self.home if service == "networkmanager" else self.region)
        key = (account, service, where, retries)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(account, service, where, retries)
            return self._clients[key]

    def _make(self, account: str, service: str, region: str, retries: bool) -> Any:
        session: Any = self._session(account)  # the stubs know the services' names only as literals
        try:
            client = session.client(
                service,
                region_name=region,
                endpoint_url=self._endpoint_url,
                config=_client_config(ATTEMPTS if retries else 1),
            )
        except BotoCoreError:
            raise
        except ValueError as error:  # what botocore says of an endpoint that is no URL
            raise Refused(f"{error}; correct --endpoint-url, or AWS_ENDPOINT_URL") from error
        refuse_cut_answers(client, ATTEMPTS if retries else 1)
        return client

    def _session(self, account: str) -> boto3.Session:
        with self._lock:
            if account not in self._sessions:
                self._sessions[account] = self._assume(self._accounts[account])
            return self._sessions[account]

    def _assume(self, account: Account) -> boto3.Session:
        """A session in another account whose credentials renew themselves for as long as the process lives."""
        source = self._main.get_credentials()
        if source is None:
            raise IdentityError(NOBODY)
        session = _botocore_session(self._profile)
        arguments = {"RoleSessionName": f"reconciler-{self._stack}"[:64]}
        if account.external_id:
            arguments["ExternalId"] = account.external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._sts_client,
            source_credentials=source,
            role_arn=account.role,
            extra_args=arguments,
        )
        session._credentials = DeferredRefreshableCredentials(  # botocore has no public way to set these
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return boto3.Session(botocore_session=session)

    def _sts_client(self, service: str, **credentials: Any) -> Any:
        main: Any = self._main
        with self._lock:
            return main.client(
                service,
                region_name=self.region,
                endpoint_url=self._endpoint_url,
                config=_client_config(ATTEMPTS),
                **credentials,
            )

    def verify(self) -> None:
        """Make sure that in every account we are who the config says; IdentityError when not.

        STS is asked once for each set of credentials; the answer is remembered with the access key it belongs to.
        AwsError when STS cannot say.
        """
        for account in (self.account, *sorted(self._accounts.keys() - {self.account})):
            found = self._identity(account)
            if found == account:
                continue
            if account == self.account:
                raise IdentityError(
                    f"the credentials belong to account {found} and the config says {account}: "
                    "nothing was done; choose other credentials (--profile) or correct `account:`"
                )
            raise IdentityError(
                f"the role {self._accounts[account].role} leads to account {found} and the config says {account}: "
                "nothing was done; correct `accounts:`"
            )

    def _identity(self, account: str) -> str:
        """The account that the credentials for `account` belong to."""
        try:
            credentials = self._session(account).get_credentials()
            if credentials is None:
                raise IdentityError(NOBODY)
            key = str(credentials.get_frozen_credentials().access_key)
            if account not in self._known or self._known[account][0] != key:
                answer = self.client(account, "sts").get_caller_identity()
                self._known[account] = (key, str(answer["Account"]))
            return self._known[account][1]
        except SDK_ERRORS as error:
            call = f"sts:{getattr(error, 'operation_name', 'GetCallerIdentity')}"
            found = meaning(error, call=call)
            if isinstance(found, Denied):
                raise IdentityError(
                    f"AWS does not accept the credentials: {found}; renew them (`aws sso login`, `aws login`), "
                    "or choose others (--profile)"
                ) from error
            raise found from error


NOBODY = "there are no AWS credentials: set them as for the AWS CLI, or say --profile"


def _client_config(attempts: int) -> ClientConfig:
    return ClientConfig(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        user_agent_extra=f"reconciler/{__version__}",
    )


def _botocore_session(profile: str | None) -> Any:
    """A botocore session that does not parse timestamps: nothing here looks at one, and it is half of the decoding."""
    session = with_shared_models(botocore.session.Session(profile=profile))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=lambda value: value)
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
