"""New requests: what a program named becomes entitlements, what would happen, and what is in the way, in its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request

from access_requests import actions, offering
from access_requests.actions.asking import ENTITLEMENTS_MAX, Wish
from access_requests.api.ids import pair_of
from access_requests.models import AccessRequest
from accounts.rest.authentication import actor_of, user_of
from flows.decision import Problem
from integrations.queries import Entitlement

GONE = "No access flow gives you some of this. Choose again from the list."
TICKET = "ticket"
# Where clients show what is wrong, by where our forms do.
FIELDS = {
    "duration": "duration_in_sec",
    "justification": "justification",
    "entitlements": "filter_access_unit_ids",
    "grantee": "grantee_id",
    "ticket": "custom_fields",
}
FILTERS = ("filter_integration_ids", "filter_resource_type_ids", "filter_resource_ids", "filter_resources")
_OWN_FIELD = "field-"


class ErrorShape(TypedDict):
    """One thing that is in the way."""

    code: str
    field: str
    message: str
    details: dict[str, Any]


class CannotAsk(APIException):
    """A new request that cannot be submitted as it stands; `problems` say what is in the way, in the client's words."""

    status_code = 422
    default_code = "cannot_ask"

    def __init__(self, problems: Sequence[ErrorShape]) -> None:
        """Keep the problems beside one sentence of them all."""
        self.problems = list(problems)
        super().__init__(" ".join(dict.fromkeys(one["message"] for one in problems)))


@dataclass(frozen=True, slots=True)
class Picked:
    """The entitlements that a client's filters come to, and what is wrong with the filters themselves."""

    pairs: tuple[tuple[int, int], ...]
    problems: tuple[Problem, ...] = ()


def pick(who: offering.Asker, data: Mapping[str, Any], *, type_only: bool = False) -> Picked:
    """Return what the filters name: units and bundles as they are, and what fits all the others together.

    `type_only`: no resource is chosen yet; then some resource stands for all, so that what else is wanted can be said.
    """
    pairs = [pair_of(text) for text in data["filter_access_unit_ids"] or ()]
    found = dict.fromkeys(pair for pair in pairs if pair is not None)
    problems = [Problem("NO_FLOW", GONE)] if None in pairs else []
    if data["filter_bundle_ids"]:
        basket = offering.fill(who, offering.Picks(tuple(f"bundle:{one}" for one in data["filter_bundle_ids"])))
        found |= dict.fromkeys(basket.pairs)
        problems += basket.problems
    if any(data[name] for name in FILTERS):
        units, wrong = _by_filters(who, data, type_only)
        found |= dict.fromkeys((one.resource_id, one.permission_id) for one in units)
        problems += wrong
    return Picked(tuple(found), tuple(dict.fromkeys(problems)))


def _by_filters(
    who: offering.Asker, data: Mapping[str, Any], type_only: bool
) -> tuple[list[Entitlement], list[Problem]]:
    """Return the entitlements that fit integration, type, resource and permission together."""
    permissions = tuple(data["filter_permission_ids"] or ())
    where = offering.Narrow(
        integrations=tuple(data["filter_integration_ids"] or ()),
        types=tuple(data["filter_resource_type_ids"] or ()),
        permissions=permissions,
    )
    if type_only:
        return offering.find_units(who, where, 0, 1)[0], []
    if not permissions:
        return [], [Problem("FIELD_MISSING", "Name the permissions you need.", field="filter_permission_ids")]
    terms = [one["value"] for one in data["filter_resources"] if one["type"] == "search_term"]
    ids = [*(data["filter_resource_ids"] or ()), *(o["value"] for o in data["filter_resources"] if o["type"] == "id")]
    narrows = [replace(where, text=term) for term in terms]
    if ids or not terms:
        narrows.append(replace(where, resources=tuple(ids)))
    # What is named and cannot be granted now stays among them: the dry run says why.
    units = [
        one
        for narrow in narrows
        for one in offering.find_units(who, narrow, 0, ENTITLEMENTS_MAX + 1, grantable=not narrow.resources)[0]
    ]
    return units, list(_missing(units, ids, permissions))


def _missing(units: Sequence[Entitlement], ids: Sequence[str], permissions: Sequence[str]) -> Iterable[Problem]:
    """Say so when something that was named is in nothing that was found. What it is called is not repeated."""
    resources = {name for one in units for name in (str(one.resource_id), one.resource_source_id)}
    if not units or not set(ids) <= resources:
        yield Problem("NO_FLOW", GONE, field="filter_resource_ids")
    known = {name for one in units for name in (one.permission_source_id, one.permission_name)}
    if units and not set(permissions) <= known:
        yield Problem("NO_FLOW", GONE, field="filter_permission_ids")


def wish_of(data: Mapping[str, Any]) -> Wish:
    """Return what is wished besides entitlements. A ticket is a custom field of that name."""
    answers = dict(data["custom_fields"] or {})
    return Wish(
        duration_seconds=data.get("duration_in_sec"),
        justification=data["justification"] or "",
        ticket=answers.pop(TICKET, ""),
        answers=answers,
    )


def run(who: offering.Asker, picked: Picked, wish: Wish) -> tuple[actions.DryRun, list[Problem]]:
    """Return what would happen, and all that is in the way."""
    found = actions.dry_run(who.user, picked.pairs, grantee=who.grantee, wish=wish)
    # Where the filters are wrong it is no news that nothing is chosen.
    own = [one for one in found.problems if not (picked.problems and one.field == "entitlements" and not picked.pairs)]
    return found, list(dict.fromkeys([*picked.problems, *own]))


def error_shape(problem: Problem, longest: int | None = None, fields: Mapping[str, str] = FIELDS) -> ErrorShape:
    """Return what is in the way in the client's words; `fields` are its names of what our forms have."""
    details: dict[str, Any] = {"path": problem.path} if problem.path else {}
    name, code = fields.get(problem.field, problem.field), problem.code
    if problem.field.startswith(_OWN_FIELD):
        name, details = "custom_fields", {**details, "id": problem.field.removeprefix(_OWN_FIELD)}
    if problem.field == TICKET:
        details["id"] = TICKET
    if code == "INVALID_DURATION" and longest is not None:
        details["max_duration"] = longest
    return {"code": code, "field": name, "message": problem.message, "details": details}


def asker_of(http: Request, grantee: str = "") -> offering.Asker:
    """Return who asks, and for whom. Raises NotFound for a grantee they may not ask for."""
    who = offering.asker(user_of(http))
    if not grantee or grantee in {str(who.user.pk), who.user.email}:
        return who
    found = offering.named_one(who.user, who.flows, grantee)
    if found is None:
        raise NotFound("You can ask for nobody with this id or address.")
    return offering.on_behalf(who, found)


def submit(
    http: Request, who: offering.Asker, picked: Picked, wish: Wish, fields: Mapping[str, str] = FIELDS
) -> list[AccessRequest]:
    """Ask, and return the requests it became. Raises CannotAsk with all that is in the way."""
    if picked.problems:
        raise CannotAsk([error_shape(one, fields=fields) for one in run(who, picked, wish)[1]])
    try:
        return actions.ask(who.user, picked.pairs, actor=actor_of(http), grantee=who.grantee, wish=wish)
    except actions.BadAsk as bad:
        raise CannotAsk([error_shape(one, fields=fields) for one in bad.problems]) from bad


def again(http: Request, access: AccessRequest, data: Mapping[str, Any]) -> tuple[offering.Asker, Picked, Wish]:
    """Return the same ask once more: for the same person, as long, with what was written into the flow's fields."""
    who = asker_of(http, str(access.grantee_id))
    answers = {key: str(value) for key, value in access.fields.items()}
    before = answers | ({TICKET: access.ticket} if access.ticket else {})
    wish = wish_of(
        {
            "custom_fields": before | (data.get("custom_fields") or {}),
            "justification": data["justification"],
            "duration_in_sec": access.duration_seconds,
        }
    )
    return who, Picked(tuple(offering.picks_of(access).pairs)), wish
