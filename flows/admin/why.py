"""Why, and why not: one person, one entitlement, and what each access flow makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.queries import facts_of
from flows.admin.frame import need, page
from flows.current import documents
from flows.decision import Decision, Facts, decide
from flows.decision.explaining import Hurdle, hurdles, why
from flows.forms.fields import Minutes
from flows.models import AccessFlow
from integrations.models import Resource
from integrations.queries import Entitlement, entitlements_on

FOUND_MAX = 20


class WhyForm(forms.Form):
    """Who, for whom, what, for how long."""

    person = forms.EmailField(label="Who asks", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    grantee = forms.EmailField(label="For whom", required=False, help_text="Empty: for themselves.")
    resource = forms.CharField(label="For what", max_length=700, help_text="A path, a name, or an id at its system.")
    duration = Minutes(label="For how long", required=False)
    break_glass = forms.BooleanField(label="Breaking the glass", required=False)

    def clean_person(self) -> User:
        """Return who is meant."""
        return _person(self.cleaned_data["person"])

    def clean_grantee(self) -> User | None:
        """Return who is meant, if somebody is."""
        address = self.cleaned_data["grantee"]
        return _person(address) if address else None

    def clean_resource(self) -> list[Resource]:
        """Return what is called so."""
        text = self.cleaned_data["resource"].replace("\0", "").strip()
        found = list(_called(text)[:FOUND_MAX])
        if not found:
            raise forms.ValidationError(f"There is no resource with the path, name or id “{text}”.")
        return found


def _person(address: str) -> User:
    found = User.objects.filter(email=address.lower()).first()
    if found is None:
        raise forms.ValidationError(f"There is nobody with the address “{address}”.")
    return found


def _called(text: str) -> QuerySet[Resource]:
    """Return the resources that are called just so."""
    named = Resource.objects.filter(name=text) | Resource.objects.filter(source_id=text)
    # By the index that search uses; the path itself has none.
    pathed = Resource.objects.filter(searched__startswith=text.lower()[:600], path=text)
    ids = [pk for rows in (named, pathed) for pk in rows.order_by().values_list("pk", flat=True)[:FOUND_MAX]]
    return Resource.objects.filter(pk__in=ids)


@dataclass(frozen=True, slots=True)
class Answer:
    """What policy says to one entitlement."""

    about: Entitlement
    decision: Decision
    why: str
    hurdles: list[Hurdle]

    @property
    def part(self) -> Any:
        """What the flow that decides makes of it."""
        return self.decision.parts[0] if self.decision.parts else None


@require_GET
def why_page(request: HttpRequest) -> HttpResponse:
    """Say of one person and one resource which flow decides, and what failed in each that came near."""
    need(request, "flows.view_accessflow")
    need(request, "accounts.view_user")
    form = WhyForm(request.GET or None)
    answers = list(_answers(form.cleaned_data, timezone.now())) if form.is_bound and form.is_valid() else None
    return page(request, AccessFlow, "why.html", "Why, and why not", form=form, answers=answers)


def _answers(asked: dict[str, Any], at: datetime) -> Iterable[Answer]:
    person, grantee = asked["person"], asked["grantee"] or asked["person"]
    people, flows = facts_of([person, grantee]), documents()
    minutes = asked["duration"]
    for ask in entitlements_on(row.pk for row in asked["resource"]):
        facts = Facts(
            people[person.pk],
            people[grantee.pk],
            (ask,),
            flows,
            duration_seconds=minutes * 60 if minutes else None,
            justification="asked",
            at=at,
            break_glass=asked["break_glass"],
        )
        decision = decide(facts)
        chosen = decision.parts[0] if decision.parts else None
        near = [one for one in hurdles(facts, ask, flows) if chosen is None or one.flow is not chosen.flow]
        yield Answer(ask, decision, why(chosen) if chosen else "", near)
