"""What policy says as plain data in names: a flow's document as a form, and back; and the forms of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows import document as documents
from flows.choices import ConditionType, SelectorMode, SelectorType, TargetKind
from flows.decision import Document
from flows.models import AccessScope, Bundle, Webhook
from flows.text.nodes import canonical
from flows.text.shapes import DAYS, NOBODY

Form = dict[str, Any]
Part = dict[str, Any]
# Said of an id that names nothing any more.
GONE = "(not there any more)"
# Settings that text says otherwise than documents and columns do.
_SAID_APART = ("only_while_eligible", "drain")


@dataclass(frozen=True)
class Names:
    """What ids are called. Bundles and scopes by id as a flow's version keeps them (flows.document)."""

    integrations: Mapping[str, str] = field(default_factory=dict)
    webhooks: Mapping[str, str] = field(default_factory=dict)
    bundles: Mapping[str, Part] = field(default_factory=dict)
    scopes: Mapping[str, Part] = field(default_factory=dict)
    spaces: Mapping[str, str] = field(default_factory=dict)

    def integration(self, name: str) -> str:
        """Return the id of an integration."""
        return _id(self.integrations, name)

    def webhook(self, name: str) -> str:
        """Return the id of a webhook."""
        return _id(self.webhooks, name)

    def space(self, name: str) -> str:
        """Return the id of a space; nothing for the whole account."""
        return _id(self.spaces, name) if name else ""

    def bundle(self, name: str) -> Part:
        """Return a bundle as a target."""
        return next(one for one in self.bundles.values() if one["name"] == name)

    def scope(self, name: str) -> Part:
        """Return a scope as a target."""
        return next(one for one in self.scopes.values() if one["name"] == name)


def _id(names: Mapping[str, str], wanted: str) -> str:
    return next(pk for pk, name in names.items() if name == wanted)


def _sorted(parts: Iterable[Any]) -> list[Any]:
    return sorted(parts, key=canonical)


def flow_form(document: Document, names: Names) -> Form:
    """Return what a flow's document says. Documents saved before lack newer keys: they mean what was so before."""
    settings, asked_for = document["settings"], document.get("request_for") or {}
    return {
        "name": document["name"],
        "description": document.get("description", ""),
        "space": _space_form(document.get("space"), names),
        "active": document["active"],
        "trigger": document["trigger"],
        "requestors": _group_form(document["requestors"], names),
        "request_for": _sorted(asked_for.get("scopes") or ["self"]),
        "grantees": _group_form(asked_for.get("grantees") or NOBODY, names),
        "targets": _targets_form(document["targets"], names),
        "approval": {
            "mode": document["approval"]["mode"],
            "groups": [
                {**_group_form(group, names), "tier": group.get("tier", 0)} for group in document["approval"]["groups"]
            ],
            "escalate_after": document["approval"].get("escalation_seconds"),
        },
        "duration": document["duration_seconds"],
        "extensions": {
            "times": settings.get("max_extensions", 0),
            "each": settings.get("extension_seconds") or None,
        },
        "answer_within": document["pending_seconds"],
        "window": _window_form(document.get("timeframe")),
        "checks": _sorted(names.webhooks.get(one, GONE) for one in document.get("checks") or ()),
        "settings": {
            "justification_required": settings["justification_required"],
            "approver_reason_required": settings["approver_reason_required"],
            "self_approval": settings["self_approval"],
            "mfa_required": settings.get("mfa_required", False),
            "break_glass": settings.get("break_glass", False),
            "only_while_eligible": settings.get("only_while_eligible", True),
            "removes_foreign": settings.get("removes_foreign", False),
            "drain": settings.get("drain_seconds") or None,
            "ticket_pattern": settings.get("ticket_pattern", ""),
            "fields": [_field_form(one) for one in settings.get("fields") or ()],
            "labels": list(settings.get("labels") or ()),
        },
    }


def _space_form(space: Part | None, names: Names) -> str:
    return names.spaces.get(space["id"], space["name"]) if space else ""


def _field_form(one: Part) -> Part:
    return {"required": False, "choices": [], "pattern": ""} | one


def _group_form(group: Part, names: Names) -> Part:
    return {
        "operator": group["operator"],
        "conditions": _sorted(_condition_form(one, names) for one in group["conditions"]),
    }


def _condition_form(one: Part, names: Names) -> Part:
    values = [str(value) for value in one["values"]]
    if one["type"] == ConditionType.WEBHOOK:
        values = [names.webhooks.get(value, GONE) for value in values]
    source = one.get("source") or ""
    return {
        "type": one["type"],
        "operator": one["operator"],
        "values": _sorted(values),
        "source": names.integrations.get(source, GONE) if source else "",
    }


def _targets_form(targets: Iterable[Part], names: Names) -> list[Part]:
    return _sorted(_target_form(one, names) for one in targets)


def _target_form(target: Part, names: Names) -> Part:
    match target["kind"]:
        case TargetKind.BUNDLE:
            return {"bundle": names.bundles.get(target["bundle"], target)["name"]}
        case TargetKind.ACCESS_SCOPE:
            return {"scope": names.scopes.get(target["access_scope"], target)["name"]}
        case TargetKind.QUERY:
            return {"query": target["query"]}
    return {
        "integration": names.integrations.get(target["integration"], GONE),
        "resource_type": target["resource_type"],
        "permissions": _sorted(target["permissions"]),
        "include": _selectors_form(target, SelectorMode.INCLUDE),
        "exclude": _selectors_form(target, SelectorMode.EXCLUDE),
    }


def _selectors_form(target: Part, mode: SelectorMode) -> list[Part]:
    return _sorted(
        {"tag": one["key"], "values": _sorted(one["values"])}
        if one["type"] == SelectorType.TAG
        else {one["type"]: _sorted(one["values"])}
        for one in target["selectors"]
        if one["mode"] == mode
    )


def _window_form(window: Part | None) -> Part | None:
    if window is None:
        return None
    days = sorted((day.lower() for day in window["days"]), key=DAYS.index)
    return {"from": window["start"], "to": window["end"], "days": days, "time_zone": window["time_zone"]}


def flow_document(form: Form, names: Names, pk: str) -> Document:
    """Return the document that the form says, of the flow with the id: the reverse of flow_form."""
    settings, extensions = form["settings"], form["extensions"]
    return {
        "id": pk,
        "name": form["name"],
        "description": form["description"],
        "active": form["active"],
        "trigger": form["trigger"],
        "requestors": _group(form["requestors"], names),
        "request_for": {"scopes": sorted(form["request_for"]), "grantees": _group(form["grantees"], names)},
        "targets": targets_of_form(form["targets"], names),
        "approval": {
            "mode": form["approval"]["mode"],
            "groups": [{"tier": one["tier"], **_group(one, names)} for one in form["approval"]["groups"]],
            "escalation_seconds": form["approval"]["escalate_after"],
        },
        "duration_seconds": form["duration"],
        "pending_seconds": form["answer_within"],
        "timeframe": _window(form["window"]),
        "checks": sorted(names.webhook(one) for one in form["checks"]),
        "settings": {
            **_as_documents_say(settings),
            "max_extensions": extensions["times"],
            "extension_seconds": extensions["each"] or 0,
        },
    }


def _as_documents_say(settings: Part) -> Part:
    """Return the settings without what documents say only where it is not as usual."""
    told = {name: value for name, value in settings.items() if name not in _SAID_APART}
    lasting: Part = {} if settings["only_while_eligible"] else {"only_while_eligible": False}
    return told | lasting | ({"drain_seconds": settings["drain"]} if settings["drain"] else {})


def _group(group: Part, names: Names) -> Part:
    conditions = documents.ordered(_condition(one, names) for one in group["conditions"])
    return {"operator": group["operator"], "conditions": conditions}


def _condition(one: Part, names: Names) -> Part:
    values = one["values"]
    if one["type"] == ConditionType.WEBHOOK:
        values = [names.webhook(value) for value in values]
    source = names.integration(one["source"]) if one["source"] else ""
    return documents.condition(one["type"], one["operator"], values, source)


def targets_of_form(targets: Iterable[Part], names: Names) -> list[Part]:
    """Return the targets as documents hold them."""
    return documents.ordered(_target(one, names) for one in targets)


def _target(target: Part, names: Names) -> Part:
    if "bundle" in target:
        return names.bundle(target["bundle"])
    if "scope" in target:
        return names.scope(target["scope"])
    if "query" in target:
        return {"kind": TargetKind.QUERY.value, "query": target["query"]}
    selectors = [
        *(_selector(SelectorMode.INCLUDE, one) for one in target["include"]),
        *(_selector(SelectorMode.EXCLUDE, one) for one in target["exclude"]),
    ]
    return {
        "kind": TargetKind.INTEGRATION.value,
        "integration": names.integration(target["integration"]),
        "resource_type": target["resource_type"],
        "permissions": sorted(target["permissions"]),
        "bundle": "",
        "access_scope": "",
        "query": "",
        "selectors": documents.ordered(selectors),
    }


def _selector(mode: SelectorMode, one: Part) -> Part:
    if "tag" in one:
        return {"mode": mode.value, "type": "tag", "key": one["tag"], "values": sorted(one["values"])}
    ((kind, values),) = one.items()
    return {"mode": mode.value, "type": kind, "key": "", "values": sorted(values)}


def _window(window: Part | None) -> Part | None:
    if window is None:
        return None
    days = sorted(day.upper() for day in window["days"])
    return {"start": window["from"], "end": window["to"], "days": days, "time_zone": window["time_zone"]}


def flow_columns(form: Form) -> dict[str, Any]:
    """Return a flow's own columns, as flows.actions.define takes them."""
    endless = form["duration"] is None
    escalation = form["approval"]["escalate_after"]
    return {
        **{name: form[name] for name in ("name", "description", "active", "trigger", "request_for")},
        **{name: value for name, value in form["settings"].items() if name not in _SAID_APART},
        "outlasts_eligibility": not form["settings"]["only_while_eligible"],
        "drain_minutes": (form["settings"]["drain"] or 0) // 60,
        "requestor_operator": form["requestors"]["operator"],
        "grantee_operator": form["grantees"]["operator"],
        "grant_duration_minutes": None if endless else form["duration"] // 60,
        "indefinite": endless,
        "max_extensions": form["extensions"]["times"],
        "extension_minutes": (form["extensions"]["each"] or 0) // 60,
        "approval_mode": form["approval"]["mode"],
        "escalation_minutes": escalation // 60 if escalation else None,
        "pending_hours": form["answer_within"] // 3600,
    }


def scope_form(scope: AccessScope) -> Form:
    """Return what a scope says."""
    space = scope.space.name if scope.space else ""
    return {"name": scope.name, "description": scope.description, "space": space, "query": scope.query}


def bundle_form(bundle: Bundle, names: Names) -> Form:
    """Return what a bundle says."""
    targets = names.bundles[str(bundle.pk)]["targets"]
    space = bundle.space.name if bundle.space else ""
    told = {"name": bundle.name, "description": bundle.description, "space": space}
    return told | {"targets": _targets_form(targets, names)}


def webhook_form(webhook: Webhook) -> Form:
    """Return what a webhook says; its secrets are named, never told."""
    oauth = {"token_url": "", "client_id": "", "scope": ""} | webhook.oauth if webhook.oauth else None
    return {
        **{name: getattr(webhook, name) for name in ("name", "description", "active", "method")},
        **{name: getattr(webhook, name) for name in ("url", "headers", "body")},
        "oauth": oauth,
        "validators": list(webhook.validators),
        "timeout": webhook.timeout_seconds,
        "error_message": webhook.error_message,
        "secrets": {one.field: "kept" for one in webhook.secrets.all()},
    }


def webhook_columns(form: Form) -> dict[str, Any]:
    """Return a webhook's own columns, as flows.actions.webhooks.define_webhook takes them."""
    same = ("name", "description", "active", "method", "url", "headers", "body", "validators", "error_message")
    oauth = form["oauth"] or {}
    return {
        **{name: form[name] for name in same},
        "oauth": {key: value for key, value in oauth.items() if value or key != "scope"},
        "timeout_seconds": form["timeout"],
    }
