"""The policy that is in force, as forms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from flows import document as documents
from flows.decision import Document
from flows.models import AccessFlow, AccessScope, Bundle, Space, Webhook
from flows.text.forms import Form, Names, bundle_form, flow_form, scope_form, webhook_form
from flows.text.spaces import space_form
from integrations.models import Integration, Permission

# What is meant: a kind (flows.text.shapes.SHAPES) and a name.
Key = tuple[str, str]


@dataclass(frozen=True)
class Present:
    """All policy: the form and the row of each thing; and what text may name."""

    forms: dict[Key, Form]
    rows: dict[Key, Any]
    names: Names
    documents: dict[str, Document] = field(default_factory=dict)


def present() -> Present:
    """Return the policy as it stands. What a flow says is what its version in force says."""
    scopes, webhooks = (
        list(AccessScope.objects.select_related("space")),
        list(Webhook.objects.prefetch_related("secrets")),
    )
    bundles = list(Bundle.objects.select_related("space"))
    spaces = list(Space.objects.prefetch_related("scopes", "members__user", "members__group"))
    names = Names(
        integrations={str(pk): name for pk, name in Integration.objects.values_list("pk", "name")},
        webhooks={str(one.pk): one.name for one in webhooks},
        bundles={str(one.pk): documents.compose_bundle(one) for one in bundles},
        scopes={str(one.pk): documents.compose_scope(one) for one in scopes},
        spaces={str(one.pk): one.name for one in spaces},
    )
    flows = list(AccessFlow.objects.select_related("current"))
    told = {flow.name: flow.current.document if flow.current else documents.compose(flow) for flow in flows}
    forms: dict[Key, Form] = {
        **{("webhook", one.name): webhook_form(one) for one in webhooks},
        **{("scope", one.name): scope_form(one) for one in scopes},
        **{("space", one.name): space_form(one) for one in spaces},
        **{("bundle", one.name): bundle_form(one, names) for one in bundles},
        **{("flow", one.name): flow_form(told[one.name], names) for one in flows},
    }
    rows = {
        (kind, one.name): one
        for kind, each in (
            ("webhook", webhooks),
            ("scope", scopes),
            ("space", spaces),
            ("bundle", bundles),
            ("flow", flows),
        )
        for one in each
    }
    return Present(forms, rows, names, told)


def known_types() -> dict[str, dict[str, set[str]]]:
    """Return the permissions' source ids by integration's name and resource type."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    pairs = Permission.objects.values_list("resource_type__integration__name", "resource_type__type", "source_id")
    for integration, kind, permission in pairs:
        found[integration][kind].add(permission)
    for name in Integration.objects.values_list("name", flat=True):
        found[name]
    return {name: dict(types) for name, types in found.items()}
