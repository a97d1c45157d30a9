"""Access requests: read, followed, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from access_requests.admin.base import LINE, GranteeFilter, ReadOnly, ReadOnlyRows, badge, link, quiet
from access_requests.admin.revoking import REVOKE, revoke_page
from access_requests.choices import ICONS, TONES, RequestState
from access_requests.models import (
    AccessGroup,
    AccessRequest,
    AccessUnit,
    Approval,
    Extension,
    Narrowing,
    Transition,
)
from flows.decision import words_for


class _Overdue(admin.SimpleListFilter):
    """Ends that are due and not proven."""

    title = "overdue"
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what is looked for."""
        return [("now", "Overdue now"), ("ever", "Ended late")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
        """Keep what is, or was, overdue."""
        late = Q(overdue_since__isnull=False)
        if self.value() == "now":
            return queryset.filter(late, state=RequestState.REVOKING)
        return queryset.filter(late & ~Q(state=RequestState.REVOKING)) if self.value() == "ever" else queryset


class _Groups(ReadOnlyRows):
    """Where the request lies."""

    model = AccessGroup
    verbose_name_plural = "access groups"
    fields = ("integration_link", "login", "dispatched_at", "backstop_at", "ended_at", "session_link", "proof_link")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessGroup]:
        """Read what the rows link to at once."""
        rows: QuerySet[AccessGroup] = super().get_queryset(request)
        return rows.select_related("integration", "request", "session", "proof")

    @admin.display(description="integration")
    def integration_link(self, group: AccessGroup) -> SafeString | str:
        """Return the integration."""
        return link(group.integration)

    @admin.display(description="session")
    def session_link(self, group: AccessGroup) -> SafeString | str:
        """Return the session, once there is one."""
        return link(getattr(group, "session", None), "Session")

    @admin.display(description="proof")
    def proof_link(self, group: AccessGroup) -> SafeString | str:
        """Return the proof of the end, once there is one."""
        return link(getattr(group, "proof", None))


class _Approvals(ReadOnlyRows):
    """Who was asked, and what was said."""

    model = Approval
    fields = ("approver", "group_index", "why", "status", "reason", "decided_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        """Read the approvers at once."""
        rows: QuerySet[Approval] = super().get_queryset(request)
        return rows.select_related("approver", "request")


class _Extensions(ReadOnlyRows):
    """More time: who asked, and what became of it."""

    model = Extension
    fields = ("number", "requested_by", "seconds", "justification", "state", "old_end", "new_end", "note")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Extension]:
        """Read the people at once."""
        rows: QuerySet[Extension] = super().get_queryset(request)
        return rows.select_related("requested_by", "request")


class _Narrowings(ReadOnlyRows):
    """What approvers took away before they said yes."""

    model = Narrowing
    fields = ("approver", "at", "old_seconds", "new_seconds", "dropped")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Narrowing]:
        """Read the approvers at once."""
        rows: QuerySet[Narrowing] = super().get_queryset(request)
        return rows.select_related("approver", "request")


class _Transitions(ReadOnlyRows):
    """How it came to be as it is."""

    model = Transition
    verbose_name_plural = "timeline"
    fields = ("at", "from_state", "to_state", "actor_name", "reason")
    readonly_fields = fields


@admin.register(AccessRequest)
class AccessRequestAdmin(ReadOnly):
    """Requests. What is done to one goes through access_requests.actions."""

    change_form_template = "admin/requests/request.html"
    list_display = ("number", "state_shown", "grantee", "flow_name", "requested_at", "ends_at", "late")
    list_filter = (
        *("state", _Overdue, GranteeFilter, ("access_groups__integration", admin.RelatedOnlyFieldListFilter)),
        ("flow_version__flow", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("requestor", "grantee", "flow_version")
    search_fields = ("=id", "requestor__email", "grantee__email", "justification")
    search_help_text = "A number (17, not AR-17), a part of an e-mail address or of the justification."
    sortable_by = ()
    actions = ("revoke",)
    inlines = (_Groups, _Approvals, _Narrowings, _Extensions, _Transitions)
    fields = (
        *("number", "state_shown", "grantee", "requestor", "flow_link", "justification", "duration", "units"),
        *("requested_at", "decided_at", "activated_at", "ends_at", "lapses_at"),
        *("drains_until", "due_at", "overdue_since", "ended_at", "ended_how", "end_reason"),
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Put our own page before the admin site's."""
        own = path("revoke/", self.admin_site.admin_view(revoke_page), name="requests_accessrequest_revoke")
        return [own, *super().get_urls()]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the person may revoke anybody's access; the admin site asks before it offers the action."""
        return request.user.has_perm(REVOKE)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one, with the way to revoke it."""
        told = {"may_revoke": self.has_revoke_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, told)

    @admin.display(description="number", ordering="id")
    def number(self, request: AccessRequest) -> str:
        """Return the number that people quote."""
        return str(request)

    @admin.display(description="state")
    def state_shown(self, request: AccessRequest) -> SafeString:
        """Return the state, and what there is to say of it."""
        note = request.note or ("Some of it could not be granted." if request.warning else "")
        state = RequestState(request.state)
        return badge(TONES[state], request.word, note, ICONS[state])

    @admin.display(description="overdue")
    def late(self, request: AccessRequest) -> SafeString | str:
        """Return since when a revoke is overdue."""
        if request.overdue_since is None:
            return "–"
        now = request.state == RequestState.REVOKING
        return badge("bad" if now else "quiet", f"since {request.overdue_since:%Y-%m-%d %H:%M}" if now else "was late")

    @admin.display(description="access flow")
    def flow_link(self, request: AccessRequest) -> SafeString:
        """Return the flow, and what it said when it decided."""
        version = request.flow_version
        words = f"{request.flow_name}, version {version.number}"
        address = reverse("admin:flows_accessflow_change", args=[version.flow_id])
        return format_html('<a href="{}">{}</a>{}', address, words, quiet(version.sentence))

    @admin.display(description="duration")
    def duration(self, request: AccessRequest) -> str:
        """Return how long it was asked for."""
        if request.automatic:
            return "as long as the flow names the person: automatic"
        return "without an end" if request.duration_seconds is None else words_for(request.duration_seconds)

    @admin.display(description="asked for")
    def units(self, request: AccessRequest) -> SafeString | str:
        """Return what was asked for, each with its state."""
        units = AccessUnit.objects.filter(group__request=request).annotate(where=F("group__integration__name"))
        rows = [
            (badge(unit.tone, f"{unit}: {unit.get_state_display()}", unit.message), unit.where)
            for unit in units.order_by("where", "resource_path", "permission_name")
        ]
        return format_html_join(LINE, "{} ({})", rows) or "–"

    @admin.action(description="Revoke the chosen requests: take the access away", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> HttpResponse:
        """Ask for the reason first."""
        ids = "&".join(f"id={pk}" for pk in queryset.order_by("pk").values_list("pk", flat=True))
        return HttpResponseRedirect(f"{reverse('admin:requests_accessrequest_revoke')}?{ids}")
