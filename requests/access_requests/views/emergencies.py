"""In earnest: what is frozen, what is revoked altogether and how far that is, and the two clicks to do it."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from access_requests import actions
from access_requests.choices import RevocationKind
from access_requests.models import Freeze, Revocation
from access_requests.queries import emergencies as queries
from access_requests.queries import leaving
from access_requests.views.common import actor_of, me, page
from accounts.models import User
from flows.models import AccessFlow
from integrations.models import Integration

SEE, REVOKE, EVERYWHERE = (
    "requests.view_revocation",
    "requests.revoke_accessrequest",
    "requests.revoke_everywhere",
)
SWITCH = "flows.change_accessflow"
NAMED = {RevocationKind.PERSON: User, RevocationKind.INTEGRATION: Integration, RevocationKind.FLOW: AccessFlow}


class ReasonForm(forms.Form):
    """Why; everybody it concerns reads it."""

    reason = forms.CharField(max_length=2000, error_messages={"required": "Say why: everybody it concerns reads it."})


class RevokeForm(ReasonForm):
    """Why, and whether the automatic flows that would give it again are switched off in the same act."""

    automatic_off = forms.BooleanField(required=False)


class FreezeForm(ReasonForm):
    """What is frozen: one integration, or everything."""

    integration = forms.ModelChoiceField(Integration.objects.all(), required=False)
    break_glass = forms.BooleanField(required=False)


@page("GET", "HEAD")
def emergencies(http: HttpRequest) -> HttpResponse:
    """Show what is frozen and what is being revoked, with the buttons."""
    return _show(http)


def _show(http: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    _may(http, SEE)
    user = me(http)
    told = {
        "now": timezone.now(),
        "problem": problem,
        "typed": http.POST,
        "freezes": queries.freezes(),
        "revocations": [(one, queries.progress_of(one)) for one in queries.revocations()],
        "may_revoke": user.has_perm(REVOKE),
        "may_all": user.has_perm(EVERYWHERE),
        "integrations": Integration.objects.order_by("name") if user.has_perm(REVOKE) else (),
        "flows": AccessFlow.objects.order_by("name") if user.has_perm(REVOKE) else (),
    }
    return render(http, "portal/emergencies.html", told, status=status)


@page("GET", "HEAD", "POST")
def revoke_everything(http: HttpRequest, kind: str) -> HttpResponse:
    """Say exactly what would end, and take the reason: the second of the two clicks."""
    about = _about(http, kind)
    form, may_switch = RevokeForm(http.POST or None), me(http).has_perm(SWITCH)
    if http.method == "POST" and form.is_valid():
        subject = about.person or about.integration or about.flow
        made = actions.revoke_all(
            RevocationKind(about.kind),
            subject,
            actor=actor_of(http),
            reason=form.cleaned_data["reason"],
            automatic_off=form.cleaned_data["automatic_off"] and may_switch,
        )
        return redirect("revocation", pk=made.pk)
    problem = " ".join(map(str, form.errors.get("reason", [])))
    told = {"now": timezone.now(), "about": about, "scope": queries.scope_of(about), "problem": problem}
    told["typed"] = http.POST
    gives = leaving.would_give(about)
    told |= {"may_switch": may_switch, "gives": gives, "ends_with_them": leaving.held_through_count(gives)}
    return render(http, "portal/revoke_everything.html", told, status=422 if problem else 200)


def _about(http: HttpRequest, kind: str) -> Revocation:
    """Return what the address names, as a revocation that is not begun. Raises Http404 for who may not, or nobody."""
    if kind not in RevocationKind.values:
        raise Http404
    _may(http, EVERYWHERE if kind == RevocationKind.EVERYWHERE else REVOKE)
    about = Revocation(kind=kind)
    if kind != RevocationKind.EVERYWHERE:
        setattr(about, kind, _named(RevocationKind(kind), http.GET.get("of", "").strip()))
    return about


def _named(kind: RevocationKind, name: str) -> Any:
    """Return who or what is meant: by id, a person by address as well."""
    rows: Any = NAMED[kind]._default_manager
    try:
        found = rows.filter(pk=uuid.UUID(name)).first()
    except ValueError:
        found = rows.filter(email=name.lower()).first() if kind == RevocationKind.PERSON else None
    if found is None:
        raise Http404
    return found


@page("GET", "HEAD")
def revocation(http: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how far a revocation is."""
    return render(http, "portal/revocation.html", _progress(http, pk))


@page("GET", "HEAD")
def revocation_part(http: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Return the part of the page that changes."""
    return render(http, "portal/_revocation.html", _progress(http, pk))


def _progress(http: HttpRequest, pk: uuid.UUID) -> dict[str, Any]:
    _may(http, SEE)
    found = Revocation.objects.select_related("person", "integration", "flow").filter(pk=pk).first()
    if found is None:
        raise Http404
    told = {"now": timezone.now(), "revocation": found, "progress": queries.progress_of(found)}
    told["taken"] = queries.taken_by(found)
    if found.person is not None:
        told["person"] = found.person
        told["leftovers"] = leaving.leftovers_of(found.person)
    return told


@page("POST")
def freeze(http: HttpRequest) -> HttpResponse:
    """Freeze everything, or one integration."""
    _may(http, EVERYWHERE)
    form = FreezeForm(http.POST)
    if not form.is_valid():
        return _show(http, " ".join(str(one) for errors in form.errors.values() for one in errors), 422)
    given = form.cleaned_data
    try:
        actions.freeze(
            given["integration"], actor=actor_of(http), reason=given["reason"], break_glass=given["break_glass"]
        )
    except actions.NotPossible as problem:
        return _show(http, str(problem), 409)
    messages.success(http, "Frozen: nothing new opens. Ends go on.")
    return redirect("emergencies")


@page("POST")
def thaw(http: HttpRequest, pk: int) -> HttpResponse:
    """Let access open again."""
    _may(http, EVERYWHERE)
    found = Freeze.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    try:
        actions.thaw(found, actor=actor_of(http), reason=http.POST.get("reason", ""))
    except actions.NotPossible as problem:
        return _show(http, str(problem), 409)
    messages.success(http, "Thawed: what waited opens now.")
    return redirect("emergencies")


def _may(http: HttpRequest, permission: str) -> None:
    """Raise Http404 for who may not: for them there is no such page."""
    if not me(http).has_perm(permission):
        raise Http404
