"""A flow of a space never gives more than its scopes, whatever its targets say: decided, counted and searched."""

from __future__ import annotations

import random
from dataclasses import replace

from flows.decision import FlowFacts, Reach, covers, decide, targets_of
from flows.decision.bounding import selection
from flows.queries import requestable
from flows.reach import entitlements_of
from flows.whatif.given import given_by
from integrations.aql import selected
from integrations.models import Permission, Resource
from integrations.queries import entitlements
from integrations.search import Search
from tests.flows.test_policy_oracle import QUERIES, a_flow, a_target, an_ask, some_facts
from tests.spaces.conftest import Realm, account_flow


def in_a_space(flow: FlowFacts, rng: random.Random) -> FlowFacts:
    chosen = rng.sample(list(QUERIES), rng.randint(0, 2))
    scopes = [{"kind": "access_scope", "access_scope": one, "name": one, "query": one} for one in chosen]
    space = {"id": "space", "name": "S", "scopes": scopes}
    return replace(flow, document=flow.document | {"space": space})


def held(flow: FlowFacts, ask: object) -> bool:
    return any(QUERIES[one["query"]](ask) for one in flow.document["space"]["scopes"])


def test_no_decision_gives_what_the_space_does_not_cover(rng: random.Random) -> None:
    inside = outside = narrowed = 0
    for _ in range(3_000):
        flow = a_flow(1, rng)
        bound = in_a_space(flow, rng)
        facts = some_facts(rng, bound)
        free = decide(replace(facts, flows=(flow,)))
        given = [ask for part in decide(facts).parts for ask in part.asks]
        assert all(held(bound, ask) for ask in given)
        # Within the space it gives just what it would give anywhere.
        assert given == [ask for part in free.parts for ask in part.asks if held(bound, ask)]
        inside += bool(given)
        outside += not given and bool(free.parts)
        (ask,) = facts.asks
        narrowed += covers(flow.document, ask) and not covers(bound.document, ask)
        assert (
            Reach([bound]).gives(ask)
            == covers(bound.document, ask)
            == (covers(flow.document, ask) and held(bound, ask))
        )
    assert min(inside, outside, narrowed) > 20


def test_the_query_that_is_put_together_selects_what_target_and_boundary_do(rng: random.Random) -> None:
    seen = {True: 0, False: 0}
    for _ in range(3_000):
        bound = in_a_space(FlowFacts(1, {"targets": [a_target(rng)]}), rng)
        ask = an_ask(rng)
        queries = [selection(target) for target in targets_of(bound.document)]
        said = any(query is not None and query.holds(ask) for query in queries)
        assert said == covers(bound.document, ask)
        seen[said] += 1
    assert min(seen.values()) > 100


def test_the_database_counts_and_finds_what_the_decision_gives(realm: Realm, rng: random.Random) -> None:
    targets = [
        realm.document()["targets"][0] | {"permissions": ["READ_ONLY", "ADMIN"]},
        {"kind": "query", "query": 'resource_name contains "orders"'},
    ]
    flow = realm.flow(targets=targets)
    assert flow.current is not None
    document = flow.current.document
    pairs = [(row.pk, one.pk) for row in Resource.objects.all() for one in Permission.objects.all()]
    every = [ask for ask in entitlements(pairs) if ask.permission_id in _own(ask.resource_id)]
    given = {(ask.resource_id, ask.permission_id) for ask in every if covers(document, ask)}
    assert given
    assert all("dev" in Resource.objects.get(pk=pk).name for pk, _ in given)
    found = {
        pair for target in targets_of(document) if (query := selection(target)) for pair in selected(query).pairs()
    }
    assert found == given
    assert given_by(None, document).count() == len(given)
    assert sum(entitlements_of(target) for target in targets_of(document)) >= len(given)
    shown, _ = Search(requestable(Reach([FlowFacts(1, document)])), ()).find(0, 50)
    assert set(shown) == {resource for resource, _ in given}


def _own(resource: int) -> set[int]:
    kind = Resource.objects.get(pk=resource).resource_type
    return set(kind.permissions.values_list("pk", flat=True))


def test_an_id_of_ours_is_not_taken_for_one_of_the_system(realm: Realm) -> None:
    kind = Resource.objects.filter(integration=realm.story.integration).first().resource_type  # type: ignore[union-attr]
    read = kind.permissions.get(source_id="READ_ONLY")
    Permission.objects.create(resource_type=kind, source_id=str(read.pk), name="Numbered", risk_level=9)
    flow = realm.flow(targets=[realm.document()["targets"][0] | {"permissions": [str(read.pk)]}])
    assert flow.current is not None
    (target,) = targets_of(flow.current.document)
    query = selection(target)
    assert query is not None
    assert {pair[1] for pair in selected(query).pairs()} == {kind.permissions.get(name="Numbered").pk}


def test_a_flow_of_the_account_is_the_same_document_as_ever(realm: Realm) -> None:
    made = account_flow(realm.story.integration)
    assert made.current is not None
    assert "space" not in made.current.document
    assert all("within" not in target for target in targets_of(made.current.document))
