"""Where a lease is written down: one item for each stack in a table of DynamoDB.  Used by `lease`.

Every write is on condition of what stands there, so that of two writers one fails.  Reads are consistent ones.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from reconciler.aws.codes import SDK_ERRORS, meaning
from reconciler.aws.session import Sessions
from reconciler.errors import AwsError, Denied, Gone, Refused

TAKEN = "ConditionalCheckFailedException"


@dataclass(frozen=True, kw_only=True)
class Record:
    """Who holds a stack.

    `holder` is one process, "" when it has given the lease back; `host`, `pid` and `since` (UTC) are for people, and
    nobody calculates with them.  `fence` rises with every change of the holder, `beat` changes with every renewal;
    `seconds` is how long a record must stand unchanged before another may take it.
    """

    holder: str
    host: str
    pid: int
    since: str
    fence: int
    beat: int
    seconds: float

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}"


class Table:
    """The item of one stack.  AwsError, with what to do, when DynamoDB does not do what it is asked for.

    `name` and `region` are the table's; it belongs to the account of the config.
    """

    def __init__(self, sessions: Sessions, *, name: str, region: str, stack: str) -> None:
        self._sessions, self.name, self.region, self.stack = sessions, name, region, stack

    def read(self) -> Record | None:
        """What stands there now; None when nobody has held the stack yet."""
        with self._told("GetItem") as client:
            answer = client.get_item(
                TableName=self.name, Key={"stack": {"S": self.stack}}, ConsistentRead=True
            )
        return self._record(answer["Item"]) if "Item" in answer else None

    def write(self, record: Record, *, over: Record | None, renewed: bool = False) -> bool:
        """Write `record` if `over` still stands there (None: nothing); False when something else does.

        `renewed`: another beat of `over` will do as well.  When there is no answer it may have been written.
        """
        names, values = {"#stack": "stack"}, {}
        condition = "attribute_not_exists(#stack)"
        if over is not None:
            parts = ["holder", "fence"] if renewed else ["holder", "fence", "beat"]
            names = {f"#{part}": part for part in parts}
            values = {f":{part}": value for part, value in _item(over).items() if part in parts}
            condition = " AND ".join(f"#{part} = :{part}" for part in parts)
        more = {"ExpressionAttributeValues": values} if values else {}
        with self._told("PutItem") as client:
            try:
                client.put_item(
                    TableName=self.name,
                    Item={"stack": {"S": self.stack}, **_item(record)},
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    **more,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != TAKEN:
                    raise
                return False
        return True

    def _record(self, item: Mapping[str, Mapping[str, str]]) -> Record:
        try:
            return Record(
                holder=item["holder"]["S"],
                host=item["host"]["S"],
                pid=int(item["pid"]["N"]),
                since=item["since"]["S"],
                fence=int(item["fence"]["N"]),
                beat=int(item["beat"]["N"]),
                seconds=float(item["seconds"]["N"]),
            )
        except (KeyError, ValueError) as error:
            key = shlex.quote(json.dumps({"stack": {"S": self.stack}}))
            raise Refused(
                f"the item {self.stack} of the DynamoDB table {self.name} is no lease of this program; once nobody "
                f"works on the stack: aws dynamodb delete-item {self._where} --key {key}",
                call="dynamodb:GetItem",
            ) from error

    @property
    def _where(self) -> str:
        return f"--region {self.region} --table-name {shlex.quote(self.name)}"

    @contextmanager
    def _told(self, operation: str) -> Iterator[Any]:
        """A client, and its errors in our words.  It asks once and waits briefly: a late lease is no lease."""
        try:
            yield self._sessions.client(
                self._sessions.account, "dynamodb", self.region, retries=False, quick=True
            )
        except SDK_ERRORS as error:
            raise self._advised(meaning(error, call=f"dynamodb:{operation}")) from error

    def _advised(self, error: AwsError) -> AwsError:
        """The same error, with what helps where a person has to do something."""
        make = (
            f"aws dynamodb create-table {self._where} --billing-mode PAY_PER_REQUEST "
            "--attribute-definitions AttributeName=stack,AttributeType=S "
            "--key-schema AttributeName=stack,KeyType=HASH"
        )
        about: dict[str, Any] = {"code": error.code, "call": error.call, "request_id": error.request_id}
        if isinstance(error, Gone):
            return Refused(
                f"{error.call}: there is no DynamoDB table {self.name} in {self.region} for the lease, or it is not "
                f"ready yet; make it: {make}",
                **about,
            )
        if error.code == "ValidationException":
            return Refused(f"{error}; the table of a lease is made like this: {make}", **about)
        if isinstance(error, Denied):
            return Denied(
                f"{error}; the lease needs dynamodb:GetItem and dynamodb:PutItem on table/{self.name}",
                **about,
            )
        return error


def _item(record: Record) -> dict[str, dict[str, str]]:
    return {
        "holder": {"S": record.holder},
        "host": {"S": record.host},
        "pid": {"N": str(record.pid)},
        "since": {"S": record.since},
        "fence": {"N": str(record.fence)},
        "beat": {"N": str(record.beat)},
        "seconds": {"N": str(record.seconds)},
    }
