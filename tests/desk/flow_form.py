"""The form of a flow as a person fills it in."""

from __future__ import annotations

from typing import Any

from tests.story import Story


def sent(story: Story, **change: Any) -> dict[str, Any]:
    """Return the form as a person fills it in. A key with None leaves the field out."""
    whole = {
        "name": "Prod reads",
        "description": "For incidents",
        "active": "on",
        "trigger": "self_serve",
        "request_for": ["self"],
        "requestor_operator": "or",
        "grant_duration_minutes": "1 h 30 min",
        "max_extensions": "2",
        "extension_minutes": "1 h",
        "justification_required": "on",
        "pending_hours": "8",
        "approval_mode": "any_of",
        "labels": "prod, incident",
        "requestors": ["0", "1"],
        "requestors-0-type": "group",
        "requestors-0-operator": "is",
        "requestors-0-values": 'engineers\n"Sales, EMEA"',
        "requestors-1-operator": "is",
        "targets": ["0"],
        "targets-0-kind": "integration",
        "targets-0-integration": str(story.integration.pk),
        "targets-0-resource_type": "database",
        "targets-0-permissions": ["READ_ONLY"],
        "targets-0-only": "tag: env=prod\ntag: env=dev",
        "targets-0-never": "secret_prod",
        "approvers": ["0"],
        "approvers-0-operator": "or",
        "approvers-0-conditions": ["0", "1", "2"],
        "approvers-0-conditions-0-type": "group",
        "approvers-0-conditions-0-operator": "is",
        "approvers-0-conditions-0-values": "approvers",
        "approvers-0-conditions-1-type": "user",
        "approvers-0-conditions-1-operator": "is",
        "approvers-0-conditions-1-values": "ADA@example.com",
        "approvers-0-conditions-2-operator": "is",
        "_save": "yes",
    } | change
    return {name: value for name, value in whole.items() if value is not None}


def as_shown(form: Any) -> dict[str, Any]:
    """Return what a browser would send of a form that is shown and not touched."""
    again: dict[str, Any] = {}
    lists = (*form.lists, *(group.conditions for group in form.approvers))
    for part in (form.flow, form.window, *(row for rows in lists for row in rows)):
        for name in part.fields:
            field = part[name]
            again[field.html_name] = _shown(field)
    for rows in lists:
        again[rows.name] = [row.key for row in rows]
    return {name: value for name, value in again.items() if value not in (None, False)}


def _shown(field: Any) -> Any:
    value = field.field.prepare_value(field.value())
    return field.field.widget.format_value(value) if hasattr(field.field.widget, "format") else value
