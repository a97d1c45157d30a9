"""A new request: search, pick, see what would happen, send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from access_requests import actions, offering, queries
from access_requests.choices import RequestState
from access_requests.forms import PeopleForm, SearchForm
from access_requests.models import AccessRequest, SentForm, new_token
from access_requests.views.common import actor_of, me, page
from access_requests.views.drafting import Draft, asker_of, begun, drafted, unsure, wish_of
from accounts.proving import proven
from accounts.queries import people_with
from flows.decision import Problem
from integrations.queries import any_integration

SEND, BREAK = "send", "break"


@page("GET", "HEAD", "POST")
def new_request(http: HttpRequest) -> HttpResponse:
    """Show the form; by POST search in it, check it, or send it. Nothing that was typed or picked is lost."""
    if http.method != "POST":
        # The form is as if it had been typed: what would happen is told at once.
        return _show(http, begun(http))
    draft = drafted(http)
    return _send(http, draft) if http.POST.get("do") in {SEND, BREAK} else _show(http, draft)


@page("GET", "HEAD")
def find_resources(http: HttpRequest) -> HttpResponse:
    """Return the results of a search: the part of the page that the script puts in its place."""
    who, search = asker_of(http), SearchForm(http.GET)
    return render(http, "portal/_found.html", _found(who, search, offering.Basket()))


@page("GET", "HEAD")
def find_people(http: HttpRequest) -> HttpResponse:
    """Return people to ask for whose name or address has the text in it: only those whom a flow lets the reader."""
    form, who = PeopleForm(http.GET), offering.asker(me(http))
    found = offering.find_people(who.user, who.flows, form.cleaned_data["q"]) if form.is_valid() else []
    return JsonResponse({"people": [{"email": one.email, "name": one.name} for one in found]})


@page("POST")
def check_request(http: HttpRequest) -> HttpResponse:
    """Return the basket and what would happen to the form as it stands: the parts of the page that say so."""
    return render(http, "portal/_checked.html", _asked(drafted(http)))


@page("GET", "HEAD")
def sent_requests(http: HttpRequest, token: str) -> HttpResponse:
    """Show the requests that one form became."""
    form = get_object_or_404(SentForm, requestor=me(http), token=token)
    rows = queries.visible_to(me(http)).filter(pk__in=form.requests).order_by("pk")
    found = list(rows.select_related("flow_version__flow__current", "grantee", "requestor"))
    queries.complete(found)
    return render(http, "portal/sent.html", {"now": timezone.now(), "requests": found})


def _send(http: HttpRequest, draft: Draft) -> HttpResponse:
    """Submit. What is in the way is shown at its fields, with the answer 422."""
    missing = unsure(draft) if draft.form.is_valid() else ()
    if not draft.form.is_valid() or draft.basket.problems or missing:
        return _show(http, draft, sent=True, problems=missing)
    token = draft.form.cleaned_data["token"] or new_token()
    try:
        sent = actions.send(
            draft.who.user,
            draft.basket.pairs,
            token=token,
            actor=actor_of(http),
            grantee=draft.who.grantee,
            wish=wish_of(draft),
            mfa_at=proven(http, timezone.now()),
        )
    except actions.BadAsk as bad:
        return _show(http, draft, sent=True, problems=bad.problems)
    if sent.other:
        names = ", ".join(str(one) for one in sent.requests)
        again = f"This form was sent before and became {names}. Send it once more to make another request."
        return _show(http, draft, sent=True, problem=again)
    return _sent(http, sent, token)


def _sent(http: HttpRequest, sent: actions.Sent, token: Any) -> HttpResponse:
    first: AccessRequest = sent.requests[0]
    if not sent.before:
        words = "The glass is broken" if first.break_glass else "Asked"
        messages.success(http, f"{words}: {', '.join(str(one) for one in sent.requests)}.")
    owing = next((one for one in sent.requests if one.state == RequestState.PENDING_MFA), None)
    if owing is not None:
        return redirect("request_factor", pk=owing.pk)
    if len(sent.requests) > 1:
        return redirect("sent_requests", token=token)
    return redirect("request_page", pk=first.pk)


def _show(
    http: HttpRequest,
    draft: Draft,
    *,
    sent: bool = False,
    problems: Iterable[Problem] = (),
    problem: str = "",
) -> HttpResponse:
    search = SearchForm(http.POST if http.method == "POST" else http.GET)
    told = [*draft.problems, *problems] if sent else []
    context = {
        "form": draft.form,
        # A form that was sent and came to something else is a new one from here on.
        "token": new_token() if problem else draft.form["token"].value() or new_token(),
        "problem": problem,
        "whom": offering.whom_of(draft.who.user, draft.who.flows),
        **_asked(draft, _at_fields(told)),
        **_found(draft.who, search, draft.basket),
    }
    return render(http, "portal/new_request.html", context, status=422 if sent else 200)


def _asked(draft: Draft, at_fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return what the parts say that change with the form; `at_fields` are messages, once it was sent."""
    told = at_fields or {}
    return {
        "basket": draft.basket,
        "said": draft.said(),
        "at_fields": told,
        "extra": [(field, told.get(field.name, [])) for field in draft.fields],
        "extra_keys": " ".join(field.name for field in draft.fields),
        "kept": draft.kept,
        "glass": draft.glass,
        "sure": draft.form.is_bound and bool(draft.form.data.get("sure")),
    }


def _found(who: offering.Asker, search: SearchForm, basket: offering.Basket) -> dict[str, Any]:
    """Return one page of results, and when there is nothing at all, whom to turn to."""
    filters = _filters(search)
    found = offering.look(who, filters)
    context: dict[str, Any] = {
        "found": found,
        "grantee": who.grantee if who.grantee != who.user else None,
        "now": timezone.now(),
        "taken": {str(line.resource_id) for line in basket.lines} | {line.value for line in basket.lines},
    }
    if not found.reach:
        context |= {"connected": any_integration(), "admins": people_with("flows.add_accessflow")[:3]}
    return context


def _filters(search: SearchForm) -> offering.Filters:
    """Return what is looked for. What narrows anew begins at the first page; otherwise the page stays as it is."""
    do, q = search.data.get("do"), search.value("q") or ""
    if do == "everywhere":
        return offering.Filters(q=q)
    number = search.value("page") or (
        search.value("at") if do in {"check", SEND, BREAK, "add"} or _drops(search) else 1
    )
    return offering.Filters(
        q=q,
        category=search.value("c") or "",
        integration=str(search.value("i") or ""),
        type=search.value("t") or "",
        page=number or 1,
    )


def _drops(search: SearchForm) -> bool:
    return "drop" in search.data


def _at_fields(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Return messages by the field they are about; the others are told by the dry run."""
    told: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        if problem.field and problem.message not in told[problem.field]:
            told[problem.field].append(problem.message)
    return dict(told)
