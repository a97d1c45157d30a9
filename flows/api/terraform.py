"""Access flows, bundles and scopes as Terraform text, in names, so that it makes the same on another system. Pure."""

from __future__ import annotations

from typing import Any

from accounts.rest.terraform import block
from flows.api import reading
from flows.api.parts import Part
from flows.models import AccessFlow, AccessScope, Bundle

_ONLY_OURS = "latchkey and query_target are read by Latchkey’s own API; take out what your provider does not know."


def flow_text(flow: AccessFlow) -> str:
    """Return a flow as Terraform text."""
    (shown,) = reading.flows_shown(reading.flows().filter(pk=flow.pk))
    hooks = reading.names_in([reading.as_written(reading.flows().get(pk=flow.pk))]).webhooks
    body = {key: value for key, value in shown.items() if key not in ("id", "creation_date", "update_date")}
    settings = dict(body["settings"])
    settings["requester_cannot_approve_self"] = settings.pop("requestor_cannot_approve_himself")
    told = _named(body | {"settings": settings}, dict(hooks))
    return block("access_flow_v2", flow.name, told, note=_ONLY_OURS if "latchkey" in body else "")


def bundle_text(bundle: Bundle) -> str:
    """Return a bundle as Terraform text."""
    (shown,) = reading.bundles_shown(reading.bundles().filter(pk=bundle.pk))
    return block("bundle_v2", bundle.name, _named({key: shown[key] for key in ("name", "access_targets")}, {}))


def scope_text(scope: AccessScope) -> str:
    """Return an access scope as Terraform text."""
    told = {"name": scope.name, "description": scope.description, "query": scope.query}
    return block("access_scope", scope.name, {key: value for key, value in told.items() if value})


def _named(told: Any, hooks: dict[str, str]) -> Any:
    """Return the same in names only: ids are another system's."""
    if isinstance(told, list):
        return [_named(one, hooks) for one in told]
    if not isinstance(told, dict):
        return told
    if told.get("type") == "webhook":
        told = told | {"values": [hooks.get(one, one) for one in told.get("values", ())]}
    return {_short(key): _named(value, hooks) for key, value in told.items() if not _is_id(key, told)}


def _is_id(key: str, told: Part) -> bool:
    return key.endswith("_id") and f"{key.removesuffix('_id')}_name" in told


def _short(key: str) -> str:
    return {"bundle_name": "name", "access_scope_name": "name"}.get(key, key)
