"""Access flows of the first version: as its contracts say them, and as documents do. Pure.

What this version has no word for (scopes, queries, later tiers, whom it is for, our own settings) stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from flows.api.mapping import flow_wanted as in_version_two
from flows.api.naming import Known
from flows.api.older.identities import Identities, any_of
from flows.api.older.parts import (
    filter_shown,
    group_wanted,
    targets_shown,
    targets_wanted,
    timeframe_shown,
    timeframe_wanted,
)
from flows.api.parts import Part, present
from flows.choices import ApprovalMode, LogicalOperator, TargetKind, Trigger
from flows.decision import Document
from flows.decision.conditions import Group

TRIGGERS = {"user_request": Trigger.SELF_SERVE.value, "automatic": Trigger.AUTOMATIC.value}
_TRIGGERS_TOLD = {ours: theirs for theirs, ours in TRIGGERS.items()}
# By the contract's name the document's setting. Approving oneself is said the other way round.
_SETTINGS = {
    "require_justification": "justification_required",
    "require_approver_justification": "approver_reason_required",
    "require_mfa": "mfa_required",
}
# Kept in AccessFlow.said, as this with a value: what was written, where the flow itself says it otherwise or not.
_SAID = "older:"
_AGAIN, _ALL, _ENDS = "require_justification_on_request_again", "require_all_approvers", "end"
_NOBODY: Part = {"logical_operator": "OR", "conditions": []}


def blank() -> Document:
    """Return what a new flow says where a body says nothing: what the contract has as usual."""
    settings = {"justification_required": True, "require_approver_reason": False, "require_mfa": False, "labels": []}
    body = {
        "name": "",
        "active": True,
        "trigger": "SELF_SERVE",
        "requestors": _NOBODY,
        "access_targets": [],
        "settings": settings | {"requestor_cannot_approve_himself": False},
    }
    return in_version_two(body, Known())


def flow_shown(document: Document, who: Identities, said: Collection[str] = ()) -> Part:
    """Return a flow as it is answered, without id and date: all that either contract has a name for."""
    written, requestors, seconds = _written(said), document["requestors"], document["duration_seconds"]
    window = document.get("timeframe")
    frame = {"timeframe": timeframe_shown(window, written.get(_ENDS))} if window else {}
    filters = [filter_shown(one) for one in requestors["conditions"]]
    named = who.shown(requestors["conditions"]) if any_of(requestors) else None
    return present(
        {
            "name": document["name"],
            "active": document["active"],
            "trigger": {"type": _TRIGGERS_TOLD[document["trigger"]], **frame},
            "grantees": named or [],
            "grantee_filter_group": {
                "logical_operator": requestors["operator"].upper(),
                "attribute_filters": filters,
            },
            "integration_targets": targets_shown(document["targets"]),
            "bundle_targets": [
                {"bundle_id": one["bundle"]} for one in document["targets"] if one["kind"] == TargetKind.BUNDLE
            ],
            **_approval_shown(document, who),
            "revoke_after_in_sec": -1 if seconds is None else seconds,
            "settings": _settings_shown(document, written),
            "labels": [{"name": one} for one in document["settings"].get("labels") or ()],
        }
    )


def first(document: Document) -> list[Group]:
    """Return the groups that are asked at once."""
    return [one for one in document["approval"]["groups"] if not one.get("tier", 0)]


def _approval_shown(document: Document, who: Identities) -> Part:
    mode, groups = document["approval"]["mode"], first(document)
    if mode == ApprovalMode.NONE:
        return {}
    told = [
        {
            "conditions_logical_operator": one["operator"].upper(),
            "conditions": [filter_shown(each) for each in one["conditions"]],
        }
        for one in groups
    ]
    policy = {"groups_relationship": mode.upper(), "condition_groups": told}
    named = [who.shown(one["conditions"]) if any_of(one) else None for one in groups]
    # In a list of approvers each is asked by itself: all of several groups are such a list only with one in each.
    plain = all(one is not None and (mode == ApprovalMode.ANY_OF or len(one) == 1) for one in named)
    return {"approver_policy": policy} | ({"approvers": [each for one in named for each in one or ()]} if plain else {})


def _settings_shown(document: Document, written: Part) -> Part:
    settings = document["settings"]
    told = {theirs: settings.get(ours, False) for theirs, ours in _SETTINGS.items()}
    return told | {
        "approver_cannot_approve_himself": not settings["self_approval"],
        _AGAIN: written.get(_AGAIN, settings["justification_required"]),
        _ALL: written.get(_ALL, document["approval"]["mode"] == ApprovalMode.ALL_OF),
    }


def _written(said: Collection[str]) -> Part:
    parts = [one.removeprefix(_SAID).partition("=") for one in said if one.startswith(_SAID)]
    return {name: json.loads(value) for name, _, value in parts}


def flow_wanted(document: Document, body: Part, known: Known, who: Identities) -> Document:
    """Return the document with what a checked body says; what it does not say stays. Raises ValidationError."""
    found, trigger = document | {"settings": dict(document["settings"])}, body.get("trigger")
    for name in ("name", "active"):
        found[name] = body[name] if body.get(name) is not None else document[name]
    if trigger:
        window = trigger.get("timeframe")
        found["trigger"] = TRIGGERS[trigger["type"]]
        found["timeframe"] = timeframe_wanted(window) if window else None
    if (seconds := body.get("revoke_after_in_sec")) is not None:
        found["duration_seconds"] = None if seconds == -1 else seconds
    found["requestors"] = _requestors_wanted(document, body, known, who)
    found["targets"] = _all_targets_wanted(document, body, known)
    _settings_wanted(found, body)
    found["approval"] = _approval_wanted(found, body, known, who)
    return found


def _requestors_wanted(document: Document, body: Part, known: Known, who: Identities) -> Part:
    if told := body.get("grantee_filter_group"):
        path = "grantee_filter_group.attribute_filters"
        return group_wanted(told["logical_operator"], told["attribute_filters"], known, path)
    if (named := body.get("grantees")) is None:
        kept: Part = document["requestors"]
        return kept
    return {"operator": LogicalOperator.OR.value, "conditions": who.conditions(named, "grantees")}


def _all_targets_wanted(document: Document, body: Part, known: Known) -> list[Part]:
    told: dict[str, Callable[[], list[Part]]] = {
        TargetKind.INTEGRATION: lambda: targets_wanted(body["integration_targets"], known),
        TargetKind.BUNDLE: lambda: [
            {
                "kind": TargetKind.BUNDLE.value,
                "bundle": known.id("bundles", one["bundle_id"], f"bundle_targets.{place}.bundle_id"),
            }
            for place, one in enumerate(body["bundle_targets"])
        ],
    }
    said = [kind for kind in told if body.get(f"{kind}_targets") is not None]
    return [each for kind in said for each in told[kind]()] + [
        one for one in document["targets"] if one["kind"] not in said
    ]


def _settings_wanted(found: Document, body: Part) -> None:
    told, settings = body.get("settings") or {}, found["settings"]
    for theirs, ours in _SETTINGS.items():
        if told.get(theirs) is not None:
            settings[ours] = told[theirs]
    if told.get("approver_cannot_approve_himself") is not None:
        settings["self_approval"] = not told["approver_cannot_approve_himself"]
    if found["trigger"] == Trigger.AUTOMATIC:
        settings["justification_required"] = False
    if body.get("labels") is not None:
        settings["labels"] = [one["name"] for one in body["labels"]]


def _approval_wanted(found: Document, body: Part, known: Known, who: Identities) -> Part:
    approval: Part = found["approval"]
    later = [one for one in approval["groups"] if one.get("tier", 0)]
    if policy := body.get("approver_policy"):
        groups, mode = _groups(policy, known), policy["groups_relationship"].lower()
    else:
        every, named = (body.get("settings") or {}).get(_ALL), body.get("approvers")
        if named is None and every is not None:
            # How many of them have to agree is said anew, and not who they are.
            named = _approval_shown(found, who).get("approvers")
        if named is None:
            return approval
        groups = _named_groups(named, who, bool(every))
        mode = ApprovalMode.ALL_OF.value if every else ApprovalMode.ANY_OF.value
    if not groups:
        return {"mode": ApprovalMode.NONE.value, "groups": [], "escalation_seconds": None}
    return approval | {"mode": mode, "groups": groups + later}


def _groups(policy: Part, known: Known) -> list[Part]:
    path = "approver_policy.condition_groups"
    return [
        {
            "tier": 0,
            **group_wanted(one["conditions_logical_operator"], one["conditions"], known, f"{path}.{place}.conditions"),
        }
        for place, one in enumerate(policy["condition_groups"])
    ]


def _named_groups(named: list[Part], who: Identities, every: bool) -> list[Part]:
    """Return the groups that a list of approvers means: all as one group, or one group each where all have to agree."""
    parts = [[one] for one in named] if every else [named] if named else []
    operator = {"tier": 0, "operator": LogicalOperator.OR.value}
    return [operator | {"conditions": who.conditions(part, "approvers")} for part in parts]


def said_in(body: Part, document: Document, kept: Collection[str]) -> list[str]:
    """Return what AccessFlow.said is to hold: of what was written, what the document says otherwise or not at all."""
    told, written, settings = body.get("settings") or {}, _written(kept), document["settings"]
    window = (body.get("trigger") or {}).get("timeframe") or {}
    derived: dict[str, Any] = {
        _AGAIN: settings["justification_required"],
        _ALL: document["approval"]["mode"] == ApprovalMode.ALL_OF,
    }
    for name in derived:
        if told.get(name) is not None:
            written[name] = told[name]
    if window:
        written[_ENDS] = window["end_of_day_time_in_seconds"]
    own = [f"{_SAID}{name}={json.dumps(value)}" for name, value in written.items() if derived.get(name) != value]
    return [*(one for one in kept if not one.startswith(_SAID)), *own]
