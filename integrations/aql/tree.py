"""A query as data, the text it is written as, and whether an entitlement is among what it selects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from integrations.aql.fields import COMPLEMENTS, RISK_WORDS
from integrations.queries.entitlements import Entitlement

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. `key` belongs to keyed fields; all operators but in and not_in have one value."""

    field: str
    operator: str
    values: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """The complement."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts, none of them an And."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of two or more parts, none of them an Or."""

    parts: tuple[Node, ...]


Node = Term | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """What selects entitlements. Equal queries say the same in the same order; `text` is written in one way only."""

    root: Node
    # Kept, for queries are keys of tables that are asked thousands of times.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the hash."""
        object.__setattr__(self, "_hash", hash(self.root))

    def __hash__(self) -> int:
        """Return the hash of what it selects."""
        return self._hash

    def __str__(self) -> str:
        """Write it; what is written parses to an equal query."""
        return self.text()

    def text(self) -> str:
        """Write it; what is written parses to an equal query."""
        return _text(self.root)

    def holds(self, entitlement: Entitlement) -> bool:
        """Whether the entitlement is selected. Pure: it looks at nothing else."""
        return _holds(self.root, entitlement)


def all_of(parts: Iterable[Node]) -> Node:
    """Join one or more parts by and."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Node]) -> Node:
    """Join one or more parts by or."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negated(part: Node) -> Node:
    """Return the complement; that of a complement is what it was."""
    return part.part if isinstance(part, Not) else Not(part)


def size_of(node: Node) -> int:
    """Return how many comparisons there are."""
    if isinstance(node, Term):
        return 1
    return size_of(node.part) if isinstance(node, Not) else sum(map(size_of, node.parts))


def height_of(node: Node) -> int:
    """Return how many levels there are."""
    if isinstance(node, Term):
        return 1
    return 1 + (height_of(node.part) if isinstance(node, Not) else max(map(height_of, node.parts)))


_MERGED: dict[type, tuple[frozenset[str], str]] = {
    Or: (frozenset({"=", "in"}), "in"),
    And: (frozenset({"!=", "not_in"}), "not_in"),
}


def merged(node: Node) -> Node:
    """Return a query that selects the same with fewer comparisons: a = "x" or a = "y" is a in ("x", "y")."""
    if isinstance(node, Term):
        return node
    if isinstance(node, Not):
        return negated(merged(node.part))
    operators, joined = _MERGED[type(node)]
    values: dict[tuple[str, str], dict[str, None]] = {}
    others: list[Node] = []
    for part in map(merged, node.parts):
        if isinstance(part, Term) and part.operator in operators:
            values.setdefault((part.field, part.key), {}).update(dict.fromkeys(part.values))
        else:
            others.append(part)
    terms = [Term(field, joined, tuple(found), key) for (field, key), found in values.items()]
    return (all_of if isinstance(node, And) else any_of)([*terms, *others])


def quoted(value: str) -> str:
    """Write a value."""
    return f'"{value.translate(_ESCAPES)}"'


def _text(node: Node) -> str:
    match node:
        case Term():
            return _term_text(node)
        case Not(part):
            return f"not {_grouped(part)}"
        case And(parts):
            return " and ".join(_grouped(part) if isinstance(part, Or) else _text(part) for part in parts)
        case Or(parts):
            return " or ".join(_text(part) for part in parts)


def _grouped(node: Node) -> str:
    return f"({_text(node)})" if isinstance(node, And | Or) else _text(node)


def _term_text(term: Term) -> str:
    field = f"{term.field}[{quoted(term.key)}]" if is_keyed(term) else term.field
    if term.operator in {"in", "not_in"}:
        return f"{field} {term.operator} ({', '.join(quoted(value) for value in term.values)})"
    return f"{field} {term.operator} {quoted(term.values[0])}"


def is_keyed(term: Term) -> bool:
    """Whether the term is about a tag or the context."""
    return term.field.endswith(("_tag", "_context"))


def _holds(node: Node, entitlement: Entitlement) -> bool:
    match node:
        case Term():
            return fits(node, _held(node, entitlement))
        case Not(part):
            return not _holds(part, entitlement)
        case And(parts):
            return all(_holds(part, entitlement) for part in parts)
        case Or(parts):
            return any(_holds(part, entitlement) for part in parts)


def fits(term: Term, held: Iterable[str]) -> bool:
    """Whether what is held fulfils a term: one of it for a positive operator, none of it for a complement."""
    positive = COMPLEMENTS.get(term.operator, term.operator)
    found = any(_compare(positive, one, value) for one in held for value in term.values)
    return found != (term.operator in COMPLEMENTS)


def _compare(operator: str, held: str, value: str) -> bool:
    match operator:
        case "contains":
            return value in held
        case "starts_with":
            return held.startswith(value)
        case "ends_with":
            return held.endswith(value)
        case _:
            return held == value


def risk_held(level: int) -> tuple[str, ...]:
    """Return what a risk level equals: its digit and its word."""
    return (str(level), *(word for word, levels in RISK_WORDS.items() if level in levels))


def _held(term: Term, of: Entitlement) -> tuple[str, ...]:  # noqa: PLR0911, PLR0912  # one line per field
    match term.field:
        case "resource_type":
            return (of.resource_type,)
        case "resource_name":
            return (of.resource_name,)
        case "resource_path":
            return (of.resource_path,)
        case "resource":
            return (str(of.resource_id),)
        case "resource_status":
            return (of.resource_status,)
        case "resource_source_id":
            return (of.resource_source_id,)
        case "resource_risk_level":
            return risk_held(of.resource_risk)
        case "permission":
            return (str(of.permission_id), of.permission_source_id)
        case "permission_name":
            return (of.permission_name,)
        case "permission_risk_level":
            return risk_held(of.permission_risk)
        case "integration":
            return (of.integration_id, of.integration_name, of.integration_type)
        case "integration_name":
            return (of.integration_name,)
        case "integration_id":
            return (of.integration_id,)
        case "permission_source_id":
            return (of.permission_source_id,)
        case keyed:
            return _of_key(keyed, term.key, of)


def _of_key(field: str, key: str, of: Entitlement) -> tuple[str, ...]:
    pairs = {
        "resource_tag": of.tags,
        "resource_context": of.resource_context,
        "permission_tag": of.permission_tags,
        "permission_context": of.permission_context,
    }[field]
    return tuple(value for name, value in pairs if name == key)
