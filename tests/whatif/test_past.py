"""The past, decided again: the same as deciding every ask by all flows, before and after; and live grants that end."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access_requests.actions import recheck_flow
from access_requests.models import AccessRequest, AskedFacts
from accounts.models import Group, User
from accounts.queries import facts_of
from accounts.regrouping import Regrouped, ended
from flows import actions
from flows.decision import Decision, Facts, decide
from flows.decision.covering import FlowFacts
from flows.decision.replay import from_json, to_json
from flows.models import AccessFlow, FlowVersion
from flows.whatif import Change, Kind, foresee, of_documents, of_end, of_flow, of_group, of_switch
from flows.whatif import past as module
from flows.whatif.past import regrouped, replayed
from integrations.models import Integration
from tests.cast import Cast, person
from tests.story import NOON, Story, begin, document, flow, put_into, simulated_provider
from tests.whatif import world


@pytest.fixture
def servers(db: None, rng: random.Random) -> Iterator[list[Integration]]:
    with simulated_provider():
        yield world.inventory(rng)


def wide(rng: random.Random, key: str, crowd: list[User], servers: list[Integration]) -> dict[str, Any]:
    """Return a flow that mostly lets everybody ask for themselves and others: so that asks meet several flows."""
    found = world.flow(rng, key, crowd, servers)
    everybody = {"operator": "or", "conditions": [{"type": "user", "operator": "contains", "values": ["@"]}]}
    if rng.random() < 0.7:
        found |= {"requestors": everybody, "active": True, "trigger": "self_serve"}
        found["request_for"] = {"scopes": ["self", "others"], "grantees": everybody}
        groups = rng.choice([[], [{"tier": 0, **world.group(rng, crowd)}]])
        found["approval"] = {"mode": "any_of" if groups else "none", "groups": groups, "escalation_seconds": None}
    return found


def varied(rng: random.Random, one: dict[str, Any], crowd: list[User], servers: list[Integration]) -> dict[str, Any]:
    """Return a flow that differs in some of its parts."""
    other = wide(rng, one["id"], crowd, servers)
    return one | {part: other[part] for part in rng.sample(["targets", "approval", "duration_seconds"], 1)}


def force(documents: list[dict[str, Any]]) -> None:
    """Put documents in force as they are."""
    for one in documents:
        row = AccessFlow.objects.create(id=one["id"], name=one["name"], active=one["active"], trigger="self_serve")
        if one["trigger"] == "automatic":
            AccessFlow.objects.filter(pk=row.pk).update(
                trigger="automatic", approval_mode="none", justification_required=False
            )
        row.current = FlowVersion.objects.create(flow=row, number=1, document=one, digest=uuid.uuid4().hex)
        row.save(update_fields=["current"])


def plainly(before: Decision, after: Decision) -> str | None:
    """Return how two decisions differ, said anew."""
    if before.allowed != after.allowed:
        return "REFUSED" if before.allowed else "ALLOWED"
    if not before.allowed:
        return None

    def told(decision: Decision) -> dict[Any, Any]:
        return {
            (ask.resource_id, ask.permission_id): (
                part.needs_approval, part.flow.document["id"], part.flow.document["approval"],
                part.max_duration_seconds,
            )
            for part in decision.parts
            for ask in part.asks
        }  # fmt: skip

    pairs = [(old, told(after)[key]) for key, old in told(before).items()]
    if any(old[0] and not new[0] for old, new in pairs):
        return "NO_APPROVAL"
    if any(new[0] and not old[0] for old, new in pairs):
        return "APPROVAL"
    if any(old[1] != new[1] for old, new in pairs):
        return "OTHER_FLOW"
    if any(old[0] and old[2] != new[2] for old, new in pairs):
        return "OTHER_APPROVERS"
    return "OTHER_LIMIT" if any(old[3] != new[3] for old, new in pairs) else None


def asks(rng: random.Random, crowd: list[User], number: int) -> list[Facts]:
    people, given = facts_of(crowd), world.all_entitlements()
    found = []
    for _ in range(number):
        who, whom = rng.choice(crowd), rng.choice(crowd)
        told = Facts(
            people[who.pk], people[rng.choice([who, whom]).pk], tuple(rng.sample(given, rng.randint(1, 2))), (),
            duration_seconds=rng.choice([None, 3600, 5000]), justification="x", at=NOON,
            break_glass=rng.random() < 0.1,
        )  # fmt: skip
        found.append(told)
        AskedFacts.objects.create(asked_at=NOON - timedelta(minutes=len(found)), facts=to_json(told))
    return found


def every(documents: list[dict[str, Any]]) -> tuple[FlowFacts, ...]:
    return tuple(FlowFacts(number, one) for number, one in enumerate(documents, 1))


def by_hand(facts: list[Facts], before: list[Any], after: list[Any], moved: Regrouped | None) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in facts:
        again = from_json(to_json(one), every(before))
        then = replace(again, flows=every(after))
        if moved is not None:
            then = replace(then, requestor=regrouped(then.requestor, moved), grantee=regrouped(then.grantee, moved))
        kind = plainly(decide(again), decide(then))
        if kind:
            found[kind] += 1
    return found


def test_deciding_again_is_deciding_every_ask_by_all_flows(
    cast: Cast, servers: list[Integration], rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access_requests.foretelling.BATCH", 7)
    crowd = world.people(rng)
    documents = [wide(rng, str(uuid.uuid4()), crowd, servers) for _ in range(8)]
    force(documents)
    facts, seen = asks(rng, crowd, 60), Counter[str]()
    for _ in range(25):
        chosen = rng.sample(documents, rng.randint(1, 2))
        new = {
            one["id"]: rng.choice([None, varied(rng, one, crowd, servers), varied(rng, one, crowd, servers)])
            for one in chosen
        }
        change = of_documents((one, new[one["id"]]) for one in chosen)
        after = [one for each in documents if (one := new.get(each["id"], each)) is not None]
        past = replayed(change, at=NOON)
        wanted = by_hand(facts, documents, after, None)
        assert {kind.name: count for kind, count in past.counts.items()} == wanted
        assert (past.read, past.cut, past.of_now) == (60, False, 0)
        seen += wanted
    assert len(seen) >= 2, seen


def test_deciding_again_with_a_group_changed(cast: Cast, servers: list[Integration], rng: random.Random) -> None:
    crowd = world.people(rng)
    documents = [wide(rng, str(uuid.uuid4()), crowd, servers) for _ in range(8)]
    # One that whoever is in a group is given before all others; somebody there asked for themselves.
    member = put_into("ops", person("Olga")).memberships.get(user__name="Olga").user
    ops = {"operator": "or", "conditions": [{"type": "group", "operator": "is", "values": ["ops"]}]}
    documents[0] |= {"active": True, "trigger": "self_serve", "requestors": ops, "name": "A", "duration_seconds": None}
    documents[0]["request_for"] = {"scopes": ["self"], "grantees": {"operator": "or", "conditions": []}}
    documents[0]["approval"] = {"mode": "none", "groups": [], "escalation_seconds": None}
    documents[0]["targets"] = [{"kind": "query", "query": 'resource_name != "none of them"'}]
    crowd.append(member)
    force(documents)
    facts, seen = [*asks(rng, crowd, 60), *asks(rng, [member], 1)], Counter[str]()
    for group in Group.objects.all():
        for name in (None, "renamed", group.name):
            joining = frozenset(str(one.pk) for one in rng.sample(crowd, 3))
            moved = Regrouped(str(group.pk), group.name, name, joining, frozenset())
            past = replayed(of_group(moved), at=NOON)
            wanted = by_hand(facts, documents, documents, moved)
            assert {kind.name: count for kind, count in past.counts.items()} == wanted
            seen += wanted
    assert seen


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        yield begin(cast)


def changed(one: AccessFlow, **change: Any) -> Change:
    assert one.current is not None
    return of_flow(one, one.current.document | change)


def test_what_holds_access_and_would_end_is_counted_and_named(story: Story) -> None:
    one, story.now = flow(story.integration), timezone.now()
    active, waiting = story.granted("orders_prod"), story.ask("orders_dev")
    only = {"selectors": [{"mode": "include_resources", "type": "name", "key": "", "values": ["orders_dev"]}]}
    targets = [one.current.document["targets"][0] | only]  # type: ignore[union-attr]
    ends = foresee(changed(one, targets=targets), at=story.now).ends
    assert ends.count == 1
    assert [link.words for link in ends.first] == [f"{active}, Rita: Read only on server/orders_prod"]
    assert ends.first[0].url.endswith(f"/{active.pk}/")
    assert foresee(of_switch([one], False), at=story.now).ends.count == 2
    assert foresee(of_end(one), at=story.now).ends.count == 2
    engineers = Group.objects.get(name="engineers")
    assert foresee(of_group(ended(engineers)), at=story.now).ends.count == 2
    leaving = Regrouped(
        str(engineers.pk), engineers.name, engineers.name, leaving=frozenset([str(story.cast.requester.pk)])
    )
    assert foresee(of_group(leaving), at=story.now).ends.count == 2
    assert foresee(changed(one, duration_seconds=60), at=story.now).ends.count == 0
    # What would end by the change ends with it, and nothing else does.
    admin = story.by(story.cast.admin)
    narrowed = document(story.integration)
    narrowed["targets"] = [{**narrowed["targets"][0], **only}]
    actions.define({}, narrowed, actor=admin, flow=one)
    assert recheck_flow(one.pk, at=story.now) == 1
    assert story.fresh(active).state in {"revoking", "revoked"}
    assert "no longer gives" in story.fresh(active).note
    assert story.fresh(waiting).state == "pending"


def test_asks_from_before_facts_were_kept_are_decided_by_facts_of_now(story: Story) -> None:
    one = flow(story.integration)
    request = story.ask("orders_prod")
    AskedFacts.objects.all().delete()
    approval = {"mode": "none", "groups": [], "escalation_seconds": None}
    past = foresee(changed(one, approval=approval), at=story.now, past=True).past
    assert past is not None
    assert (past.read, past.of_now, past.counts) == (1, 1, {Kind.NO_APPROVAL: 1})
    assert [link.words for link in past.first[Kind.NO_APPROVAL]] == [
        f"{request}, Rita: Read only on server/orders_prod"
    ]


def test_only_ninety_days_and_only_the_newest_are_read(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    one = flow(story.integration)
    for _ in range(3):
        story.ask("orders_prod")
    for days, row in enumerate(AskedFacts.objects.order_by("pk")):
        AskedFacts.objects.filter(pk=row.pk).update(asked_at=story.now - timedelta(days=45 * (days + 1)))
        AccessRequest.objects.filter(asked_facts=row).update(requested_at=story.now - timedelta(days=45 * (days + 1)))
    past = replayed(of_switch([one], False), at=story.now)
    assert (past.read, past.counts, past.cut) == (2, {Kind.REFUSED: 2}, False)
    monkeypatch.setattr(module, "ASKS_MAX", 1)
    cut = replayed(of_switch([one], False), at=story.now)
    assert (cut.read, cut.changed, cut.cut) == (1, 1, True)


def test_it_takes_as_many_queries_for_many_people_as_for_few(story: Story) -> None:
    one = flow(story.integration)
    story.ask("orders_prod")
    foresee(of_switch([one], False), at=story.now, past=True)
    with CaptureQueriesContext(connection) as few:
        foresee(of_switch([one], False), at=story.now, past=True)
    crowd = [User(email=f"p{number}@example.com", name=f"P{number}") for number in range(40)]
    put_into("engineers", *User.objects.bulk_create(crowd))
    for user in crowd:
        story.ask("orders_prod", user=user)
    with CaptureQueriesContext(connection) as many:
        effect = foresee(of_switch([one], False), at=story.now, past=True)
    assert effect.people_losing.count == effect.ends.count == 41
    assert len(effect.people_losing.first) == len(effect.ends.first) == 10
    assert len(many) == len(few) <= 40
