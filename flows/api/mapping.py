"""Access flows of the second version: as the contract says them, and as documents do. Pure.

What the contract has no word for is in `latchkey`, an extension of ours: it is told only where it is not as usual, and
what a client does not tell of it stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flows.api.naming import Known
from flows.api.parts import Part, group_shown, group_wanted, present, target_shown, target_wanted
from flows.choices import ApprovalMode, LogicalOperator, RequestScope
from flows.decision import Document

# What `latchkey` may hold, and what is meant where it says nothing.
USUAL: Part = {
    "answer_within_hours": 24,
    "break_glass": False,
    "checks": [],
    "custom_fields": [],
    "drain_in_min": 0,
    "only_while_eligible": True,
    "removes_foreign": False,
    "ticket_pattern": "",
    # How the groups of the escalation policy are spread over its steps; empty means one after the other.
    "tiers": [],
}
# What may be said or left out with the same meaning: clients want back just what they wrote.
SAID_OR_NOT = ("request_for", "settings.max_extensions", "settings.extension_duration_in_min")
_NOBODY: Part = {"operator": LogicalOperator.OR.value, "conditions": []}


def flow_shown(document: Document, known: Known, said: Collection[str] = ()) -> Part:
    """Return a flow as it is answered, without id and dates. `said` names of SAID_OR_NOT what was said."""
    approval, settings, mode = document["approval"], document["settings"], document["approval"]["mode"]
    asked = [group_shown(one, known, "approvers") for one in approval["groups"] if not one.get("tier", 0)]
    policy = {"approval_mode": mode.upper(), "approver_groups": asked}
    duration = document["duration_seconds"]
    return present(
        {
            "name": document["name"],
            "description": document.get("description") or None,
            "active": document["active"],
            "trigger": document["trigger"].upper(),
            "requestors": group_shown(document["requestors"], known),
            "request_for": _request_for_shown(document, known, said),
            "access_targets": [target_shown(one, known) for one in document["targets"]],
            "approver_policy": None if mode == ApprovalMode.NONE else policy,
            "escalation_policy": _escalation_shown(approval, known),
            "grant_duration_in_min": None if duration is None else duration // 60,
            "timeframe": _timeframe_shown(document.get("timeframe")),
            "settings": _settings_shown(settings, said),
            "latchkey": extension(document, known) or None,
        }
    )


def _request_for_shown(document: Document, known: Known, said: Collection[str]) -> Part | None:
    told = document.get("request_for") or {}
    scopes, grantees = list(told.get("scopes") or [RequestScope.SELF.value]), told.get("grantees") or _NOBODY
    anybody = grantees["conditions"] or grantees["operator"] != LogicalOperator.OR
    if scopes == [RequestScope.SELF.value] and not anybody and "request_for" not in said:
        return None
    return present({"request_scopes": scopes, "grantees": group_shown(grantees, known) if anybody else None})


def _escalation_shown(approval: Part, known: Known) -> Part | None:
    later = [one for one in approval["groups"] if one.get("tier", 0)]
    seconds = approval.get("escalation_seconds")
    if not later and not seconds:
        return None
    groups = [group_shown(one, known, "approvers") for one in later]
    return {"interval_in_min": (seconds or 0) // 60, "approver_groups": groups}


def _timeframe_shown(window: Part | None) -> Part | None:
    if window is None:
        return None
    days = {"days_of_week": list(window["days"]), "time_zone": window["time_zone"]}
    return {"start_time": window["start"], "end_time": window["end"]} | days


def _settings_shown(settings: Part, said: Collection[str]) -> Part:
    times, each = settings.get("max_extensions", 0), settings.get("extension_seconds", 0) // 60
    return present(
        {
            "justification_required": settings["justification_required"],
            "require_approver_reason": settings["approver_reason_required"],
            "requestor_cannot_approve_himself": not settings["self_approval"],
            "require_mfa": settings.get("mfa_required", False),
            "labels": list(settings.get("labels") or ()),
            "max_extensions": times if times or "settings.max_extensions" in said else None,
            "extension_duration_in_min": each if each or "settings.extension_duration_in_min" in said else None,
        }
    )


def extension(document: Document, known: Known) -> Part:
    """Return of what the contract has no word for what is not as usual."""
    settings = document["settings"]
    tiers = [one["tier"] for one in document["approval"]["groups"] if one.get("tier", 0)]
    told = {
        "answer_within_hours": document["pending_seconds"] // 3600,
        "break_glass": settings.get("break_glass", False),
        "checks": [known.name("webhooks", one) for one in document.get("checks") or ()],
        "drain_in_min": settings.get("drain_seconds", 0) // 60,
        "custom_fields": list(settings.get("fields") or ()),
        "only_while_eligible": settings.get("only_while_eligible", True),
        "removes_foreign": settings.get("removes_foreign", False),
        "ticket_pattern": settings.get("ticket_pattern", ""),
        "tiers": [] if tiers == list(range(1, len(tiers) + 1)) else tiers,
    }
    return {key: value for key, value in told.items() if value != USUAL[key]}


def flow_wanted(body: Part, known: Known, *, pk: str = "", kept: Part | None = None) -> Document:
    """Return the document that a checked body says, of the flow with the id. Raises ValidationError.

    `kept` is the extension of the flow as it is, for a body that says nothing of it.
    """
    more = USUAL | (body["latchkey"] if body.get("latchkey") is not None else kept or {})
    policy, duration = body.get("approver_policy"), body.get("grant_duration_in_min")
    escalation = body.get("escalation_policy")
    return {
        "id": pk,
        "name": body["name"],
        "description": body.get("description") or "",
        "active": body["active"],
        "trigger": body["trigger"].lower(),
        "requestors": group_wanted(body["requestors"], known, "requestors"),
        "request_for": _request_for_wanted(body, known),
        "targets": [
            target_wanted(one, known, f"access_targets.{place}") for place, one in enumerate(body["access_targets"])
        ],
        "approval": {
            "mode": policy["approval_mode"].lower() if policy else ApprovalMode.NONE.value,
            "groups": [*_groups(policy, "approver_policy", known, []), *_later(escalation, known, more["tiers"])],
            "escalation_seconds": escalation["interval_in_min"] * 60 or None if escalation else None,
        },
        "duration_seconds": None if duration is None else duration * 60,
        "pending_seconds": more["answer_within_hours"] * 3600,
        "timeframe": _timeframe_wanted(body.get("timeframe")),
        "checks": sorted(known.id("webhooks", one, "latchkey.checks") for one in more["checks"]),
        "settings": _settings_wanted(body["settings"], more),
    }


def _request_for_wanted(body: Part, known: Known) -> Part:
    told = body.get("request_for") or {}
    scopes = list(told.get("request_scopes") or [RequestScope.SELF.value])
    if body.get("request_for_others") and RequestScope.OTHERS not in scopes:
        scopes.append(RequestScope.OTHERS.value)
    grantees = told.get("grantees")
    named = group_wanted(grantees, known, "request_for.grantees") if grantees else dict(_NOBODY)
    return {"scopes": sorted(scopes), "grantees": named}


def _groups(policy: Part | None, path: str, known: Known, tiers: list[int]) -> list[Part]:
    """Return approver groups, each with its tier; 0 for those that `tiers` says nothing of."""
    groups = (policy or {}).get("approver_groups", ())
    return [
        {
            "tier": tiers[place] if place < len(tiers) else 0,
            **group_wanted(group, known, f"{path}.approver_groups.{place}", "approvers"),
        }
        for place, group in enumerate(groups)
    ]


def _later(escalation: Part | None, known: Known, tiers: list[int]) -> list[Part]:
    number = len((escalation or {}).get("approver_groups", ()))
    spread = tiers if len(tiers) == number else list(range(1, number + 1))
    return _groups(escalation, "escalation_policy", known, spread)


def _timeframe_wanted(window: Part | None) -> Part | None:
    if window is None:
        return None
    start, end = (window[name][:5] for name in ("start_time", "end_time"))
    return {"start": start, "end": end, "days": list(window["days_of_week"]), "time_zone": window["time_zone"]}


def _settings_wanted(told: Part, more: Part) -> Part:
    lasting: Part = {} if more["only_while_eligible"] else {"only_while_eligible": False}
    drains = {"drain_seconds": more["drain_in_min"] * 60} if more["drain_in_min"] else {}
    return (
        lasting
        | drains
        | {
            "justification_required": told["justification_required"],
            "approver_reason_required": told["require_approver_reason"],
            "self_approval": not told["requestor_cannot_approve_himself"],
            "mfa_required": told["require_mfa"],
            "break_glass": more["break_glass"],
            "removes_foreign": more["removes_foreign"],
            "ticket_pattern": more["ticket_pattern"],
            "fields": [dict(one) for one in more["custom_fields"]],
            "max_extensions": told.get("max_extensions") or 0,
            "extension_seconds": (told.get("extension_duration_in_min") or 0) * 60,
            "labels": list(told["labels"]),
        }
    )


def columns_of(document: Document) -> dict[str, Any]:
    """Return a flow's own columns, as flows.actions.define takes them."""
    settings, duration = document["settings"], document["duration_seconds"]
    escalation = document["approval"]["escalation_seconds"]
    apart = ("extension_seconds", "only_while_eligible", "drain_seconds")
    return {
        **{name: document[name] for name in ("name", "description", "active", "trigger")},
        **{name: value for name, value in settings.items() if name not in apart},
        "request_for": document["request_for"]["scopes"],
        "requestor_operator": document["requestors"]["operator"],
        "grantee_operator": document["request_for"]["grantees"]["operator"],
        "grant_duration_minutes": None if duration is None else duration // 60,
        "indefinite": duration is None,
        "extension_minutes": settings["extension_seconds"] // 60,
        "outlasts_eligibility": not settings.get("only_while_eligible", True),
        "drain_minutes": settings.get("drain_seconds", 0) // 60,
        "approval_mode": document["approval"]["mode"],
        "escalation_minutes": escalation // 60 if escalation else None,
        "pending_hours": document["pending_seconds"] // 3600,
    }


def said_in(body: Part) -> list[str]:
    """Return which of SAID_OR_NOT a body says."""
    settings = body.get("settings") or {}
    found = {name: body.get(name) for name in ("request_for",)}
    found |= {f"settings.{name}": settings.get(name) for name in ("max_extensions", "extension_duration_in_min")}
    return [name for name in SAID_OR_NOT if found[name] is not None]
