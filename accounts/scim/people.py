"""SCIM users: rows as resources, and what is asked of them turned into actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace as replaced
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.expressions import OrderBy
from scim2_models import Context, NotFoundException, PatchOp

from accounts import actions, claims
from accounts.models import GroupMembership, PushedPerson
from accounts.scim import facts, filters, sorting
from accounts.scim.reading import Body, key_named, named
from accounts.scim.resources import ENTERPRISE, TOLERANT, Person
from audit.actor import Actor

ENDPOINT, RESOURCE = "Users", Person
_PATCH: Any = PatchOp[Person]


def address_of(endpoint: str, pk: str) -> str:
    """Return the whole address of a resource."""
    return f"{settings.PUBLIC_URL}/scim/v2/{endpoint}/{pk}"


def meta(row: Any, endpoint: str) -> dict[str, Any]:
    """Return what is said of a resource itself."""
    return {
        "resourceType": endpoint.removesuffix("s"),
        "created": row.created_at,
        "lastModified": row.changed_at,
        "location": address_of(endpoint, row.pk),
        "version": version(row),
    }


def version(row: Any) -> str:
    """Return the ETag."""
    return f'W/"{row.version}"'


def rows() -> QuerySet[PushedPerson]:
    """Return everybody who is pushed, with what their resource shows: one query, and one for their groups."""
    members = GroupMembership.objects.filter(group__pushed__isnull=False).select_related("group__pushed")
    people = PushedPerson.objects.select_related("user", "user__manager", "user__manager__pushed")
    return people.prefetch_related(
        Prefetch("user__memberships", members.order_by("group__name"), to_attr="shown_groups")
    )


def locked(pk: str) -> PushedPerson:
    """Return somebody whom nobody else changes until the transaction ends. Raises NotFoundException."""
    found = PushedPerson.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise NotFoundException(detail=f"There is no user with the id {pk}.")
    return found


def matching(text: str) -> Q:
    """Return the condition that a filter means."""
    return filters.people(text)


def ordered(sort_by: str, *, descending: bool) -> list[OrderBy]:
    """Return how people are ordered."""
    return sorting.order_people(sort_by, descending=descending)


def shown(pk: str, **_: Any) -> Any:
    """Return somebody as a resource. Raises NotFoundException."""
    found = rows().filter(pk=pk).first()
    if found is None:
        raise NotFoundException(detail=f"There is no user with the id {pk}.")
    return resource(found)


def made(row: PushedPerson, **_: Any) -> Any:
    """Return who was just made or linked as a resource. Who is new is in no group yet, and need not be read again."""
    if row.user.created_at != row.created_at:
        return shown(row.pk)
    vars(row.user)["shown_groups"] = []
    return resource(row)


def shown_all(some: Iterable[PushedPerson], **_: Any) -> list[Any]:
    """Return rows as resources."""
    return [resource(row) for row in some]


def resource(row: PushedPerson) -> Any:
    """Return somebody as a resource; the row comes from `rows`."""
    told: dict[str, Any] = {**row.document, "id": row.pk, "active": row.user.is_active, "meta": meta(row, ENDPOINT)}
    extension = dict(told.get(ENTERPRISE, {}))
    manager = row.user.manager
    if manager is not None and hasattr(manager, "pushed"):
        extension["manager"] = {"value": manager.pushed.pk, "$ref": address_of(ENDPOINT, manager.pushed.pk)}
    if extension:
        told[ENTERPRISE] = extension
    told["schemas"] = [str(Person.__schema__), *([ENTERPRISE] if extension else [])]
    told["groups"] = [_group(one) for one in getattr(row.user, "shown_groups", ())] or None
    return Person.model_validate(told)


def _group(member: GroupMembership) -> dict[str, str]:
    pushed = member.group.pushed
    return {"value": pushed.pk, "$ref": address_of("Groups", pushed.pk), "display": member.group.name}


def create(body: Body, *, actor: Actor, at: datetime) -> PushedPerson:
    """Make or link somebody, and return their row. Raises what the models and the actions raise."""
    _fill(body, active=True)
    told = Person.model_validate(body, scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=TOLERANT)
    return actions.provision(facts.read(told), actor=actor, at=at)


def replace(row: PushedPerson, body: Body, *, actor: Actor, at: datetime) -> None:
    """Make somebody what the body says, and nothing else. `active` stays where it says nothing of it."""
    _fill(body, active=row.user.is_active)
    told = Person.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=TOLERANT)
    actions.change_pushed(row, facts.read(told), actor=actor, at=at)


def patch(row: PushedPerson, body: Body, *, actor: Actor, at: datetime) -> None:
    """Change of somebody what the body says."""
    _mend(body)
    before = resource(rows().get(pk=row.pk))
    was_active = before.active
    change = _PATCH.model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT)
    change.patch(before, scim_policy=TOLERANT)
    told = facts.read(before)
    # Nothing was said of it: whoever was disabled here in the meantime is not let in again.
    actions.change_pushed(
        row, replaced(told, active=None if told.active == was_active else told.active), actor=actor, at=at
    )


def delete(row: PushedPerson, *, actor: Actor, at: datetime) -> None:
    """Disable somebody and forget whom the directory meant."""
    actions.forget_pushed(row, actor=actor, at=at)


def _fill(body: Body, *, active: bool) -> None:
    """Add what providers leave out: that a person is active, and the address that is their user name already."""
    if named(body, "active") is None:
        body[key_named(body, "active") or "active"] = active
    if not named(body, "emails") and (email := claims.address(named(body, "userName"))):
        body[key_named(body, "emails") or "emails"] = [{"value": email, "primary": True}]
    extension = named(body, ENTERPRISE)
    if isinstance(extension, dict):
        _mend_manager(extension)


def _mend(body: Body) -> None:
    """Read a manager that comes as bare text, or as a list of one, as the complex value it stands for."""
    operations = named(body, "Operations")
    for one in operations if isinstance(operations, list) else ():
        if not isinstance(one, dict):
            continue
        path, value, name = named(one, "path"), named(one, "value"), key_named(one, "value")
        if isinstance(path, str) and path.lower() in {f"{ENTERPRISE}:manager".lower(), "manager"} and name:
            one[name] = _as_manager(value)
            if one[name] is None and str(named(one, "op")).lower() in {"add", "replace"}:
                # No manager is what is meant; the standard says so by removing it.
                one[key_named(one, "op") or "op"] = "remove"
                del one[name]
        elif isinstance(value, dict):
            inner = named(value, ENTERPRISE)
            _mend_manager(inner if isinstance(inner, dict) else value, prefix="" if inner else f"{ENTERPRISE}:")


def _mend_manager(values: dict[str, Any], prefix: str = "") -> None:
    name = key_named(values, f"{prefix}manager")
    if name:
        values[name] = _as_manager(values[name])


def _as_manager(value: Any) -> Mapping[str, Any] | Any:
    """Return the complex value that a text or a list of one stands for; None for nobody."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return {"value": value} if value.strip() else None
    if isinstance(value, dict) and not named(value, "value") and not named(value, "$ref"):
        return None
    return value
