"""Sessions, approvals, transitions, standing access, proofs: the record, to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from access_requests.admin.base import (
    GranteeOfGroupFilter,
    GranteeOfRequestFilter,
    PersonFilter,
    ReadOnly,
    link,
    pretty,
)
from access_requests.models import AccessSession, Approval, Proof, StandingRecord, Transition


class _OfRequest(ReadOnly):
    """What hangs on a request."""

    @admin.display(description="request", ordering="request")
    def request_link(self, row: Any) -> SafeString | str:
        """Return the request."""
        return link(row.request)


class _OfGroup(ReadOnly):
    """What hangs on an access group."""

    @admin.display(description="request")
    def request_link(self, row: Any) -> SafeString | str:
        """Return the request."""
        return link(row.group.request)

    @admin.display(description="grantee")
    def grantee(self, row: Any) -> str:
        """Return who holds the access."""
        return str(row.group.request.grantee)

    @admin.display(description="integration")
    def integration_link(self, row: Any) -> SafeString | str:
        """Return where the access is."""
        return link(row.group.integration)


@admin.register(AccessSession)
class AccessSessionAdmin(_OfGroup):
    """Sessions. The credentials, sealed as they are, are their grantee's alone: they are not even read here."""

    list_display = ("started_at", "request_link", "grantee", "integration_link", "credentials_status", "ended_at")
    list_display_links = ("started_at",)
    list_filter = (
        "credentials_status",
        ("ended_at", admin.EmptyFieldListFilter),
        "group__integration",
        GranteeOfGroupFilter,
    )
    list_select_related = ("group__request__grantee", "group__integration")
    ordering = ("-started_at",)
    sortable_by = ()
    fields = (
        *("request_link", "grantee", "integration_link", "login", "started_at", "ended_at", "connection"),
        *("credentials_status", "credentials_made_at", "consumed_at", "consumed_by"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessSession]:
        """Leave the credentials where they are."""
        rows: QuerySet[AccessSession] = super().get_queryset(request)
        return rows.defer("sealed_credentials")

    @admin.display(description="login")
    def login(self, session: AccessSession) -> str:
        """Return the login that was made for the grant."""
        return session.group.login or "–"

    @admin.display(description="details to connect")
    def connection(self, session: AccessSession) -> SafeString | str:
        """Return the details that are no secret."""
        return pretty(session.details)


@admin.register(Approval)
class ApprovalAdmin(_OfRequest):
    """Who was asked for a yes, why, and what was said."""

    list_display = ("id", "request_link", "approver", "status", "why", "reason", "decided_at")
    list_filter = ("status", GranteeOfRequestFilter)
    list_select_related = ("request", "approver")
    search_fields = ("=request__id", "approver__email", "reason")
    ordering = ("-id",)
    sortable_by = ()
    fields = ("request_link", "approver", "group_index", "tier", "why", "status", "reason", "decided_at")
    readonly_fields = fields


@admin.register(Transition)
class TransitionAdmin(_OfRequest):
    """Every move of every request."""

    list_display = ("at", "request_link", "from_state", "to_state", "actor_name", "reason")
    list_filter = ("to_state", "actor_kind", GranteeOfRequestFilter)
    list_select_related = ("request",)
    search_fields = ("=request__id", "actor_name", "reason")
    ordering = ("-id",)
    sortable_by = ()
    fields = ("request_link", "at", "from_state", "to_state", "actor_kind", "actor_name", "reason", "operation")
    readonly_fields = fields


@admin.register(StandingRecord)
class StandingRecordAdmin(ReadOnly):
    """Access that was there before us. It is never touched."""

    list_display = ("login", "person", "integration_link", "permission", "resource", "first_seen_at", "last_seen_at")
    list_filter = ("integration", PersonFilter)
    list_select_related = ("integration", "person")
    search_fields = ("login", "resource")
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        *("person", "integration_link", "login", "resource_type", "resource", "permission"),
        *("first_seen_at", "last_seen_at"),
    )
    readonly_fields = fields

    @admin.display(description="integration")
    def integration_link(self, row: StandingRecord) -> SafeString | str:
        """Return where the access is."""
        return link(row.integration)


@admin.register(Proof)
class ProofAdmin(_OfGroup):
    """Ends: when each was due, when it was proven, by what."""

    list_display = ("read_at", "request_link", "grantee", "integration_link", "due_at", "ended_at", "lag")
    list_display_links = ("read_at",)
    list_filter = ("group__integration", GranteeOfGroupFilter)
    list_select_related = ("group__request__grantee", "group__integration")
    search_fields = ("=group__request__id",)
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        *("request_link", "grantee", "integration_link", "due_at", "ended_at", "lag", "read_at", "connector"),
        *("sessions_ended", "saw", "ran", "order_link"),
    )
    readonly_fields = fields

    @admin.display(description="lag")
    def lag(self, proof: Proof) -> str:
        """Return how long after it was due the end was proven."""
        return f"{proof.lag_seconds:.1f} s"

    @admin.display(description="the read-back saw")
    def saw(self, proof: Proof) -> SafeString | str:
        """Return what was seen of the grant: nothing, or it would be no proof."""
        return pretty(proof.found) if proof.found else "nothing of this grant"

    @admin.display(description="functions that ran")
    def ran(self, proof: Proof) -> SafeString | str:
        """Return them with their digests."""
        return pretty(proof.functions)

    @admin.display(description="order")
    def order_link(self, proof: Proof) -> SafeString | str:
        """Return the order that ended it, while it is kept."""
        return link(proof.order)
