"""What a text changes: each thing, in lines that a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.decision import Document, words_for
from flows.differences import changes, targets_differ
from flows.sentence import sentence
from flows.text.forms import Form
from flows.text.nodes import canonical
from flows.text.present import Key, Present
from flows.text.shapes import SHAPES

MAKE, CHANGE, DELETE = "make", "change", "delete"
NOUNS = {"webhook": "webhook", "scope": "access scope", "space": "space", "bundle": "bundle", "flow": "access flow"}


@dataclass(frozen=True)
class Change:
    """One thing that is made, changed or deleted. `before` and `after` are a flow's documents, and only a flow's."""

    verb: str
    kind: str
    name: str
    file: str = ""
    lines: tuple[str, ...] = ()
    said: str = ""
    says: str = ""
    before: Document | None = None
    after: Document | None = None

    def told(self) -> dict[str, Any]:
        """Return it as JSON."""
        same = {name: getattr(self, name) for name in ("verb", "kind", "name", "file")}
        found: dict[str, Any] = {**same, "lines": list(self.lines)}
        if self.kind == "flow":
            found["sentence"] = {"before": self.said, "after": self.says}
        return found


def between(before: Present, after: Present, files: Mapping[Key, str]) -> list[Change]:
    """Return what differs, webhooks first and flows last; also flows that only carry what a bundle or scope became."""
    names = {pk: name for each in (before, after) for pk, name in _called(each).items()}
    kinds = list(SHAPES)
    keys = sorted({*before.forms, *after.forms}, key=lambda key: (kinds.index(key[0]), key[1]))
    return [_change(key, before, after, names, files.get(key, "")) for key in keys if _differs(key, before, after)]


def _called(one: Present) -> dict[str, str]:
    return {**one.names.integrations, **one.names.webhooks}


def _differs(key: Key, before: Present, after: Present) -> bool:
    old, new = before.forms.get(key), after.forms.get(key)
    if old is None or new is None:
        return True
    if key[0] == "flow" and canonical(before.documents[key[1]]) != canonical(after.documents[key[1]]):
        return True
    return canonical(old) != canonical(new)


def _change(key: Key, before: Present, after: Present, names: Mapping[str, str], file: str) -> Change:
    kind, name = key
    old, new = before.forms.get(key), after.forms.get(key)
    verb = MAKE if old is None else DELETE if new is None else CHANGE
    if kind == "flow":
        was, now = before.documents.get(name), after.documents.get(name)
        lines = changes(was, now, names) if was and now else []
        said, says = (sentence(one, names) if one else "" for one in (was, now))
        return Change(verb, kind, name, file, tuple(lines), said, says, was, now)
    if kind == "bundle" and old and new:
        was_in, is_in = (each.names.bundles[str(each.rows[key].pk)]["targets"] for each in (before, after))
        rest = form_lines(_without_targets(old), _without_targets(new))
        lines = [*targets_differ(was_in, is_in, names, "In it"), *rest]
    else:
        lines = list(form_lines(old or {}, new or {})) if new else []
    return Change(verb, kind, name, file, tuple(lines))


def _without_targets(form: Form) -> Form:
    return {key: value for key, value in form.items() if key != "targets"}


def form_lines(before: Form, after: Form, where: str = "") -> Iterator[str]:
    """Yield what one form says otherwise than another, key by key. What is said nowhere goes without saying."""
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        place = f"{where}{key}".replace("_", " ")
        if canonical(old) == canonical(new) or (key == "name" and not where):
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from form_lines(old, new, f"{where}{key}, ")
        elif isinstance(old, list) and isinstance(new, list):
            yield from _items(place, old, new)
        elif _empty(old):
            yield f"{place}: {_short(key, new)}"
        else:
            yield f"{place}: {_short(key, new)} instead of {_short(key, old)}"


def _items(place: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    was, now = [canonical(one) for one in old], [canonical(one) for one in new]
    yield from (f"{place}: added {_short('', one)}" for one, said in zip(new, now, strict=True) if said not in was)
    yield from (f"{place}: removed {_short('', one)}" for one, said in zip(old, was, strict=True) if said not in now)
    if sorted(was) == sorted(now):
        yield f"{place}: another order"


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _short(key: str, value: Any) -> str:
    if key in {"duration", "answer_within", "timeout", "escalate_after", "each"} and isinstance(value, int):
        return words_for(value)
    if _empty(value):
        return "without an end" if key == "duration" else "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def summary(changed: Iterable[Change]) -> dict[str, list[str]]:
    """Return the names of what is made, changed and deleted, each with its kind."""
    found: dict[str, list[str]] = {MAKE: [], CHANGE: [], DELETE: []}
    for one in changed:
        found[one.verb].append(f"{NOUNS[one.kind]} {one.name}")
    return found
