"""What this floor tells what-if: live requests that would end, and the asks of the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from access_requests.actions.eligibility import why_not_given
from access_requests.choices import OPEN, RequestState
from access_requests.models import AccessRequest, AccessUnit, AskedFacts
from accounts.queries import PersonFacts, facts_of
from flows.decision import Facts
from flows.events import Asked, Ends, Link, Period
from flows.whatif import Change, regrouped
from integrations.queries import Entitlement, entitlements

BATCH = 500
LINKS = 10


def ending(change: Change) -> Ends:
    """Return the live requests that the flows give now and would not give any more, by the rules of eligibility.

    Read in batches: the rules look at people and inventory, and are the ones that end access when it comes to it.
    """
    rows = AccessRequest.objects.filter(state__in=set(OPEN) - {RequestState.REVOKING})
    rows = rows.filter(flow_version__flow__in=change.saved).order_by("pk")
    count, first = 0, list[int]()
    for batch in _batches(rows.values_list("pk", "requestor", "grantee", "automatic", "flow_version__flow")):
        people = facts_of({who for _, requestor, grantee, *_ in batch for who in (requestor, grantee)})
        asks = _asks_of([pk for pk, *_ in batch])
        for pk, requestor, grantee, automatic, flow in batch:
            held = asks.get(pk, ([], False))
            if _ends(change, str(flow), (people[requestor], people[grantee]), held, automatic):
                count += 1
                first += [pk] if len(first) < LINKS else []
    return Ends(count, tuple(_links(first).values()))


def _ends(
    change: Change,
    flow: str,
    people: tuple[PersonFacts, PersonFacts],
    held: tuple[list[Entitlement], bool],
    automatic: bool,
) -> bool:
    """Whether a request that is right now would not be after the change."""
    asks, whole = held
    before, after = change.now(flow), change.then(flow)
    if not whole or why_not_given(before, *people, asks, automatic=automatic):
        return False
    if change.regrouped is not None:
        people = regrouped(people[0], change.regrouped), regrouped(people[1], change.regrouped)
    return bool(why_not_given(after, *people, asks, automatic=automatic))


def _batches(rows: Any) -> Iterator[list[Any]]:
    """Read rows by primary key, so many at a time."""
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1][0]


def _asks_of(requests: Iterable[int]) -> dict[int, tuple[list[Entitlement], bool]]:
    """Return what each request is about, and whether all of it is still known. Six queries."""
    pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = AccessUnit.objects.filter(group__request__in=list(requests)).order_by("pk")
    for request, resource, permission in rows.values_list("group__request", "resource", "permission"):
        pairs[request].append((resource, permission))
    found = entitlements(pair for each in pairs.values() for pair in each)
    known = {(one.resource_id, one.permission_id): one for one in found}
    return {
        request: ([known[pair] for pair in wanted if pair in known], all(pair in known for pair in wanted))
        for request, wanted in pairs.items()
    }


def asked(period: Period) -> Iterator[Asked]:
    """Return the asks of a period, newest first, in batches: first those whose facts were kept, then older ones."""
    left = period.most
    for ask in _kept(period):
        yield ask
        left -= 1
        if not left:
            return
    yield from _unkept(period, left)


def _kept(period: Period) -> Iterator[Asked]:
    """Read what was kept, by requests_asked_facts_at."""
    rows = AskedFacts.objects.filter(asked_at__gte=period.since).order_by("-asked_at", "-pk")
    beyond = Q()
    while batch := list(rows.filter(beyond).values_list("pk", "asked_at", "facts")[:BATCH]):
        for pk, _, facts in batch:
            yield Asked(pk, facts)
        last, at, _ = batch[-1]
        beyond = Q(asked_at__lt=at) | Q(asked_at=at, pk__lt=last)


def _unkept(period: Period, most: int) -> Iterator[Asked]:
    """Return requests from before facts were kept, with the facts of now. Their key is negative."""
    kept = AskedFacts.requests.through.objects.filter(accessrequest=OuterRef("pk"))
    rows = AccessRequest.objects.filter(~Exists(kept), requested_at__gte=period.since).order_by("-pk")
    last: int | None = None
    while most > 0:
        batch = list((rows.filter(pk__lt=last) if last else rows)[: min(BATCH, most)])
        if not batch:
            return
        yield from _as_now(batch)
        last, most = batch[-1].pk, most - len(batch)


def _as_now(batch: list[AccessRequest]) -> Iterator[Asked]:
    people = facts_of({who for one in batch for who in (one.requestor_id, one.grantee_id)})
    asks = _asks_of([one.pk for one in batch])
    for one in batch:
        facts = Facts(
            requestor=people[one.requestor_id],
            grantee=people[one.grantee_id],
            asks=tuple(asks.get(one.pk, ([], False))[0]),
            flows=(),
            duration_seconds=one.duration_seconds,
            justification=one.justification,
            at=one.requested_at,
            break_glass=one.break_glass,
            ticket=one.ticket,
            answers=tuple(sorted((str(key), str(value)) for key, value in one.fields.items())),
        )
        yield Asked(-one.pk, None, facts)


def links(asks: Iterable[Asked]) -> list[Link]:
    """Return how pages name past asks: by the first request that came of each. A few queries."""
    keys = [ask.key for ask in asks]
    through = AskedFacts.requests.through.objects.filter(askedfacts__in=[key for key in keys if key > 0])
    first: dict[int, int] = {}
    for key, request in through.order_by("-accessrequest").values_list("askedfacts", "accessrequest"):
        first[key] = request
    ids = [-key if key < 0 else first.get(key, 0) for key in keys]
    named = _links(ids)
    return [named[pk] for pk in ids if pk in named]


def _links(ids: list[int]) -> dict[int, Link]:
    rows: QuerySet[AccessRequest] = AccessRequest.objects.filter(pk__in=ids).select_related("grantee")
    about = _units_of(ids)
    found = {row.pk: row for row in rows}
    return {
        pk: Link(
            f"{found[pk]}, {found[pk].grantee.name}{about.get(pk, '')}",
            reverse("request_page", args=[pk]),
        )
        for pk in ids
        if pk in found
    }


def _units_of(ids: list[int]) -> dict[int, str]:
    """Return in words the first unit of each request, and how many more."""
    units: dict[int, list[str]] = defaultdict(list)
    rows = AccessUnit.objects.filter(group__request__in=ids).order_by("pk")
    for request, name, path in rows.values_list("group__request", "permission_name", "resource_path"):
        units[request].append(f": {name} on {path}")
    return {pk: all_[0] + (f" and {len(all_) - 1} more" if len(all_) > 1 else "") for pk, all_ in units.items()}
