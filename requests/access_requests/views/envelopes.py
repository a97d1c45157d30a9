"""Break-glass envelopes: the list, one of them, and what is done with the paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from access_requests import envelope_files
from access_requests.actions import NotPossible, NotYours, envelopes
from access_requests.envelopes import EnvelopeState
from access_requests.models import AccessGroup, Envelope, Look, PlatformGap
from access_requests.queries import page_of
from access_requests.queries.envelopes import KEEP, SEE, envelopes_for, may_tell, places, what_fits
from access_requests.views.common import actor_of, me, page, page_number
from access_requests.views.connecting import Connect, connect_of
from access_requests.views.envelope_forms import OpenedForm, PassphraseForm, PrepareForm
from accounts.letters import address_of, zone_of
from accounts.models import GroupMembership
from integrations.queries import Entitlement, credential, tells_sessions

_ZONELESS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")


@page("GET", "HEAD")
def envelope_list(http: HttpRequest) -> HttpResponse:
    """Show the envelopes that the reader may see."""
    user = me(http)
    if not user.has_perm(SEE) and not GroupMembership.objects.filter(user=user, group__in=_keeping()).exists():
        raise Http404
    rows = page_of(envelopes_for(user), page_number(http))
    now = timezone.now()
    told = {
        "now": now,
        "pages": rows,
        "envelopes": [(one, one.days_left(now)) for one in rows.rows],
        "may_keep": user.has_perm(KEEP),
        "gap_minutes": settings.ENVELOPE_GAP_MINUTES,
        "gaps": PlatformGap.objects.all()[:3] if user.has_perm(SEE) else (),
    }
    return render(http, "portal/envelopes.html", told)


def _keeping() -> Any:
    return Envelope.objects.filter(keepers__isnull=False).values("keepers")


@page("GET", "HEAD", "POST")
def envelope_new(http: HttpRequest) -> HttpResponse:
    """Choose what is to be in an envelope, and propose it."""
    user = me(http)
    if not user.has_perm(KEEP):
        raise Http404
    before = envelopes_for(user).filter(number=_whole(http.GET.get("succeeds", ""))).first()
    form = PrepareForm(http.POST or None)
    problem = ""
    if http.method == "POST":
        problem = _problem_of(form)
        if not problem:
            given = form.cleaned_data
            resource, _, permission = given["pair"].partition(":")
            rest = {"reason": given["reason"], "days": given["days"], "keepers": given["keepers"], "succeeds": before}
            try:
                made = envelopes.prepare((int(resource), int(permission)), user=user, actor=actor_of(http), **rest)
            except NotPossible as error:
                problem = str(error)
            else:
                messages.success(http, f"{made} is prepared. Another admin is asked to say yes.")
                return redirect("envelope", number=made.number)
    told = _choosing(http, before) | {"problem": problem, "now": timezone.now()}
    return render(http, "portal/envelope_new.html", told, status=422 if problem else 200)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _choosing(http: HttpRequest, before: Envelope | None) -> dict[str, Any]:
    """Return what the page offers: integrations, what was found in the one that was chosen, and what was typed."""
    where, text = http.GET.get("integration", ""), http.GET.get("q", "").strip()[:200]
    here = places()
    typed: dict[str, Any] = http.POST.dict() if http.method == "POST" else {"days": str(settings.ENVELOPE_DAYS)}
    if before is not None and http.method != "POST":
        group = before.request.access_groups.all()[0]
        unit = group.units.all()[0]
        where, text = where or str(group.integration_id), text or unit.resource_path
        typed |= {"pair": f"{unit.resource_id}:{unit.permission_id}", "reason": before.request.justification}
        typed["keepers"] = before.keepers.name if before.keepers else ""
    chosen = next((one for one in here if str(one.pk) == where), None)
    found: list[Entitlement] = what_fits(chosen, text) if chosen is not None else []
    return {"places": here, "chosen": chosen, "q": text, "found": found, "typed": typed, "before": before}


@page("GET", "HEAD")
def envelope(http: HttpRequest, number: int) -> HttpResponse:
    """Show one envelope, with what may be done with it."""
    return _show(http, number)


def _who(http: HttpRequest) -> dict[str, Any]:
    """Return who acts, as actions take them."""
    return {"user": me(http), "actor": actor_of(http)}


def _find(http: HttpRequest, number: int) -> Envelope:
    """Return an envelope. Raises Http404 alike for one that is not there and one that is not theirs to see."""
    found = envelopes_for(me(http)).filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _show(http: HttpRequest, number: int, problem: str = "", status: int = 200) -> HttpResponse:
    user, found, now = me(http), _find(http, number), timezone.now()
    state, keeps = found.state, user.has_perm(KEEP)
    group = found.request.access_groups.all()[0]
    typed = {name: value for name, value in http.POST.items() if name not in {"passphrase", "again"}}
    told = {
        "now": now,
        "problem": problem,
        "typed": typed or {"opened_at": f"{now.astimezone(zone_of(user)):%Y-%m-%dT%H:%M}"},
        "envelope": found,
        "access": found.request,
        "group": group,
        "unit": group.units.all()[0],
        "days_left": found.days_left(now),
        "tells": tells_sessions(group.integration),
        "look": Look.objects.filter(integration=group.integration, person=found.request.grantee_id).first(),
        "may_see_request": user.has_perm("requests.view_accessrequest"),
        "may_decide": keeps and state == EnvelopeState.WAITING and user.pk != found.prepared_by_id,
        "may_print": keeps and state == EnvelopeState.READY,
        "may_withdraw": keeps and state not in {EnvelopeState.ENDING, EnvelopeState.ENDED},
        "may_tell": found.printed_at is not None and found.told_at is None and may_tell(user, found),
        "may_review": keeps and found.is_owed and state in {EnvelopeState.ENDING, EnvelopeState.ENDED},
        "may_keep": keeps,
        "credential": credential(group.integration),
        "passphrase_min": envelope_files.PASSPHRASE_MIN,
    }
    return render(http, "portal/envelope.html", told, status=status)


def _act(http: HttpRequest, number: int, do: Callable[[Envelope], Any], said: str) -> HttpResponse:
    """Do something to an envelope and return to its page; what is not possible is said there."""
    found = _find(http, number)
    try:
        do(found)
    except NotYours:
        raise Http404 from None
    except NotPossible as problem:
        return _show(http, number, str(problem), 409)
    messages.success(http, said)
    return redirect("envelope", number=number)


@page("POST")
def envelope_confirm(http: HttpRequest, number: int) -> HttpResponse:
    """Say the second yes."""
    who = _who(http)
    return _act(http, number, lambda one: envelopes.confirm(one, **who), "You said yes: the access is being made.")


@page("POST")
def envelope_refuse(http: HttpRequest, number: int) -> HttpResponse:
    """Say no."""
    who, note = _who(http), http.POST.get("note", "")
    return _act(http, number, lambda one: envelopes.refuse(one, note=note, **who), "Refused: nothing was given.")


@page("POST")
def envelope_withdraw(http: HttpRequest, number: int) -> HttpResponse:
    """End an envelope that was not used."""
    who, why = _who(http), http.POST.get("reason", "")
    return _act(http, number, lambda one: envelopes.withdraw(one, reason=why, **who), "Withdrawn. Destroy the paper.")


@page("POST")
@sensitive_variables("secret")
def envelope_print(http: HttpRequest, number: int) -> HttpResponse:
    """Show the credentials on a page to print, once: this answer is the only place they are ever in."""
    found = _find(http, number)
    try:
        secret = envelopes.print_out(found, user=me(http), actor=actor_of(http))
    except NotYours:
        raise Http404 from None
    except NotPossible as problem:
        return _show(http, number, str(problem), 409)
    return render(http, "portal/envelope_sheet.html", _sheet(http, number) | {"secret": secret})


def _sheet(http: HttpRequest, number: int) -> dict[str, Any]:
    """Return what stands on the paper besides the secret."""
    found = _find(http, number)
    group = found.request.access_groups.all()[0]
    return {
        "now": timezone.now(),
        "envelope": found,
        "access": found.request,
        "group": group,
        "unit": group.units.all()[0],
        "connect": connect_of(group),
        "address": address_of("envelope", found.number),
        "gap_minutes": settings.ENVELOPE_GAP_MINUTES,
    }


@page("POST")
@sensitive_post_parameters("passphrase", "again")
@sensitive_variables("secret", "form", "text")
def envelope_file(http: HttpRequest, number: int) -> HttpResponse:
    """Hand out the credentials as a file, locked with a passphrase, once."""
    found, form = _find(http, number), PassphraseForm(http.POST)
    problem = _problem_of(form)
    if problem:
        return _show(http, number, problem, 422)
    try:
        secret = envelopes.print_out(found, user=me(http), actor=actor_of(http), as_file=True)
    except NotYours:
        raise Http404 from None
    except NotPossible as error:
        return _show(http, number, str(error), 409)
    text = envelope_files.lock(_content(http, number, secret), _head(found), form.cleaned_data["passphrase"])
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="envelope-{number}.json"'
    return answer


def _head(found: Envelope) -> dict[str, str]:
    return {"envelope": str(found), "open_with": "manage.py access open-envelope FILE"}


@sensitive_variables("secret")
def _content(http: HttpRequest, number: int, secret: dict[str, str]) -> dict[str, Any]:
    told = _sheet(http, number)
    group: AccessGroup = told["group"]
    connect: Connect | None = told["connect"]
    return {
        "envelope": str(told["envelope"]),
        "for": told["access"].justification,
        "what": f"{told['unit']} ({group.integration.name})",
        "ends_at": told["access"].ends_at.isoformat() if told["access"].ends_at else "",
        "connect": {label: value for label, value, _ in connect.facts} if connect else {},
        "command": connect.command if connect else "",
        "secret": secret,
        "afterwards": f"Say who opened it, when and why: {told['address']}",
    }


@page("POST")
def envelope_opened(http: HttpRequest, number: int) -> HttpResponse:
    """Say who opened it, when and why: an admin, or one of its keepers."""
    form = OpenedForm(http.POST)
    found = _find(http, number)
    problem = _problem_of(form)
    at = _moment(form.cleaned_data.get("opened_at", ""), http) if not problem else None
    if problem or at is None:
        return _show(http, found.number, problem or "Write the time like 2026-03-02T03:10.", 422)
    given = form.cleaned_data
    rest = {**_who(http), "opened_by": given["opened_by"], "why": given["why"]}
    said = "It is in the record, and its access ends."
    return _act(http, number, lambda one: envelopes.tell_opened(one, opened_at=at, **rest), said)


def _moment(text: str, http: HttpRequest) -> datetime | None:
    """Return a time typed by the reader's own clock; None for what is none."""
    for shape in _ZONELESS:
        try:
            return datetime.strptime(text.strip(), shape).replace(tzinfo=zone_of(me(http)))
        except ValueError:
            continue
    return None


@page("POST")
def envelope_review(http: HttpRequest, number: int) -> HttpResponse:
    """Write down what happened."""
    who, words = _who(http), http.POST.get("words", "")
    return _act(http, number, lambda one: envelopes.review(one, words=words, **who), "It is in the record.")


def _problem_of(form: forms.Form) -> str:
    return "" if form.is_valid() else " ".join(str(one) for errors in form.errors.values() for one in errors)
