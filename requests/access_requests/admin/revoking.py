"""The page between wanting to revoke and having revoked: it asks for the reason."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from access_requests import actions
from access_requests.models import AccessRequest
from accounts.models import User
from audit.actor import person
from audit.choices import Source

REVOKE = "requests.revoke_accessrequest"
# As many as the list shows on a page.
AT_ONCE = 100


class RevokeForm(forms.Form):
    """The reason, which the person will read."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The person reads it, and the audit trail keeps it.",
        error_messages={"required": "Say why: the person will read it."},
    )


def revoke_page(request: HttpRequest) -> HttpResponse:
    """Ask why, then revoke the requests that the address names."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm(REVOKE):
        raise PermissionDenied
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, "Choose the requests to revoke.")
        return HttpResponseRedirect(reverse("admin:requests_accessrequest_changelist"))
    form = RevokeForm(request.POST or None)
    asked = [one for one in chosen if not one.automatic]
    if request.method == "POST" and form.is_valid():
        _revoke(request, user, chosen, form.cleaned_data["reason"])
        return HttpResponseRedirect(_back(chosen))
    told = {
        **admin.site.each_context(request),
        "title": "Revoke access",
        "opts": AccessRequest._meta,
        "form": form,
        "chosen": chosen,
        "asked": asked,
        "back": _back(chosen),
    }
    return TemplateResponse(request, "admin/requests/revoke.html", told)


def _chosen(request: HttpRequest) -> list[AccessRequest]:
    ids = [int(one) for one in request.GET.getlist("id") if one.isdecimal() and len(one) < 19]
    return list(AccessRequest.objects.filter(pk__in=ids[:AT_ONCE]).select_related("grantee", "flow_version"))


def _revoke(request: HttpRequest, user: User, chosen: list[AccessRequest], reason: str) -> None:
    """Revoke each by itself: what cannot be revoked holds up no other."""
    actor = person(user, Source.ADMIN)
    for one in chosen:
        try:
            actions.revoke(one, user=user, actor=actor, reason=reason)
        except actions.NotPossible as problem:
            messages.error(request, f"{one}: {problem}")
        else:
            messages.success(request, f"{one} is being revoked. It is done when the target has been read back.")


def _back(chosen: list[AccessRequest]) -> str:
    if len(chosen) == 1:
        return reverse("admin:requests_accessrequest_change", args=[chosen[0].pk])
    return reverse("admin:requests_accessrequest_changelist")
