"""Bodies of the first version into actions of policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from audit.actor import Actor
from flows import actions
from flows.api import reading
from flows.api.mapping import columns_of
from flows.api.naming import known
from flows.api.older import identities, mapping
from flows.api.older.parts import references, targets_shown, targets_wanted
from flows.api.parts import Part
from flows.api.writing import FIELDS, free_name, refusals
from flows.choices import TargetKind
from flows.document import conditions_of
from flows.findings import FOR, WHAT, WHO
from flows.models import AccessFlow, Bundle

# Which field of a flow a finding is about.
_FIELDS = {**FIELDS, WHO: "grantees", FOR: "grantees", WHAT: "integration_targets"}
# What a whole body that says nothing of it says all the same.
_EMPTY = ("integration_targets", "bundle_targets", "approvers")


def whole(body: Part) -> Part:
    """Return a body that says all there is to say: what it leaves out is not there."""
    return body | {name: body.get(name) or [] for name in _EMPTY}


def write_flow(body: Part, *, actor: Actor, flow: AccessFlow | None = None) -> AccessFlow:
    """Make a flow as the body says, or make `flow` so as far as it says anything. Raises as flows.api.writing does."""
    document = reading.as_written(flow) if flow else mapping.blank()
    told = [*(body.get("grantees") or ()), *(body.get("approvers") or ())]
    who = identities.known(told, conditions_of(document))
    wanted = mapping.flow_wanted(document, body, known(references(body)), who)
    free_name(AccessFlow, wanted["name"], flow.pk if flow else None)
    said = mapping.said_in(body, wanted, flow.said if flow else ())
    with refusals(_FIELDS):
        return actions.define(columns_of(wanted) | {"said": said}, wanted, actor=actor, flow=flow)


def flows_shown(rows: Iterable[AccessFlow], fields: Iterable[str]) -> list[Part]:
    """Return flows (of reading.flows()) with the fields of one of the contracts. Two queries at most."""
    told = [(one, reading.as_written(one)) for one in rows]
    who = identities.known((), [each for _, document in told for each in conditions_of(document)])
    names, found = set(fields), []
    for one, document in told:
        shown = mapping.flow_shown(document, who, one.said)
        dated = {"id": str(one.pk), **shown, "created_date": one.created_at.timestamp()}
        found.append({name: value for name, value in dated.items() if name in names})
    return found


def with_settings(shown: list[Part], fields: Iterable[str]) -> list[Part]:
    """Return flows with those settings only that a contract knows."""
    names = set(fields)
    for one in shown:
        one["settings"] = {name: value for name, value in one["settings"].items() if name in names}
    return shown


def write_bundle(body: Part, *, actor: Actor, bundle: Bundle | None = None) -> Bundle:
    """Make a bundle as the body says, or make `bundle` so; what it gives by scope or query stays."""
    now = reading.targets_of(bundle) if bundle else []
    targets = now
    if (told := body.get("integration_targets")) is not None:
        kept = [one for one in now if one["kind"] != TargetKind.INTEGRATION]
        targets = targets_wanted(told, known(references(body))) + kept
    name = body.get("name") or (bundle.name if bundle else "")
    free_name(Bundle, name, bundle.pk if bundle else None)
    description = bundle.description if bundle else ""
    with refusals({**FIELDS, WHAT: "integration_targets"}):
        return actions.define_bundle(name, targets, actor=actor, description=description, bundle=bundle)


def bundle_shown(row: Any) -> Part:
    """Return a bundle (of reading.bundles()) as it is answered."""
    return {"id": str(row.pk), "name": row.name, "integration_targets": targets_shown(reading.targets_of(row))}
