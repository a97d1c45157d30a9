"""What only an AWS account has: ends in policies, boundaries, keys of buckets, limits, and what people do by hand."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Grant, Unit, UnitOutcome, Verb
from connectors.vet.stories import Stage, of
from tests.aws.server import ACCOUNT, REGION
from tests.aws.stage import failed_as, outcomes, tried, try_apply
from tests.connectors.aws_fixtures import account as account  # noqa: PLC0414
from tests.connectors.aws_fixtures import on as on  # noqa: PLC0414
from tests.live.aws_account import GROUP, HERE, POLICY, ROLE, AccountLive

OTHER_ACCOUNT = f"arn:aws:secretsmanager:{REGION}:999999999999:secret:a"
BUCKET = Unit("s3-bucket", "arn:aws:s3:::shop-orders", "READ_WRITE")
ARCHIVE = Unit("s3-bucket", "arn:aws:s3:::shop-archive", "READ_ONLY")
ATTACHED = (Unit("iam-group", GROUP, "ATTACH"), Unit("iam-policy", POLICY, "ATTACH"))


def iam(account: AccountLive) -> Any:
    return account.aws.client("iam")


def keys_of(on: Stage, grant: Grant) -> dict[str, str]:
    """Apply a grant and return the keys of its user."""
    _, sealed = on.shown(on.apply(grant), grant)
    return {"AccessKeyId": sealed["access_key_id"], "SecretAccessKey": sealed["secret_access_key"]}


def documents(account: AccountLive, login: str) -> list[dict[str, Any]]:
    """Return every policy that was written for a user."""
    call = iam(account)
    names = call.list_user_policies(UserName=login)["PolicyNames"]
    found = [call.get_user_policy(UserName=login, PolicyName=name)["PolicyDocument"] for name in names]
    for one in call.list_attached_user_policies(UserName=login)["AttachedPolicies"]:
        if "/latchkey/" in one["PolicyArn"]:
            version = call.get_policy(PolicyArn=one["PolicyArn"])["Policy"]["DefaultVersionId"]
            answer = call.get_policy_version(PolicyArn=one["PolicyArn"], VersionId=version)
            found.append(answer["PolicyVersion"]["Document"])
    return found


def endings(account: AccountLive, login: str) -> set[str]:
    """Return when the statements that allow something say that they end."""
    allowing = [one for found in documents(account, login) for one in found["Statement"] if one["Effect"] == "Allow"]
    return {one["Condition"]["DateLessThan"]["aws:CurrentTime"] for one in allowing}


def test_everything_ends_by_itself_with_our_platform_switched_off(on: Stage, account: AccountLive) -> None:
    grant = on.grant(*account.units, seconds=600)
    keys = keys_of(on, grant)
    sts: Any = account.aws.client("sts", keys)
    temporary = sts.get_session_token()["Credentials"]
    with account.aws.later(500):
        assert all(account.works(unit, keys) for unit in account.units)
        assert account.works(ARCHIVE, temporary)
    with account.aws.later(601):
        assert [unit for unit in account.units if account.works(unit, keys)] == []
        assert [unit for unit in account.units if account.works(unit, temporary)] == []
    on.leave(grant)


def test_every_statement_that_allows_carries_the_end_of_the_grant(on: Stage, account: AccountLive) -> None:
    units = [
        Unit(kind.id, unit.resource, permission.id)
        for kind in on.registry.manifest("aws-account").resource_types
        for permission in kind.permissions
        for unit in account.units
        if unit.resource_type == kind.id
    ]
    grant = on.grant(*units)
    on.apply(grant)
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(grant.ends_at)))
    allowing = [
        one for found in documents(account, grant.login) for one in found["Statement"] if one["Effect"] == "Allow"
    ]
    assert len(allowing) > len(units)
    assert {one["Condition"]["DateLessThan"]["aws:CurrentTime"] for one in allowing} == {ends}
    longer = replace(grant, ends_at=grant.ends_at + 7200, wants_credentials=False)
    on.apply(longer)
    assert endings(account, grant.login) == {time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(longer.ends_at)))}
    on.leave(grant)


def test_a_bucket_with_a_customers_key_brings_the_keys_grant_with_it(on: Stage, account: AccountLive) -> None:
    grant = on.grant(BUCKET)
    keys = keys_of(on, grant)
    assert account.works(BUCKET, keys)
    of_key = [
        one
        for found in documents(account, grant.login)
        for one in found["Statement"]
        if one["Effect"] == "Allow" and account.key in one["Resource"]
    ]
    assert [one["Condition"]["StringEquals"] for one in of_key] == [{"kms:ViaService": f"s3.{REGION}.amazonaws.com"}]
    # Without that statement, the same user is refused: the judge looks at keys.
    document = documents(account, grant.login)[0]
    document["Statement"] = [one for one in document["Statement"] if one not in of_key]
    iam(account).put_user_policy(UserName=grant.login, PolicyName="latchkey", PolicyDocument=json.dumps(document))
    assert not account.works(BUCKET, keys)
    assert account.works(replace(BUCKET, permission="READ_ONLY"), keys)
    on.apply(replace(grant, wants_credentials=False))
    assert account.works(BUCKET, keys)
    on.leave(grant)


def test_a_permission_reaches_no_further_than_its_resource(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE)
    keys = keys_of(on, grant)
    assert account.works(ARCHIVE, keys)
    assert not account.works(replace(ARCHIVE, permission="READ_WRITE"), keys)
    assert [unit for unit in account.units if account.works(unit, keys)] == [ARCHIVE]
    on.leave(grant)


def test_all_of_a_type_and_what_bears_a_tag_are_resources_of_their_own(on: Stage, account: AccountLive) -> None:
    tagged = Unit("secret", 'tag:["env","prod"]', "READ_ONLY")
    every = Unit("s3-bucket", "arn:aws:s3:::*", "READ_ONLY")
    payments, tests = (Unit("secret", arn, "READ_ONLY") for arn in (account.secret, account.other_secret))
    grant = on.grant(tagged, every)
    keys = keys_of(on, grant)
    assert account.works(payments, keys)
    assert not account.works(tests, keys)
    assert account.works(ARCHIVE, keys)
    on.leave(grant)


WRONG = [
    (Unit("secret", 'tag:["owner","prod"]', "READ_ONLY"), ErrorKind.REFUSED),
    (Unit("s3-bucket", 'tag:["env","prod"]', "READ_ONLY"), ErrorKind.REFUSED),
    (Unit("s3-bucket", "arn:aws:s3:::shop-*", "READ_ONLY"), ErrorKind.MISCONFIGURED),
    (Unit("s3-bucket", "arn:aws:s3:::shop-orders/*", "READ_ONLY"), ErrorKind.MISCONFIGURED),
    (Unit("s3-bucket", 'arn:aws:s3:::x","Effect":"Allow', "READ_ONLY"), ErrorKind.MISCONFIGURED),
    (
        Unit("secret", OTHER_ACCOUNT, "READ_ONLY"),
        ErrorKind.MISCONFIGURED,
    ),
    (Unit("secret", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:a", "READ_ONLY"), ErrorKind.MISCONFIGURED),
    (Unit("secret", "tag:{}", "READ_ONLY"), ErrorKind.MISCONFIGURED),
    (Unit("s3-bucket", "arn:aws:s3:::shop-orders", "OWNER"), ErrorKind.MISCONFIGURED),
    (Unit("s3-bucket", "arn:aws:s3:::no-such-bucket", "READ_ONLY"), ErrorKind.TARGET_MISSING),
    (Unit("dynamodb-table", f"arn:aws:dynamodb:{HERE}:table/nothing", "READ_ONLY"), ErrorKind.TARGET_MISSING),
    (Unit("secret", f"arn:aws:secretsmanager:{HERE}:secret:nothing", "READ_ONLY"), ErrorKind.TARGET_MISSING),
    (Unit("sns-topic", f"arn:aws:sns:{HERE}:nothing", "READ_ONLY"), ErrorKind.TARGET_MISSING),
    (Unit("sqs-queue", f"arn:aws:sqs:{HERE}:nothing", "READ_ONLY"), ErrorKind.TARGET_MISSING),
    (Unit("ecr-repository", f"arn:aws:ecr:{HERE}:repository/nothing", "READ_ONLY"), ErrorKind.TARGET_MISSING),
    (Unit("ec2-instance", f"arn:aws:ec2:{HERE}:instance/i-00000000", "CONNECT"), ErrorKind.TARGET_MISSING),
    (Unit("iam-group", f"arn:aws:iam::{ACCOUNT}:group/latchkey/nothing", "ATTACH"), ErrorKind.TARGET_MISSING),
    (Unit("iam-policy", f"arn:aws:iam::{ACCOUNT}:policy/nothing", "ATTACH"), ErrorKind.TARGET_MISSING),
    (Unit("iam-role", f"arn:aws:iam::{ACCOUNT}:role/nothing", "ATTACH"), ErrorKind.TARGET_MISSING),
    (Unit("iam-role", f"arn:aws:iam::{ACCOUNT}:role/operators", "ATTACH"), ErrorKind.REFUSED),
    (Unit("iam-role", f"arn:aws:iam::{ACCOUNT}:role/machines", "ATTACH"), ErrorKind.REFUSED),
    (Unit("iam-group", f"arn:aws:iam::{ACCOUNT}:group/admins", "ATTACH"), ErrorKind.REFUSED),
]


def test_what_cannot_be_given_fails_by_itself_and_the_rest_is_given(on: Stage, account: AccountLive) -> None:
    before = account.snapshot()
    grant = on.grant(*(unit for unit, _ in WRONG), ARCHIVE)
    report = try_apply(on, grant)
    assert report.error is None
    assert [(unit, failed_as(report, grant, unit)) for unit, _ in WRONG] == WRONG
    assert outcomes(report, grant)[ARCHIVE].outcome is UnitOutcome.HELD
    on.leave(grant)
    alone = on.grant(*(unit for unit, _ in WRONG))
    report = try_apply(on, alone)
    assert {one.outcome for one in of(report, alone).units} == {UnitOutcome.FAILED}
    assert not of(report, alone).sealed_credentials
    on.leave(alone)
    assert account.snapshot() == before


@pytest.mark.parametrize("unit", [unit for unit, _ in WRONG[-6:-3]], ids=lambda unit: unit.resource)
def test_a_user_that_would_hold_nothing_is_not_left_open(on: Stage, account: AccountLive, unit: Unit) -> None:
    before, grant = account.snapshot(), on.grant(unit)
    report = try_apply(on, grant)
    assert outcomes(report, grant)[unit].outcome is UnitOutcome.FAILED
    assert not of(report, grant).sealed_credentials
    on.leave(grant)
    assert account.snapshot() == before


@pytest.mark.parametrize("value", ['x","Effect":"Allow', "${aws:username}", "*", "Größe ü", "a b'c", "prod*"])
def test_the_value_of_a_tag_is_only_ever_a_value(on: Stage, account: AccountLive, value: str) -> None:
    unit = Unit("secret", "tag:" + json.dumps(["env", value]), "READ_ONLY")
    grant = on.grant(unit)
    keys = keys_of(on, grant)
    (found,) = documents(account, grant.login)
    assert [one["Sid"] for one in found["Statement"]] == ["Over", "ReadSecrets"]
    for arn in (account.secret, account.other_secret):
        assert not account.works(Unit("secret", arn, "READ_ONLY"), keys)
    on.leave(grant)


def test_too_many_resources_are_refused_in_the_manifests_words_before_anything_is_written(
    on: Stage, account: AccountLive
) -> None:
    before = account.snapshot()
    limit = on.registry.manifest("aws-account").limits[0]
    units = [Unit("s3-bucket", f"arn:aws:s3:::bucket-{number}", "READ_ONLY") for number in range(limit.at_most + 1)]
    grant = on.grant(*units)
    report = try_apply(on, grant)
    errors = {one.error.message for one in of(report, grant).units if one.error is not None}
    assert errors == {limit.words}
    assert len(of(report, grant).units) == limit.at_most + 1
    assert account.snapshot() == before


def test_as_many_as_may_be_are_split_into_policies_that_aws_takes(on: Stage, account: AccountLive) -> None:
    before, s3 = account.snapshot(), account.aws.client("s3")
    call: Any = s3
    names = [f"a-bucket-with-a-name-as-long-as-names-of-buckets-can-be-{number:04d}" for number in range(100)]
    for name in names:
        call.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    grant = on.grant(*(Unit("s3-bucket", f"arn:aws:s3:::{name}", "READ_WRITE") for name in names))
    try:
        keys = keys_of(on, grant)
        found = documents(account, grant.login)
        sizes = sorted(len("".join(json.dumps(one, separators=(",", ":")).split())) for one in found)
        assert len(sizes) > 3
        assert sizes[0] <= 2048
        assert sizes[-1] <= 6144
        assert all(account.works(unit, keys) for unit in (grant.units[0], grant.units[50], grant.units[99]))
        assert not account.works(ARCHIVE, keys)
        longer = replace(grant, ends_at=grant.ends_at + 60, wants_credentials=False)
        on.apply(longer)
        fewer = replace(longer, units=grant.units[:2])
        on.apply(fewer)
        assert not account.works(grant.units[50], keys)
        assert account.works(grant.units[1], keys)
        on.leave(grant)
        assert account.snapshot() == before
    finally:
        for name in names:
            call.delete_object(Bucket=name, Key="a/b")
            call.delete_bucket(Bucket=name)


def test_more_managed_policies_than_a_user_can_have_are_refused(on: Stage, account: AccountLive) -> None:
    call, before = iam(account), account.snapshot()
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}]}
    )
    arns = [call.create_policy(PolicyName=f"many-{n}", PolicyDocument=text)["Policy"]["Arn"] for n in range(11)]
    grant = on.grant(*(Unit("iam-policy", arn, "ATTACH") for arn in arns))
    report = try_apply(on, grant)
    assert {failed_as(report, grant, unit) for unit in grant.units} == {ErrorKind.MISCONFIGURED}
    for arn in arns:
        call.delete_policy(PolicyArn=arn)
    assert account.snapshot() == before


def test_what_somebody_added_by_hand_is_found_and_taken(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE, BUCKET)
    on.apply(grant)
    iam(account).attach_user_policy(UserName=grant.login, PolicyArn=POLICY)
    iam(account).add_user_to_group(UserName=grant.login, GroupName="notified")
    found = on.run(on.order(Verb.READ_BACK, (grant,))).read_back
    assert found is not None
    assert {one.unit for one in found.ours} == {ARCHIVE, BUCKET, *ATTACHED}
    after = on.apply(replace(grant, wants_credentials=False)).read_back
    assert after is not None
    assert {one.unit for one in after.ours} == {ARCHIVE, BUCKET}
    on.leave(grant)


def test_what_somebody_changed_by_hand_is_put_right(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE)
    keys = keys_of(on, grant)
    arn = iam(account).get_user(UserName=grant.login)["User"]["Arn"]
    wide = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam(account).put_user_policy(UserName=grant.login, PolicyName="latchkey", PolicyDocument=json.dumps(wide))
    assert account.works(replace(ARCHIVE, permission="READ_WRITE"), keys)
    told = on.run(on.order(Verb.READ_BACK, (grant,))).read_back
    assert told is not None
    assert [one.unit for one in told.ours] == [Unit("policy", f"{arn} latchkey", "ALLOW")]
    on.apply(replace(grant, wants_credentials=False))
    assert not account.works(replace(ARCHIVE, permission="READ_WRITE"), keys)
    assert account.works(ARCHIVE, keys)
    on.leave(grant)


def test_a_user_that_was_deleted_by_hand_is_made_again_and_the_missing_key_is_told(
    on: Stage, account: AccountLive
) -> None:
    grant = on.grant(ARCHIVE)
    keys = keys_of(on, grant)
    call = iam(account)
    call.delete_access_key(UserName=grant.login, AccessKeyId=keys["AccessKeyId"])
    call.delete_user_policy(UserName=grant.login, PolicyName="latchkey")
    call.delete_user(UserName=grant.login)
    report = on.apply(replace(grant, wants_credentials=False))
    assert any("needs a new one" in words for words in of(report, grant).warnings)
    new = on.shown(on.run(on.order(Verb.RESET_CREDENTIALS, (grant,))), grant)
    on.must_reach(grant, new)
    on.leave(grant)


def test_a_user_that_we_did_not_make_is_not_taken_over(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE)
    iam(account).create_user(UserName=grant.login, Path="/people/")
    before = account.snapshot()
    report = try_apply(on, grant)
    assert failed_as(report, grant, ARCHIVE) is ErrorKind.REFUSED
    on.leave(grant)
    assert account.snapshot() == before
    iam(account).delete_user(UserName=grant.login)


def test_a_user_of_ours_that_the_server_does_not_know_is_ended(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE, *ATTACHED)
    keys = keys_of(on, grant)
    report = on.apply()
    assert [one.login for one in report.grants] == [grant.login]
    assert not account.works(ARCHIVE, keys)
    assert report.read_back is not None
    assert report.read_back.ours == ()
    on.leave(grant)


def test_the_users_of_another_person_are_left_alone(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE)
    keys = keys_of(on, grant)
    other = replace(on.live.person, person_id="somebody-else")
    order = on.order(Verb.APPLY)
    assert order.desired is not None
    report = tried(on, replace(order, desired=replace(order.desired, person=other)))
    assert report.error is None
    assert report.grants == ()
    assert account.works(ARCHIVE, keys)
    on.leave(grant)


def test_open_sessions_on_instances_are_ended_with_the_grant(on: Stage, account: AccountLive) -> None:
    connect = next(unit for unit in account.units if unit.permission == "CONNECT")
    first, second = on.grant(connect), on.grant(connect)
    keys = keys_of(on, first)
    on.apply(replace(first, wants_credentials=False), second)
    for one in (keys, keys):
        ssm: Any = account.aws.client("ssm", one)
        ssm.start_session(Target=account.instance)
    report = on.apply(replace(second, wants_credentials=False), gone=(first,))
    assert of(report, first).sessions_ended == 2
    admin: Any = account.aws.client("ssm")
    assert admin.describe_sessions(State="Active")["Sessions"] == []
    on.leave(first, second)


def test_that_sessions_of_a_role_go_on_is_told(on: Stage, account: AccountLive) -> None:
    grant = on.grant(Unit("iam-role", ROLE, "ATTACH"))
    on.apply(grant)
    report = on.apply(gone=(grant,))
    assert any("run out by themselves" in words for words in of(report, grant).warnings)
    on.leave(grant)


def test_the_details_can_be_pasted_and_hold_no_secret(on: Stage, account: AccountLive) -> None:
    grant = on.grant(*account.units)
    details, sealed = on.shown(on.apply(grant), grant)
    assert details["username"] == grant.login
    assert details["account"] == ACCOUNT
    assert f"--profile {grant.login}" in details["command"]
    assert f"--target {account.instance}" in details["commands"]
    assert sealed.keys() == {"access_key_id", "secret_access_key"}
    assert sealed["secret_access_key"] not in json.dumps(details)
    on.leave(grant)


def test_a_new_key_is_in_no_log_and_no_report(
    on: Stage, account: AccountLive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    grant = on.grant(ARCHIVE)
    report = on.apply(grant)
    _, sealed = on.shown(report, grant)
    assert sealed["secret_access_key"] not in caplog.text + repr(report)
    on.leave(grant)


def test_what_is_ours_says_so_in_tags(on: Stage, account: AccountLive) -> None:
    grant = on.grant(ARCHIVE)
    on.apply(grant)
    tags = {tag["Key"]: tag["Value"] for tag in iam(account).list_user_tags(UserName=grant.login)["Tags"]}
    assert tags == {
        "latchkey:integration": on.integration,
        "latchkey:person": on.live.person.person_id,
        "latchkey:grant": grant.grant_id,
    }
    on.leave(grant)


def test_a_lease_that_is_over_does_nothing_more_and_the_next_one_goes_on(on: Stage, account: AccountLive) -> None:
    before, grant = account.snapshot(), on.grant(*account.units)
    report = try_apply(on, grant, lease_seconds=0.15)
    assert report.error is not None
    assert report.error.kind is ErrorKind.LEASE_LOST
    on.shown(on.apply(grant), grant)
    on.leave(grant)
    assert account.snapshot() == before


def test_the_connector_may_do_all_this_and_the_judge_can_say_no(account: AccountLive) -> None:
    nobody = iam(account).create_user(UserName="nobody")["User"]["UserName"]
    keys = iam(account).create_access_key(UserName=nobody)["AccessKey"]
    assert [unit for unit in account.units if account.works(unit, keys)] == []
    iam(account).delete_access_key(UserName=nobody, AccessKeyId=keys["AccessKeyId"])
    iam(account).delete_user(UserName=nobody)
    with pytest.raises(ClientError):
        iam(account).get_user(UserName=nobody)
