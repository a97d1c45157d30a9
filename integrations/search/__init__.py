"""What of the inventory some targets give, found by text: in reading order, one page at a time, at a million rows.

Reading order is integration, resource type, then path. Two ways lead through it. A *walk* goes along the index
integrations_resource_searched, type by type, and stops when the page is full: right for no text and for common ones. A
*dig* finds all that has a rare text, by trigrams where PostgreSQL has them, and sorts it. The planner's own figures say
which; SQLite always walks. Selectors by name and id are looked up first, so that nobody walks a table to find ten rows,
and what queries select by tags is gathered by the index of these, where it is little.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import connection

from integrations.aql.asking import ask
from integrations.aql.conditions import SQL
from integrations.search import gathering, statements
from integrations.search.places import Count, Place, Selection, Wanted, places

__all__ = ["Count", "Place", "Search", "Selection", "Wanted", "places", "words_of"]

# A word that more rows have than this, of a million, is common: a walk meets a page of it soon, and its trigrams are so
# common that a dig would read more.
COMMON = 500
# So many rows are dug out at most to be counted.
DUG_MAX = 10_000
# How many types one statement walks at first, and how many times more the next one; SQLite joins no more than 500.
FIRST_TYPES, MORE_TYPES, TYPES_MAX = 16, 8, 400
# So many values SQLite is given in one statement: it takes 32,766, and long to read a statement of so many.
VALUES_MAX = 1_000
# A text has at most so many words; the rest is not looked at.
WORDS_MAX = 8
_PART = re.compile(r"[^\W_]{3,}")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words that all have to be found, each once."""
    return tuple(dict.fromkeys(text.replace("\0", " ").lower().split()))[:WORDS_MAX]


def _believed(rows: list[tuple[Any, ...]]) -> list[int]:
    """Return how many rows the planner expects of each part of a statement."""
    plan = rows[0][0][0]["Plan"]
    return [part["Plan Rows"] for part in (plan["Plans"] if plan["Node Type"] == "Append" else [plan])]


class Search:
    """One text, looked for in some places. Each word has to be in the path, the name, or the name of type or system."""

    def __init__(self, places: Sequence[Place], words: tuple[str, ...]) -> None:
        """See which words the names of system and type have already, and which of the others are rare."""
        self.places = places
        left = {place.type_id: _left(place, words) for place in places}
        rare = {group: _is_rare(group) for group in set(left.values())}
        self._words = left
        self._listed = {place.type_id for place in places if place.way == "listed"}
        self._rare = {type_id for type_id, group in left.items() if rare[group]} - self._listed
        self._gathered = self._gather()
        # What is there, by type id, for places that a page has read to their end: nothing of that is read again.
        self._read: dict[frozenset[int], Counter[int]] = {}

    def find(self, start: int, size: int, among: Sequence[Place] | None = None) -> tuple[list[int], bool]:
        """Return the ids of one page in reading order, and whether there are others behind it."""
        among = self.places if among is None else among
        order = {place.type_id: position for position, place in enumerate(among)}
        most = start + size + 1
        rows = [*self._look_up(among, most), *self._dig(among, most), *self._read_gathered(among)]
        walked, step, position = self._walked(among), FIRST_TYPES, 0
        while position < len(walked):
            here = walked[position : position + step]
            # What is looked up or dug out may fill the page before the walk does.
            before = sum(order[type_id] < order[here[0].type_id] for type_id, _ in rows)
            if before >= most:
                break
            rows += self._asked(partial(self._walk, most - before), here)
            position, step = position + step, min(step * MORE_TYPES, TYPES_MAX)
        if len(rows) < most and position >= len(walked):
            self._read[frozenset(order)] = Counter(type_id for type_id, _ in rows)
        rows.sort(key=lambda row: order[row[0]])
        return [pk for _, pk in rows[start : start + size]], len(rows) > start + size

    def count(self) -> dict[int, Count]:
        """Return how many there are by type id, as far as that is known without much reading."""
        everything = self._read.get(frozenset(place.type_id for place in self.places))
        if everything is not None:
            return defaultdict(lambda: Count(0), {pk: Count(0) + Count(number) for pk, number in everything.items()})
        rows = [*self._look_up(self.places, DUG_MAX), *self._dig(self.places, DUG_MAX)]
        found = Counter(type_id for type_id, _ in [*rows, *self._read_gathered(self.places)])
        counts = defaultdict(lambda: Count(0), {pk: Count(0) + Count(number) for pk, number in found.items()})
        walked = self._walked(self.places)
        # To count what queries select would cost more than the page; of that it is said that there is some.
        counts.update({place.type_id: Count(0, more=True) for place in walked if _by_query(place)})
        walked = [place for place in walked if not _by_query(place)]
        for position in range(0, len(walked), TYPES_MAX):
            here = walked[position : position + TYPES_MAX]
            for type_id, number, seen, most in self._asked(
                lambda some: statements.count(self._grouped(some), some), here
            ):
                counts[type_id] += Count(number, seen >= most)
        return counts

    def _walk(self, most: int, here: Sequence[Place]) -> SQL:
        return statements.walk(self._grouped(here), here, most)

    def _counting(self, here: Sequence[Place]) -> SQL:
        return statements.count(self._grouped(here), here)

    def _asked(self, statement: Callable[[Sequence[Place]], SQL], here: Sequence[Place]) -> list[tuple[Any, ...]]:
        """Ask something of some places in one statement, or in several where it has more values than SQLite takes."""
        sql, values = statement(here)
        if connection.vendor == "postgresql" or len(values) <= VALUES_MAX or len(here) == 1:
            return _run((sql, values))
        middle = len(here) // 2
        return [*self._asked(statement, here[:middle]), *self._asked(statement, here[middle:])]

    def _walked(self, among: Sequence[Place]) -> list[Place]:
        known = {*self._rare, *self._listed, *self._gathered}
        return [one for one in among if one.type_id not in known]

    def _grouped(self, among: Sequence[Place]) -> dict[tuple[str, ...], list[Place]]:
        groups: dict[tuple[str, ...], list[Place]] = defaultdict(list)
        for place in among:
            groups[self._words[place.type_id]].append(place)
        return groups

    def _gather(self) -> dict[int, list[int]]:
        """Return the ids of what queries select, by type id, where an index leads to it and it is little."""
        every = gathering.asked(one for one in self.places if one.type_id not in self._rare)
        if not every:
            return {}
        numbers = [number for _, number in sorted(_run(gathering.count(every)))]
        little = {
            query: here
            for (query, here), number in zip(every.items(), numbers, strict=True)
            if number <= gathering.CANDIDATES_MAX
        }
        found: dict[int, list[int]] = {place.type_id: [] for place in self.places if _is_gathered(place, little)}
        rows = _run(gathering.gather(little)) if found else []
        for type_id, pk in dict.fromkeys((type_id, pk) for _, type_id, pk in rows if type_id in found):
            found[type_id].append(pk)
        return found

    def _read_gathered(self, among: Sequence[Place]) -> list[tuple[Any, ...]]:
        rows = []
        for words, here in self._grouped([one for one in among if one.type_id in self._gathered]).items():
            ids = [pk for place in here for pk in self._gathered[place.type_id]]
            rows += _run(gathering.read(ids, statements.has_words(words))) if ids else []
        return rows

    def _dig(self, among: Sequence[Place], most: int) -> list[tuple[Any, ...]]:
        rare = [one for one in among if one.type_id in self._rare]
        return _run(statements.dig(self._grouped(rare), rare, most)) if rare else []

    def _look_up(self, among: Sequence[Place], most: int) -> list[tuple[Any, ...]]:
        listed = [one for one in among if one.type_id in self._listed]
        return _run(statements.look_up(self._grouped(listed), listed, most)) if listed else []


def _by_query(place: Place) -> bool:
    return place.way == "selected" and any(one.query is not None for one in place.wanted)


def _is_gathered(place: Place, little: gathering.Asked) -> bool:
    """Whether all that is wanted of a place is among what was gathered."""
    return bool(place.wanted) and all(one.query is not None and one.query in little for one in place.wanted)


def _left(place: Place, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that the names of system and type do not have: the resource has to have them."""
    if not words:
        return ()
    names = f"{place.integration_name}\n{place.type_name}".lower()
    return tuple(word for word in words if word not in names)


def _is_rare(words: tuple[str, ...]) -> bool:
    """Whether few rows of the whole inventory have some part of the words, as the planner believes. One short query.

    A part is what trigrams are made of: letters and digits in a row. That "orders_ledger" is rare does not help where
    "orders" and "ledger" are not: all their trigrams would be read.
    """
    parts = [part for word in words for part in _PART.findall(word)]
    if connection.vendor != "postgresql" or not parts:
        return False
    return min(_believed(_run(statements.believe(parts)))) <= COMMON


def _run(statement: SQL) -> list[tuple[Any, ...]]:
    return ask(*statement)
