"""What is made of other values: mappings with closed keys, lists, alternatives, groups of conditions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from flows.text.nodes import NOTHING, Book, Node, Path, canonical
from flows.text.problems import nearest

Check = Callable[[dict[str, Any], Path, Book], None]


def _mapping(value: Any, path: Path, book: Book) -> bool:
    """Whether the value is a mapping; notes where its keys stand."""
    if not isinstance(value, CommentedMap):
        book.wrong(path, f"Write keys and values here, not “{value}”.")
        return False
    for key in value:
        if value.lc.data and key in value.lc.data:
            book.marks[*path, key] = value.lc.key(key)
    return True


class Keys(Node):
    """A mapping with these keys and no others. `check` looks at the whole when its parts are right."""

    def __init__(self, fields: Mapping[str, Node], check: Check | None = None, **more: Any) -> None:
        """Keep the keys in the order in which they are written."""
        super().__init__(**more)
        self.fields, self.check = dict(fields), check

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return every key's value, also of those that are left out."""
        if not _mapping(value, path, book):
            return NOTHING
        before = len(book.problems)
        for key in value:
            if key not in self.fields:
                book.wrong((*path, key), f"There is no key “{key}” here.{nearest(str(key), self.fields)}")
        found = {key: self._one(key, node, value, path, book) for key, node in self.fields.items()}
        if len(book.problems) > before:
            return NOTHING
        if self.check:
            self.check(found, path, book)
        return found if len(book.problems) == before else NOTHING

    def _one(self, key: str, node: Node, value: Any, path: Path, book: Book) -> Any:
        if key in value:
            return node.read(value[key], (*path, key), book)
        if node.default is NOTHING:
            return book.wrong(path, f"The key “{key}” is missing.")
        return copy.deepcopy(node.default)

    def tree(self, plain: Any) -> Any:
        """Return the mapping without what goes without saying."""
        found = CommentedMap()
        for key, node in self.fields.items():
            # What was kept before there was such a key says what goes without saying.
            if not (node.quiet and canonical(plain.get(key, node.default)) == canonical(node.default)):
                found[key] = node.tree(plain[key])
        return found

    def merge(self, old: Any, plain: Any) -> Any:
        """Change in `old` what differs: keys keep their order, comments and quotes."""
        if not isinstance(old, CommentedMap) or self.says(old, plain):
            return super().merge(old, plain)
        for key in [key for key in old if key not in self.fields]:
            del old[key]
        for place, (key, node) in enumerate(self.fields.items()):
            usual = node.default is not NOTHING and canonical(plain[key]) == canonical(node.default)
            if key in old:
                if usual and node.quiet and not node.says(old[key], plain[key]):
                    del old[key]
                else:
                    old[key] = node.merge(old[key], plain[key])
            elif not usual:
                before = [old_place for old_place, each in enumerate(old) if each in list(self.fields)[:place]]
                old.insert(max(before) + 1 if before else 0, key, node.tree(plain[key]))
        return old


class Either(Node):
    """A mapping whose kind shows in which of some keys it has: one of them."""

    def __init__(self, *kinds: Keys, **more: Any) -> None:
        """Keep the kinds by their first key, which is the one that tells."""
        super().__init__(**more)
        self.kinds = {next(iter(kind.fields)): kind for kind in kinds}

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the mapping of its kind."""
        if not _mapping(value, path, book):
            return NOTHING
        telling = [key for key in self.kinds if key in value]
        if len(telling) != 1:
            found = f"found {' and '.join(telling)}" if telling else "found none of them"
            wrong = next((nearest(str(key), self.kinds) for key in value if not telling), "")
            told = f"Say one of {', '.join(self.kinds)} here: {found}.{wrong if 'mean' in wrong else ''}"
            return book.wrong(path, told)
        return self.kinds[telling[0]].read(value, path, book)

    def _kind(self, plain: Any) -> Keys:
        return next(kind for key, kind in self.kinds.items() if key in plain)

    def tree(self, plain: Any) -> Any:
        """Return the mapping of its kind."""
        return self._kind(plain).tree(plain)

    def merge(self, old: Any, plain: Any) -> Any:
        """Change what differs if it is of the same kind."""
        kind = self._kind(plain)
        if isinstance(old, CommentedMap) and next(iter(kind.fields)) in old:
            return kind.merge(old, plain)
        return self.tree(plain)


class Many(Node):
    """A list. Unless `ordered`, its order means nothing and it is sorted; `short` lists are written in one line."""

    def __init__(
        self,
        item: Node,
        *,
        ordered: bool = False,
        short: bool = False,
        once: bool = False,
        order: Callable[[Any], Any] = canonical,
        least: int = 0,
        **more: Any,
    ) -> None:
        """Keep what bounds it; `once` refuses an item that is there twice."""
        super().__init__(**more)
        self.item, self.ordered, self.short, self.once, self.least = item, ordered, short, once, least
        self.order = order

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the items."""
        if not isinstance(value, CommentedSeq):
            return book.wrong(path, f"Write a list here, like [a, b], not “{value}”.")
        if value.lc.data:
            book.marks.update({(*path, place): value.lc.item(place) for place in range(len(value))})
        found = [self.item.read(one, (*path, place), book) for place, one in enumerate(value)]
        if any(one is NOTHING for one in found):
            return NOTHING
        if len(found) < self.least:
            return book.wrong(path, "Name at least one here.")
        said = [canonical(one) for one in found]
        twice = [place for place, one in enumerate(said) if one in said[:place]] if self.once else []
        if twice:
            return book.wrong((*path, twice[0]), "This is there twice: remove one.")
        return found if self.ordered else sorted(found, key=self.order)

    def tree(self, plain: Any) -> Any:
        """Return the list."""
        found = CommentedSeq([self.item.tree(one) for one in plain])
        if self.short or not plain:
            found.fa.set_flow_style()
        return found

    def merge(self, old: Any, plain: Any) -> Any:
        """Keep the items that stay, in the author's order, with their comments; change or add the others."""
        if not isinstance(old, CommentedSeq) or not old or not plain or self.says(old, plain):
            return super().merge(old, plain)
        wanted = list(plain)
        if self.ordered:
            for place, one in enumerate(wanted[: len(old)]):
                old[place] = self.item.merge(old[place], one)
            rest = wanted[len(old) :]
        else:
            rest = self._matched(old, wanted)
        for place in range(len(old) - 1, len(plain) - len(rest) - 1, -1):
            del old[place]
        for one in rest:
            old.append(self.item.tree(one))
        return old

    def _matched(self, old: Any, wanted: list[Any]) -> list[Any]:
        """Give each old item that stays its place, change the rest into what is new; returns what found no place."""
        free = []
        for place, each in enumerate(old):
            same = next((one for one in wanted if self.item.says(each, one)), None)
            if same is None:
                free.append(place)
            else:
                wanted.remove(same)
        for place in list(free):
            if wanted:
                old[place] = self.item.merge(old[place], wanted.pop(0))
                free.remove(place)
        for place in reversed(free):
            del old[place]
        return wanted


class Named(Node):
    """A mapping with keys of the author's own, each with a value of one kind."""

    def __init__(self, key: Node, value: Node, **more: Any) -> None:
        """Keep both kinds."""
        super().__init__(**more)
        self.key, self.value = key, value

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return the mapping."""
        if not _mapping(value, path, book):
            return NOTHING
        pairs = [
            (self.key.read(key, (*path, key), book), self.value.read(one, (*path, key), book))
            for key, one in value.items()
        ]
        return NOTHING if any(NOTHING is each for pair in pairs for each in pair) else dict(pairs)

    def tree(self, plain: Any) -> Any:
        """Return the mapping, sorted."""
        return CommentedMap({self.key.tree(key): self.value.tree(plain[key]) for key in sorted(plain)})

    def merge(self, old: Any, plain: Any) -> Any:
        """Change what differs."""
        if not isinstance(old, CommentedMap) or not plain:
            return super().merge(old, plain)
        for key in [key for key in old if key not in plain]:
            del old[key]
        for key in sorted(plain):
            old[key] = self.value.merge(old[key], plain[key]) if key in old else self.value.tree(plain[key])
        return old


class Group(Node):
    """Conditions under "any_of" or "all_of", and keys of their own beside."""

    WORDS = {"or": "any_of", "and": "all_of"}

    def __init__(self, item: Node, extra: Mapping[str, Node] | None = None, **more: Any) -> None:
        """Make the two ways in which it is written."""
        super().__init__(**more)
        beside = dict(extra or {})
        conditions = Many(item)
        self.either = Either(*(Keys({word: conditions, **beside}) for word in self.WORDS.values()))

    def read(self, value: Any, path: Path, book: Book) -> Any:
        """Return operator, conditions and what stands beside them."""
        found = self.either.read(value, path, book)
        if found is NOTHING:
            return NOTHING
        operator = next(each for each, word in self.WORDS.items() if word in found)
        return {"operator": operator, "conditions": found.pop(self.WORDS[operator]), **found}

    def _written(self, plain: Any) -> dict[str, Any]:
        beside = {key: value for key, value in plain.items() if key not in {"operator", "conditions"}}
        return {self.WORDS[plain["operator"]]: plain["conditions"], **beside}

    def tree(self, plain: Any) -> Any:
        """Return it as it is written."""
        return self.either.tree(self._written(plain))

    def merge(self, old: Any, plain: Any) -> Any:
        """Change what differs."""
        return self.either.merge(old, self._written(plain))


def refuse(problems: Iterable[tuple[str, str]], path: Path, book: Book) -> None:
    """Note problems, each with the key that it is about."""
    for key, text in problems:
        book.wrong((*path, key), text)
