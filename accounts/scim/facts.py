"""What a pushed resource says of a person: read from it, checked, and in the form that is kept. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scim2_models import Context, InvalidValueException

from accounts import claims, zones
from accounts.scim.resources import ENTERPRISE, User, key

TEXT_MAX, ITEMS_MAX, NAME_MAX, EMAIL_MAX = 300, 50, 150, 254
# Attributes of people that come from here begin with this; others are not touched.
PREFIX = "scim_"
_CASE_EXACT = frozenset({"externalid"})
# What policy may ask about: the type of the attribute, and where it stands in the document.
_ATTRIBUTES = {
    "title": "title",
    "user_type": "userType",
    "locale": "locale",
    "preferred_language": "preferredLanguage",
}
_ENTERPRISE = {
    "employee_number": "employeeNumber",
    "cost_center": "costCenter",
    "organization": "organization",
    "division": "division",
    "department": "department",
}
_PLACE = {"city": "locality", "region": "region", "country": "country"}
# Said elsewhere: by the row, by the person, by memberships. `password` never gets this far.
_NOT_KEPT = ("id", "meta", "active", "groups", "schemas")


@dataclass(frozen=True, slots=True)
class PushedFacts:
    """What is said of a person. `active` and `manager` are None where nothing is said; a manager "" is nobody."""

    user_name: str
    external_id: str
    email: str
    name: str
    active: bool | None
    manager: str | None
    time_zone: str
    attributes: frozenset[tuple[str, str]]
    document: Mapping[str, Any]

    @property
    def user_name_key(self) -> str:
        """Return the user name as it is compared."""
        return key(self.user_name)


def read(resource: User[Any]) -> PushedFacts:
    """Return what the resource says. Raises InvalidValueException."""
    document = resource.model_dump(scim_ctx=Context.DEFAULT)
    for name in _NOT_KEPT:
        document.pop(name, None)
    extension = document.get(ENTERPRISE, {})
    manager = extension.pop("manager", None) or {}
    if not extension:
        document.pop(ENTERPRISE, None)
    _check(document, "")
    for name in ("emails", "addresses"):
        if name in document:
            document[name] = _primary_first(document[name])
    return PushedFacts(
        user_name=_user_name(document),
        external_id=document.get("externalId", ""),
        email=_email(document),
        name=_name(document),
        active=resource.active,
        manager=_manager(manager),
        time_zone=_time_zone(document),
        attributes=frozenset(_attributes(document)),
        document=document,
    )


def values(document: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Yield (path, item, key) of every value in the document, as filters compare them."""
    for name, value in document.items():
        if isinstance(value, Mapping):
            prefix = "enterprise" if name == ENTERPRISE else name.lower()
            yield from _of_complex(prefix, 0, value)
        elif isinstance(value, list):
            for item, one in enumerate(value):
                yield name.lower(), item, ""
                yield from _of_complex(name.lower(), item, one)
        else:
            yield name.lower(), 0, comparable(name.lower(), value)


def comparable(path: str, value: Any) -> str:
    """Return one value as its key."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return key(str(value), exact=path in _CASE_EXACT)


def _of_complex(prefix: str, item: int, value: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    for name, inner in value.items():
        path = f"{prefix}.{name.lower()}"
        yield path, item, comparable(path, inner)


def _check(value: Any, where: str) -> None:
    """Raise InvalidValueException for texts that are too long or hold what no database takes, and for long lists."""
    if isinstance(value, str):
        if len(value) > TEXT_MAX:
            raise InvalidValueException(detail=f"{where} has more than {TEXT_MAX} characters.")
        if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF or ord(sign) == 127 for sign in value):
            raise InvalidValueException(detail=f"{where} holds control characters.")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            _check(inner, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        if len(value) > ITEMS_MAX:
            raise InvalidValueException(detail=f"{where} lists more than {ITEMS_MAX} values.")
        for inner in value:
            _check(inner, where)


def _primary_first(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda one: not one.get("primary"))


def _user_name(document: Mapping[str, Any]) -> str:
    name = str(document.get("userName", ""))
    if not name or name != name.strip() or len(name) > EMAIL_MAX:
        raise InvalidValueException(detail=f"userName is text of 1 to {EMAIL_MAX} characters, without space around it.")
    return name


def _email(document: Mapping[str, Any]) -> str:
    """Return who the person is: the primary address, or else the first one for work, or else the first."""
    told = document.get("emails", [])
    ordered = sorted(told, key=lambda one: (not one.get("primary"), key(one.get("type") or "") != "work"))
    said = ordered[0].get("value") if ordered else None
    email = claims.address(said)
    if not email:
        raise InvalidValueException(detail="The primary value of emails is no e-mail address that can be used.")
    return email


def _name(document: Mapping[str, Any]) -> str:
    parts = document.get("name", {})
    both = " ".join(part for part in (parts.get("givenName"), parts.get("familyName")) if part)
    options = (document.get("displayName"), parts.get("formatted"), both, document.get("userName"))
    shown = ("".join(sign if sign.isprintable() else " " for sign in option or "") for option in options)
    found = next((" ".join(one.split()) for one in shown if one.strip()), "")
    return found[:NAME_MAX].rstrip()


def _manager(said: Mapping[str, Any]) -> str | None:
    """Return whom the manager's value or, without one, the end of its address names; "" for nobody."""
    return str(said.get("value") or str(said.get("$ref") or "").rstrip("/").rpartition("/")[2])


def _time_zone(document: Mapping[str, Any]) -> str:
    said = str(document.get("timezone", ""))
    return said if said in zones.names() else ""


def _attributes(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what policy may ask about; a text of spaces says nothing."""
    extension, places = document.get(ENTERPRISE, {}), document.get("addresses", [])
    nowhere: dict[str, Any] = {}
    work = min(places, key=lambda one: (not one.get("primary"), key(one.get("type") or "") != "work"), default=nowhere)
    for names, part in ((_ATTRIBUTES, document), (_ENTERPRISE, extension), (_PLACE, work)):
        for kind, name in names.items():
            value = str(part.get(name) or "").strip()
            if value:
                yield f"{PREFIX}{kind}", value
