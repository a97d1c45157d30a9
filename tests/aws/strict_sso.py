"""Identity Center as it is: assignments take their time, only so many at once, and only so many calls a second.

What happens to an assignment with a permission set is said by the set's description, as JSON: `{"seconds": 0.5}` until
it is there, `{"fails": "reason"}`. moto by itself makes every assignment at once, and as often as it is asked to.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import deque
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.ssoadmin.responses import SSOAdminResponse

CALLS_A_SECOND, IN_FLIGHT = 20, 10
# Of the connector, which comes with a session token; what a test does as the admin does not count.
CALLS: deque[float] = deque()
JOBS: dict[str, dict[str, Any]] = {}
PLAIN = {
    name: getattr(SSOAdminResponse, name)
    for name in ("create_account_assignment", "delete_account_assignment", "list_account_assignments_for_principal")
}


def _refuse(code: str, words: str) -> None:
    """Answer with an error."""
    raise JsonRESTError(code, words)


def _count(self: Any) -> None:
    """Refuse more calls than AWS takes, with a little mercy for how a second is cut."""
    if "X-Amz-Security-Token" not in self.headers:
        return
    now = time.monotonic()
    while CALLS and CALLS[0] < now - 1:
        CALLS.popleft()
    CALLS.append(now)
    if len(CALLS) > CALLS_A_SECOND + 3:
        _refuse("ThrottlingException", f"Rate exceeded: {len(CALLS)} calls in a second")


def _settle(self: Any) -> None:
    """Let happen what is due."""
    for job in JOBS.values():
        if job["Status"] == "IN_PROGRESS" and job["due"] <= time.monotonic():
            job["Status"] = "FAILED" if job["fails"] else "SUCCEEDED"
            if job["fails"]:
                job["FailureReason"] = job["fails"]
            elif job["creates"]:
                self.ssoadmin_backend.create_account_assignment(**job["wanted"])
            else:
                self.ssoadmin_backend.delete_account_assignment(**job["wanted"])


def _told(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job as AWS describes it."""
    names = ("Status", "RequestId", "TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")
    return {name: job[name] for name in (*names, "FailureReason") if name in job}


def _begin(self: Any, creates: bool) -> str:
    """Begin to make or to take an assignment."""
    _count(self)
    _settle(self)
    asked = json.loads(self.body)
    backend = self.ssoadmin_backend
    names = ("TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")
    wanted = {"instance_arn": asked["InstanceArn"]} | dict(
        zip(
            ("target_id", "target_type", "permission_set_arn", "principal_type", "principal_id"),
            (asked[name] for name in names),
            strict=True,
        )
    )
    flying = [job for job in JOBS.values() if job["Status"] == "IN_PROGRESS"]
    if any(job["wanted"] == wanted for job in flying):
        _refuse("ConflictException", "There is already an ongoing operation on this assignment")
    if len(flying) >= IN_FLIGHT:
        _refuse("ThrottlingException", "Too many assignments in flight")
    found = backend._find_permission_set(asked["InstanceArn"], asked["PermissionSetArn"])
    if not creates:
        backend._find_account(**wanted)
    say = json.loads(found.description) if str(found.description).startswith("{") else {}
    fails = say.get("fails", "") if creates == say.get("creates", True) else ""
    job = {name: asked[name] for name in names} | {
        "Status": "IN_PROGRESS",
        "RequestId": str(uuid.uuid4()),
        "due": time.monotonic() + say.get("seconds", 0.0),
        "fails": fails,
        "creates": creates,
        "wanted": wanted,
    }
    there = any(one.to_json() == _assignment(asked) for one in backend.account_assignments)
    if creates and there:
        job["Status"] = "SUCCEEDED"
    JOBS[job["RequestId"]] = job
    _settle(self)
    kind = "Creation" if creates else "Deletion"
    return json.dumps({f"AccountAssignment{kind}Status": _told(job)})


def _assignment(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked for as moto writes an assignment."""
    return {
        name: asked[name] for name in ("TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")
    }


def create_account_assignment(self: Any) -> str:
    """Begin to make an assignment; one that is there already is made."""
    return _begin(self, True)


def delete_account_assignment(self: Any) -> str:
    """Begin to take an assignment."""
    return _begin(self, False)


def _describe(self: Any, kind: str) -> str:
    _count(self)
    _settle(self)
    job = JOBS.get(self._get_param(f"AccountAssignment{kind}RequestId"))
    if job is None:
        _refuse("ResourceNotFoundException", "There is no such request")
    return json.dumps({f"AccountAssignment{kind}Status": _told(job or {})})


def describe_account_assignment_creation_status(self: Any) -> str:
    """Say how far it has come."""
    return _describe(self, "Creation")


def describe_account_assignment_deletion_status(self: Any) -> str:
    """Say how far it has come."""
    return _describe(self, "Deletion")


def _list(self: Any, kind: str, creates: bool) -> str:
    _count(self)
    _settle(self)
    status = (self._get_param("Filter") or {}).get("Status")
    found = [
        {"Status": job["Status"], "RequestId": job["RequestId"]}
        for job in JOBS.values()
        if job["creates"] is creates and status in (None, job["Status"])
    ]
    return json.dumps({f"AccountAssignments{kind}Status": found})


def list_account_assignment_creation_status(self: Any) -> str:
    """List what is being made."""
    return _list(self, "Creation", True)


def list_account_assignment_deletion_status(self: Any) -> str:
    """List what is being taken."""
    return _list(self, "Deletion", False)


def list_tags_for_resource(self: Any) -> str:
    """Return the tags of a permission set."""
    _count(self)
    found = self.ssoadmin_backend._find_permission_set(self._get_param("InstanceArn"), self._get_param("ResourceArn"))
    return json.dumps({"Tags": found.tags or []})


def list_account_assignments_for_principal(self: Any) -> str:
    """List what a user has, also through groups."""
    _count(self)
    _settle(self)
    answer: str = PLAIN["list_account_assignments_for_principal"](self)
    found = json.loads(answer)
    backend, user = self.ssoadmin_backend, self._get_param("PrincipalId")
    from moto.identitystore.models import identitystore_backends

    stores = identitystore_backends[self.current_account][self.region].identity_stores.values()
    groups = {
        one["GroupId"]
        for store in stores
        for one in store.group_memberships.values()
        if one["MemberId"]["UserId"] == user
    }
    found["AccountAssignments"] += [
        {
            "AccountId": one.target_id,
            "PermissionSetArn": one.permission_set_arn,
            "PrincipalId": one.principal_id,
            "PrincipalType": "GROUP",
        }
        for one in backend.account_assignments
        if one.principal_id in groups and not self._get_param("NextToken")
    ]
    return json.dumps(found)


def install() -> None:
    """Put all of this into moto."""
    for function in (
        create_account_assignment,
        delete_account_assignment,
        describe_account_assignment_creation_status,
        describe_account_assignment_deletion_status,
        list_account_assignment_creation_status,
        list_account_assignment_deletion_status,
        list_account_assignments_for_principal,
        list_tags_for_resource,
    ):
        setattr(SSOAdminResponse, function.__name__, function)


def requests(name: str, values: dict[str, Any], backend: Any) -> list[tuple[str, str, dict[str, str]]]:
    """Return what has to be allowed for an assignment: the permission set with its tags, the account, the instance."""
    action = f"sso:{name}"
    sets = [one for one in backend.permission_sets if one.permission_set_arn == values["PermissionSetArn"]]
    tags = {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for one in sets for tag in one.tags or []}
    arn = values["PermissionSetArn"].replace(":instance/", ":permissionSet/")
    return [
        (action, arn, tags),
        (action, f"arn:aws:sso:::account/{values['TargetId']}", {}),
        (action, values["InstanceArn"], {}),
    ]
