"""The rights of the set-up files are enough, none is idle, and nobody who has them can make himself an admin."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Unit, Verb
from connectors.registry import BUILT_IN
from connectors.runners import local
from connectors.toolkit.policy_files import PolicyFile
from connectors.vet.stories import Stage
from tests.aws.server import ACCOUNT, AWS, BOUNDARY
from tests.aws.stage import setup_actions
from tests.connectors.aws_fixtures import account as account  # noqa: PLC0414
from tests.connectors.aws_fixtures import on as on  # noqa: PLC0414
from tests.live.aws_account import ROLE, SETUP, AccountLive

EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
DENIED = {"AccessDenied", "AccessDeniedException"}
POLICIES = sorted(SETUP.parent.joinpath("programs").glob("allow_*.json"))


def connector(aws: AWS, service: str) -> Any:
    """Return a client with the connector's own keys, as a thief would have it."""
    names = {"AccessKeyId": "AWS_ACCESS_KEY_ID", "SecretAccessKey": "AWS_SECRET_ACCESS_KEY"}
    keys = {name: aws.environment[variable] for name, variable in names.items()}
    return aws.client(service, {**keys, "SessionToken": aws.environment["AWS_SESSION_TOKEN"]})


def refused(call: Callable[[], object]) -> bool:
    """Say whether AWS forbids it. Any other error is none."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            return True
        raise
    return False


@pytest.fixture
def bounded(account: AccountLive) -> Any:
    """The keys of a user that a thief made with all that the connector may do."""
    iam = connector(account.aws, "iam")
    iam.create_user(UserName="thief", Path="/latchkey/x/", PermissionsBoundary=BOUNDARY)
    iam.put_user_policy(UserName="thief", PolicyName="all", PolicyDocument=EVERYTHING)
    yield iam.create_access_key(UserName="thief")["AccessKey"]
    admin: Any = account.aws.client("iam")
    for key in admin.list_access_keys(UserName="thief")["AccessKeyMetadata"]:
        admin.delete_access_key(UserName="thief", AccessKeyId=key["AccessKeyId"])
    admin.delete_user_policy(UserName="thief", PolicyName="all")
    with suppress(ClientError):
        admin.remove_user_from_group(UserName="thief", GroupName="notified")
    admin.delete_user(UserName="thief")


def ways_to_more(iam: Any) -> dict[str, Callable[[], object]]:
    """Return what somebody would try who wants to be an admin."""
    role, policy = "latchkey-connector", f"arn:aws:iam::{ACCOUNT}:policy/latchkey-2_connector"
    trust = EVERYTHING
    return {
        "a user without a boundary": lambda: iam.create_user(UserName="free", Path="/latchkey/x/"),
        "a user with another boundary": lambda: iam.create_user(
            UserName="free", Path="/latchkey/x/", PermissionsBoundary=policy
        ),
        "a user elsewhere": lambda: iam.create_user(UserName="free", PermissionsBoundary=BOUNDARY),
        "a key of an admin": lambda: iam.create_access_key(UserName="admin"),
        "a policy for an admin": lambda: iam.put_user_policy(
            UserName="admin", PolicyName="x", PolicyDocument=EVERYTHING
        ),
        "a policy for the own role": lambda: iam.put_role_policy(
            RoleName=role, PolicyName="x", PolicyDocument=EVERYTHING
        ),
        "a policy attached to the own role": lambda: iam.attach_role_policy(RoleName=role, PolicyArn=policy),
        "another own policy": lambda: iam.create_policy_version(
            PolicyArn=policy, PolicyDocument=EVERYTHING, SetAsDefault=True
        ),
        "another boundary": lambda: iam.create_policy_version(
            PolicyArn=BOUNDARY, PolicyDocument=EVERYTHING, SetAsDefault=True
        ),
        "no boundary": lambda: iam.delete_user_permissions_boundary(UserName="thief"),
        "a wider boundary": lambda: iam.put_user_permissions_boundary(UserName="thief", PermissionsBoundary=policy),
        "a group of admins": lambda: iam.add_user_to_group(UserName="thief", GroupName="admins"),
        "a policy for a group": lambda: iam.put_group_policy(
            GroupName="notified", PolicyName="x", PolicyDocument=EVERYTHING
        ),
        "a role": lambda: iam.create_role(RoleName="mine", AssumeRolePolicyDocument=trust),
        "a way into a role": lambda: iam.update_assume_role_policy(RoleName="operators", PolicyDocument=trust),
        "a role that may be asked for": lambda: iam.tag_role(
            RoleName="operators", Tags=[{"Key": "latchkey:grantable", "Value": "true"}]
        ),
        "a password": lambda: iam.create_login_profile(UserName="admin", Password="Abc123!abc123"),
    }


def test_the_connector_cannot_make_itself_an_admin(account: AccountLive, bounded: Any) -> None:
    ways = ways_to_more(connector(account.aws, "iam"))
    assert [name for name, way in ways.items() if not refused(way)] == []


def test_nor_can_a_user_that_it_made_whatever_its_policies_say(account: AccountLive, bounded: Any) -> None:
    ways = ways_to_more(account.aws.client("iam", bounded))
    sts: Any = account.aws.client("sts", bounded)
    s3: Any = account.aws.client("s3", bounded)
    ways |= {
        "a role that nobody may ask for": lambda: sts.assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/operators", RoleSessionName="thief"
        ),
        "a door that stays open": lambda: s3.put_bucket_policy(Bucket="shop-archive", Policy=EVERYTHING),
    }
    assert [name for name, way in ways.items() if not refused(way)] == []
    # It is not that everything is refused.
    assert not refused(lambda: s3.list_objects_v2(Bucket="shop-archive"))
    assert not refused(lambda: sts.assume_role(RoleArn=ROLE, RoleSessionName="thief"))


def test_the_set_up_allows_just_what_the_programs_say_they_need() -> None:
    needs = {
        found
        for path in SETUP.parent.joinpath("programs").glob("*.json")
        for found in re.findall(r"\b[a-z0-9]+:[A-Z][A-Za-z]+", json.loads(path.read_text()).get("needs", ""))
    }
    allowed = setup_actions((SETUP / "2_connector.json").read_text())
    assert needs - allowed == {"sts:GetCallerIdentity"}  # which needs no permission
    assert allowed - needs == set()


def test_the_set_up_fits_into_policies_that_aws_takes() -> None:
    for path in sorted(SETUP.glob("*.json")):
        document = json.loads(path.read_text())
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144
        assert all(re.fullmatch("[A-Za-z0-9]+", one["Sid"]) for one in document["Statement"])


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_no_permission_lets_its_holder_open_the_door_to_others(path: Any) -> None:
    actions = [action for one in PolicyFile(path).document["Statement"] for action in one["Action"]]
    assert [action for action in actions if "*" in action] == []
    opens = re.compile(
        r"Policy$|Acl$|AddPermission|RemovePermission|SetTopicAttributes|SetQueueAttributes|CreateGrant|PassRole"
        r"|AccessPoint|PublicAccess|Ownership|^iam:|TagResource|UntagResource|PutBucketTagging|ModifyInstance|RunInstances"
    )
    looking = {"sns:GetDataProtectionPolicy", "ecr:GetLifecyclePolicy"}
    assert [action for action in actions if opens.search(action) and action not in looking] == []


def test_the_boundary_lets_through_what_can_be_asked_for() -> None:
    boundary = json.loads((SETUP / "1_boundary.json").read_text())["Statement"]
    patterns = [action for one in boundary if one["Effect"] == "Allow" for action in one["Action"]]
    shut = [action for one in boundary if one["Effect"] == "Deny" for action in one["Action"]]
    like = {pattern: re.compile(pattern.replace("*", ".*")) for pattern in [*patterns, *shut]}
    for path in POLICIES:
        for one in PolicyFile(path).document["Statement"]:
            for action in one["Action"]:
                assert any(like[pattern].fullmatch(action) for pattern in patterns), action
                assert not any(like[pattern].fullmatch(action) for pattern in shut), action


def test_checks_at_the_same_time_do_not_hurt_each_other_and_leave_nothing(on: Stage, account: AccountLive) -> None:
    before, said = account.snapshot(), list[str]()

    def check() -> None:
        said.extend(one.level for one in on.run(on.order(Verb.CHECK)).findings)

    threads = [threading.Thread(target=check) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) >= 12
    assert set(said) == {"ok"}
    assert account.snapshot() == before


def test_a_check_whose_lease_ends_on_the_way_takes_its_probe_with_it(on: Stage, account: AccountLive) -> None:
    before = account.snapshot()
    looks: list[float] = []

    def clock() -> float:
        """Let the lease be over as soon as there is a probe."""
        looks.append(time.monotonic())
        made = account.aws.client("iam").list_users(PathPrefix=f"/latchkey/{on.integration}/")["Users"]
        return looks[0] + (1000 if made else 0)

    report = local.run(on.order(Verb.CHECK), on_page=lambda page: None, monotonic=clock)
    assert report.error is not None
    assert report.error.kind is ErrorKind.LEASE_LOST
    assert account.snapshot() == before


def test_a_probe_that_was_left_behind_long_ago_is_deleted(on: Stage, account: AccountLive) -> None:
    before, iam = account.snapshot(), account.aws.client("iam")
    call: Any = iam
    path = f"/latchkey/{on.integration}/probe/"
    age = {"Key": "age", "Value": "3600"}
    call.create_user(UserName="probe-old", Path=path, Tags=[age], PermissionsBoundary=BOUNDARY)
    call.create_access_key(UserName="probe-old")
    call.create_user(UserName="probe-of-a-check-under-way", Path=path)
    on.run(on.order(Verb.CHECK))
    call.delete_user(UserName="probe-of-a-check-under-way")
    assert account.snapshot() == before


def test_check_says_what_is_there(on: Stage) -> None:
    findings = on.run(on.order(Verb.CHECK)).findings
    assert {one.level for one in findings} == {"ok"}
    assert any("latchkey-boundary" in one.message for one in findings)


def test_check_says_what_is_missing_and_leaves_no_probe_behind(on: Stage, account: AccountLive) -> None:
    admin, before = account.aws.client("iam"), account.snapshot()
    iam: Any = admin
    role, policy = "latchkey-connector", f"arn:aws:iam::{ACCOUNT}:policy/latchkey-2_connector"
    less = json.loads((SETUP / "2_connector.json").read_text())
    for one in less["Statement"]:
        one["Action"] = [name for name in one["Action"] if name not in ("iam:CreateAccessKey", "sqs:ListQueues")]
    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    iam.put_role_policy(RoleName=role, PolicyName="less", PolicyDocument=json.dumps(less))
    try:
        findings = on.run(on.order(Verb.CHECK)).findings
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="less")
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    errors = {one.message: one.fix for one in findings if one.level == "error"}
    assert len(errors) == 2
    assert any("sqs-queue cannot be listed" in words and "sqs:ListQueues" in fix for words, fix in errors.items())
    assert any("cannot make users" in words and "iam:CreateAccessKey" in fix for words, fix in errors.items())
    assert account.snapshot() == before


def test_a_grant_says_which_right_is_missing(on: Stage, account: AccountLive) -> None:
    iam: Any = account.aws.client("iam")
    role, policy = "latchkey-connector", f"arn:aws:iam::{ACCOUNT}:policy/latchkey-2_connector"
    unit = Unit("s3-bucket", "arn:aws:s3:::shop-archive", "READ_ONLY")
    grant = on.grant(unit)
    less = json.loads((SETUP / "2_connector.json").read_text())
    less["Statement"] = [one for one in less["Statement"] if one["Sid"] != "MakeUsersOnlyWithTheBoundary"]
    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    iam.put_role_policy(RoleName=role, PolicyName="less", PolicyDocument=json.dumps(less))
    try:
        report = on.runs(on.order(Verb.APPLY, (grant,)), lambda page: None, lambda present, wanted: frozenset())
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="less")
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    error = report.grants[0].units[0].error
    assert error is not None
    assert "iam:CreateUser" in error.message + error.fix
    assert BUILT_IN.manifest("aws-account").login_max == 64
    on.leave(grant)
