"""What of the inventory some targets give, found by text: in reading order, one page at a time, at a million rows.

Reading order is integration, resource type, then path. Two ways lead through it. A *walk* goes along the index
integrations_resource_searched, type by type, and stops when the page is full: right for no text and for common ones. A
*dig* finds all that has a rare text, by trigrams where PostgreSQL has them, and sorts it. The planner's own figures say
which; SQLite always walks. Selectors by name and id are looked up first, so that nobody walks a table to find ten rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from django.db import connection

from integrations.search import statements
from integrations.search.places import COUNT_MAX, Count, Place, Selection, Wanted, places
from integrations.search.statements import SQL

__all__ = ["Count", "Place", "Search", "Selection", "Wanted", "places", "words_of"]

# A text that more rows have than this is common: a walk meets a page of it soon.
COMMON = 4_000
# How many types one statement walks at first, and how many times more the next one; SQLite joins no more than 500.
FIRST_TYPES, MORE_TYPES, TYPES_MAX = 16, 8, 400
# A text has at most so many words; the rest is not looked at.
WORDS_MAX = 8


def words_of(text: str) -> tuple[str, ...]:
    """Return the words that all have to be found, each once."""
    return tuple(dict.fromkeys(text.replace("\0", " ").lower().split()))[:WORDS_MAX]


_told: WeakSet[Any] = WeakSet()


def _do_not_compile() -> None:
    """Tell PostgreSQL, once per connection, to compile no statement: that takes a second to save milliseconds."""
    raw = connection.connection
    if connection.vendor == "postgresql" and raw not in _told:
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")
        _told.add(raw)


@dataclass
class Search:
    """One text, looked for in some places. Each word has to be in the path, the name, or the name of type or system."""

    places: Sequence[Place]
    words: tuple[str, ...]
    _digs: dict[tuple[str, ...], bool] = field(default_factory=dict)

    def find(self, start: int, size: int, among: Sequence[Place] | None = None) -> tuple[list[int], bool]:
        """Return the ids of one page in reading order, and whether there are others behind it."""
        among = self.places if among is None else among
        order = {place.type_id: position for position, place in enumerate(among)}
        most = start + size + 1
        rows = [*self._look_up(among, most), *self._dig(among, most)]
        walked = [one for one in among if one.way != "listed" and not self._is_rare(self._left(one))]
        step, position = FIRST_TYPES, 0
        while position < len(walked):
            here = walked[position : position + step]
            # What is looked up or dug out may fill the page before the walk does.
            before = sum(order[type_id] < order[here[0].type_id] for type_id, _ in rows)
            if before >= most:
                break
            rows += self._run(statements.walk(self._grouped(here), here, most - before))
            position, step = position + step, min(step * MORE_TYPES, TYPES_MAX)
        rows.sort(key=lambda row: order[row[0]])
        return [pk for _, pk in rows[start : start + size]], len(rows) > start + size

    def count(self) -> dict[int, Count]:
        """Return how many there are by type id, as far as that is known without much reading."""
        counts: dict[int, Count] = defaultdict(lambda: Count(0))
        for type_id, _ in [*self._look_up(self.places, 10 * COUNT_MAX), *self._dig(self.places, 10 * COMMON)]:
            counts[type_id] += Count(1)
        walked = [one for one in self.places if one.way != "listed" and not self._is_rare(self._left(one))]
        for position in range(0, len(walked), TYPES_MAX):
            here = walked[position : position + TYPES_MAX]
            for type_id, number, seen, most in self._run(statements.count(self._grouped(here), here)):
                counts[type_id] += Count(min(number, COUNT_MAX), number > COUNT_MAX or seen >= most)
        return counts

    def _left(self, place: Place) -> tuple[str, ...]:
        """Return the words that the names of system and type do not have: the resource has to have them."""
        names = f"{place.integration_name}\n{place.type_name}".lower()
        return tuple(word for word in self.words if word not in names)

    def _grouped(self, among: Sequence[Place]) -> dict[tuple[str, ...], list[Place]]:
        groups: dict[tuple[str, ...], list[Place]] = defaultdict(list)
        for place in among:
            groups[self._left(place)].append(place)
        return groups

    def _is_rare(self, words: tuple[str, ...]) -> bool:
        """Whether few rows of the whole inventory have the words, as the planner believes. Costs one short query."""
        if connection.vendor != "postgresql" or not any(len(word) > 2 for word in words):
            return False
        if words not in self._digs:
            has, values = statements.has_words(words)
            sql = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM integrations_resource r WHERE r.status = 'active' AND {has}"  # noqa: S608
            plan = self._run((sql, values))[0][0]
            self._digs[words] = plan[0]["Plan"]["Plan Rows"] <= COMMON
        return self._digs[words]

    def _dig(self, among: Sequence[Place], most: int) -> list[tuple[Any, ...]]:
        rare = [one for one in among if one.way != "listed" and self._is_rare(self._left(one))]
        return self._run(statements.dig(self._grouped(rare), rare, most)) if rare else []

    def _look_up(self, among: Sequence[Place], most: int) -> list[tuple[Any, ...]]:
        listed = [one for one in among if one.way == "listed"]
        return self._run(statements.look_up(self._grouped(listed), listed, most)) if listed else []

    def _run(self, statement: SQL) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            _do_not_compile()
            cursor.execute(*statement)
            return list(cursor.fetchall())
