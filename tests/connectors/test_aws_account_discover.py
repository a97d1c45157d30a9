"""What a sync of an AWS account finds, page by page, and where it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.contract.orders import ResourceFact
from connectors.vet.stories import Stage
from tests.aws.server import ACCOUNT, REGION
from tests.aws.stage import pages_of
from tests.connectors.aws_fixtures import account as account  # noqa: PLC0414
from tests.connectors.aws_fixtures import on as on  # noqa: PLC0414
from tests.live.aws_account import GROUP, ROLE, AccountLive

TYPES = (
    "iam-role",
    "iam-group",
    "iam-policy",
    "s3-bucket",
    "dynamodb-table",
    "secret",
    "sns-topic",
    "sqs-queue",
    "ec2-instance",
    "ecr-repository",
)


@pytest.fixture(scope="module", autouse=True)
def many(account: AccountLive) -> None:
    """More than fits on a page."""
    sns: Any = account.aws.client("sns")
    dynamodb: Any = account.aws.client("dynamodb")
    for number in range(5):
        sns.create_topic(Name=f"topic-{number}", Tags=[{"Key": "number", "Value": str(number)}])
        dynamodb.create_table(
            TableName=f"table-{number}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def found(on: Stage, **change: Any) -> dict[tuple[str, str], ResourceFact]:
    return {(one.resource_type, one.source_id): one for page in pages_of(on, **change) for one in page.resources}


def test_every_type_is_found_and_can_be_named_as_it_was_found(on: Stage, account: AccountLive) -> None:
    facts = found(on)
    assert {kind for kind, _ in facts} == set(TYPES)
    assert {(unit.resource_type, unit.resource) for unit in account.units} <= facts.keys()
    assert [kind for kind, _ in facts] == sorted((kind for kind, _ in facts), key=TYPES.index)


@pytest.mark.parametrize("kind", TYPES)
def test_a_sync_goes_on_after_any_of_its_pages(on: Stage, kind: str) -> None:
    whole = pages_of(on, resource_types=(kind,), page_size=2)
    every = [one.source_id for page in whole for one in page.resources]
    assert every
    assert len(every) == len(set(every))
    for number, page in enumerate(whole):
        assert page.resume
        rest = pages_of(on, resource_types=(kind,), page_size=2, resume=page.resume)
        expected = [one.source_id for page in whole[number + 1 :] for one in page.resources]
        assert [one.source_id for page in rest for one in page.resources] == expected


def test_a_sync_of_all_types_goes_on_in_the_middle(on: Stage) -> None:
    whole = pages_of(on, page_size=3)
    middle = next(number for number, page in enumerate(whole) if page.resources[0].resource_type == "sns-topic")
    rest = pages_of(on, page_size=3, resume=whole[middle].resume)
    expected = [one.source_id for page in whole[middle + 1 :] for one in page.resources]
    assert [one.source_id for page in rest for one in page.resources] == expected


@pytest.mark.parametrize("resume", ["nonsense", "[1]", '["lambda",null,0]', '["s3-bucket",7,0]', "{}"])
def test_what_cannot_be_resumed_begins_again(on: Stage, resume: str) -> None:
    assert found(on, resume=resume).keys() == found(on).keys()


def test_what_cannot_be_asked_for_says_why(on: Stage) -> None:
    facts = found(on)
    assert facts["iam-group", GROUP].refusals == {}
    assert facts["iam-role", ROLE].refusals == {}
    groups, roles = f"arn:aws:iam::{ACCOUNT}:group/", f"arn:aws:iam::{ACCOUNT}:role/"
    assert "below the path /latchkey/" in facts["iam-group", groups + "admins"].refusals["ATTACH"]
    assert "latchkey:grantable" in facts["iam-role", roles + "operators"].refusals["ATTACH"]
    assert "trust policy" in facts["iam-role", roles + "machines"].refusals["ATTACH"]


def test_tags_come_with_what_bears_them(on: Stage, account: AccountLive) -> None:
    facts = found(on)
    assert facts["secret", account.secret].tags == {"env": "prod"}
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/stock"
    assert facts["dynamodb-table", table].tags == {"env": "prod"}
    assert facts["sns-topic", f"arn:aws:sns:{REGION}:{ACCOUNT}:topic-3"].tags == {"number": "3"}


def test_what_stands_for_more_than_one_is_found_only_where_it_is_offered(on: Stage) -> None:
    facts = found(on)
    assert ("s3-bucket", "arn:aws:s3:::*") in facts
    assert ("secret", 'tag:["env","prod"]') in facts
    assert ("s3-bucket", 'tag:["env","prod"]') not in facts
    plain = {"region": REGION, "tag_keys": "", "offers_all": "false"}
    less = found(on, config=plain)
    assert [key for key in facts if key not in less] == [
        key for key in facts if key[1].startswith("tag:") or key[1].endswith(("*", "/*"))
    ]


def test_policies_that_were_made_for_one_grant_are_not_found(on: Stage, account: AccountLive) -> None:
    iam: Any = account.aws.client("iam")
    made = iam.create_policy(
        PolicyName="own",
        Path="/latchkey/a/b/c/",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}',
    )["Policy"]["Arn"]
    assert ("iam-policy", made) not in found(on)
    iam.delete_policy(PolicyArn=made)
