"""Tiles, states and levels of integrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString

from integrations import queries
from integrations.choices import (
    HEALTH_LOOKS,
    ORDER_LOOKS,
    QUALITY_ICONS,
    RESOURCE_LOOKS,
    STATUS_LOOKS,
    SYNC_LOOKS,
    ConnectorHealth,
    IntegrationStatus,
    Look,
    OrderState,
    QualityLevel,
    ResourceStatus,
    SyncState,
)

register = template.Library()

_KINDS: dict[str, tuple[Any, Mapping[Any, Look]]] = {
    "connector": (ConnectorHealth, HEALTH_LOOKS),
    "integration": (IntegrationStatus, STATUS_LOOKS),
    "order": (OrderState, ORDER_LOOKS),
    "resource": (ResourceStatus, RESOURCE_LOOKS),
    "sync": (SyncState, SYNC_LOOKS),
}


@register.inclusion_tag("admin/integrations/_tile.html")
def tile(type_: str) -> dict[str, Any]:
    """Draw a provider: its own drawing, or two letters."""
    kind = queries.catalogue().get(type_)
    # The drawing ships with the provider's code; nobody types it in.
    return {"drawing": SafeString(queries.drawing(type_)), "letters": (kind.name if kind else type_)[:2]}


@register.inclusion_tag("portal/_state.html")
def look(kind: str, value: str, pill: str = "") -> dict[str, Any]:
    """Show a state of an integration, a connector, an order, a sync or a resource."""
    states, looks = _KINDS[kind]
    state = states(value)
    shown = looks[state]
    return {"badge": {"tone": shown.tone, "icon": shown.icon, "word": state.label}, "pill": pill}


@register.inclusion_tag("admin/integrations/_level.html")
def level(value: QualityLevel) -> dict[str, Any]:
    """Show a quality level."""
    return {"level": value, "icon": QUALITY_ICONS[value]}
