"""How things are called: source ids, and the regular expressions that name them exactly.

A source id is the JSON array of the names, outermost first: ["shop"], ["shop","orders"], ["management"].

A permission in RabbitMQ is one triple of regular expressions for each user and vhost. Several units in a vhost become
one alternation in which each name is escaped, between \\A and \\z: the customary ^ and $ would also take a name that
ends with a new line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Unit

VHOST, EXCHANGE, QUEUE, TAG = "vhost", "exchange", "queue", "tag"
COLUMNS = ("configure", "write", "read")
HOLD = "HOLD"
LEVELS = ("READ", "WRITE", "CONFIGURE")
LENGTHS = {VHOST: 1, EXCHANGE: 2, QUEUE: 2, TAG: 1}
TAGS = ("management", "policymaker", "monitoring", "administrator")
ADMINISTRATOR = "administrator"
# What the exchange without a name is called in permissions.
DEFAULT_EXCHANGE = "amq.default"

EVERYTHING = ".*"
NOTHING = "^$"
EXACT = re.compile(r"\\A\(\?:((?:\\.|[^\\|])+(?:\|(?:\\.|[^\\|])+)*)\)\\z", re.DOTALL)
ONE = re.compile(r"(?:\\.|[^\\|])+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Names:
    """What one regular expression of a permission allows: everything, or these names, or what only it can say."""

    names: frozenset[str] = frozenset()
    everything: bool = False
    other: str = ""

    def has(self, name: str) -> bool:
        """Say whether a name is among them."""
        return self.everything or name in self.names

    def expression(self) -> str:
        """Return the regular expression."""
        if self.everything or not self.names:
            return EVERYTHING if self.everything else NOTHING
        return rf"\A(?:{'|'.join(re.escape(name) for name in sorted(self.names))})\z"


def parse_expression(expression: str) -> Names:
    """Return what an expression allows; one that is none of ours is kept as it is."""
    if expression in ("", NOTHING):
        return Names()
    if expression == EVERYTHING:
        return Names(everything=True)
    found = EXACT.fullmatch(expression)
    if found is not None:
        names = frozenset(re.sub(r"\\(.)", r"\1", one, flags=re.DOTALL) for one in ONE.findall(found[1]))
        if Names(names).expression() == expression:
            return Names(names)
    return Names(other=expression)


# The permissions of one user: for each vhost, a column each of configure, write, read.
Columns = dict[str, Names]
Permissions = dict[str, Columns]


def source_id(*names: str) -> str:
    """Return the source id of these names."""
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


def parse_unit(unit: Unit) -> tuple[str, ...]:
    """Return the names in a unit. Raises Misconfigured when type, permission or source id is none of ours."""
    levels = (HOLD,) if unit.resource_type == TAG else LEVELS
    if unit.resource_type not in LENGTHS or unit.permission not in levels:
        raise Misconfigured(f"RabbitMQ has no permission {unit.permission} on a {unit.resource_type}.")
    try:
        names = json.loads(unit.resource)
    except ValueError as error:
        raise Misconfigured(f"{unit.resource!r} is no source id.") from error
    if not (
        isinstance(names, list)
        and len(names) == LENGTHS[unit.resource_type]
        and all(isinstance(name, str) and name and "\0" not in name for name in names)
    ):
        raise Misconfigured(f"{unit.resource!r} is no source id of a {unit.resource_type}.")
    if unit.resource_type == TAG and names[0] not in TAGS:
        raise Misconfigured(f"{names[0]!r} is no tag that can be asked for.", fix=f"Known: {', '.join(TAGS)}.")
    return tuple(names)


def permissions(units: Iterable[Unit]) -> Permissions:
    """Return the permissions that make up these units; tags are not among them."""
    found: Permissions = {}
    for unit in units:
        if unit.resource_type == TAG:
            continue
        vhost, *rest = parse_unit(unit)
        columns = found.setdefault(vhost, {column: Names() for column in COLUMNS})
        column = unit.permission.lower()
        has = columns[column]
        columns[column] = Names(has.names | frozenset(rest), has.everything or not rest)
    return found


def tags(units: Iterable[Unit]) -> frozenset[str]:
    """Return the tags among these units."""
    return frozenset(parse_unit(unit)[0] for unit in units if unit.resource_type == TAG)


def held(unit: Unit, permissions_: Permissions, tags_: Iterable[str]) -> bool:
    """Say whether somebody with these permissions and tags holds a unit."""
    names = parse_unit(unit)
    if unit.resource_type == TAG:
        return names[0] in tags_
    column = permissions_.get(names[0], {}).get(unit.permission.lower(), Names())
    return column.has(names[1]) if len(names) == 2 else column.everything


def beyond(units: Iterable[Unit], permissions_: Permissions, tags_: Iterable[str]) -> frozenset[Unit]:
    """Return what these allow beside the units: whole vhosts and tags as units, the rest as it is written."""
    wanted = list(units)
    allowed, found = permissions(wanted), set[Unit]()
    for vhost, columns in permissions_.items():
        for column, has in columns.items():
            should = allowed.get(vhost, {}).get(column, Names())
            if has.everything and not should.everything:
                found.add(Unit(VHOST, source_id(vhost), column.upper()))
            elif has.other or not (has.names <= should.names or should.everything):
                expression = has.other or Names(has.names - should.names).expression()
                found.add(Unit(VHOST, source_id(vhost), f"{column.upper()} {expression}"))
    found |= {Unit(TAG, source_id(tag), HOLD) for tag in set(tags_) - tags(wanted)}
    return frozenset(found)
