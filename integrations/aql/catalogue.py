"""What there is to ask for, without the resources: a small table, of which a query is asked before they are.

Asked of it, a query becomes one on resources alone for each resource type of each integration: nothing of it, all of
it, or what a residual query selects. The rows (a type with a permission each) are bits of numbers, so that 200 queries
are asked of 4,000 rows in the time of a statement.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db import connection

from integrations.aql.fields import ALL, COMPLEMENTS
from integrations.aql.tree import And, Node, Not, Or, Term, all_of, any_of, fits, negated, risk_held
from integrations.choices import IntegrationStatus, ResourceStatus
from integrations.queries.entitlements import texts


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One resource type of one integration; there once in a catalogue."""

    type_id: int
    type: str
    type_name: str
    integration_id: str
    integration_name: str
    provider: str


@dataclass(frozen=True, slots=True)
class Row:
    """A resource type with one of its permissions; the documents are as they are stored."""

    kind: Kind
    permission_id: int
    source_id: str
    name: str
    risk_level: int
    tags: str
    context: str


class Catalogue:
    """The rows of integrations that are not switched off, in reading order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Give each row a bit and each type the bits of its rows."""
        self.rows = tuple(rows)
        self.all = (1 << len(self.rows)) - 1
        self._of_kind: dict[Kind, int] = defaultdict(int)
        for number, row in enumerate(self.rows):
            self._of_kind[row.kind] |= 1 << number
        self._indexes: dict[tuple[str, str], dict[str, int]] = {}
        self._known: dict[Node, dict[Kind, Node | bool]] = {}
        # What others made of its answers, by what they were asked for: as true as the catalogue is.
        self.made: dict[Any, Any] = {}

    def residuals(self, root: Node) -> dict[Kind, Node | bool]:
        """Return what a query is for the active resources of each type: True, or a query that names resources only.

        A type of which nothing is selected is left out. A resource is selected where any of its permissions is.
        Answers are remembered, and not to be changed.
        """
        known = self._known.get(root)
        if known is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            known = self._known[root] = self._parted(root)
        return known

    def _parted(self, root: Node) -> dict[Kind, Node | bool]:
        here: dict[Kind, list[Node | bool]] = defaultdict(list)
        for residual, rows in self._classes(root).items():
            for kind in self._kinds(rows) if residual is not False else ():
                here[kind].append(residual)
        return {kind: _either(parts) for kind, parts in here.items()}

    def _classes(self, root: Node) -> dict[Node | bool, int]:
        """Part the rows by what the query says of them, and return what is left of the query for each part."""
        asked = [(id(node), self._mask(node)) for node in _units(root)]
        classes = [self.all] if self.all else []
        for _, mask in asked:
            classes = [part for one in classes for part in (one & mask, one & ~mask) if part]
        found: dict[Node | bool, int] = defaultdict(int)
        for one in classes:
            found[_reduced(root, {unit: bool(mask & one) for unit, mask in asked})] |= one
        return found

    def _kinds(self, rows: int) -> Iterator[Kind]:
        while rows:
            kind = self.rows[(rows & -rows).bit_length() - 1].kind
            rows &= ~self._of_kind[kind]
            yield kind

    def _mask(self, node: Node) -> int:
        """Return the rows of which something that names no resource is true."""
        match node:
            case Term():
                return self._fitting(node)
            case Not(part):
                return self.all & ~self._mask(part)
            case And(parts):
                return reduce(and_, map(self._mask, parts))
            case Or(parts):
                return reduce(or_, map(self._mask, parts))

    def _fitting(self, term: Term) -> int:
        if term.field == "resource_status":
            return self.all if fits(term, [ResourceStatus.ACTIVE.value]) else 0
        index = self._index(term.field, term.key)
        positive = COMPLEMENTS.get(term.operator, term.operator)
        if positive in {"=", "in"}:
            found = reduce(or_, (index.get(value, 0) for value in term.values), 0)
        else:
            asked = Term(term.field, positive, term.values, term.key)
            found = reduce(or_, (rows for held, rows in index.items() if fits(asked, (held,))), 0)
        return found if positive == term.operator else self.all & ~found

    def _index(self, field: str, key: str) -> dict[str, int]:
        """Return the rows by what they hold of a field."""
        index = self._indexes.get((field, key))
        if index is None:
            index = self._indexes[field, key] = defaultdict(int)
            for number, row in enumerate(self.rows):
                for held in _held(field, key, row):
                    index[held] |= 1 << number
        return index


def _held(field: str, key: str, row: Row) -> Iterable[str]:
    if field in {"permission_tag", "permission_context"}:
        told = row.tags if field == "permission_tag" else row.context
        return () if told == "{}" else [value for name, value in texts(json.loads(told)) if name == key]
    return {
        "resource_type": (row.kind.type,),
        "integration": (row.kind.integration_id, row.kind.integration_name, row.kind.provider),
        "integration_name": (row.kind.integration_name,),
        "integration_id": (row.kind.integration_id,),
        "permission_source_id": (row.source_id,),
        "permission": (str(row.permission_id), row.source_id),
        "permission_name": (row.name,),
        "permission_risk_level": risk_held(row.risk_level),
    }[field]


def _units(node: Node) -> list[Node]:
    """Return the largest parts that name no resource."""
    if _names_no_resource(node):
        return [node]
    if isinstance(node, Term):
        return []
    return [unit for part in _parts(node) for unit in _units(part)]


def _names_no_resource(node: Node) -> bool:
    if isinstance(node, Term):
        # Where one may ask, every resource is active: its status is known.
        return ALL[node.field].of != "resource" or node.field == "resource_status"
    return all(_names_no_resource(part) for part in _parts(node))


def _parts(node: Not | And | Or) -> tuple[Node, ...]:
    return (node.part,) if isinstance(node, Not) else node.parts


def _reduced(node: Node, known: dict[int, bool]) -> Node | bool:
    """Return what is left of a query when some parts of it, by their id(), are known."""
    if id(node) in known:
        return known[id(node)]
    if isinstance(node, Term):
        return node
    parts = [_reduced(part, known) for part in _parts(node)]
    if isinstance(node, Not):
        (part,) = parts
        return not part if isinstance(part, bool) else negated(part)
    return _all(parts) if isinstance(node, And) else _either(parts)


def _all(parts: Iterable[Node | bool]) -> Node | bool:
    left = dict.fromkeys(parts)
    if False in left:
        return False
    nodes = [part for part in left if not isinstance(part, bool)]
    return all_of(nodes) if nodes else True


def _either(parts: Iterable[Node | bool]) -> Node | bool:
    left = dict.fromkeys(parts)
    if True in left:
        return True
    nodes = [part for part in left if not isinstance(part, bool)]
    return any_of(nodes) if nodes else False


_SELECT = """
SELECT kind.id, kind.type, kind.name, {id}, system.name, system.type,
       held.id, held.source_id, held.name, held.risk_level, {tags}, {context}
FROM integrations_resourcetype kind
JOIN integrations_integration system ON system.id = kind.integration_id
JOIN integrations_permission held ON held.resource_type_id = kind.id
WHERE system.status <> %s ORDER BY held.id
"""
# So many queries are remembered with their answers.
KNOWN_MAX = 2_000


_last: tuple[list[tuple[Any, ...]], Catalogue] = ([], Catalogue(()))


def catalogue() -> Catalogue:
    """Return what there is to ask for. One query; made anew only when the rows are others than those before."""
    global _last  # noqa: PLW0603  # replaced as a whole, so that threads see one or the other
    text = "CAST({} AS text)".format
    sql = _SELECT.format(id=text("system.id"), tags=text("held.tags"), context=text("held.context"))
    with connection.cursor() as cursor:
        cursor.execute(sql, [IntegrationStatus.DISABLED.value])
        found = list(cursor.fetchall())
    known, last = _last
    if known == found:
        return last
    made = Catalogue(_rows(found))
    _last = (found, made)
    return made


def _rows(found: Iterable[tuple[Any, ...]]) -> list[Row]:
    kinds: dict[int, Kind] = {}
    rows = []
    for type_id, kind, name, integration, system, provider, *held in found:
        if type_id not in kinds:
            kinds[type_id] = Kind(type_id, kind, name, _hyphenated(integration), system, provider)
        rows.append(Row(kinds[type_id], *held))
    return sorted(rows, key=lambda row: (row.kind.integration_name, row.kind.type_name, row.kind.type_id))


def _hyphenated(found: Any) -> str:
    """Return an id as people write it; SQLite keeps 32 hex digits."""
    told = str(found)
    return told if len(told) == 36 else "-".join((told[:8], told[8:12], told[12:16], told[16:20], told[20:]))
