"""Flow logs: what cannot be made is told in a good answer, item by item.

Sources: EC2 API reference, CreateFlowLogs (`Unsuccessful`), DeleteFlowLogs; the text about roles is the one that
terraform-provider-aws waits for, and so is the `:*` that a log group's ARN ends with elsewhere, and not here.
Called by `answers.py`.
"""

from __future__ import annotations

from typing import Any

from ..errors import AwsError
from ..request import Answer, Request


def create(request: Request, backend: Any) -> Answer:
    """CreateFlowLogs, of each resource by itself."""
    from moto.iam.models import iam_backends

    given = dict(request.parameters)
    role = given.get("DeliverLogsPermissionArn")
    if role and role not in {
        one.arn for one in iam_backends[request.account][request.partition].roles.values()
    }:
        raise AwsError("InvalidParameter", f"Unable to assume given IAM role {role}")
    if given.get("LogDestination"):
        given["LogDestination"] = str(given["LogDestination"]).removesuffix(":*")
    made: list[str] = []
    failed: list[dict[str, Any]] = []
    for id in given.pop("ResourceIds", None) or ():
        try:
            answer = request.ask_moto({**given, "ResourceIds": [id]})
        except AwsError as error:
            if error.code != "FlowLogAlreadyExists":
                raise
            failed.append({"ResourceId": id, "Error": {"Code": error.code, "Message": error.message}})
        else:
            made += answer.get("FlowLogIds") or []
            failed += answer.get("Unsuccessful") or []
    return {"FlowLogIds": made, "Unsuccessful": failed}


def delete(request: Request, backend: Any) -> Answer:
    """DeleteFlowLogs; what is not there is told item by item."""
    failed = []
    for id in request.parameters.get("FlowLogIds") or ():
        if backend.flow_logs.pop(id, None) is None:
            message = f"The flow log '{id}' does not exist"
            error = {"Code": "InvalidFlowLogId.NotFound", "Message": message}
            failed.append({"ResourceId": id, "Error": error})
        backend.tags.pop(id, None)
    return {"Unsuccessful": failed}
