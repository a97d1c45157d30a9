"""moto's server with IAM's rules whole: run as `python -m tests.aws.strict PORT`.

moto checks signatures and enforces identity policies, but it looks neither at conditions nor at boundaries, takes most
requests to be about every resource, and knows no user's sessions. Those parts are put in here, and the few calls that
moto has not and the provider needs.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam import access_control
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import main
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.ssoadmin.models import ssoadmin_backends
from moto.sts.responses import TokenResponse

from tests.aws import strict_sso
from tests.aws.evaluation import allowed

ACCOUNT = "123456789012"
# Boundaries by user, and who a session's key belongs to: (user, secret key, token).
BOUNDARIES: dict[str, str] = {}
SESSIONS: dict[str, tuple[str, str, str]] = {}
# What anybody with a key may.
FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
# Open Session Manager sessions: owner by id.
SHELLS: dict[str, str] = {}


def ahead() -> float:
    """Return how many seconds a test has put the clock ahead."""
    return float(Path(os.environ["STRICT_CLOCK"]).read_text() or 0)


def backend() -> Any:
    """Return moto's IAM."""
    return iam_backends[ACCOUNT]["aws"]


class SessionKey(access_control.IAMUserAccessKey):
    """The key of a user's temporary session: what the user may at each moment, the session may."""

    def __init__(self, access_key_id: str, headers: Any) -> None:
        user, secret, token = SESSIONS[access_key_id]
        if headers.get("X-Amz-Security-Token") != token or user not in backend().users:
            raise access_control.CreateAccessKeyFailure(reason="InvalidToken")
        self.account_id, self.partition = ACCOUNT, "aws"
        self._owner_user_name, self._access_key_id, self._secret_access_key = user, access_key_id, secret
        self._token = token

    def create_credentials(self) -> Any:
        return access_control.Credentials(self._access_key_id, self._secret_access_key, self._token)


_create_access_key = access_control.create_access_key


def create_access_key(account_id: str, partition: str, access_key_id: str, headers: Any) -> Any:
    """Return a key of a user, of a user's session, or of a role's."""
    if access_key_id in SESSIONS:
        return SessionKey(access_key_id, headers)
    return _create_access_key(account_id, partition, access_key_id, headers)


def check_action_permitted(self: Any, resource: str) -> None:
    """Refuse what IAM would refuse."""
    action = self._action = re.sub(r"^tagging:", "tag:", self._action)
    if action == "s3:ListBucket" and "?encryption" in self._path:
        action = self._action = "s3:GetEncryptionConfiguration"
    if action in FREE:
        return
    boundary, context = None, {"aws:CurrentTime": datetime.fromtimestamp(time.time() + ahead(), UTC).isoformat()}
    owner = getattr(self._access_key, "_owner_user_name", "")
    if owner:
        context |= {"aws:username": owner}
        if owner in BOUNDARIES:
            boundary = _document(backend().get_policy(BOUNDARIES[owner]))
    policies = [_document(one) for one in self._access_key.collect_policies()]
    for what, where, more in _requests(self, action, resource):
        if not allowed(policies, boundary, what, where, context | more):
            sys.stderr.write(f"refused: {what} on {where}\n")
            self._action = what
            self._raise_access_denied()


def _document(policy: Any) -> dict[str, Any]:
    """Return a policy, of whichever of moto's kinds, as a document."""
    return dict(access_control.IAMPolicy(policy)._policy_json)


def _requests(request: Any, action: str, resource: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return what has to be allowed for a request: action, resource, and what conditions may ask for."""
    service, _, name = action.partition(":")
    values = _values(request)
    region = request._region
    if service == "s3":
        return [(action, resource, {}), *_key_of_bucket(name, resource, region)]
    if service == "iam":
        return [(action, _iam(name, values), _iam_context(name, values))]
    if service == "sts" and name == "AssumeRole":
        role = backend().get_role_by_arn(values["RoleArn"])
        tags = {tag["Key"]: tag["Value"] for tag in backend().list_role_tags(role.name, None)[0]}
        return [(action, values["RoleArn"], _tags(tags))]
    prefix = f"arn:aws:{service}:{region}:{ACCOUNT}:"
    if service == "sso" and name in ("CreateAccountAssignment", "DeleteAccountAssignment"):
        return strict_sso.requests(name, values, ssoadmin_backends[ACCOUNT][region])
    if service == "dynamodb" and "TableName" in values:
        return [(action, f"{prefix}table/{values['TableName']}", {})]
    if service == "secretsmanager" and "SecretId" in values:
        return [(action, *_secret(values["SecretId"], region))]
    if service == "ecr" and "repositoryName" in values:
        return [(action, f"{prefix}repository/{values['repositoryName']}", {})]
    if service == "ssm" and name == "StartSession":
        shell = f"arn:aws:ssm:{region}:{ACCOUNT}:document/SSM-SessionManagerRunShell"
        return [(action, f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{values['Target']}", {}), (action, shell, {})]
    if service == "ssm" and name == "TerminateSession":
        return [(action, f"{prefix}session/{values['SessionId']}", {})]
    found = {
        "sns": values.get("TopicArn"),
        "sqs": resource if resource != "*" else None,
        "ec2": f"{prefix}instance/{values.get('InstanceId.1')}" if name.endswith("Instances") else None,
    }.get(service)
    return [(action, found if found and not name.startswith(("List", "Describe")) else "*", {})]


def _values(request: Any) -> dict[str, Any]:
    """Return the parameters of a request, whichever way they came."""
    found = {key: value[0] if isinstance(value, list) and value else value for key, value in request._data.items()}
    body = request._body
    if isinstance(body, bytes | str) and body[:1] in (b"{", "{"):
        found |= json.loads(body)
    return found


def _iam(name: str, values: dict[str, Any]) -> str:
    """Return the resource of an IAM call; those that list or only read are about all of them here."""
    iam, prefix = backend(), f"arn:aws:iam::{ACCOUNT}:"
    if name.startswith("List"):
        return "*"
    if name in ("AddUserToGroup", "RemoveUserFromGroup"):
        group = iam.groups.get(values["GroupName"])
        return str(group.arn) if group is not None else f"{prefix}group/{values['GroupName']}"
    if "UserName" in values:
        user = iam.users.get(values["UserName"])
        if user is not None and name != "CreateUser":
            return str(user.arn)
        return f"{prefix}user{values.get('Path', '/')}{values['UserName']}"
    if "RoleName" in values:
        role = next((one for one in iam.roles.values() if one.name == values["RoleName"]), None)
        return str(role.arn) if role is not None else f"{prefix}role/{values['RoleName']}"
    if "PolicyArn" in values:
        return str(values["PolicyArn"])
    if "PolicyName" in values:
        return f"{prefix}policy{values.get('Path', '/')}{values['PolicyName']}"
    return "*"


def _iam_context(name: str, values: dict[str, Any]) -> dict[str, str]:
    """Return what conditions on an IAM call may ask for."""
    boundary = values.get("PermissionsBoundary") or BOUNDARIES.get(values.get("UserName", ""), "")
    found = {"iam:PermissionsBoundary": boundary} if boundary else {}
    return found | ({"iam:PolicyARN": values["PolicyArn"]} if "PolicyArn" in values else {})


def _key_of_bucket(name: str, resource: str, region: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return what the encryption of a bucket asks for beside the call itself."""
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    needed = {"PutObject": "kms:GenerateDataKey", "GetObject": "kms:Decrypt"}.get(name)
    found = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
    if not needed or not key or found is None or not found.encryption:
        return []
    rule = found.encryption["Rule"]
    way = (rule[0] if isinstance(rule, list) else rule)["ApplyServerSideEncryptionByDefault"]
    arn = way.get("KMSMasterKeyID")
    return [(needed, arn, {"kms:ViaService": f"s3.{region}.amazonaws.com"})] if arn else []


def _secret(id_: str, region: str) -> tuple[str, dict[str, str]]:
    """Return the ARN of a secret and its tags."""
    secret = secretsmanager_backends[ACCOUNT][region].secrets.get(id_)
    if secret is None:
        return id_, {}
    return secret.arn, _tags({tag["Key"]: tag["Value"] for tag in secret.tags or ()})


def _tags(tags: dict[str, str]) -> dict[str, str]:
    """Return tags as conditions ask for them."""
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def create_user(self: Any) -> Any:
    """Make a user, and remember the boundary that moto forgets. The tag `age` makes it so many seconds old."""
    answer = _create_user(self)
    for tag in self._get_param("Tags", []):
        if tag["Key"] == "age":
            backend().get_user(self._get_param("UserName")).create_date -= timedelta(seconds=float(tag["Value"]))
    if boundary := self._get_param("PermissionsBoundary"):
        BOUNDARIES[self._get_param("UserName")] = boundary
    return answer


def delete_user(self: Any) -> Any:
    """Delete a user with its boundary; like AWS, only when nothing is left of it."""
    name = self._get_param("UserName")
    user = backend().get_user(name)
    if user.policies or user.access_keys or user.managed_policies or backend().get_groups_for_user(name):
        raise DeleteConflictException("Cannot delete entity, must remove all subordinate entities first.")
    answer = _delete_user(self)
    BOUNDARIES.pop(name, None)
    return answer


def put_user_permissions_boundary(self: Any) -> Any:
    """Set a boundary."""
    BOUNDARIES[self._get_param("UserName")] = self._get_param("PermissionsBoundary")
    return EmptyResult()


def delete_user_permissions_boundary(self: Any) -> Any:
    """Take a boundary away."""
    BOUNDARIES.pop(self._get_param("UserName"), None)
    return EmptyResult()


def get_session_token(self: Any) -> Any:
    """Give the caller a session of its own, where moto gives everybody the same."""
    key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
    owner = backend().get_user_from_access_key_id(key)
    id_, secret, token = "AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20), secrets.token_hex(32)
    SESSIONS[id_] = (owner.name, secret, token)
    ends = datetime.fromtimestamp(datetime.now(UTC).timestamp() + 3600, UTC)
    return ActionResult(
        {"Credentials": {"AccessKeyId": id_, "SecretAccessKey": secret, "SessionToken": token, "Expiration": ends}}
    )


def start_session(self: Any) -> str:
    """Open a shell on an instance."""
    key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
    owner = backend().get_user_from_access_key_id(key)
    id_ = f"{owner.name}-{secrets.token_hex(8)}"
    SHELLS[id_] = owner.arn
    return json.dumps({"SessionId": id_, "TokenValue": "token", "StreamUrl": "wss://127.0.0.1/"})


def describe_sessions(self: Any) -> str:
    """List the open shells of an owner."""
    owners = {one["value"] for one in self._get_param("Filters") or () if one["key"] == "Owner"}
    found = [{"SessionId": id_, "Owner": owner} for id_, owner in SHELLS.items() if not owners or owner in owners]
    return json.dumps({"Sessions": found})


def terminate_session(self: Any) -> str:
    """Shut a shell."""
    SHELLS.pop(self._get_param("SessionId"), None)
    return json.dumps({"SessionId": self._get_param("SessionId")})


access_control.create_access_key = create_access_key
access_control.IAMRequestBase.check_action_permitted = check_action_permitted  # type: ignore[method-assign]
_create_user, _delete_user = IamResponse.create_user, IamResponse.delete_user
for kind, functions in (
    (IamResponse, (create_user, delete_user, put_user_permissions_boundary, delete_user_permissions_boundary)),
    (TokenResponse, (get_session_token,)),
    (SimpleSystemManagerResponse, (start_session, describe_sessions, terminate_session)),
):
    for function in functions:
        setattr(kind, function.__name__, function)

strict_sso.install()


def die_with(parent: int) -> None:
    """End when whoever started this is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=die_with, args=(os.getppid(),), daemon=True).start()
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
