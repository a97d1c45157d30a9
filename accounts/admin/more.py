"""Of people in the admin site: their second factors, who stands in for them, and who answers for those from outside."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import actions
from accounts.choices import GroupSource
from accounts.factors import factors_of
from accounts.forms import AwayForm
from accounts.models import Delegation, Group, PushedPerson, User
from accounts.queries import delegations_of
from audit.actor import Actor, person
from audit.choices import Source

if TYPE_CHECKING:
    _AnyAdmin = admin.ModelAdmin[Any]
else:
    # Generic only for the type checker.
    _AnyAdmin = admin.ModelAdmin


# A page of the floor above, known here by its address only.
_IDENTITIES = "admin:integrations_integration_person"


def _actor(request: HttpRequest) -> Actor:
    return person(request.user, Source.ADMIN)


class MoreOfPeople(_AnyAdmin):
    """What the page and the list of people show and do beside editing."""

    @admin.display(description="from outside")
    def from_outside(self, user: User) -> SafeString | str:
        """Return the badge of who is in no directory."""
        return format_html("{}", render_to_string("portal/_outside.html", {"person": user}))

    @admin.display(description="directory (SCIM)")
    def directory(self, user: User) -> str:
        """Return what the directory that pushes the person calls them, who pushed last and when."""
        pushed = PushedPerson.objects.filter(user=user).first()
        if pushed is None:
            return "Not pushed. What is here was entered here, or came with a sign-in."
        names = Group.objects.filter(source=GroupSource.PUSHED, members=user).order_by("name")
        groups = ", ".join(names.values_list("name", flat=True)) or "none"
        return f"{pushed} ({_pushed(pushed)}; SCIM id {pushed.pk}). Groups: {groups}."

    @admin.display(description="where it comes from")
    def identities_page(self, user: User) -> SafeString:
        """Return the way to the page that says where each fact about the person came from."""
        return format_html('<a href="{}">Where each fact comes from</a>', reverse(_IDENTITIES, args=[user.pk]))

    @admin.display(description="second factors")
    def second_factors(self, user: User) -> str:
        """Return what the person could prove themselves with; never how."""
        return ", ".join(one.name for one in factors_of(user)) or "None."

    @admin.display(description="from outside")
    def answered_for(self, user: User) -> str:
        """Return who answers for the person, and until when they stay."""
        if not user.is_outside or user.invited_by is None or user.leaves_at is None:
            return "No."
        gone = "" if user.invited_by.is_active else ", who is disabled: take them over, or they can ask for nothing"
        return f"Invited by {user.invited_by}{gone}. Leaves {user.leaves_at:%Y-%m-%d %H:%M} UTC."

    @admin.display(description="away")
    def away(self, user: User) -> SafeString | str:
        """Return who stands in for the person, with the page that changes it."""
        page = reverse("admin:accounts_user_away", args=[user.pk])
        return format_html('{} <a href="{}">Change</a>', self.stood_in(user), page)

    @admin.display(description="away")
    def stood_in(self, user: User) -> str:
        """Return who stands in for the person, for who may only look."""
        named = [f"{one.delegate.name} until {one.ends_at:%Y-%m-%d}" for one in delegations_of(user, timezone.now())]
        return "; ".join(named) or "Nobody stands in."

    def get_urls(self) -> list[URLPattern]:
        """Add the page of absences."""
        own = path("<uuid:pk>/away/", self.admin_site.admin_view(self.away_page), name="accounts_user_away")
        return [own, *super().get_urls()]

    def away_page(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Name and end somebody's stand-ins for them."""
        return away_page(self, request, get_object_or_404(User, pk=pk))

    @admin.action(description="Remove all second factors of the chosen people", permissions=["change"])
    def reset_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Remove them for all, for people who have lost theirs; each gets a letter of it."""
        with transaction.atomic():
            for user in queryset:
                actions.reset_factors(user, actor=_actor(request))

    @admin.action(description="Take over the chosen people from outside", permissions=["change"])
    def take_over(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Answer for all of them from now on."""
        with transaction.atomic():
            for user in queryset:
                actions.take_over(user, actor=_actor(request))


class MoreOfGroups(_AnyAdmin):
    """What the list of groups shows of those that a directory pushes."""

    @admin.display(description="external id", ordering="pushed__external_id")
    def external_id(self, group: Group) -> str:
        """Return what the directory calls the group."""
        return group.pushed.external_id if hasattr(group, "pushed") else ""

    @admin.display(description="last pushed", ordering="pushed__pushed_at")
    def last_pushed(self, group: Group) -> str:
        """Return when the directory spoke of the group last, and who brought it."""
        return (
            f"{group.pushed.pushed_at:%Y-%m-%d %H:%M} UTC by {group.pushed.pushed_by}"
            if hasattr(group, "pushed")
            else ""
        )


def _pushed(row: PushedPerson) -> str:
    """Return the directory's own id, who pushed last and when."""
    return f"external id {row.external_id or 'none'}; last pushed {row.pushed_at:%Y-%m-%d %H:%M} UTC by {row.pushed_by}"


def away_page(site: Any, request: HttpRequest, user: User) -> HttpResponse:
    """Show who stands in for a person; by POST name or end one. Times are in the reader's zone."""
    reader = request.user
    if not isinstance(reader, User) or not reader.has_perm("accounts.change_user"):
        raise PermissionDenied
    form = AwayForm(request.POST if "to" in request.POST else None, zone_of=reader)
    if request.method == "POST" and _changed(request, user, form):
        return redirect("admin:accounts_user_away", pk=user.pk)
    context = {
        **site.admin_site.each_context(request),
        "title": f"{user.name}: while away",
        "person": user,
        "form": form,
        "now": timezone.now(),
        "delegations": delegations_of(user, timezone.now()),
        "opts": User._meta,
    }
    return render(request, "admin/accounts/away.html", context, status=422 if form.errors else 200)


def _changed(request: HttpRequest, user: User, form: AwayForm) -> bool:
    """Do what was asked for; False with the problem in the form when it was refused."""
    try:
        if "end" in request.POST:
            text = request.POST["end"]
            rows = Delegation.objects.filter(user=user, pk=int(text) if text.isdecimal() else 0)
            actions.end_delegation(get_object_or_404(rows), actor=_actor(request))
            return True
        if form.is_valid():
            given = form.cleaned_data
            made = actions.delegate(user, given["to"], given["starts_at"], given["ends_at"], actor=_actor(request))
            messages.success(request, f"{made.delegate.name} is asked as well while {user.name} is away.")
            return True
    except actions.Refused as refused:
        form.add_error(None, str(refused))
    return False
