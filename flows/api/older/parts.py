"""Conditions, targets and times of the first version: contract to document and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flows.api.naming import Known
from flows.api.older.shapes import DAY
from flows.api.parts import Part, present
from flows.choices import LogicalOperator, MatchOperator, SelectorMode, SelectorType, TargetKind

_NAMES = {SelectorType.ID: "__id", SelectorType.NAME: "__name"}
_KINDS = {name: kind for kind, name in _NAMES.items()}


def filter_shown(one: Part) -> Part:
    """Return a condition as it is answered."""
    told = {"operator": one["operator"], "attribute_type_id": one["type"], "integration_id": one.get("source") or None}
    return present(told | {"attribute_value": list(one["values"]) or None})


def filter_wanted(one: Part, known: Known, path: str) -> Part:
    """Return a condition as documents hold it."""
    source, values = one.get("integration_id"), list(one.get("attribute_value") or ())
    if one["attribute_type_id"] == "webhook":
        values = [known.id("webhooks", value, f"{path}.attribute_value") for value in values]
    return {
        "type": one["attribute_type_id"],
        "operator": one.get("operator") or MatchOperator.IS.value,
        "source": known.id("integrations", source, f"{path}.integration_id") if source else "",
        "values": values,
    }


def group_wanted(operator: str, told: list[Part], known: Known, path: str) -> Part:
    """Return joined conditions as documents hold them."""
    conditions = [filter_wanted(one, known, f"{path}.{place}") for place, one in enumerate(told)]
    return {"operator": LogicalOperator(operator.lower()).value, "conditions": conditions}


def targets_shown(targets: Iterable[Part]) -> list[Part]:
    """Return the targets of a flow or bundle that lie in an integration."""
    return [_target_shown(one) for one in targets if one["kind"] == TargetKind.INTEGRATION]


def _target_shown(one: Part) -> Part:
    tags: dict[str, list[Part]] = {SelectorMode.INCLUDE: [], SelectorMode.EXCLUDE: []}
    for each in one["selectors"]:
        name = _NAMES.get(each["type"], each["key"])
        tags[each["mode"]] += [{"name": name, "value": value} for value in each["values"]]
    return {
        "integration_id": one["integration"],
        "resource_type": one["resource_type"],
        "resource_tag_includes": tags[SelectorMode.INCLUDE],
        "resource_tag_excludes": tags[SelectorMode.EXCLUDE],
        "permissions": list(one["permissions"]),
    }


def targets_wanted(told: Iterable[Part], known: Known) -> list[Part]:
    """Return targets as flows.actions takes them."""
    return [_target_wanted(one, known, f"integration_targets.{place}") for place, one in enumerate(told)]


def _target_wanted(one: Part, known: Known, path: str) -> Part:
    sides = ((SelectorMode.INCLUDE, "resource_tag_includes"), (SelectorMode.EXCLUDE, "resource_tag_excludes"))
    return {
        "kind": TargetKind.INTEGRATION.value,
        "integration": known.id("integrations", one["integration_id"], f"{path}.integration_id"),
        "resource_type": one["resource_type"],
        "permissions": list(one["permissions"]),
        "selectors": [_selector(mode, tag) for mode, name in sides for tag in one[name]],
    }


def _selector(mode: SelectorMode, tag: Part) -> Part:
    """Return a tag as a selector of its own: any of those that take in will do, so it means the same."""
    kind = _KINDS.get(tag["name"], SelectorType.TAG)
    key = tag["name"] if kind == SelectorType.TAG else ""
    return {"mode": mode.value, "type": kind.value, "key": key, "values": [tag["value"]]}


def timeframe_wanted(told: Part) -> Part:
    """Return when a flow may be used; a last second becomes the minute that it ends."""
    end = told["end_of_day_time_in_seconds"]
    return {
        "start": _clock(told["start_of_day_time_in_seconds"]),
        "end": _clock(end + 1 if end % 60 else end),
        "days": list(told["days_in_week"]),
        "time_zone": told["time_zone"],
    }


def _clock(seconds: int) -> str:
    hours, minutes = divmod(seconds % DAY // 60, 60)
    return f"{hours:02}:{minutes:02}"


def timeframe_shown(window: Part, ends: int | None) -> Part:
    """Return when a flow may be used, in seconds. `ends` is how its end was written, if it was."""
    start, end = (_seconds(window[name]) for name in ("start", "end"))
    if ends is not None and (ends + 1 if ends % 60 else ends) % DAY == end:
        end = ends
    return {
        "start_of_day_time_in_seconds": start,
        "end_of_day_time_in_seconds": end,
        "days_in_week": list(window["days"]),
        "time_zone": window["time_zone"],
    }


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def references(body: Part) -> dict[str, list[str]]:
    """Return all that a body of a flow or bundle refers to, by kind."""
    found: dict[str, list[Any]] = {"integrations": [], "bundles": [], "webhooks": []}
    found["integrations"] += [one["integration_id"] for one in body.get("integration_targets") or ()]
    found["bundles"] += [one["bundle_id"] for one in body.get("bundle_targets") or ()]
    groups = (body.get("approver_policy") or {}).get("condition_groups", ())
    approving = [each for one in groups for each in one["conditions"]]
    for one in (*(body.get("grantee_filter_group") or {}).get("attribute_filters", ()), *approving):
        found["integrations"] += [one["integration_id"]] if one.get("integration_id") else []
        found["webhooks"] += (one.get("attribute_value") or ()) if one["attribute_type_id"] == "webhook" else ()
    return found
