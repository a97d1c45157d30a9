"""Filters and sorting, compiled to conditions of one query. They mean what `ScimFilter.match` says they mean.

Texts are compared by their keys (accounts.scim.resources.key), by code points, on both databases alike.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Collate, Right, StrIndex, Substr
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from scim2_models import InvalidFilterException, SCIMException, ScimFilter
from scim2_models.path import (
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)

from accounts.models import GroupMembership, PushedValue
from accounts.scim.facts import comparable
from accounts.scim.resources import EnterpriseUser, Group, Person, key

LENGTH_MAX, DEPTH_MAX, TERMS_MAX = 4000, 12, 60
_LOOKUPS = {
    CompareOperator.gt: "gt",
    CompareOperator.ge: "gte",
    CompareOperator.lt: "lt",
    CompareOperator.le: "lte",
}
_VALUE = re.compile(r'"(?:[^"\\]|\\.)*"')
_CONDITIONS: dict[str, Any] = {
    "exact": Exact,
    "gt": GreaterThan,
    "gte": GreaterThanOrEqual,
    "lt": LessThan,
    "lte": LessThanOrEqual,
}
TIMES = {"meta.created": "created_at", "meta.lastmodified": "changed_at"}


def people(text: str) -> Q:
    """Return the condition on PushedPerson that a filter means. Raises InvalidFilterException."""
    parsed = _parsed(ScimFilter[Person], text)
    return _People(parsed).visit(parsed.ast)


def groups(text: str) -> Q:
    """Return the condition on PushedGroup that a filter means. Raises InvalidFilterException."""
    parsed = _parsed(ScimFilter[Group], text)
    return _Groups(parsed).visit(parsed.ast)


def _parsed(bound: Any, text: str) -> ScimFilter[Any]:
    if len(text) > LENGTH_MAX:
        raise InvalidFilterException(detail=f"A filter has at most {LENGTH_MAX} characters.")
    if _nested(text) > 2 * DEPTH_MAX:
        raise InvalidFilterException(detail="The filter is nested too deeply.")
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise InvalidFilterException(detail="A filter holds no control characters.")
    try:
        parsed: ScimFilter[Any] = bound(text)
    except RecursionError:
        raise InvalidFilterException(detail="The filter is nested too deeply.") from None
    except InvalidFilterException:
        raise
    except (SCIMException, ValueError) as error:
        raise InvalidFilterException(detail=str(error)[:300]) from error
    if _measure(parsed.ast, 1) > TERMS_MAX:
        raise InvalidFilterException(detail=f"A filter has at most {TERMS_MAX} terms.")
    return parsed


def _nested(text: str) -> int:
    """Return how deep brackets are nested, outside of values: asked before anything recursive reads the filter."""
    depth, deepest = 0, 0
    for sign in _VALUE.sub("", text):
        depth += (sign in "([") - (sign in ")]")
        deepest = max(deepest, depth)
    return deepest


def _measure(node: FilterNode, depth: int) -> int:
    """Return how many terms there are. Raises InvalidFilterException for what is nested too deeply."""
    if depth > DEPTH_MAX:
        raise InvalidFilterException(detail=f"A filter is nested at most {DEPTH_MAX} deep.")
    if isinstance(node, Not):
        return _measure(node.expr, depth + 1)
    if isinstance(node, LogicalExpr):
        return sum(_measure(term, depth + 1) for term in node.terms)
    return 1 + _measure(node.val_filter, depth + 1) if isinstance(node, ValuePath) else 1


def path_of(binding: AttributeBinding) -> str:
    """Return the path under which the values of an attribute are kept."""
    parts = [binding.field_name, *([binding.sub_field_name] if binding.sub_field_name else [])]
    told = ".".join(part.replace("_", "") for part in parts)
    return f"enterprise.{told}" if binding.model is EnterpriseUser else told


class _Compiler(FilterVisitor[Q]):
    """What filters on people and on groups share."""

    def __init__(self, parsed: ScimFilter[Any]) -> None:
        """Keep the filter, which knows what its names mean."""
        self.parsed = parsed

    def visit_not(self, node: Not) -> Q:
        """Turn it round; there are two truth values, not three."""
        return ~self.visit(node.expr)

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        """Join the terms."""
        joined = self.visit(node.terms[0])
        for term in node.terms[1:]:
            other = self.visit(term)
            joined = joined & other if node.op == LogicalOperator.and_ else joined | other
        return joined

    def visit_comparison(self, node: Comparison) -> Q:
        """Compare an attribute with a value."""
        binding = self._comparison(node.attr_path)
        value = node.value
        if path_of(binding) in TIMES and not isinstance(value, str):
            raise InvalidFilterException(detail="Times are compared with times.")
        if value is None:
            return self._absent(binding, node.op)
        value = coerce_value(binding, value, node.op)
        # "not equal" is true of whoever has no such value, and of a list if no value of it is equal.
        if node.op == CompareOperator.ne:
            return ~self.compare(path_of(binding), CompareOperator.eq, value)
        return self.compare(path_of(binding), node.op, value)

    def visit_present(self, node: Present) -> Q:
        """Ask whether there is a value."""
        binding = self.parsed.resolve(node.attr_path)
        assert binding is not None
        return self.present(path_of(binding))

    def visit_value_path(self, node: ValuePath) -> Q:
        """Ask whether one value of a list fulfils all of it."""
        raise InvalidFilterException(detail=f"{node.attr_path}[…] is not supported here.")

    def compare(self, path: str, op: CompareOperator, value: Any) -> Q:
        """Return the condition that a value is there that compares so."""
        raise NotImplementedError

    def present(self, path: str) -> Q:
        """Return the condition that there is a value."""
        raise NotImplementedError

    def _comparison(self, attr_path: AttrPath) -> AttributeBinding:
        binding = self.parsed.resolve_comparison(attr_path)
        assert binding is not None
        return binding

    def _absent(self, binding: AttributeBinding, op: CompareOperator) -> Q:
        """Return what comparing with null means: there is no value, or there is one."""
        if binding.is_multivalued or op not in (CompareOperator.eq, CompareOperator.ne):
            raise InvalidFilterException(detail=f"{binding.urn} cannot be compared with null so.")
        present = self.present(path_of(binding))
        return ~present if op == CompareOperator.eq else present


class _People(_Compiler):
    """A filter on people."""

    def visit_value_path(self, node: ValuePath) -> Q:
        """Ask whether one item of a list fulfils all of it."""
        binding = self.parsed.resolve(node.attr_path)
        assert binding is not None
        path = path_of(binding)
        if path not in {"emails", "addresses"}:
            raise InvalidFilterException(detail=f"{node.attr_path}[…] is not supported.")
        anchors = PushedValue.objects.filter(person=OuterRef("pk"), path=path)
        return Q(Exists(anchors.filter(_Item(self.parsed, node.attr_path).visit(node.val_filter))))

    def compare(self, path: str, op: CompareOperator, value: Any) -> Q:
        """Compare what stands in columns there, and everything else with the values that are kept."""
        if path == "id":
            return _text("pk", op, key(str(value), exact=True))
        if path == "active":
            return Q(user__is_active=bool(value))
        if path in TIMES:
            return _time(TIMES[path], op, value)
        if path in {"groups.value", "enterprise.manager.value"}:
            return _reference(path, op, value)
        _refuse_unkept(path)
        rows = PushedValue.objects.filter(person=OuterRef("pk"), path=path)
        return Q(Exists(rows.filter(_text("key", op, comparable(path, value)))))

    def present(self, path: str) -> Q:
        """Ask the columns, or whether a value is kept; of a complex attribute any part of it."""
        if path in {"id", "active", "meta", *TIMES, "schemas"}:
            return Q(pk__isnull=False)
        if path in {"groups", "groups.value", "groups.display"}:
            return Q(Exists(_groups_of_person()))
        if path.startswith("enterprise.manager"):
            return Q(user__manager__pushed__isnull=False)
        _refuse_unkept(path)
        rows = PushedValue.objects.filter(person=OuterRef("pk"))
        return Q(Exists(rows.filter(Q(path=path) | Q(path__startswith=f"{path}."), ~Q(key=""))))


class _Item(_Compiler):
    """The part of a filter in brackets: all of it speaks of one item, whose row is the outer one."""

    def __init__(self, parsed: ScimFilter[Any], head: AttrPath) -> None:
        """Keep which list it is about."""
        super().__init__(parsed)
        self.head = head

    def _inner(self, attr_path: AttrPath) -> AttrPath:
        if attr_path.sub_attr or attr_path.uri:
            raise InvalidFilterException(detail=f"{attr_path} is no part of {self.head}.")
        return AttrPath(attr=self.head.attr, sub_attr=attr_path.attr, uri=self.head.uri)

    def visit_comparison(self, node: Comparison) -> Q:
        """Compare a part of the item."""
        binding = self.parsed.resolve(self._inner(node.attr_path))
        assert binding is not None
        if node.value is None:
            present = self.present(path_of(binding))
            return {CompareOperator.eq: ~present, CompareOperator.ne: present}.get(node.op) or _never(node)
        value = coerce_value(binding, node.value, node.op)
        if node.op == CompareOperator.ne:
            return ~self.compare(path_of(binding), CompareOperator.eq, value)
        return self.compare(path_of(binding), node.op, value)

    def visit_present(self, node: Present) -> Q:
        """Ask whether the item has this part."""
        binding = self.parsed.resolve(self._inner(node.attr_path))
        assert binding is not None
        return self.present(path_of(binding))

    def compare(self, path: str, op: CompareOperator, value: Any) -> Q:
        """Compare with the value that hangs on the item."""
        return Q(Exists(self._rows(path).filter(_text("key", op, comparable(path, value)))))

    def present(self, path: str) -> Q:
        """Ask whether a value hangs on the item."""
        return Q(Exists(self._rows(path).exclude(key="")))

    def _rows(self, path: str) -> QuerySet[PushedValue]:
        return PushedValue.objects.filter(person=OuterRef("person"), item=OuterRef("item"), path=path)


class _Groups(_Compiler):
    """A filter on groups."""

    def visit_value_path(self, node: ValuePath) -> Q:
        """Take `members[value eq "id"]`, which says the same as `members.value eq "id"`."""
        inner, head = node.val_filter, node.attr_path
        if (
            head.attr.lower() != "members"
            or not isinstance(inner, Comparison)
            or inner.attr_path.attr.lower() != "value"
        ):
            raise InvalidFilterException(detail='Of members only [value eq "id"] is supported.')
        return self.visit_comparison(Comparison(AttrPath("members", "value"), inner.op, inner.value))

    def compare(self, path: str, op: CompareOperator, value: Any) -> Q:
        """Compare columns."""
        if path in TIMES:
            return _time(TIMES[path], op, value)
        if path == "members.value":
            return _reference(path, op, value)
        column = {"id": "pk", "externalid": "external_id", "displayname": "name_key"}.get(path)
        if column is None:
            raise InvalidFilterException(detail=f"Groups cannot be filtered by {path}.")
        text = _text(column, op, key(str(value), exact=column != "name_key"))
        # No external id is kept as an empty text, which compares with nothing.
        return text & ~Q(external_id="") if column == "external_id" else text

    def present(self, path: str) -> Q:
        """Ask whether there is a value."""
        if path in {"id", "displayname", "meta", *TIMES, "schemas"}:
            return Q(pk__isnull=False)
        if path == "externalid":
            return ~Q(external_id="")
        if path in {"members", "members.value"}:
            return Q(Exists(_members_of_group()))
        raise InvalidFilterException(detail=f"Groups cannot be filtered by {path}.")


def _groups_of_person() -> QuerySet[GroupMembership]:
    return GroupMembership.objects.filter(user=OuterRef("user"), group__pushed__isnull=False)


def _members_of_group() -> QuerySet[GroupMembership]:
    return GroupMembership.objects.filter(group=OuterRef("group"), user__pushed__isnull=False)


def _reference(path: str, op: CompareOperator, value: Any) -> Q:
    """Compare an id that leads elsewhere; equality is all that means anything."""
    if op != CompareOperator.eq:
        raise InvalidFilterException(detail=f"{path} can be compared with eq and ne only.")
    if path == "enterprise.manager.value":
        return Q(user__manager__pushed__isnull=False, user__manager__pushed__pk=str(value))
    if path == "groups.value":
        return Q(Exists(_groups_of_person().filter(group__pushed__pk=str(value))))
    return Q(Exists(_members_of_group().filter(user__pushed__pk=str(value))))


def _refuse_unkept(path: str) -> None:
    if path.partition(".")[0] in {"meta", "schemas", "groups"} or path.startswith("enterprise.manager"):
        raise InvalidFilterException(detail=f"People cannot be filtered by {path}.")


def _never(node: Comparison) -> Q:
    raise InvalidFilterException(detail=f"{node.attr_path} cannot be compared with null so.")


def _time(column: str, op: CompareOperator, value: Any) -> Q:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidFilterException(detail="Times are compared with times that name their zone.")
    if op == CompareOperator.eq:
        return Q(**{column: value})
    if op not in _LOOKUPS:
        raise InvalidFilterException(detail=f"Times cannot be compared with {op.value}.")
    return Q(**{f"{column}__{_LOOKUPS[op]}": value})


def _text(column: str, op: CompareOperator, value: str) -> Q:
    """Compare a key with a text, by code points: LIKE does not tell cases apart on SQLite, nor do all locales."""
    if op == CompareOperator.eq:
        return Q(**{column: value})
    if op in _LOOKUPS:
        return Q(_holds(by_code_points(column), _LOOKUPS[op], value))
    # Any text holds no text at all.
    if not value:
        return Q(**{f"{column}__isnull": False})
    if op == CompareOperator.co:
        return Q(_holds(StrIndex(column, Value(value)), "gt", 0))
    part = Substr(column, 1, len(value)) if op == CompareOperator.sw else Right(column, len(value))
    return Q(_holds(part, "exact", value))


def _holds(expression: Any, lookup: str, value: Any) -> Any:
    """Return the condition that an expression compares so with a value."""
    return _CONDITIONS[lookup](expression, value)


def by_code_points(column: str | Combinable) -> Collate:
    """Return a text that is ordered by its code points, whatever the database's own order is."""
    return Collate(
        F(column) if isinstance(column, str) else column, "C" if connection.vendor == "postgresql" else "BINARY"
    )
