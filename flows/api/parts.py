"""Conditions, selectors and targets: as the contracts say them, and as documents do. Pure.

What is null is left out: third-party clients take a null for a value that was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flows.api.naming import Known
from flows.choices import ConditionType, LogicalOperator, MatchOperator, SelectorType, TargetKind

Part = dict[str, Any]
# A selector's types, by the names that the contracts have for them.
SELECTOR_TYPES = {"NAME": SelectorType.NAME, "APONO_ID": SelectorType.ID, "TAG": SelectorType.TAG}
_TYPES_TOLD = {ours.value: theirs for theirs, ours in SELECTOR_TYPES.items()}


def present(part: Part) -> Part:
    """Return what is not null."""
    return {key: value for key, value in part.items() if value is not None}


def condition_shown(one: Part, known: Known) -> Part:
    """Return a condition as it is answered."""
    source = one.get("source") or None
    return present(
        {
            "source_integration_id": source,
            "source_integration_name": known.name("integrations", source) if source else None,
            "type": one["type"],
            "match_operator": one["operator"],
            "values": list(one["values"]) or None,
        }
    )


def condition_wanted(one: Part, known: Known, path: str) -> Part:
    """Return a condition as documents hold it; values stay in the order in which they were written."""
    source, values = one.get("source_integration_reference"), list(one.get("values") or ())
    if one["type"] == ConditionType.WEBHOOK:
        values = [known.id("webhooks", value, f"{path}.values") for value in values]
    return {
        "type": one["type"],
        "operator": one.get("match_operator") or MatchOperator.IS.value,
        "source": known.id("integrations", source, f"{path}.source_integration_reference") if source else "",
        "values": values,
    }


def group_shown(group: Part, known: Known, inner: str = "conditions") -> Part:
    """Return conditions that are joined; `inner` is what the contract calls the list."""
    return {
        "logical_operator": group["operator"].upper(),
        inner: [condition_shown(one, known) for one in group["conditions"]],
    }


def group_wanted(group: Part, known: Known, path: str, inner: str = "conditions") -> Part:
    """Return joined conditions as documents hold them."""
    return {
        "operator": LogicalOperator(group["logical_operator"].lower()).value,
        "conditions": [
            condition_wanted(one, known, f"{path}.{inner}.{place}") for place, one in enumerate(group[inner])
        ],
    }


def target_shown(target: Part, known: Known) -> Part:
    """Return a target as it is answered: exactly one of its four kinds."""
    match target["kind"]:
        case TargetKind.BUNDLE:
            pk = target["bundle"]
            return {"bundle": {"bundle_id": pk, "bundle_name": known.name("bundles", pk)}}
        case TargetKind.ACCESS_SCOPE:
            pk = target["access_scope"]
            return {"access_scope": {"access_scope_id": pk, "access_scope_name": known.name("scopes", pk)}}
        case TargetKind.QUERY:
            return {"query_target": {"query": target["query"]}}
    return {
        "integration": present(
            {
                "integration_id": target["integration"],
                "integration_name": known.name("integrations", target["integration"]),
                "resource_type": target["resource_type"],
                "permissions": list(target["permissions"]),
                "resources_scopes": [_selector_shown(one) for one in target["selectors"]] or None,
            }
        )
    }


def _selector_shown(one: Part) -> Part:
    told = {"scope_mode": one["mode"], "type": _TYPES_TOLD[one["type"]], "key": one["key"] or None}
    return present(told | {"values": list(one["values"])})


def target_wanted(target: Part, known: Known, path: str) -> Part:
    """Return a target as flows.actions takes it."""
    if bundle := target.get("bundle"):
        pk = known.id("bundles", bundle["bundle_reference"], f"{path}.bundle.bundle_reference")
        return {"kind": TargetKind.BUNDLE.value, "bundle": pk}
    if scope := target.get("access_scope"):
        pk = known.id("scopes", scope["access_scope_reference"], f"{path}.access_scope.access_scope_reference")
        return {"kind": TargetKind.ACCESS_SCOPE.value, "access_scope": pk}
    if query := target.get("query_target"):
        return {"kind": TargetKind.QUERY.value, "query": query["query"]}
    told = target["integration"]
    where = f"{path}.integration.integration_reference"
    return {
        "kind": TargetKind.INTEGRATION.value,
        "integration": known.id("integrations", told["integration_reference"], where),
        "resource_type": told["resource_type"],
        "permissions": list(told["permissions"]),
        "bundle": "",
        "access_scope": "",
        "query": "",
        "selectors": [_selector_wanted(one) for one in told.get("resources_scopes") or ()],
    }


def _selector_wanted(one: Part) -> Part:
    return {
        "mode": one["scope_mode"],
        "type": SELECTOR_TYPES[one["type"]].value,
        "key": one.get("key") or "",
        "values": list(one["values"]),
    }


def references(body: Part) -> dict[str, list[str]]:
    """Return all that a body of a flow or bundle refers to, by kind."""
    found: dict[str, list[str]] = {"integrations": [], "bundles": [], "scopes": [], "webhooks": []}
    for target in body["access_targets"]:
        _note(found["integrations"], target.get("integration"), "integration_reference")
        _note(found["bundles"], target.get("bundle"), "bundle_reference")
        _note(found["scopes"], target.get("access_scope"), "access_scope_reference")
    for one in _conditions(body):
        _note(found["integrations"], one, "source_integration_reference")
        if one["type"] == ConditionType.WEBHOOK:
            found["webhooks"] += one.get("values") or ()
    found["webhooks"] += (body.get("latchkey") or {}).get("checks") or ()
    return found


def _note(found: list[str], part: Part | None, key: str) -> None:
    if part and part.get(key):
        found.append(part[key])


def _conditions(body: Part) -> Iterator[Part]:
    groups: Iterable[Part | None] = (body.get("requestors"), (body.get("request_for") or {}).get("grantees"))
    for group in groups:
        yield from (group or {}).get("conditions", ())
    for policy in (body.get("approver_policy"), body.get("escalation_policy")):
        for one in (policy or {}).get("approver_groups", ()):
            yield from one["approvers"]
