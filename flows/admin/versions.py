"""The history of a flow: what each version changed, as a list a person reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flows.choices import ApprovalMode, LogicalOperator, TargetKind
from flows.decision import Document, words_for
from flows.sentence import approval_words, join, target_words, whose

Part = dict[str, Any]
_SETTINGS = {
    "justification_required": ("A justification is needed", "A justification is not needed any more"),
    "approver_reason_required": ("Approvers have to give a reason", "Approvers need not give a reason any more"),
    "self_approval": ("Who asks may approve", "Nobody approves what they asked for"),
}


def changes(before: Document | None, after: Document, names: Mapping[str, str]) -> list[str]:
    """Return what `after` says otherwise than `before`, one line each; the first version has none.

    `names` are those of the integrations, by id.
    """
    return list(_changed(before, after, dict(names))) if before is not None else []


def _changed(before: Document, after: Document, names: dict[str, str]) -> Iterator[str]:
    if before["active"] != after["active"]:
        yield "Switched on." if after["active"] else "Switched off."
    if before["name"] != after["name"]:
        yield f"Name: “{after['name']}” instead of “{before['name']}”."
    if before.get("description", "") != after.get("description", ""):
        yield "Another description."
    yield from _groups_differ("Who may ask", before["requestors"], after["requestors"])
    yield from _targets_differ(before["targets"], after["targets"], names)
    yield from _approval_differs(before["approval"], after["approval"])
    yield from _times_differ(before, after)
    yield from _settings_differ(before["settings"], after["settings"])


def _without(parts: list[Part], others: list[Part]) -> list[Part]:
    return [one for one in parts if one not in others]


def _groups_differ(where: str, before: Part, after: Part) -> Iterator[str]:
    """Compare two groups of conditions. Their lists have no order that means anything."""
    if before["operator"] != after["operator"] and len(after["conditions"]) > 1:
        word = "all of the conditions" if after["operator"] == LogicalOperator.AND else "any of the conditions"
        yield f"{where}: {word} instead."
    gone = _without(before["conditions"], after["conditions"])
    new = _without(after["conditions"], before["conditions"])
    for one in new:
        same = [old for old in gone if (old["type"], old["operator"]) == (one["type"], one["operator"])]
        if same:
            gone.remove(same[0])
            yield from _values_differ(f"{where}, {one['type']}", same[0]["values"], one["values"])
        else:
            yield f"{where}: added {whose(one)}."
    for one in gone:
        yield f"{where}: removed {whose(one)}."


def _values_differ(where: str, before: list[str], after: list[str]) -> Iterator[str]:
    new, gone = ([f"“{one}”" for one in sorted(set(a) - set(b))] for a, b in ((after, before), (before, after)))
    if new:
        yield f"{where}: added {join(new, 'and')}."
    if gone:
        yield f"{where}: removed {join(gone, 'and')}."


def _targets_differ(before: list[Part], after: list[Part], names: dict[str, str]) -> Iterator[str]:
    gone, new = _without(before, after), _without(after, before)
    for one in new:
        old = next((each for each in gone if _bundle_of(each) and _bundle_of(each) == _bundle_of(one)), None)
        if old is None:
            yield f"What: added {target_words(one, names)}."
            continue
        gone.remove(old)
        if old["name"] != one["name"]:
            yield f"The bundle “{old['name']}” is now called “{one['name']}”."
        bundle = f"In the bundle “{one['name']}”:"
        yield from (f"{bundle} added {target_words(each, names)}." for each in _without(one["targets"], old["targets"]))
        yield from (
            f"{bundle} removed {target_words(each, names)}." for each in _without(old["targets"], one["targets"])
        )
    yield from (f"What: removed {target_words(one, names)}." for one in gone)


def _bundle_of(target: Part) -> str:
    return str(target["bundle"]) if target["kind"] == TargetKind.BUNDLE else ""


def _approval_differs(before: Part, after: Part) -> Iterator[str]:
    if before == after:
        return
    if before["mode"] != after["mode"] and ApprovalMode.NONE in {before["mode"], after["mode"]}:
        yield f"Approvers: now {approval_words(after)}."
        return
    if before["mode"] != after["mode"]:
        yield f"Approvers: {ApprovalMode(after['mode']).label.lower()}."
    old, new = before["groups"], after["groups"]
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        yield from _groups_differ(f"Approvers, group {number}", one, other)
    for group in new[len(old) :]:
        yield f"Approvers: added the group of whoever is {_joined(group)}."
    for group in old[len(new) :]:
        yield f"Approvers: removed the group of whoever is {_joined(group)}."


def _joined(group: Part) -> str:
    return join([whose(one) for one in group["conditions"]], group["operator"])


def _times_differ(before: Document, after: Document) -> Iterator[str]:
    words: list[tuple[str, Callable[[Document], Any], str]] = [
        ("At most", lambda one: one["duration_seconds"], "without an end"),
        ("Approvers have", lambda one: one["pending_seconds"], ""),
    ]
    for word, of, nothing in words:
        if of(before) != of(after):
            now, then = (words_for(of(one)) if of(one) else nothing for one in (after, before))
            yield f"{word}: {now} instead of {then}."
    if _extensions(before) != _extensions(after):
        yield f"Extensions: {_extensions(after)} instead of {_extensions(before)}."


def _extensions(document: Document) -> str:
    settings = document["settings"]
    times = settings.get("max_extensions", 0)
    return f"{times} of {words_for(settings['extension_seconds'])} each" if times else "none"


def _settings_differ(before: Part, after: Part) -> Iterator[str]:
    for name, (now, no_more) in _SETTINGS.items():
        if bool(before.get(name)) != bool(after.get(name)):
            yield f"{now if after.get(name) else no_more}."
    yield from _values_differ("Labels", before.get("labels", []), after.get("labels", []))
