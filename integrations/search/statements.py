"""The statements of search. Their text is put together from what stands here; every value is a parameter."""

# ruff: noqa: S608

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from integrations.search.places import Place, Selection

# Counting looks at so many rows of a type at most, and at fewer where each has to be held against selectors.
COUNTED, COUNTED_SELECTED = 200, 40
SQL = tuple[str, list[Any]]
# The places by the words that a resource there still has to have.
Groups = Mapping[tuple[str, ...], Sequence[Place]]


def _list(values: Iterable[Any]) -> SQL:
    """Return a list to be IN, as one parameter however long it is."""
    if connection.vendor == "postgresql":
        chosen = list(values)
        cast = "bigint[]" if chosen and isinstance(chosen[0], int) else "text[]"
        return f"= ANY(%s::{cast})", [chosen]
    return "IN (SELECT value FROM json_each(%s))", [json.dumps(list(values))]


def has_words(words: tuple[str, ...]) -> SQL:
    """Return the condition that a row has all the words."""
    parts, values = ["1 = 1"], []
    for word in words:
        ways = _spellings(word)
        if connection.vendor == "postgresql":
            parts.append(f"({' OR '.join(['r.searched LIKE %s'] * len(ways))})")
            values += [f"%{_literally(way)}%" for way in ways]
        else:
            parts.append(f"({' OR '.join(['instr(r.searched, %s) > 0'] * len(ways))})")
            values += ways
    return " AND ".join(parts), values


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _spellings(word: str) -> list[str]:
    """Return how a word may stand in the database: not every one knows small from capital beyond ASCII."""
    if word.isascii():
        return [word]
    ways = (word, word.upper(), word.title())
    return list(dict.fromkeys("".join(c.lower() if c.isascii() else c for c in way) for way in ways))


def _text(groups: Groups) -> SQL:
    """Return the condition on the text in a walk, where `t.part` says which words a place still wants."""
    if len(groups) == 1:
        return has_words(next(iter(groups)))
    parts, values = [], []
    for number, words in enumerate(groups):
        has, more = has_words(words)
        parts.append(f"(t.part = {number} AND {has})")
        values += more
    return f"({' OR '.join(parts)})", values


def _kept(among: Sequence[Place]) -> SQL:
    """Return the condition that `r`, in one of these places, is a row that the selectors leave; equal ones once.

    It is a query for one value: so the planner cannot but ask it row by row, of the few that have the text.
    """
    shapes: dict[tuple[Selection, ...], list[int]] = defaultdict(list)
    for place in among:
        for one in place.wanted:
            shapes[one.selectors].append(place.type_id)
    parts, values = ["1 = 0"], []
    for selectors, types in shapes.items():
        within, more = _list(types)
        left, others = _left_by(selectors)
        parts.append(f"(k.resource_type_id {within} AND {left})")
        values += [*more, *others]
    row = f"SELECT {' OR '.join(parts)} FROM integrations_resource k WHERE k.id = r.id"
    return f"COALESCE(({row}), 1 = 0)", values


def _left_by(selectors: tuple[Selection, ...]) -> SQL:
    included = [_selects(one) for one in selectors if one.includes]
    excluded = [_selects(one) for one in selectors if not one.includes]
    sql = f"({' OR '.join(part for part, _ in included) or '1 = 1'})"
    sql += f" AND NOT ({' OR '.join(part for part, _ in excluded) or '1 = 0'})"
    return sql, [value for _, values in (*included, *excluded) for value in values]


def _selects(one: Selection) -> SQL:
    within, values = _list(one.values)
    if one.by == "name":
        return f"k.name {within}", values
    if one.by == "id":
        ids, numbers = _list(_numbers(one.values) or [0])
        return f"(k.source_id {within} OR k.id {ids})", [*values, *numbers]
    if one.by == "tag":
        # A key is there once per resource, so this is one value, too.
        tag = f"SELECT g.value {within} FROM integrations_tag g WHERE g.resource_id = k.id AND g.key = %s"
        return f"COALESCE(({tag}), 1 = 0)", [*values, one.key]
    return "1 = 0", []


def _numbers(values: Iterable[str]) -> list[int]:
    """Return which of the values are ids as they are written: not 007, not a superscript, not beyond the column."""
    return [int(one) for one in values if one.isascii() and one.isdigit() and len(one) < 19 and str(int(one)) == one]


def walk(groups: Groups, among: Sequence[Place], most: int) -> SQL:
    if connection.vendor != "postgresql":
        return _walk_one_by_one(groups, among, most)
    source, values = _places(groups, among)
    branches, more = _branches(groups, among, most)
    sql = (
        f"SELECT t.type_id, x.id FROM {source} CROSS JOIN LATERAL ({branches}) x"
        f" ORDER BY t.place, x.searched, x.id LIMIT {most:d}"
    )
    return sql, [*values, *more]


def _places(groups: Groups, among: Sequence[Place]) -> SQL:
    """Return the places as rows, in their order."""
    part = {place.type_id: number for number, here in enumerate(groups.values()) for place in here}
    ids = [place.type_id for place in among]
    sql = "unnest(%s::bigint[], %s::int[], %s::bool[]) WITH ORDINALITY AS t(type_id, part, whole, place)"
    return sql, [ids, [part[pk] for pk in ids], [place.way == "whole" for place in among]]


def _branches(groups: Groups, among: Sequence[Place], most: int) -> SQL:
    """Return the rows of the place `t`: the index alone is read, but for rows that selectors have to be asked about."""
    text, values = _text(groups)
    rows = (
        "SELECT r.id, r.searched FROM integrations_resource r"
        f" WHERE r.resource_type_id = t.type_id AND r.status = 'active' AND {text}"
    )
    order = "ORDER BY r.searched, r.id"
    sql = f"({rows} AND t.whole {order} LIMIT {most:d})"
    selected = [place for place in among if place.way == "selected"]
    if not selected:
        return sql, values
    kept, more = _kept(selected)
    # OFFSET 0 keeps the two apart: first the text, in reading order, then the selectors.
    sql += f" UNION ALL (SELECT r.id, r.searched FROM ({rows} AND NOT t.whole {order} OFFSET 0) r WHERE {kept} {order}"
    return f"{sql} LIMIT {most:d})", [*values, *values, *more]


def _walk_one_by_one(groups: Groups, among: Sequence[Place], most: int) -> SQL:
    """Walk on SQLite, which takes the parts of a UNION ALL one after the other and stops when it has enough."""
    words = {place.type_id: left for left, here in groups.items() for place in here}
    parts, values = [], []
    for place in among:
        has, text = has_words(words[place.type_id])
        kept, more = _kept([place]) if place.way == "selected" else ("1 = 1", [])
        rows = (
            f"SELECT r.id FROM integrations_resource r WHERE r.resource_type_id = {place.type_id:d}"
            f" AND r.status = 'active' AND {has} AND {kept} ORDER BY r.searched, r.id LIMIT {most:d}"
        )
        parts.append(f"SELECT {place.type_id:d} AS type_id, id FROM ({rows})")
        values += [*text, *more]
    return f"{' UNION ALL '.join(parts)} LIMIT {most:d}", values


def dig(groups: Groups, among: Sequence[Place], most: int) -> SQL:
    source, values = _places(groups, among)
    parts, more = [], []
    for words, here in groups.items():
        has, text = has_words(words)
        whole, ids = _list([place.type_id for place in here if place.way == "whole"] or [0])
        selected, others = _list([place.type_id for place in here if place.way == "selected"] or [0])
        kept, shapes = _kept([place for place in here if place.way == "selected"])
        parts.append(
            "SELECT r.id, r.resource_type_id, r.searched FROM integrations_resource r"
            f" WHERE r.status = 'active' AND {has} AND (r.resource_type_id {whole}"
            f" OR (r.resource_type_id {selected} AND {kept}))"
        )
        more += [*text, *ids, *others, *shapes]
    sql = (
        f"WITH found AS MATERIALIZED ({' UNION ALL '.join(parts)})"
        f" SELECT t.type_id, f.id FROM found f JOIN {source} ON t.type_id = f.resource_type_id"
        f" ORDER BY t.place, f.searched, f.id LIMIT {most:d}"
    )
    return sql, [*more, *values]


def count(groups: Groups, among: Sequence[Place]) -> SQL:
    """Count in the first rows of each place: (type id, how many have the text, rows looked at, rows at most)."""
    if connection.vendor != "postgresql":
        return _count_one_by_one(groups, among)
    source, values = _places(groups, among)
    text, more = _text(groups)
    sql = _counted("t.type_id", "t.whole", text, COUNTED)
    selected = [place for place in among if place.way == "selected"]
    if selected:
        kept, others = _kept(selected)
        sql += f" UNION ALL {_counted('t.type_id', 'NOT t.whole', f'{text} AND {kept}', COUNTED_SELECTED)}"
        more = [*more, *more, *others]
    return f"SELECT t.type_id, x.* FROM {source} CROSS JOIN LATERAL ({sql}) x", [*values, *more]


def _counted(type_id: str, gate: str, has: str, limit: int) -> str:
    return (
        f"SELECT count(*) FILTER (WHERE {has}) AS number, count(*) AS seen, {limit:d} AS most FROM ("
        f"SELECT r.id, r.searched FROM integrations_resource r WHERE r.resource_type_id = {type_id} AND {gate}"
        f" AND r.status = 'active' ORDER BY r.searched, r.id LIMIT {limit:d}) r"
    )


def _count_one_by_one(groups: Groups, among: Sequence[Place]) -> SQL:
    words = {place.type_id: left for left, here in groups.items() for place in here}
    parts, values = [], []
    for place in among:
        has, text = has_words(words[place.type_id])
        kept, more = _kept([place]) if place.way == "selected" else ("1 = 1", [])
        limit = COUNTED_SELECTED if place.way == "selected" else COUNTED
        counted = _counted(f"{place.type_id:d}", "1 = 1", f"{has} AND {kept}", limit)
        parts.append(f"SELECT {place.type_id:d} AS type_id, x.* FROM ({counted}) x")
        values += [*text, *more]
    return " UNION ALL ".join(parts), values


def look_up(groups: Groups, among: Sequence[Place], most: int) -> SQL:
    """Find rows that are named one by one."""
    part = {place.type_id: number for number, here in enumerate(groups.values()) for place in here}
    names, ids, numbers = [], [], []
    for position, place in enumerate(among):
        here = (place.type_id, part[place.type_id], position)
        for one in (selector for wanted in place.wanted for selector in wanted.selectors):
            if one.by == "name":
                names += [(*here, value) for value in one.values]
            else:
                ids += [(*here, value) for value in one.values]
                numbers += [(*here, value) for value in _numbers(one.values)]
    text, values = _text(groups)
    parts, every = [], []
    for rows, column in ((names, "name"), (ids, "source_id"), (numbers, "id")):
        source, more = _named(rows, "bigint" if column == "id" else "text")
        parts.append(
            f"SELECT t.place, r.searched, r.id, t.type_id FROM {source} t JOIN integrations_resource r"
            f" ON r.resource_type_id = t.type_id AND r.{column} = t.value WHERE r.status = 'active' AND {text}"
        )
        every += [*more, *values]
    sql = f"SELECT type_id, id FROM ({' UNION '.join(parts)}) AS x ORDER BY place, searched, id LIMIT {most:d}"
    return sql, every


def _named(rows: list[tuple[Any, ...]], kind: str) -> SQL:
    """Return (type id, part, place, value) as rows."""
    if connection.vendor == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
        sql = f"unnest(%s::bigint[], %s::int[], %s::int[], %s::{kind}[]) AS"
        return f"(SELECT * FROM {sql} u(type_id, part, place, value))", columns
    names = ("type_id", "part", "place", "value")
    picked = ", ".join(f"json_extract(value, '$[{number}]') AS {name}" for number, name in enumerate(names))
    return f"(SELECT {picked} FROM json_each(%s))", [json.dumps(rows)]
