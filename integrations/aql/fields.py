"""The fields of a query, and what may be asked of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EQUALITY, MEMBERSHIP = ("=", "!="), ("in", "not_in")
SUBSTRING = ("contains", "not_contains", "starts_with", "ends_with")
OPERATORS = (*EQUALITY, *SUBSTRING, *MEMBERSHIP)
# An operator that says what its positive does not: so an absent tag, which equals nothing, is unequal to everything.
COMPLEMENTS = {"!=": "=", "not_contains": "contains", "not_in": "in"}
RISK_WORDS = {"low": (1, 2, 3), "medium": (4, 5, 6), "high": (7, 8, 9)}
RISK_VALUES = (*RISK_WORDS, *(str(level) for level in range(1, 10)))


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `of` says what it looks at; `keyed` ones are written with a key: resource_tag["env"]."""

    name: str
    of: Literal["integration", "type", "resource", "permission"]
    explanation: str
    keyed: bool = False
    risk: bool = False

    @property
    def operators(self) -> tuple[str, ...]:
        """Which operators it takes: a risk level has no parts."""
        return (*EQUALITY, *MEMBERSHIP) if self.risk else OPERATORS


_RISK = "1 to 9, or low (1–3), medium (4–6), high (7–9)"
FIELDS = {
    field.name: field
    for field in (
        Field("resource_type", "type", "The id of the resource type, as database."),
        Field("resource_name", "resource", "The resource’s name."),
        Field("resource_path", "resource", "Where the resource lies within its integration."),
        Field("resource", "resource", "The resource’s id in Latchkey, a number."),
        Field("resource_status", "resource", "active, or missing when the last sync did not find it."),
        Field("resource_source_id", "resource", "The resource’s id in its own system, as an ARN."),
        Field("resource_risk_level", "resource", f"The resource’s risk: {_RISK}.", risk=True),
        Field("permission", "permission", "The permission’s id in Latchkey, or in its own system."),
        Field("permission_name", "permission", "The permission’s name."),
        Field("permission_risk_level", "permission", f"The permission’s risk: {_RISK}.", risk=True),
        Field("integration", "integration", "The integration’s id, name or type; one of them has to fit."),
        Field("integration_name", "integration", "The integration’s name."),
        Field("resource_tag", "resource", "The value of a tag of the resource.", keyed=True),
        Field("resource_context", "resource", "What the system says of the resource, by key.", keyed=True),
        Field("permission_tag", "permission", "The value of a tag of the permission.", keyed=True),
        Field("permission_context", "permission", "What the system says of the permission, by key.", keyed=True),
    )
}
# What a query that we put together may compare besides: exactly one of the names that a field above goes by. Nobody
# writes them, so that text which asks for more than it says cannot be.
INNER = {
    field.name: field
    for field in (
        Field("integration_id", "integration", "The integration’s id, and not its name or type."),
        Field("permission_source_id", "permission", "The permission’s id in its own system, and not ours."),
    )
}
ALL = FIELDS | INNER
