"""What surrounds every page: the menu of the administration, and what nobody may overlook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import NoReverseMatch, reverse

from access_requests import queries
from access_requests.models import AccessRequest, Envelope, Freeze
from access_requests.queries.emergencies import freezes
from access_requests.queries.envelopes import SEE, owed
from accounts.choices import Theme

register = template.Library()
Context = RequestContext | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One line of the menu: where it leads, what it takes to see it, and the other pages that count as being there."""

    word: str
    icon: str
    name: str
    permission: str = ""
    also: tuple[str, ...] = ()


# Lines whose address does not exist, or whose permission the person lacks, are left out.
ADMINISTRATION = (
    Place("Overview", "gauge", "admin:index"),
    Place("Integrations", "plug", "admin:integrations_integration_changelist", "integrations.view_integration"),
    Place("Inventory", "database", "admin:integrations_resource_changelist", "integrations.view_resource"),
    Place("Access flows", "flow", "admin:flows_accessflow_changelist", "flows.view_accessflow"),
    Place("Access scopes", "filter", "admin:flows_accessscope_changelist", "flows.view_accessscope"),
    Place("Bundles", "cube", "admin:flows_bundle_changelist", "flows.view_bundle"),
    Place("Spaces", "grid", "admin:flows_space_changelist", "flows.view_space"),
    Place("Webhooks", "external", "admin:flows_webhook_changelist", "flows.view_webhook"),
    Place(
        *("Requests", "layers", "admin:requests_accessrequest_changelist", "requests.view_accessrequest"),
        also=tuple(
            f"admin:requests_{one}_changelist"
            for one in ("accesssession", "approval", "transition", "standingrecord", "proof")
        ),
    ),
    Place("Drift", "drift", "admin:requests_driftfinding_changelist", "requests.view_driftfinding"),
    Place(
        *("Connectors", "server", "admin:integrations_connector_changelist", "integrations.view_connector"),
        also=("admin:integrations_connectorinstance_changelist", "admin:integrations_order_changelist"),
    ),
    Place(
        *("People", "users", "admin:accounts_user_changelist", "accounts.view_user"),
        also=("admin:accounts_group_changelist", "admin:accounts_letter_changelist"),
    ),
    Place("Roles", "shield", "admin:roles", "accounts.view_user"),
    Place("Emergencies", "snow", "emergencies", "requests.view_revocation", also=("overdue", "envelopes")),
    Place("Audit", "hash", "admin:audit_auditentry_changelist", "audit.view_auditentry"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the menu, as it is drawn."""

    word: str
    icon: str
    url: str
    current: bool


@register.simple_tag(takes_context=True)
def administration(context: Context) -> Sequence[Link]:
    """Return the lines of the administration's menu that the reader may see, with the one that they are at."""
    user, request = context.get("user"), context.get("request")
    if user is None or not user.is_staff:
        return ()
    path = request.path if request is not None else ""
    links = []
    for place in ADMINISTRATION:
        url = _address(place.name)
        if url and (not place.permission or user.has_perm(place.permission)):
            links.append(Link(place.word, place.icon, url, _is_at(path, place)))
    return links


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _is_at(path: str, place: Place) -> bool:
    if place.name == "admin:index":
        return path == _address(place.name)
    return any(path.startswith(url) for url in map(_address, (place.name, *place.also)) if url)


@register.simple_tag(takes_context=True)
def themes(context: Context) -> list[tuple[str, str, bool]]:
    """Return the themes: value, word, and whether it is the reader's."""
    mine = getattr(context.get("user"), "theme", "")
    return [(value, str(word), value == mine) for value, word in Theme.choices]


@register.simple_tag(takes_context=True)
def overdue_ends(context: Context) -> Sequence[AccessRequest]:
    """Return the overdue ends that the reader may see, the longest due first; no more than a banner can tell."""
    user = context.get("user")
    return queries.overdue_for(user) if user is not None and user.is_authenticated else ()


@register.simple_tag(takes_context=True)
def frozen_now(context: Context) -> Sequence[Freeze]:
    """Return what is frozen, for everybody who is signed in: they would wait for it."""
    user = context.get("user")
    return freezes() if user is not None and user.is_authenticated else ()


@register.simple_tag(takes_context=True)
def envelopes_owed(context: Context) -> Sequence[Envelope]:
    """Return the envelopes that may have been used and nobody has accounted for, for whoever sees envelopes."""
    user = context.get("user")
    return owed() if user is not None and user.is_staff and user.has_perm(SEE) else ()
