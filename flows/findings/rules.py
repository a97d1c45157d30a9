"""What is wrong with whom a flow is for, when, and what it asks for besides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from zoneinfo import available_timezones

from flows.choices import DRAIN_SECONDS_MAX, ApprovalMode, ConditionType, RequestScope, Trigger
from flows.decision import words_for
from flows.decision.conditions import setting
from flows.decision.covering import Document
from flows.decision.fields import wrong_fields, wrong_pattern
from flows.decision.windows import DAYS
from flows.findings.finding import APPROVERS, FOR, RULES, TIME, WHO, Finding


def about_rules(document: Document) -> list[Finding]:
    """Return why a flow's rules must not be saved; nothing when they may be."""
    for_whom = document.get("request_for") or {"scopes": [RequestScope.SELF.value], "grantees": {"conditions": []}}
    automatic = document["trigger"] == Trigger.AUTOMATIC
    return [
        *_only_of_approvers(document),
        *(_about_automatic(document) if automatic else _about_whom(for_whom)),
        *(Finding(TIME, text) for text in _about_window(document)),
        *(Finding(TIME, text) for text in _about_drain(document)),
        *(Finding(RULES, text) for text in _about_asking(document)),
    ]


def _only_of_approvers(document: Document) -> Iterator[Finding]:
    """Refuse owners and webhooks among those who ask: only who is asked can be one."""
    of_approvers = {ConditionType.OWNER, ConditionType.WEBHOOK}
    groups = ((WHO, document["requestors"]), (FOR, (document.get("request_for") or {}).get("grantees", {})))
    for part, group in groups:
        for one in group.get("conditions", ()):
            if one["type"] in of_approvers:
                yield Finding(part, f"“{ConditionType(one['type']).label}” is for approvers only.")


def _about_automatic(document: Document) -> Iterator[Finding]:
    """An automatic flow asks nobody for anything: whoever matches has it."""
    if document["approval"]["groups"]:
        yield Finding(APPROVERS, "An automatic flow asks nobody: choose “No approval”, and remove the approver groups.")
    elif document["approval"]["mode"] != ApprovalMode.NONE:
        yield Finding(APPROVERS, "An automatic flow asks nobody: choose “No approval”.")
    if document["settings"]["justification_required"]:
        yield Finding(RULES, "An automatic flow asks for no justification: untick it.")
    if document["duration_seconds"] is not None:
        yield Finding(TIME, "What an automatic flow gives lasts as long as somebody matches: tick “Without an end”.")
    wants = [name for name in ("mfa_required", "ticket_pattern", "fields", "break_glass") if setting(document, name)]
    if wants or document.get("checks"):
        yield Finding(
            RULES, "An automatic flow asks for nothing: no second factor, ticket, field, check or break-glass."
        )
    if document.get("timeframe"):
        yield Finding(TIME, "An automatic flow has no working window.")
    if setting(document, "drain_seconds"):
        yield Finding(TIME, "What an automatic flow gives ends at once when nobody matches any more: nothing drains.")


def _about_whom(for_whom: Document) -> Iterator[Finding]:
    scopes = for_whom["scopes"]
    wrong = sorted(set(scopes) - set(RequestScope.values))
    if wrong:
        yield Finding(FOR, f"Nobody is asked for as {', '.join(wrong)}; there are {', '.join(RequestScope.values)}.")
    if not scopes:
        yield Finding(FOR, "Say for whom it may be asked.")
    conditions = for_whom["grantees"]["conditions"]
    if RequestScope.OTHERS in scopes and not conditions:
        yield Finding(FOR, "Say which others it may be asked for: add a condition.")
    if RequestScope.OTHERS not in scopes and conditions:
        yield Finding(FOR, "Conditions on others count only with “Others”: tick it, or remove them.")
    for one in conditions:
        if not one["values"] and one["type"] != ConditionType.MANAGER:
            yield Finding(FOR, f"Give the condition on “{one['type']}” a value.")


def _about_window(document: Document) -> Iterator[str]:
    window = document.get("timeframe")
    if window is None:
        return
    if not window["days"]:
        yield "Choose the days on which it may be used."
    wrong = sorted(set(window["days"]) - set(DAYS))
    if wrong:
        yield f"There is no day {', '.join(wrong)}; there are {', '.join(DAYS)}."
    if window["time_zone"] not in available_timezones():
        yield f"There is no time zone “{window['time_zone']}”: write one like Europe/Berlin."
    for name in ("start", "end"):
        try:
            time.fromisoformat(window[name])
        except ValueError:
            yield f"“{window[name]}” is no time: write it like 08:00."


def _about_drain(document: Document) -> Iterator[str]:
    seconds = setting(document, "drain_seconds") or 0
    if seconds > DRAIN_SECONDS_MAX:
        yield f"Open sessions may go on for at most {words_for(DRAIN_SECONDS_MAX)} after the end."
    if seconds and document["trigger"] != Trigger.AUTOMATIC and document["duration_seconds"] is None:
        yield "Access without an end has none after which sessions could go on: leave that empty."


def _about_asking(document: Document) -> Iterator[str]:
    if setting(document, "removes_foreign") and document["trigger"] != Trigger.AUTOMATIC:
        yield "Only an automatic flow says who has it and nobody else: untick that foreign access is removed."
    pattern = setting(document, "ticket_pattern")
    if pattern and wrong_pattern(pattern):
        yield wrong_pattern(pattern)
    yield from wrong_fields(setting(document, "fields") or [])
    if setting(document, "break_glass") and document["approval"]["mode"] == ApprovalMode.NONE:
        yield "Break-glass is for flows that somebody approves: who approves also reviews it afterwards."
