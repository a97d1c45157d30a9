"""The contract with a function of the customer's own: what is asked of it, and what its answers have to say.

Nothing is proven by what a function says it did. `list-access` has to tell what is really there, read from whatever it
guards; a function without it is refused by `check`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import Misconfigured, TargetMissing
from connectors.contract.orders import (
    Desired,
    Finding,
    Order,
    Page,
    PermissionFact,
    Person,
    ResourceFact,
    ResourceTypeFact,
    Unit,
)
from connectors.toolkit.events import CONTRACT, EventFile, Function

TYPES = "resource"
TEXT_MAX = 1000
PAGES_MAX = 10_000
NOBODY = Person("00000000-0000-0000-0000-000000000000", "Nobody")
LIST_ACCESS = "Make the function answer list-access: docs/custom-function shows how. Without it no end can be proven."


@dataclass(frozen=True, slots=True)
class Contract:
    """The event files of one provider."""

    get_status: EventFile
    list_resources: EventFile
    list_resources_tags: EventFile
    list_access: EventFile
    grant_access: EventFile
    revoke_access: EventFile
    create_credentials: EventFile
    reset_credentials: EventFile
    drop_credentials: EventFile


@dataclass(frozen=True, slots=True)
class Entry:
    """A permission that a username has. `grant_id` is empty for what is not ours."""

    username: str
    grant_id: str
    unit: Unit


@dataclass(slots=True)
class Access:
    """What a function says is there. `users` maps our usernames to their grants; `details` are theirs to connect."""

    read_at: float
    entries: frozenset[Entry] = frozenset()
    users: dict[str, str] = field(default_factory=dict)
    details: dict[str, dict[str, str]] = field(default_factory=dict)

    def listed(self) -> list[Entry]:
        """Return the entries in an order that is always the same."""
        return sorted(self.entries, key=repr)


def custom_parameters(order: Order) -> dict[str, Any]:
    """Return what the configuration passes on. Raises Misconfigured for what is no JSON object."""
    try:
        found = json.loads(str(order.config.get("custom_parameters") or "{}"))
    except ValueError as error:
        raise Misconfigured(f"The custom parameters are no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Misconfigured('The custom parameters are no JSON object, such as {"region": "north"}.')
    return found


def configured_types(order: Order) -> list[str]:
    """Return the resource types that the admin named for the function."""
    named = str(order.config.get("resource_types") or TYPES).split(",")
    return list(dict.fromkeys(filter(None, (name.strip() for name in named))))


def person(desired: Desired) -> dict[str, Any]:
    """Return what a function is told of the person."""
    return {"id": desired.person.person_id, "name": desired.person.name, "aliases": list(desired.person.aliases)}


def read_access(function: Function, contract: Contract, desired: Desired) -> Access:
    """Ask what a person has. Raises Misconfigured for an answer that does not say it."""
    logins = {grant.login for grant in desired.holds} | {ending.login for ending in desired.gone}
    usernames = sorted(logins - {""})
    answer = function.read(contract.list_access, person=person(desired), usernames=usernames)
    if "access" not in answer:
        raise Misconfigured("The function does not say what access there is.", fix=LIST_ACCESS)
    read_at = answer.get("read_at")
    if isinstance(read_at, bool) or not isinstance(read_at, int | float):
        raise Misconfigured("The answer to list-access has no read_at, in seconds since the epoch.", fix=CONTRACT)
    access = Access(float(read_at), frozenset(_entry(one) for one in _objects(answer, "access")))
    for one in _objects(answer, "users"):
        username, grant_id = _text(one, "username"), _text(one, "grant_id", "")
        if grant_id:
            access.users[username] = grant_id
        access.details[username] = _details(one.get("details"))
    return access


def check(function: Function, contract: Contract, order: Order) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when the function does not answer."""
    function.read(contract.get_status)
    findings = [Finding("ok", "The function answers.")]
    try:
        read_access(function, contract, Desired(NOBODY))
    except (Misconfigured, TargetMissing) as error:
        findings.append(Finding("error", error.message, error.fix or LIST_ACCESS))
    else:
        findings.append(Finding("ok", "It says what access there is."))
    for kind in configured_types(order):
        answer = function.read(contract.list_resources, resource_type=kind, page=None)
        if _permissions(answer):
            findings.append(Finding("ok", f"It lists resources of the type {kind}."))
        else:
            findings.append(Finding("error", f"It names no permission on resources of the type {kind}.", CONTRACT))
    return tuple(findings)


def resource_types(function: Function, contract: Contract, order: Order) -> tuple[ResourceTypeFact, ...]:
    """Return the types that the admin named, with the permissions that the function names."""
    facts = []
    for kind in configured_types(order):
        answer = function.read(contract.list_resources, resource_type=kind, page=None)
        facts.append(ResourceTypeFact(kind, _name_of_type(answer, kind), tuple(_permissions(answer))))
    return tuple(facts)


def discover(function: Function, contract: Contract, order: Order) -> Iterator[Page]:
    """Yield the resources, by the function's own pages where it has any."""
    for kind in configured_types(order):
        if order.resource_types and kind not in order.resource_types:
            continue
        tags = _tags(function, contract, kind)
        for answer in _pages(function, contract, kind):
            facts = [_resource(one, kind, tags) for one in _objects(answer, "resources")]
            for start in range(0, len(facts), order.page_size):
                yield Page(tuple(facts[start : start + order.page_size]))


def _pages(function: Function, contract: Contract, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the answers to list-resources. Raises Misconfigured for pages that do not end."""
    page: str | None = None
    for _ in range(PAGES_MAX):
        answer = function.read(contract.list_resources, resource_type=kind, page=page)
        yield answer
        following = answer.get("next_page")
        if not following:
            return
        if str(following) == page:
            break
        page = str(following)
    raise Misconfigured("The function's pages of resources do not end.", fix=CONTRACT)


def _tags(function: Function, contract: Contract, kind: str) -> dict[str, dict[str, str]]:
    """Return tags by resource; a function need not have any."""
    try:
        answer = function.read(contract.list_resources_tags, resource_type=kind)
    except Misconfigured:
        return {}
    found = answer.get("tags")
    return {str(id_): _details(tags) for id_, tags in found.items()} if isinstance(found, dict) else {}


def _resource(one: dict[str, Any], kind: str, tags: dict[str, dict[str, str]]) -> ResourceFact:
    """Return a resource."""
    id_ = _text(one, "id")
    name = _text(one, "name", id_)
    own = {**tags.get(id_, {}), **_details(one.get("tags"))}
    return ResourceFact(kind, id_, name, _text(one, "path", name), tags=own, context=_details(one.get("metadata")))


def _permissions(answer: dict[str, Any]) -> list[PermissionFact]:
    """Return the permissions in an answer; what has no risk level of its own is in the middle."""
    facts = []
    for one in _objects(answer, "permissions"):
        risk = one.get("risk_level", 5)
        if isinstance(risk, bool) or not isinstance(risk, int) or not 1 <= risk <= 9:
            raise Misconfigured(f"The risk_level {risk!r} of a permission is not 1 to 9.", fix=CONTRACT)
        facts.append(PermissionFact(_text(one, "id"), _text(one, "name", _text(one, "id")), risk))
    return facts


def _name_of_type(answer: dict[str, Any], kind: str) -> str:
    """Return what people call the type."""
    return _text(answer, "resource_type_name", kind.replace("_", " ").replace("-", " ").capitalize())


def _entry(one: dict[str, Any]) -> Entry:
    """Return one entry of list-access."""
    unit = Unit(_text(one, "resource_type"), _text(one, "resource"), _text(one, "permission"))
    return Entry(_text(one, "username"), _text(one, "grant_id", ""), unit)


def _objects(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects in an answer. Raises Misconfigured when it is something else."""
    found = answer.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Misconfigured(f"{name} in the function's answer is no list of objects.", fix=CONTRACT)
    return found


def _text(one: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a text in an object. Raises Misconfigured when there is none."""
    found = one.get(name, default)
    if not isinstance(found, str) or (default is None and not found) or len(found) > TEXT_MAX:
        raise Misconfigured(
            f"{name} is no text of at most {TEXT_MAX} characters in the function's answer.", fix=CONTRACT
        )
    return found


def _details(found: Any) -> dict[str, str]:
    """Return an object of texts, numbers and truths as one of texts; what is deeper is left out."""
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value)[:TEXT_MAX] for name, value in found.items() if isinstance(value, str | int | float)}


def secrets_of(answer: dict[str, Any] | None) -> dict[str, str]:
    """Return the credentials in an answer: an object of texts, or one text, which is a password."""
    secret = (answer or {}).get("secret")
    if isinstance(secret, str) and secret:
        return {"password": secret}
    return _details(secret)
