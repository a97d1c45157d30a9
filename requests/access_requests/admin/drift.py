"""The drift pages: what differs, how much was looked at, and what can be done about it."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST

from access_requests import actions
from access_requests.actions import drifting, reconciling
from access_requests.admin.base import ReadOnly
from access_requests.drift import FindingKind, FindingState
from access_requests.models import DriftFinding, ReconcileRun
from access_requests.queries import drift as reads
from access_requests.queries import page_of
from accounts.actions import NotAllowed
from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source
from flows.decision import words_for
from integrations.models import Integration

VIEW, LOOK = "requests.view_driftfinding", "requests.start_reconcilerun"
LIST = "admin:requests_driftfinding_changelist"
PAGE = 50
FIELDS = ("kind", "state", "integration", "person")
DAY = 24 * 60


class DecisionForm(forms.Form):
    """Why, and, where it becomes a request, for how long."""

    reason = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The record keeps it.",
        error_messages={"required": "Say why: the record keeps it."},
    )
    minutes = forms.IntegerField(
        label="For how many minutes",
        required=False,
        min_value=1,
        max_value=10 * 365 * DAY,
        help_text="Only to adopt. Empty: as long as the access flow allows.",
    )


@admin.register(DriftFinding)
class DriftFindingAdmin(ReadOnly):
    """Drift. Every decision goes through access_requests.actions."""

    def get_urls(self) -> list[URLPattern]:
        """Put our own addresses before the admin site's."""
        wrap, name = self.admin_site.admin_view, "requests_driftfinding"
        own = [
            path("look/<uuid:pk>/", wrap(look), name=f"{name}_look"),
            path("<int:pk>/<slug:verb>/decide/", wrap(decide), name=f"{name}_decide"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """List them, with how much was looked at."""
        return drift_page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one."""
        _need(request, VIEW)
        if not object_id.isdecimal() or len(object_id) > 18:
            raise Http404
        return _shown(request, int(object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none here: the trail is the history."""
        raise Http404


def _need(request: HttpRequest, permission: str) -> User:
    """Return who is signed in, if they have the permission."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(permission):
        raise PermissionDenied
    return user


def _page(request: HttpRequest, template: str, told: dict[str, Any], status: int = 200) -> HttpResponse:
    user = request.user
    may = {"decide": user.has_perm(drifting.MAY), "look": user.has_perm(LOOK)}
    frame = {**admin.site.each_context(request), "opts": DriftFinding._meta, "may": may}
    return TemplateResponse(request, f"admin/requests/{template}", {**frame, **told}, status=status)


def drift_page(request: HttpRequest) -> HttpResponse:
    """Show what waits for a decision, narrowed by the address, and how much of each integration was looked at."""
    _need(request, VIEW)
    given = {name: request.GET.get(name, "").replace("\0", "").strip()[:200] for name in FIELDS}
    known = list(Integration.objects.filter(directory__isnull=True).order_by("name"))
    chosen = next((one for one in known if str(one.pk) == given["integration"]), None)
    given["integration"] = str(chosen.pk) if chosen else ""
    number = request.GET.get("page", "1")
    rows = page_of(reads.findings(**given), int(number) if number.isdecimal() and 0 < len(number) < 6 else 1, PAGE)
    kept = urlencode({name: value for name, value in given.items() if value})
    covered = reads.coverage([chosen] if chosen else known)
    told = {
        "title": "Drift",
        "covered": covered,
        "counts": reads.open_drift(),
        "page": rows,
        "query": f"{kept}&" if kept else "",
        "given": given,
        "narrowed": any(given.values()),
        "integrations": [(str(one.pk), one.name) for one in known],
        "kinds": FindingKind.choices,
        "states": [one for one in FindingState.choices if one[0] not in {FindingState.SUSPECTED, FindingState.OPEN}],
        "moving": any(one.running for one in covered),
    }
    return _page(request, "drift.html", told)


def _shown(request: HttpRequest, pk: int, form: DecisionForm | None = None, problem: str = "") -> HttpResponse:
    """Show one finding with what can be done about it; what was typed is shown again with the problem."""
    rows = DriftFinding.objects.exclude(state=FindingState.SUSPECTED)
    rows = rows.select_related("integration", "person", "request", "unit__group__request", "decided_by")
    finding = get_object_or_404(rows, pk=pk)
    waits = finding.is_foreign and finding.is_open and finding.request is None
    way = drifting.way_to_adopt(finding) if waits else None
    told = {
        "title": str(finding),
        "finding": finding,
        "form": form or DecisionForm(),
        "problem": problem,
        "waits": waits,
        "way": way,
        "at_most": words_for(way.at_most) if way and way.at_most else "",
        "by_hand": drifting.by_hand(finding) if finding.is_foreign and finding.is_open else "",
        "why_not_removed": drifting.why_not_removed(finding) if waits else "",
    }
    return _page(request, "finding.html", told, status=409 if problem else 422 if form else 200)


@require_POST
def decide(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Do what one of the finding's buttons says."""
    user = _need(request, VIEW)
    finding = get_object_or_404(DriftFinding.objects.select_related("unit__group__request", "person"), pk=pk)
    if not user.has_perm(drifting.MAY):
        raise PermissionDenied
    form = DecisionForm(request.POST)
    if verb != "grant-again" and not form.is_valid():
        return _shown(request, pk, form)
    try:
        said = _decided(finding, verb, form, user, person(user, Source.ADMIN))
    except actions.NotPossible as problem:
        return _shown(request, pk, form, str(problem))
    messages.success(request, said)
    return HttpResponseRedirect(reverse("admin:requests_driftfinding_change", args=[pk]))


def _decided(finding: DriftFinding, verb: str, form: DecisionForm, user: User, actor: Actor) -> str:
    """Decide, and return what to tell."""
    if verb == "grant-again" and finding.unit is not None:
        drifting.grant_again(finding.unit.group.request, user=user, actor=actor)
        return f"{finding} is being granted again."
    why = form.cleaned_data.get("reason", "") if form.is_bound and form.is_valid() else ""
    if verb == "accept":
        drifting.accept(finding, user=user, actor=actor, reason=why)
        return f"{finding} is accepted as standing. It is reported no more, unless it goes and comes again."
    if verb == "adopt":
        minutes = form.cleaned_data["minutes"]
        request = drifting.adopt(finding, user=user, actor=actor, reason=why, seconds=minutes * 60 if minutes else None)
        return f"{finding} was adopted as {request}, and ends with it."
    if verb == "remove":
        request = drifting.remove(finding, user=user, actor=actor, reason=why)
        return (
            f"{finding} was taken over as {request} and is being ended. It is done when the target has been read back."
        )
    raise Http404


@require_POST
def look(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Look for drift in an integration now."""
    user = _need(request, LOOK)
    integration = get_object_or_404(Integration, pk=pk)
    try:
        run: ReconcileRun = reconciling.look_now(integration, actor=person(user, Source.ADMIN))
    except NotAllowed:
        raise PermissionDenied from None
    except actions.NotPossible as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"{integration.name}: {run.total} people are being looked at.")
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(back if safe else reverse(LIST))
