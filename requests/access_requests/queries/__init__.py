"""Named reads: who may see a request, and what each page shows. Each takes a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import (
    Count,
    Exists,
    F,
    Max,
    Min,
    Model,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    prefetch_related_objects,
)

from access_requests.choices import (
    HOLDS_ACCESS,
    WAITING,
    ApprovalStatus,
    DeclarationState,
    ExtensionState,
    RequestState,
)
from access_requests.models import (
    AccessGroup,
    AccessRequest,
    AccessUnit,
    Approval,
    Declaration,
    Extension,
    ExtensionApproval,
    Favourite,
    Narrowing,
    Review,
    Reviewer,
)
from access_requests.queries.reviews import reviews_for
from accounts.models import User
from integrations.choices import OPEN_ORDERS, OrderVerb
from integrations.models import Order
from integrations.queries import Dependant

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)
PAGE = 20


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of many. Whether there are more is known without counting them all."""

    rows: Sequence[Row]
    number: int
    more: bool

    @property
    def next(self) -> int:
        """The number of the page after, or 0."""
        return self.number + 1 if self.more else 0

    @property
    def previous(self) -> int:
        """The number of the page before, or 0."""
        return self.number - 1


def page_of(rows: QuerySet[Stored], number: int, size: int = PAGE) -> Page[Stored]:
    """Return page `number` (from 1) of `rows`. One query."""
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    return Page(found[:size], number, len(found) > size)


def visible_to(user: User) -> QuerySet[AccessRequest]:
    """Return the requests `user` may see: their own, those they were asked to approve or named to review, or all with
    the permission.

    For everybody else a request does not exist.
    """
    if not user.is_active:
        return AccessRequest.objects.none()
    if user.has_perm("requests.view_accessrequest"):
        return AccessRequest.objects.all()
    asked = Approval.objects.filter(request=OuterRef("pk"), approver=user)
    again = ExtensionApproval.objects.filter(extension__request=OuterRef("pk"), approver=user)
    named = Reviewer.objects.filter(review__request=OuterRef("pk"), person=user)
    mine = Q(requestor=user) | Q(grantee=user)
    return AccessRequest.objects.filter(mine | Exists(asked) | Exists(again) | Exists(named))


def past_of(user: User) -> QuerySet[AccessRequest]:
    """Return what `visible_to` does, for lists over years: gathered by five indexes, not asked of every request."""
    if not user.is_active or user.has_perm("requests.view_accessrequest"):
        return visible_to(user)
    made = AccessRequest.objects.filter(requestor=user).order_by().values("pk")
    held = AccessRequest.objects.filter(grantee=user).order_by().values("pk")
    asked = Approval.objects.filter(approver=user).order_by().values("request")
    again = ExtensionApproval.objects.filter(approver=user).order_by().values("extension__request")
    named = Reviewer.objects.filter(person=user).order_by().values("review__request")
    return AccessRequest.objects.filter(pk__in=made.union(held, asked, again, named))


def _with_units(rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    """Add people, groups, integrations and units: two queries more, however many rows."""
    units = AccessUnit.objects.select_related("resource", "permission")
    return rows.select_related("requestor", "grantee").prefetch_related(
        Prefetch("access_groups", _groups()), Prefetch("access_groups__units", units)
    )


def _groups() -> QuerySet[AccessGroup]:
    return AccessGroup.objects.select_related("integration", "session").order_by("integration__name")


def complete(rows: Iterable[AccessRequest]) -> None:
    """Add groups, integrations, sessions, units and extensions to requests of several lists: three queries in all."""
    prefetch_related_objects(list(rows), Prefetch("access_groups", _groups()), "access_groups__units", "extensions")


def held_by(user: User) -> QuerySet[AccessRequest]:
    """Return what gives the person access now, or is on its way in or out; what ends first comes first."""
    held = AccessRequest.objects.filter(grantee=user, state__in=HOLDS_ACCESS)
    held = held.select_related("requestor", "grantee", "flow_version__flow__current")
    return held.order_by(F("ends_at").asc(nulls_last=True), "pk")


def overdue_for(user: User, limit: int = 4) -> list[AccessRequest]:
    """Return revokes that are overdue, the longest due first: everybody's with the permission, else one's own."""
    late = AccessRequest.objects.filter(state=RequestState.REVOKING, overdue_since__isnull=False)
    if not user.has_perm("requests.view_accessrequest"):
        late = late.filter(grantee=user)
    return list(late.select_related("grantee").order_by("due_at", "pk")[:limit])


def _mine(user: User) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(Q(requestor=user) | Q(grantee=user)).select_related("requestor", "grantee")


def waiting_of(user: User) -> QuerySet[AccessRequest]:
    """Return what the person asked for, or would get, and has not got yet; the latest first."""
    rows = _mine(user).select_related("flow_version__flow__current")
    return rows.filter(state__in=[*WAITING, RequestState.APPROVED]).order_by("-pk")


def held_for(user: User) -> QuerySet[AccessRequest]:
    """Return what others hold that the person asked for; what ends first comes first."""
    held = AccessRequest.objects.filter(requestor=user, state__in=HOLDS_ACCESS).exclude(grantee=user)
    held = held.select_related("requestor", "grantee", "flow_version__flow__current")
    return held.order_by(F("ends_at").asc(nulls_last=True), "pk")


def ended_of(user: User) -> QuerySet[AccessRequest]:
    """Return the person's requests that are over, latest first."""
    return _mine(user).filter(ended_at__isnull=False).order_by("-pk")


def favourites_of(user: User) -> QuerySet[Favourite]:
    """Return the person's favourites, latest first."""
    return Favourite.objects.filter(user=user).select_related("request__requestor", "request__grantee")


def is_favourite(user: User, access: AccessRequest) -> bool:
    """Whether the person keeps the request."""
    return Favourite.objects.filter(user=user, request=access).exists()


def tasks_of(user: User) -> QuerySet[AccessRequest]:
    """Return the requests that wait for this person's answer, oldest first, each with `mine`: why they are asked."""
    asked = Approval.objects.filter(request=OuterRef("pk"), approver=user, status=ApprovalStatus.PENDING)
    rows = AccessRequest.objects.filter(Exists(asked), state=RequestState.PENDING)
    return _with_mine(rows.order_by("requested_at", "pk"), user)


def extension_tasks_of(user: User) -> QuerySet[Extension]:
    """Return the extensions that wait for this person's answer, what ends first comes first, each with `mine`."""
    asked = ExtensionApproval.objects.filter(extension=OuterRef("pk"), approver=user, status=ApprovalStatus.PENDING)
    rows = Extension.objects.filter(Exists(asked), state=ExtensionState.PENDING)
    units = AccessUnit.objects.select_related("resource", "permission")
    return (
        rows.select_related("request__requestor", "request__grantee", "requested_by", "flow_version")
        .prefetch_related(
            Prefetch("approvals", ExtensionApproval.objects.filter(approver=user), to_attr="mine"),
            Prefetch("request__access_groups", _groups()),
            Prefetch("request__access_groups__units", units),
            "request__extensions",
        )
        .order_by("request__ends_at", "pk")
    )


def task_count(user: User) -> int:
    """Return how many requests, extensions and reviews wait for this person's answer. One query."""
    waiting = Approval.objects.filter(approver=user, status=ApprovalStatus.PENDING, request__state=RequestState.PENDING)
    more = ExtensionApproval.objects.filter(
        approver=user, status=ApprovalStatus.PENDING, extension__state=ExtensionState.PENDING
    )
    asked = waiting.order_by().values("request").distinct()
    again = more.order_by().values("extension").distinct()
    return asked.union(again, reviews_for(user).order_by().values("pk"), all=True).count()


def answered_by(user: User) -> QuerySet[AccessRequest]:
    """Return the requests this person has answered, latest answer first, each with `mine`: what they said."""
    answers = Approval.objects.filter(request=OuterRef("pk"), approver=user, decided_at__isnull=False)
    answered_at = Subquery(answers.order_by("-decided_at").values("decided_at")[:1])
    rows = AccessRequest.objects.filter(Exists(answers)).annotate(answered_at=answered_at)
    return _with_mine(rows.order_by("-answered_at", "-pk"), user)


def _with_mine(rows: QuerySet[AccessRequest], user: User) -> QuerySet[AccessRequest]:
    mine = Prefetch("approvals", Approval.objects.filter(approver=user), to_attr="mine")
    return _with_units(rows).select_related("flow_version").prefetch_related(mine)


def in_full(rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    """Add all that the page of one request shows: eight queries more, and one where the glass was broken."""
    groups = _groups().select_related("integration", "session", "proof")
    extensions = Extension.objects.select_related("requested_by", "flow_version")
    answers = ExtensionApproval.objects.select_related("approver", "stands_in_for")
    people = ("requestor", "grantee", "flow_version__flow__current", "review__reviewer")
    return rows.select_related(*people).prefetch_related(
        Prefetch("access_groups", groups),
        Prefetch("access_groups__units", AccessUnit.objects.select_related("resource", "permission")),
        Prefetch("approvals", Approval.objects.select_related("approver", "stands_in_for")),
        Prefetch("extensions", extensions.prefetch_related(Prefetch("approvals", answers))),
        Prefetch("narrowings", Narrowing.objects.select_related("approver")),
        "webhook_calls",
        "transitions",
        Prefetch("review__reviewers", Reviewer.objects.select_related("person")),
    )


def asked_together(user: User, access: AccessRequest) -> list[AccessRequest]:
    """Return the other requests that one ask became, as far as `user` may see them. Two queries."""
    rows = visible_to(user).filter(asked_facts__requests=access).exclude(pk=access.pk)
    return list(rows.select_related("flow_version", "grantee", "requestor").distinct().order_by("pk"))


def review_tasks_of(user: User) -> QuerySet[Review]:
    """Return the reviews that are owed and that this person may give, each with its request."""
    rows = reviews_for(user).select_related("request__requestor", "request__grantee", "request__flow_version")
    units = AccessUnit.objects.select_related("resource", "permission")
    return rows.prefetch_related(
        Prefetch("request__access_groups", _groups()), Prefetch("request__access_groups__units", units), "reviewers"
    )


def _holder(unit: AccessUnit) -> Dependant:
    access = unit.group.request
    words = f"{unit.permission_name}: {access.grantee} ({access}, {unit.get_state_display().lower()})"
    return Dependant(words, "requests.view_accessrequest", "requests_accessrequest", str(access.pk))


@dataclass(frozen=True, slots=True)
class Before:
    """What a person asked for before: how often in the last 90 days, and when it was last rejected."""

    first: int
    lately: int
    rejected_at: datetime | None


def asked_before(rows: Iterable[AccessRequest], at: datetime) -> dict[tuple[Any, int, int], Before]:
    """Return what is known of each (grantee, resource, permission) of the requests. One query, however many."""
    units = [(row, unit) for row in rows for group in row.access_groups.all() for unit in group.units.all()]
    since = at - timedelta(days=90)
    found = (
        AccessUnit.objects.filter(
            group__request__grantee__in={row.grantee_id for row, _ in units},
            resource__in={unit.resource_id for _, unit in units},
            permission__in={unit.permission_id for _, unit in units},
        )
        .order_by()
        .values_list("group__request__grantee", "resource", "permission")
        .annotate(
            first=Min("group__request"),
            lately=Count("pk", filter=Q(group__request__requested_at__gte=since)),
            rejected=Max("group__request__ended_at", filter=Q(group__request__state=RequestState.REJECTED)),
        )
    )
    return {(who, what, how): Before(first, lately, rejected) for who, what, how, first, lately, rejected in found}


def declaration_of(access: AccessRequest) -> Declaration | None:
    """Return the declaration that waits for a second admin, if one does. One query."""
    waiting = Declaration.objects.filter(request=access, state=DeclarationState.WAITING)
    return waiting.select_related("proposed_by").first()


def declared_by(access: AccessRequest) -> str:
    """Return by whose word it is over, and how they knew. One query."""
    said = Declaration.objects.filter(request=access, state=DeclarationState.CONFIRMED)
    one = said.select_related("proposed_by", "decided_by").first()
    if one is None or one.decided_by is None:
        return ""
    return f"declared by {one.proposed_by.name} and {one.decided_by.name}: {one.reason}"


def last_errors(access: AccessRequest) -> dict[Any, dict[str, str]]:
    """Return, by integration id, the last error of the order that is at work for the grantee. One query."""
    orders = Order.objects.filter(
        person=access.grantee_id,
        integration__in=[group.integration_id for group in access.access_groups.all()],
        state__in=OPEN_ORDERS,
    ).exclude(verb=OrderVerb.READ_BACK)  # a look that fails is no news of the access
    return {order.integration_id: dict(order.error) for order in orders if order.error}
