"""What one policy says otherwise than another, as a list a person reads: versions of a flow; what a text changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flows.choices import ApprovalMode, LogicalOperator, TargetKind, Trigger
from flows.decision import Document, words_for
from flows.sentence import NO_NAMES, approval_words, for_words, join, target_words, whose, window_words

Part = dict[str, Any]
_SETTINGS = {
    "justification_required": ("A justification is needed", "A justification is not needed any more"),
    "approver_reason_required": ("Approvers have to give a reason", "Approvers need not give a reason any more"),
    "self_approval": ("Who asks may approve", "Nobody approves what they asked for"),
    "mfa_required": ("A second factor is needed", "A second factor is not needed any more"),
    "removes_foreign": (
        "Who has it from elsewhere, and is not named, loses it",
        "Who has it from elsewhere keeps it until somebody decides",
    ),
    "break_glass": ("In an emergency it opens at once", "In an emergency it does not open at once any more"),
}
_NOBODY: Part = {"operator": LogicalOperator.OR.value, "conditions": []}


def changes(before: Document | None, after: Document, names: Mapping[str, str]) -> list[str]:
    """Return what `after` says otherwise than `before`, one line each; the first version has none.

    `names` are those of integrations and webhooks, by id.
    """
    return list(_changed(before, after, names)) if before is not None else []


def _changed(before: Document, after: Document, names: Mapping[str, str]) -> Iterator[str]:
    if before["active"] != after["active"]:
        yield "Switched on." if after["active"] else "Switched off."
    if before["name"] != after["name"]:
        yield f"Name: “{after['name']}” instead of “{before['name']}”."
    if before.get("description", "") != after.get("description", ""):
        yield "Another description."
    if before["trigger"] != after["trigger"]:
        automatic = after["trigger"] == Trigger.AUTOMATIC
        yield "Whoever matches has it without asking." if automatic else "It has to be asked for."
    yield from _space_differs(before.get("space"), after.get("space"), names)
    yield from _groups_differ("Who may ask", before["requestors"], after["requestors"], names)
    yield from _for_differs(before, after, names)
    yield from targets_differ(before["targets"], after["targets"], names)
    yield from _checks_differ(before.get("checks") or [], after.get("checks") or [], names)
    yield from _approval_differs(before["approval"], after["approval"], names)
    yield from _times_differ(before, after)
    yield from _settings_differ(before["settings"], after["settings"])


def _space_differs(before: Part | None, after: Part | None, names: Mapping[str, str]) -> Iterator[str]:
    """Compare where a flow lies, and what its space covers."""
    old, new = (one["id"] if one else "" for one in (before, after))
    if old != new:
        told = f"in the space “{after['name']}”" if after else "in the whole account"
        yield f"It lies {told} now."
    elif before and after:
        if before["name"] != after["name"]:
            yield f"The space “{before['name']}” is now called “{after['name']}”."
        yield from targets_differ(before["scopes"], after["scopes"], names, f"The space “{after['name']}” covers")


def _for_differs(before: Document, after: Document, names: Mapping[str, str]) -> Iterator[str]:
    old, new = ((one.get("request_for") or {}) for one in (before, after))
    if sorted(old.get("scopes") or ["self"]) != sorted(new.get("scopes") or ["self"]):
        yield f"For whom: {for_words(after, names)} instead of {for_words(before, names)}."
    was, now = (one.get("grantees") or _NOBODY for one in (old, new))
    yield from _groups_differ("For whom", was, now, names)


def _checks_differ(before: list[str], after: list[str], names: Mapping[str, str]) -> Iterator[str]:
    old, new = ([names.get(pk, pk) for pk in one] for one in (before, after))
    yield from _values_differ("Webhooks that have to say yes first", old, new)


def _without(parts: list[Part], others: list[Part]) -> list[Part]:
    return [one for one in parts if one not in others]


def _groups_differ(where: str, before: Part, after: Part, names: Mapping[str, str]) -> Iterator[str]:
    """Compare two groups of conditions. Their lists have no order that means anything."""
    if before["operator"] != after["operator"] and len(after["conditions"]) > 1:
        word = "all of the conditions" if after["operator"] == LogicalOperator.AND else "any of the conditions"
        yield f"{where}: {word} instead."
    gone = _without(before["conditions"], after["conditions"])
    new = _without(after["conditions"], before["conditions"])
    for one in new:
        same = [old for old in gone if all(old.get(key) == one.get(key) for key in ("type", "operator", "source"))]
        if same:
            gone.remove(same[0])
            values = ([names.get(value, value) for value in each["values"]] for each in (same[0], one))
            yield from _values_differ(f"{where}, {one['type']}", *values)
        else:
            yield f"{where}: added {whose(one, names)}."
    for one in gone:
        yield f"{where}: removed {whose(one, names)}."


def _values_differ(where: str, before: list[str], after: list[str]) -> Iterator[str]:
    new, gone = ([f"“{one}”" for one in sorted(set(a) - set(b))] for a, b in ((after, before), (before, after)))
    if new:
        yield f"{where}: added {join(new, 'and')}."
    if gone:
        yield f"{where}: removed {join(gone, 'and')}."


def targets_differ(
    before: list[Part], after: list[Part], names: Mapping[str, str], what: str = "What"
) -> Iterator[str]:
    """Compare two lists of targets. What a bundle or a scope holds is compared within."""
    gone, new = _without(before, after), _without(after, before)
    for one in new:
        old = next((each for each in gone if _named(each) and _named(each) == _named(one)), None)
        if old is None:
            yield f"{what}: added {target_words(one, names)}."
            continue
        gone.remove(old)
        yield from _within(old, one, names)
    yield from (f"{what}: removed {target_words(one, names)}." for one in gone)


def _within(before: Part, after: Part, names: Mapping[str, str]) -> Iterator[str]:
    """Compare a bundle or a scope with what it was."""
    noun = "bundle" if after["kind"] == TargetKind.BUNDLE else "scope"
    if before["name"] != after["name"]:
        yield f"The {noun} “{before['name']}” is now called “{after['name']}”."
    if after["kind"] == TargetKind.BUNDLE:
        where = f"In the bundle “{after['name']}”"
        yield from targets_differ(before["targets"], after["targets"], names, where)
    elif before["query"] != after["query"]:
        yield f"The scope “{after['name']}” selects {after['query']} instead of {before['query']}."


def _named(target: Part) -> tuple[str, str] | None:
    """Return which bundle or scope a target is, if it is one."""
    kind = target["kind"]
    key = {TargetKind.BUNDLE: "bundle", TargetKind.ACCESS_SCOPE: "access_scope"}.get(kind)
    return (kind, str(target[key])) if key else None


def _approval_differs(before: Part, after: Part, names: Mapping[str, str]) -> Iterator[str]:
    if before == after:
        return
    if before["mode"] != after["mode"] and ApprovalMode.NONE in {before["mode"], after["mode"]}:
        yield f"Approvers: now {approval_words(after, names)}."
        return
    if before["mode"] != after["mode"]:
        yield f"Approvers: {ApprovalMode(after['mode']).label.lower()}."
    for tier in sorted({group["tier"] for group in (*before["groups"], *after["groups"])}):
        old, new = ([group for group in one["groups"] if group["tier"] == tier] for one in (before, after))
        yield from _tier_differs("Approvers" if not tier else f"Approvers, step {tier} of escalation", old, new, names)
    every, was = after.get("escalation_seconds"), before.get("escalation_seconds")
    if every != was:
        now, then = (f"after {words_for(one)}" if one else "never" for one in (every, was))
        yield f"Further approvers are asked {now} instead of {then}."


def _tier_differs(where: str, old: list[Part], new: list[Part], names: Mapping[str, str]) -> Iterator[str]:
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        yield from _groups_differ(f"{where}, group {number}", one, other, names)
    for group in new[len(old) :]:
        yield f"{where}: added the group of whoever is {_joined(group, names)}."
    for group in old[len(new) :]:
        yield f"{where}: removed the group of whoever is {_joined(group, names)}."


def _joined(group: Part, names: Mapping[str, str] = NO_NAMES) -> str:
    return join([whose(one, names) for one in group["conditions"]], group["operator"])


def _times_differ(before: Document, after: Document) -> Iterator[str]:
    words: list[tuple[str, Callable[[Document], Any], str]] = [
        ("At most", lambda one: one["duration_seconds"], "without an end"),
        ("Approvers have", lambda one: one["pending_seconds"], ""),
    ]
    for word, of, nothing in words:
        if of(before) != of(after):
            now, then = (words_for(of(one)) if of(one) else nothing for one in (after, before))
            yield f"{word}: {now} instead of {then}."
    windows = [one.get("timeframe") for one in (after, before)]
    if windows[0] != windows[1]:
        now, then = (window_words(one) if one else "at any time" for one in windows)
        yield f"Usable {now} instead of {then}."
    if _extensions(before) != _extensions(after):
        yield f"Extensions: {_extensions(after)} instead of {_extensions(before)}."


def _extensions(document: Document) -> str:
    settings = document["settings"]
    times = settings.get("max_extensions", 0)
    return f"{times} of {words_for(settings['extension_seconds'])} each" if times else "none"


def _settings_differ(before: Part, after: Part) -> Iterator[str]:
    if before.get("only_while_eligible", True) != after.get("only_while_eligible", True):
        ends = after.get("only_while_eligible", True)
        yield f"Open access {'ends' if ends else 'stays to its end'} when the person does not match any more."
    if (before.get("drain_seconds") or 0) != (after.get("drain_seconds") or 0):
        yield f"{_drain(after)} instead of {_drain(before, short=True)}."
    for name, (now, no_more) in _SETTINGS.items():
        if bool(before.get(name)) != bool(after.get(name)):
            yield f"{now if after.get(name) else no_more}."
    if (before.get("ticket_pattern") or "") != (after.get("ticket_pattern") or ""):
        pattern = after.get("ticket_pattern")
        yield f"A ticket is needed that looks like {pattern}." if pattern else "A ticket is not needed any more."
    yield from _fields_differ(before.get("fields") or [], after.get("fields") or [])
    yield from _values_differ("Labels", before.get("labels", []), after.get("labels", []))


def _drain(settings: Part, *, short: bool = False) -> str:
    seconds = settings.get("drain_seconds") or 0
    told = f"for {words_for(seconds)}" if seconds else "not at all"
    return told if short else f"Sessions that are open at the end may go on {told}"


def _fields_differ(before: list[Part], after: list[Part]) -> Iterator[str]:
    old, new = ({one["key"]: one for one in each} for each in (before, after))
    for key, one in new.items():
        if key not in old:
            yield f"Fields: added “{one['label']}”."
        elif old[key] != one:
            yield f"Fields: “{one['label']}” is asked otherwise."
    yield from (f"Fields: removed “{one['label']}”." for key, one in old.items() if key not in new)
    if before != after and sorted(old) == sorted(new) and all(old[key] == new[key] for key in old):
        yield "Fields: another order."
