"""The queries that people know from elsewhere, and what each selects of a small inventory."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.aql import BadQuery, parse, selected
from integrations.models import Connector, Integration, Permission, Resource, ResourceType, Tag
from integrations.queries import entitlements

# Integration: (id, type, resource type, {resource: (risk, tags)}).
SYSTEMS: dict[str, tuple[str, str, str, dict[str, tuple[int, dict[str, str]]]]] = {
    "aws": ("11111111-1111-1111-1111-111111111111", "aws-account", "aws-account-dynamodb-table", {
        "sessions": (1, {"env": "prd", "environment": "production", "team": "engineering"}),
        "carts": (1, {"env": "dev", "environment": "production", "compliance": "pci"}),
    }),
    "Machines": ("22222222-2222-2222-2222-222222222222", "aws-account", "aws-account-ec2-instance", {
        "web": (1, {"env": "production"}), "batch": (2, {"env": "production"}),
    }),
    "Databases": ("33333333-3333-3333-3333-333333333333", "aws-rds", "aws-rds-mysql-database", {
        "orders-prod": (3, {"region": "us-east-1", "environment": "production", "team": "platform"}),
        "orders-staging": (3, {"region": "us-east-1", "team": "data"}),
        "ledger-prod": (3, {"region": "eu-west-1"}),
    }),
    "Servers": ("44444444-4444-4444-4444-444444444444", "aws-rds", "aws-rds-mysql", {"main": (5, {})}),
    "Google": ("55555555-5555-5555-5555-555555555555", "gcp-project", "gcp-bucket", {
        "cards": (9, {"environment": "production", "compliance": "pci"}), "logs": (1, {"environment": "test"}),
    }),
    "Pond": ("66666666-6666-6666-6666-666666666666", "mock", "mock-duck", {"duck": (1, {})}),
}  # fmt: skip
EVERYTHING = {name for _, _, _, found in SYSTEMS.values() for name in found}
EAST = (
    'resource_type = "aws-rds-mysql-database" and resource_name contains "prod"'
    ' and (resource_tag["region"] = "us-east-1") and resource_risk_level = "3" and permission_risk_level = "3"'
)
PRODUCTION = '(integration in ("aws-account") or integration in ("gcp-project")) and '
EXAMPLES: list[tuple[str, set[str]]] = [
    ('resource_type = "aws-rds-mysql"', {"main"}),
    ('resource_type = "aws-account-dynamodb-table"', {"sessions", "carts"}),
    ('integration != "66666666-6666-6666-6666-666666666666"', EVERYTHING - {"duck"}),
    ('resource_tag["env"] = "prd"', {"sessions"}),
    (EAST, {"orders-prod"}),
    ('resource_type = "aws-account-ec2-instance" and resource_tag["env"] = "production" and resource_risk_level = "1"',
     {"web"}),
    ('integration in ("aws-account") and resource_tag["environment"] = "production"', {"sessions", "carts"}),
    ('resource_type = "aws-rds-mysql-database" and resource_name contains "staging"', {"orders-staging"}),
    (PRODUCTION + 'resource_tag["environment"] = "production"', {"sessions", "carts", "cards"}),
    ('integration in ("aws-account") and resource_tag["team"] = "engineering"', {"sessions"}),
    ('integration in ("aws-rds") and resource_tag["environment"] = "production"', {"orders-prod"}),
    (PRODUCTION + 'resource_tag["environment"] = "production"\n  and resource_tag["compliance"] = "pci"',
     {"carts", "cards"}),
    ('integration in ("aws-rds") and resource_tag["team"] = "platform"', {"orders-prod"}),
    ('integration = "Pond" and resource_type = "mock-duck"', {"duck"}),
    ('integration_name = "aws"', {"sessions", "carts"}),
]  # fmt: skip


@pytest.fixture
def inventory(db: None) -> None:
    connector = Connector.objects.create(name="here")
    for name, (pk, type_, kind, found) in SYSTEMS.items():
        one = Integration.objects.create(pk=pk, name=name, type=type_, connector=connector, status="active")
        made = ResourceType.objects.create(integration=one, type=kind, name=kind)
        for source, risk in (("READ", 3), ("ADMIN", 9)):
            Permission.objects.create(resource_type=made, source_id=source, name=source.title(), risk_level=risk)
        for source, (risk, tags) in found.items():
            resource = Resource.objects.create(
                integration=one, resource_type=made, source_id=source, name=source, path=source, risk_level=risk
            )
            for key, value in tags.items():
                Tag.objects.create(resource=resource, type=kind, key=key, value=value)


@pytest.mark.parametrize(("text", "names"), EXAMPLES, ids=range(1, 16))
def test_an_example_selects_what_it_says(inventory: None, text: str, names: set[str]) -> None:
    found = entitlements(selected(parse(text)).page())
    permissions = {"READ"} if text == EAST else {"READ", "ADMIN"}
    assert {(one.resource_name, one.permission_source_id) for one in found} == {
        (name, permission) for name in names for permission in permissions
    }
    assert all(parse(text).holds(one) for one in found)


def test_the_abandoned_example_is_refused_with_what_to_write() -> None:
    text = 'integration_id = "1" AND resource_type = "rds-instance" AND tags.Environment = "production"'
    for suggestion in ("integration", 'resource_tag["Environment"]'):
        with pytest.raises(BadQuery) as caught:
            parse(text)
        assert caught.value.suggestion == suggestion
        text = text.replace(caught.value.found, suggestion)
    assert parse(text)


def test_keys_are_data_whatever_stands_in_them(inventory: None) -> None:
    keys = ["a.b", 'a"b', "$.a", "a'b", "a\\b", "[0]", "é", "🗝", "", "x') OR 1=1 --"]
    one = Resource.objects.get(name="duck")
    for key in keys:
        Resource.objects.filter(pk=one.pk).update(context={key: "here"})
        for asked in keys:
            node: Any = parse(
                f'resource_context["{asked.translate({34: chr(92) + chr(34), 92: chr(92) * 2})}"] = "here"'
            )
            assert bool(selected(node).count()) == (asked == key), (key, asked)


def test_what_names_nothing_there_selects_nothing(inventory: None) -> None:
    for text in ('resource = "99999999999999999999999"', 'resource = "²"', 'permission = "-1"', 'integration = "x"'):
        assert selected(parse(text)).page() == []
        assert selected(parse(f"not {text}")).count() == 2 * len(EVERYTHING)
