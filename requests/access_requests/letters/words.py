"""Requests in plain data: what all letters share."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from access_requests.models import AccessRequest
from access_requests.templatetags.portal import RISK_WORDS, provider, summary
from accounts.letters import address_of, lines
from accounts.models import User
from flows.decision.conditions import setting

# Units of one integration that a letter names; the page names them all.
UNITS_SHOWN = 10


def who(user: User) -> str:
    """Name a person with the address."""
    return f"{user.name}, {user.email}"


def about(access: AccessRequest, *, without: Container[str] = ()) -> dict[str, Any]:
    """Return what every letter on a request says of it. It was read with its people, groups and units.

    `without` names states of units that the letter is not about: what failed was never held.
    """
    return {
        "number": str(access),
        "url": address_of("request_page", access.pk),
        "summary": summary(access),
        "requestor": who(access.requestor),
        "grantee": who(access.grantee) if access.grantee_id != access.requestor_id else "",
        "what": what(access, without),
        "said": lines(access.justification),
        "extra": [{"label": label, "value": value} for label, value in extra_of(access)],
    }


def extra_of(access: AccessRequest) -> list[tuple[str, str]]:
    """Return what else was asked for and written: the ticket, and the flow's own fields by their labels."""
    labels = {one["key"]: one["label"] for one in setting(access.flow_version.document, "fields") or ()}
    told = [("Ticket", access.ticket)] if access.ticket else []
    return told + [(str(labels.get(key, key)), str(value)) for key, value in access.fields.items()]


def what(access: AccessRequest, without: Container[str] = ()) -> list[dict[str, Any]]:
    """Return what it is about, by integration."""
    found = []
    for group in access.access_groups.all():
        units = [unit for unit in group.units.all() if unit.state not in without]
        if not units:
            continue
        found.append(
            {
                "name": f"{group.integration.name} ({provider(group.integration.type)})",
                "units": [f"{unit.permission_name} on {unit.resource_path}" for unit in units[:UNITS_SHOWN]],
                "more": max(0, len(units) - UNITS_SHOWN),
            }
        )
    return found


def risk(level: int) -> dict[str, str]:
    """Return a risk level from 1 to 9 in words, with the class that colours it; nothing for 0."""
    if not level:
        return {}
    word, tone = next((word, tone) for most, word, tone in RISK_WORDS if level <= most)
    return {"words": f"{word}, {level} of 9", "tone": {"quiet": "", "wait": "mail-wait", "bad": "mail-bad"}[tone]}


def joined(names: Iterable[str], most: int = 3) -> str:
    """Return names as in a sentence: "Abel, Dora and 2 more"."""
    found = list(dict.fromkeys(names))
    shown, rest = found[:most], len(found) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
