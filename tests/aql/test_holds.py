"""What a query says of one entitlement."""

from __future__ import annotations

import pytest

from integrations.aql import parse
from tests.aql.cases import UUID, entitlement


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('resource_type = "aws-rds-mysql-database"', True),
        ('resource_type = "AWS-rds-mysql-database"', False),
        ('resource_type starts_with "aws-"', True),
        ('resource_name contains "prod"', True),
        ('resource_name contains "PROD"', False),
        ('resource_name not_contains "PROD"', True),
        ('resource_name starts_with "orders"', True),
        ('resource_name ends_with "prod"', True),
        ('resource_name ends_with "rod "', False),
        ('resource_name contains ""', True),
        ('resource_path contains "us-east-1"', True),
        ('resource = "7"', True),
        ('resource = "07"', False),
        ('resource_status = "active"', True),
        ('resource_source_id = "arn:aws:rds:db/7"', True),
        ('resource_risk_level = "medium"', True),
        ('resource_risk_level = "5"', True),
        ('resource_risk_level = "6"', False),
        ('resource_risk_level in ("1", "medium")', True),
        ('resource_risk_level not_in ("low", "high")', True),
        ('permission_risk_level != "low"', False),
        ('permission = "70"', True),
        ('permission = "READ_ONLY"', True),
        ('permission != "READ_ONLY"', False),
        ('permission_name = "Read only"', True),
        ('permission_tag["kind"] = "temporary"', True),
        ('permission_context["access"] != "write"', True),
        (f'integration = "{UUID}"', True),
        (f'integration = "{UUID.upper()}"', False),
        ('integration = "AWS prod"', True),
        ('integration in ("aws-rds")', True),
        ('integration != "aws-rds"', False),
        ('integration not_in ("aws-account", "AWS prod")', False),
        ('integration != "aws-account"', True),
        ('integration_name = "aws-rds"', False),
        ('resource_tag["env"] = "prod"', True),
        ('resource_tag["Env"] = "prod"', False),
        ('resource_tag["Env"] != "prod"', True),
        ('resource_tag["Env"] not_in ("prod")', True),
        ('resource_tag["Env"] not_contains ""', True),
        ('resource_tag["Env"] contains ""', False),
        ('resource_tag["env"] contains ""', True),
        ('not resource_tag["Env"] = "prod"', True),
        ('not resource_tag["Env"] != "prod"', False),
        ('resource_context["region"] = "us-east-1"', True),
    ],
)
def test_a_query_holds_or_not(text: str, holds: bool) -> None:
    assert parse(text).holds(entitlement()) is holds
    assert parse(f"not ({text})").holds(entitlement()) is not holds


def test_and_or_and_not_are_what_they_are_called() -> None:
    yes, no = 'resource = "7"', 'resource = "8"'
    one = entitlement()
    assert parse(f"{yes} and {yes} and not {no}").holds(one)
    assert not parse(f"{yes} and {no}").holds(one)
    assert parse(f"{no} or {yes} and {yes}").holds(one)
    assert not parse(f"({no} or {yes}) and {no}").holds(one)
