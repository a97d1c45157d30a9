"""The statements of search. Their text is put together from what stands here; every value is a parameter."""

# ruff: noqa: S608

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from integrations.aql.conditions import SQL, any_met, condition, ids_in, one_of
from integrations.aql.tree import Query
from integrations.search.places import Place, Selection

# Counting looks at so many rows in all and of one type at most; where each has to be held against selectors, at fewer.
COUNTED, COUNTED_SELECTED, COUNTED_OF_ONE = 4_000, 400, 101
# The places by the words that a resource there still has to have.
Groups = Mapping[tuple[str, ...], Sequence[Place]]


def has_words(words: tuple[str, ...], row: str = "r") -> SQL:
    """Return the condition that a row has all the words."""
    parts, values = ["1 = 1"], []
    for word in words:
        ways = _spellings(word)
        if connection.vendor == "postgresql":
            parts.append(f"({' OR '.join([f'{row}.searched LIKE %s'] * len(ways))})")
            values += [f"%{_literally(way)}%" for way in ways]
        else:
            parts.append(f"({' OR '.join([f'instr({row}.searched, %s) > 0'] * len(ways))})")
            values += ways
    return " AND ".join(parts), values


def believe(words: Sequence[str]) -> SQL:
    """Ask PostgreSQL's planner how many rows have each of the words."""
    parts = [(f"SELECT 1 FROM integrations_resource r WHERE r.status = 'active' AND {has}", values)
             for has, values in (has_words((word,)) for word in words)]  # fmt: skip
    return f"EXPLAIN (FORMAT JSON) {' UNION ALL '.join(sql for sql, _ in parts)}", [v for _, vs in parts for v in vs]


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _spellings(word: str) -> list[str]:
    """Return how a word may stand in the database: not every one knows small from capital beyond ASCII."""
    if word.isascii():
        return [word]
    ways = (word, word.upper(), word.title())
    return list(dict.fromkeys("".join(c.lower() if c.isascii() else c for c in way) for way in ways))


def _text(groups: Groups, row: str = "r") -> SQL:
    """Return the condition on the text in a walk, where `t.part` says which words a place still wants."""
    if len(groups) == 1:
        return has_words(next(iter(groups)), row)
    parts, values = [], []
    for number, words in enumerate(groups):
        has, more = has_words(words, row)
        parts.append(f"(t.part = {number} AND {has})")
        values += more
    return f"({' OR '.join(parts)})", values


def _kept(among: Sequence[Place]) -> SQL:
    """Return the condition that `k`, in one of these places, is a row that selectors or queries leave.

    It is a query for one value: so the planner cannot but ask it row by row, of the few that have the text.
    """
    plain: dict[str, list[str]] = {"name": [], "source": [], "tag": []}
    shapes: dict[tuple[Selection, ...] | Query, list[int]] = defaultdict(list)
    for place in among:
        for one in place.wanted:
            if one.query is not None:
                shapes[one.query].append(place.type_id)
            elif all(selection.includes for selection in one.selectors):
                _put(place, one.selectors, plain)
            else:
                shapes[one.selectors].append(place.type_id)
    shaped = [_shape(types, shape) for shape, types in shapes.items()]
    asked, values = any_met([("1 = 0", []), *_any_of(plain), *shaped])
    return f"COALESCE((SELECT {asked} FROM integrations_resource k WHERE k.id = r.id), 1 = 0)", values


def _put(place: Place, selectors: Iterable[Selection], plain: dict[str, list[str]]) -> None:
    """Write down what is taken in as texts that a row can be compared with; those of all places make one list."""
    for one in selectors:
        if one.by == "name":
            plain["name"] += [f"{place.type_id}:{value}" for value in one.values]
        elif one.by == "id":
            plain["source"] += [f"{place.type_id}:{value}" for value in one.values]
            # Ours are unique, and a row is in one place only: the place's own rows are all that is asked about.
            plain["source"] += [f"{place.type_id}#{number}" for number in ids_in(one.values)]
        elif one.by == "tag":
            # The length says where the key ends, whatever stands in it.
            plain["tag"] += [f"{place.type_id}:{len(one.key)}:{one.key}:{value}" for value in one.values]


def _any_of(plain: dict[str, list[str]]) -> Iterable[SQL]:
    kind = "CAST(k.resource_type_id AS text)"
    if plain["name"]:
        within, values = one_of(plain["name"])
        yield f"({kind} || ':' || k.name) {within}", values
    if plain["source"]:
        within, values = one_of(plain["source"])
        yield f"({kind} || ':' || k.source_id) {within}", values
        yield f"({kind} || '#' || CAST(k.id AS text)) {within}", values
    if plain["tag"]:
        within, values = one_of(plain["tag"])
        tag = f"{kind} || ':' || CAST(length(g.key) AS text) || ':' || g.key || ':' || g.value"
        yield f"EXISTS (SELECT 1 FROM integrations_tag g WHERE g.resource_id = k.id AND ({tag}) {within})", values


def _shape(types: list[int], shape: tuple[Selection, ...] | Query) -> SQL:
    """Return the condition of queries, and of targets that leave something out; equal ones are said once."""
    within, values = one_of(types)
    left, more = condition(shape.root, "k") if isinstance(shape, Query) else _left_by(shape)
    return f"(k.resource_type_id {within} AND {left})", [*values, *more]


def _left_by(selectors: tuple[Selection, ...]) -> SQL:
    included = [_selects(one) for one in selectors if one.includes]
    excluded = [_selects(one) for one in selectors if not one.includes]
    sql = f"({' OR '.join(part for part, _ in included) or '1 = 1'})"
    sql += f" AND NOT ({' OR '.join(part for part, _ in excluded) or '1 = 0'})"
    return sql, [value for _, values in (*included, *excluded) for value in values]


def _selects(one: Selection) -> SQL:
    within, values = one_of(one.values)
    if one.by == "name":
        return f"k.name {within}", values
    if one.by == "id":
        ids, numbers = one_of(ids_in(one.values) or [0])
        return f"(k.source_id {within} OR k.id {ids})", [*values, *numbers]
    if one.by == "tag":
        # A key is there once per resource, so this is one value, too.
        tag = f"SELECT g.value {within} FROM integrations_tag g WHERE g.resource_id = k.id AND g.key = %s"
        return f"COALESCE(({tag}), 1 = 0)", [*values, one.key]
    return "1 = 0", []


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
        whole, ids = one_of([place.type_id for place in here if place.way == "whole"] or [0])
        selected, others = one_of([place.type_id for place in here if place.way == "selected"] or [0])
        kept, shapes = _kept([place for place in here if place.way == "selected"])
        parts.append(
            "SELECT r.id, r.resource_type_id, r.searched FROM integrations_resource r"
            # + 0: so that it does not read whole types to narrow what the text has narrowed already.
            f" WHERE r.status = 'active' AND {has} AND (r.resource_type_id + 0 {whole}"
            f" OR (r.resource_type_id + 0 {selected} AND {kept}))"
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
    limit, fewer = _limits(len(among))
    sql = _counted("t.type_id", "t.whole", text, limit)
    selected = [place for place in among if place.way == "selected"]
    if selected:
        kept, others = _kept(selected)
        sql += f" UNION ALL {_counted('t.type_id', 'NOT t.whole', f'{text} AND {kept}', fewer)}"
        more = [*more, *more, *others]
    return f"SELECT t.type_id, x.* FROM {source} CROSS JOIN LATERAL ({sql}) x", [*values, *more]


def _limits(number: int) -> tuple[int, int]:
    """Return how many rows of each of so many types are looked at: whole ones, and selected ones."""
    return tuple(min(COUNTED_OF_ONE, max(4, most // number)) for most in (COUNTED, COUNTED_SELECTED))  # type: ignore[return-value]


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
        limit = _limits(len(among))[place.way == "selected"]
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
                numbers += [(*here, value) for value in ids_in(one.values)]
    parts, every = [], []
    for rows, column in ((names, "name"), (ids, "source_id"), (numbers, "id")):
        source, values = _named(rows, "bigint" if column == "id" else "text")
        parts.append(
            f"SELECT t.place, t.part, t.type_id, r.searched, r.id FROM {source} t JOIN integrations_resource r"
            f" ON r.resource_type_id = t.type_id AND r.{column} = t.value WHERE r.status = 'active'"
        )
        every += values
    # Only then the text: its own index would be the longer way to a few rows that are known by name.
    text, values = _text(groups, row="t")
    return (
        f"WITH t AS MATERIALIZED ({' UNION '.join(parts)})"
        f" SELECT t.type_id, t.id FROM t WHERE {text} ORDER BY t.place, t.searched, t.id LIMIT {most:d}"
    ), [*every, *values]


def _named(rows: list[tuple[Any, ...]], kind: str) -> SQL:
    """Return (type id, part, place, value) as rows."""
    if connection.vendor == "postgresql":
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
        sql = f"unnest(%s::bigint[], %s::int[], %s::int[], %s::{kind}[]) AS"
        return f"(SELECT * FROM {sql} u(type_id, part, place, value))", columns
    names = ("type_id", "part", "place", "value")
    picked = ", ".join(f"json_extract(value, '$[{number}]') AS {name}" for number, name in enumerate(names))
    return f"(SELECT {picked} FROM json_each(%s))", [json.dumps(rows)]
