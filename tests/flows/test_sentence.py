"""The sentence: what a document says, in plain English, part by part."""

from __future__ import annotations

from typing import Any

import pytest

from flows.differences import changes
from flows.sentence import phrases, sentence

SERVER, OKTA, WINDOW = "1", "2", "3"
NAMES = {SERVER: "Server", OKTA: "Okta", WINDOW: "Change window"}


def condition(kind: str, *values: str, operator: str = "is", source: str = "") -> dict[str, Any]:
    return {"type": kind, "operator": operator, "values": list(values), "source": source}


def group(*conditions: dict[str, Any], operator: str = "or", tier: int = 0) -> dict[str, Any]:
    return {"tier": tier, "operator": operator, "conditions": list(conditions)}


ENGINEERS, APPROVERS = condition("group", "engineers"), condition("group", "approvers")
DATABASES = {
    **{"kind": "integration", "integration": SERVER, "resource_type": "database", "permissions": ["READ_ONLY"]},
    "selectors": [],
}
SCOPE = {"kind": "access_scope", "access_scope": "7", "name": "Production", "query": 'resource_name = "a"'}
BUNDLE = {"kind": "bundle", "bundle": "8", "name": "Kit", "targets": [SCOPE]}


def flow(**more: Any) -> dict[str, Any]:
    settings = {"justification_required": False, "approver_reason_required": False, "self_approval": False}
    base = {
        **{"id": "9", "name": "F", "description": "", "active": True, "trigger": "self_serve"},
        "requestors": group(ENGINEERS),
        "targets": [DATABASES],
        "approval": {"mode": "any_of", "groups": [group(APPROVERS)]},
        **{"duration_seconds": 3600, "pending_seconds": 86400},
        "settings": settings | more.pop("settings", {}),
    }
    return base | more


def approval(*groups: dict[str, Any], mode: str = "any_of", every: int | None = None) -> dict[str, Any]:
    return {"approval": {"mode": mode, "groups": list(groups), "escalation_seconds": every}}


def whom(*scopes: str, grantees: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"request_for": {"scopes": list(scopes), "grantees": grantees or group()}}


def window(*days: str) -> dict[str, Any]:
    return {"timeframe": {"start": "08:00", "end": "18:00", "days": list(days), "time_zone": "Europe/Berlin"}}


WHO, DB = "People in the group “engineers”", "READ_ONLY on any database of Server"
ASK, ONE = f"{WHO} may ask, for themselves, for {DB} for at most 1 h", "someone in the group “approvers” approves"
FIELDS = [{"key": "a", "label": "Change", "required": True}, {"key": "b", "label": "Customer", "required": False}]
WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
CASES: list[tuple[dict[str, Any], str]] = [
    ({}, f"{ASK}; {ONE}."),
    ({"approval": {"mode": "none", "groups": []}}, f"{ASK}; nobody has to approve."),
    # Who.
    ({"requestors": group(condition("manager"))}, f"People who have a manager{ASK[len(WHO) :]}; {ONE}."),
    (
        {"requestors": group(condition("manager", "m@a.b"))},
        f"People whose manager’s e-mail address is “m@a.b”{ASK[len(WHO) :]}; {ONE}.",
    ),
    (
        {"requestors": group(condition("City", "Berlin", operator="is_not", source=OKTA))},
        f"People whose City is not “Berlin” (from Okta){ASK[len(WHO) :]}; {ONE}.",
    ),
    # For whom.
    (whom("direct_reports"), f"{ASK.replace('themselves', 'their direct reports')}; {ONE}."),
    (
        whom("self", "others", "direct_reports", grantees=group(condition("group", "ops"))),
        f"{ASK.replace('themselves', 'themselves, their direct reports or people in the group “ops”')}; {ONE}.",
    ),
    # What.
    ({"targets": [SCOPE]}, f"{ASK.replace(DB, 'everything in the scope “Production”')}; {ONE}."),
    (
        {"targets": [BUNDLE, SCOPE]},
        f"{ASK.replace(DB, 'everything in the bundle “Kit” and everything in the scope “Production”')}; {ONE}.",
    ),
    (
        {"targets": [{"kind": "query", "query": 'resource_name\n  = "a"'}]},
        f"{ASK.replace(DB, 'everything with resource_name = “a”'.replace('“', chr(34)).replace('”', chr(34)))}; {ONE}.",
    ),
    # Who approves.
    (approval(group(condition("Owner"))), f"{ASK}; the owner of what is asked for approves."),
    (approval(group(condition("manager"))), f"{ASK}; the requestor’s manager approves."),
    (approval(group(condition("webhook", WINDOW))), f"{ASK}; the webhook “Change window” approves."),
    (
        approval(group(APPROVERS, condition("webhook", WINDOW), operator="and")),
        f"{ASK}; someone in the group “approvers” and the webhook “Change window” approves.",
    ),
    (approval(group(condition("webhook", "x"))), f"{ASK}; an unknown webhook approves."),
    (
        approval(group(condition("Owner"), APPROVERS)),
        f"{ASK}; someone who owns what is asked for or in the group “approvers” approves.",
    ),
    (
        approval(group(APPROVERS), group(condition("manager")), mode="all_of"),
        f"{ASK}; someone in the group “approvers” and the requestor’s manager have to approve, each of them.",
    ),
    (
        approval(
            group(APPROVERS), group(condition("manager"), tier=1), group(condition("user", "a@b.c"), tier=2), every=1800
        ),
        f"{ASK}; {ONE}, and if nobody answers for 30 min also the requestor’s manager, then a@b.c.",
    ),
    ({"settings": {"self_approval": True}}, f"{ASK}; {ONE}, and may do so for themselves."),
    ({"settings": {"approver_reason_required": True}}, f"{ASK}; {ONE}, giving a reason."),
    ({"checks": [WINDOW]}, f"{ASK}; the webhook “Change window” has to say yes first, then {ONE}."),
    # When.
    ({"duration_seconds": None}, f"{ASK.replace('for at most 1 h', 'without an end')}; {ONE}."),
    (
        {"settings": {"max_extensions": 1, "extension_seconds": 1800}},
        f"{ASK}, which may be extended once by 30 min; {ONE}.",
    ),
    (
        {"settings": {"max_extensions": 2, "extension_seconds": 1800}},
        f"{ASK}, which may be extended twice by 30 min each time; {ONE}.",
    ),
    (window(*WEEK), f"{ASK}, Monday to Friday from 08:00 to 18:00 (Europe/Berlin); {ONE}."),
    (window(*WEEK, "SATURDAY", "SUNDAY"), f"{ASK}, every day from 08:00 to 18:00 (Europe/Berlin); {ONE}."),
    (window("SUNDAY", "MONDAY"), f"{ASK}, Monday and Sunday from 08:00 to 18:00 (Europe/Berlin); {ONE}."),
    # Rules.
    ({"settings": {"justification_required": True}}, f"{ASK}, with a justification; {ONE}."),
    (
        {"settings": {"justification_required": True, "ticket_pattern": "A", "mfa_required": True, "fields": FIELDS}},
        f"{ASK}, with a justification, a ticket, a second factor and “Change”, and “Customer” if they like; {ONE}.",
    ),
    (
        {"settings": {"break_glass": True}},
        f"{ASK}; {ONE}; in an emergency it opens at once and is reviewed afterwards.",
    ),
    # Automatic.
    (
        {"trigger": "automatic", "approval": {"mode": "none", "groups": []}, "duration_seconds": None},
        f"{WHO} have {DB} without asking, as long as they are that.",
    ),
    # Half a flow.
    ({"requestors": group(), "targets": []}, f"{ASK.replace(WHO, 'Nobody yet').replace(DB, 'nothing yet')}; {ONE}."),
]


@pytest.mark.parametrize(("more", "said"), CASES, ids=range(len(CASES)))
def test_a_document_reads_as_this_sentence(more: dict[str, Any], said: str) -> None:
    assert sentence(flow(**more), NAMES) == said


def test_each_phrase_knows_its_section() -> None:
    settings = {"justification_required": True, "break_glass": True, "self_approval": True, "fields": FIELDS}
    whole = flow(settings=settings, checks=[WINDOW], **window("MONDAY"), **whom("others"))
    found = {one.part: one.text for one in phrases(whole, NAMES)}
    assert set(found) == {"", "who", "for", "what", "time", "approvers", "rules"}
    assert all(text.strip() for part, text in found.items() if part)


LATER = [group(APPROVERS), group(condition("manager"), tier=1)]
DIFFERENCES: list[tuple[dict[str, Any], list[str]]] = [
    (whom("self"), []),
    (whom("direct_reports"), ["For whom: for their direct reports instead of for themselves."]),
    (
        whom("self", "others", grantees=group(ENGINEERS)),
        [
            "For whom: for themselves or people in the group “engineers” instead of for themselves.",
            "For whom: added in the group “engineers”.",
        ],
    ),
    ({"trigger": "automatic"}, ["Whoever matches has it without asking."]),
    ({"checks": [WINDOW]}, ["Webhooks that have to say yes first: added “Change window”."]),
    (
        approval(*LATER, every=3600),
        [
            "Approvers, step 1 of escalation: added the group of whoever is who manages the requestor.",
            "Further approvers are asked after 1 h instead of never.",
        ],
    ),
    (
        approval(group(APPROVERS, condition("webhook", WINDOW))),
        ["Approvers, group 1: added the webhook “Change window”."],
    ),
    (approval(group(condition("Owner"))), [
        "Approvers, group 1: added who owns what is asked for.",
        "Approvers, group 1: removed in the group “approvers”.",
    ]),
    (window("MONDAY"), ["Usable Monday from 08:00 to 18:00 (Europe/Berlin) instead of at any time."]),
    ({"settings": {"mfa_required": True}}, ["A second factor is needed."]),
    ({"settings": {"break_glass": True}}, ["In an emergency it opens at once."]),
    ({"settings": {"ticket_pattern": "INC-[0-9]+"}}, ["A ticket is needed that looks like INC-[0-9]+."]),
    ({"settings": {"fields": FIELDS}}, ["Fields: added “Change”.", "Fields: added “Customer”."]),
    ({"targets": [DATABASES, SCOPE]}, ["What: added everything in the scope “Production”."]),
]  # fmt: skip


@pytest.mark.parametrize(("more", "lines"), DIFFERENCES, ids=range(len(DIFFERENCES)))
def test_what_differs_is_told_part_by_part(more: dict[str, Any], lines: list[str]) -> None:
    assert changes(flow(), flow(**more), NAMES) == lines


@pytest.mark.parametrize(("more", "lines"), [case for case in DIFFERENCES if case[1]])
def test_what_is_taken_back_is_told_too(more: dict[str, Any], lines: list[str]) -> None:
    assert changes(flow(**more), flow(), NAMES)


def test_a_query_is_compared_within_a_scope_within_a_bundle() -> None:
    other = SCOPE | {"query": 'resource_name = "b"'}
    told = changes(flow(targets=[BUNDLE]), flow(targets=[BUNDLE | {"targets": [other]}]), NAMES)
    assert told == ['The scope “Production” selects resource_name = "b" instead of resource_name = "a".']


def test_fields_that_change_or_move_are_told() -> None:
    before = flow(settings={"fields": FIELDS})
    other = [FIELDS[0] | {"required": False}, FIELDS[1]]
    assert changes(before, flow(settings={"fields": other}), NAMES) == ["Fields: “Change” is asked otherwise."]
    assert changes(before, flow(settings={"fields": FIELDS[::-1]}), NAMES) == ["Fields: another order."]
