"""What the tests of the query language share: entitlements as plain data, and queries by chance."""

from __future__ import annotations

import random
from typing import Any

from integrations.aql import FIELDS, And, Not, Or, Query, Term
from integrations.aql.tree import all_of, any_of, negated
from integrations.queries import Entitlement

UUID = "7d3bb7a1-57c8-4b5a-9a5e-3f1c7d6f2b11"
NASTY = ("", "a", 'a"b', "a\\b", "a%b", "a_b", "A", "é", "E\u0301", "日本", "a\nb", "a\tb", "'", "a.b", "$.a", '"',
         "[0]", "İ", "ß", " a ", "0", "1e0", "\u2028", "🗝", "a\x01b", "null", "true")  # fmt: skip


def entitlement(**fields: Any) -> Entitlement:
    """Return an entitlement: reading a production database."""
    return Entitlement(
        **{
            "integration_id": UUID, "integration_name": "AWS prod", "integration_type": "aws-rds", "resource_id": 7,
            "resource_type": "aws-rds-mysql-database", "resource_source_id": "arn:aws:rds:db/7",
            "resource_name": "orders-prod", "resource_path": "us-east-1/orders-prod",
            "tags": (("env", "prod"), ("team", "data")), "permission_id": 70, "permission_source_id": "READ_ONLY",
            "permission_name": "Read only", "permission_risk": 3, "resource_risk": 5,
            "resource_context": (("region", "us-east-1"),), "permission_tags": (("kind", "temporary"),),
            "permission_context": (("access", "read"),), **fields,
        }
    )  # fmt: skip


def a_query(rng: random.Random, values: dict[str, list[str]], depth: int = 3) -> Query:
    """Make a query by chance; `values` are what fields may be compared with, by name."""
    return Query(_a_node(rng, values, depth))


def _a_node(rng: random.Random, values: dict[str, list[str]], depth: int) -> Term | Not | And | Or:
    if depth == 0 or rng.random() < 0.3:
        return _a_term(rng, values)
    parts = [_a_node(rng, values, depth - 1) for _ in range(rng.randint(2, 3))]
    return rng.choice([all_of, any_of, lambda some: negated(some[0])])(parts)


def _a_term(rng: random.Random, values: dict[str, list[str]]) -> Term:
    field = rng.choice(list(FIELDS.values()))
    operator = rng.choice(field.operators)
    number = rng.randint(1, 3) if operator in {"in", "not_in"} else 1
    known = values["risk"] if field.risk else values[field.name]
    chosen = [rng.choice(known) for _ in range(number)]
    if operator in {"contains", "not_contains", "starts_with", "ends_with"}:
        chosen = [_part(rng, one) for one in chosen]
    return Term(field.name, operator, tuple(chosen), rng.choice(values["keys"]) if field.keyed else "")


def _part(rng: random.Random, text: str) -> str:
    start = rng.randint(0, len(text))
    return text[start : start + rng.randint(0, 4)] if rng.random() < 0.8 else text
