"""Names that servers with databases have in common: source ids, ids in markers, what people are called.

A source id is the JSON array of the names, outermost first: ["shop"], ["shop","public","orders"]. JSON keeps apart what
dots and quotes in names would mix up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Desired, Unit

ID = re.compile(r"[!-<>-~]+")


def source_id(*names: str) -> str:
    """Return the source id of these names."""
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


def path(*names: str) -> str:
    """Return the names as people read them."""
    return "/".join(names)


def parse_unit(unit: Unit, lengths: Mapping[str, int], levels: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names in a unit; `lengths` and `levels` say how many a type has, and which permissions.

    Raises Misconfigured when type, permission or source id is none of these.
    """
    if unit.permission not in levels.get(unit.resource_type, ()):
        raise Misconfigured(f"There is no permission {unit.permission} on a {unit.resource_type} here.")
    try:
        names = json.loads(unit.resource)
    except ValueError as error:
        raise Misconfigured(f"{unit.resource!r} is no source id.") from error
    if not (
        isinstance(names, list)
        and len(names) == lengths[unit.resource_type]
        and all(isinstance(name, str) and name for name in names)
    ):
        raise Misconfigured(f"{unit.resource!r} is no source id of a {unit.resource_type}.")
    return tuple(names)


def standing_names(desired: Desired) -> list[str]:
    """Return what the person's own logins may be called.

    The rule: the person's name and aliases, exactly and in lower case, and for an e-mail address also what is before
    the @. A login of that name is taken for the person's, unless it bears a marker of ours.
    """
    names = {desired.person.name, *desired.person.aliases}
    names |= {name.partition("@")[0] for name in names}
    return sorted(filter(None, names | {name.lower() for name in names}))


def marker_id(id_: str) -> str:
    """Return an id as it is. Raises Misconfigured for one that would make a marker ambiguous."""
    if not ID.fullmatch(id_):
        raise Misconfigured(f"The id {id_!r} cannot be written into a marker: no spaces and no '=', please.")
    return id_
