"""A new request: search, pick, see what would happen, send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from access_requests import actions, offering
from access_requests.choices import RequestState
from access_requests.forms import OTHER, SEGMENTS, AskForm, SearchForm
from access_requests.models import new_token
from access_requests.queries import visible_to
from access_requests.views.common import actor_of, me, page
from access_requests.views.verdicts import DryRunSaid, said
from accounts.proving import proven
from accounts.queries import people_with
from flows.decision import Problem, words_for
from integrations.queries import any_integration


@dataclass(frozen=True, slots=True)
class Ask:
    """The form as it stands: what was typed, what is picked, and what would happen."""

    form: AskForm
    basket: offering.Basket
    run: actions.DryRun | None = None

    @property
    def problems(self) -> list[Problem]:
        """What is in the way."""
        found = [*self.basket.problems, *(self.run.problems if self.run else ())]
        return list(dict.fromkeys(found))

    def said(self) -> DryRunSaid:
        """Return what would happen, in words."""
        errors = [str(error) for errors in self.form.errors.values() for error in errors]
        return said(self.run, self.problems, errors)


@page("GET", "HEAD", "POST")
def new_request(http: HttpRequest) -> HttpResponse:
    """Show the form; by POST search in it, check it, or send it. Nothing that was typed or picked is lost."""
    who = offering.asker(me(http))
    if http.method != "POST":
        form, picks = _begun(http)
        # The form is as if it had been typed: what would happen is told at once.
        basket = offering.fill(who, picks)
        return _show(http, who, Ask(form, basket, _run(who, form, basket)))
    form = AskForm(http.POST)
    ask = _ask(who, form)
    return _send(http, who, ask) if http.POST.get("do") == "send" else _show(http, who, ask)


@page("GET", "HEAD")
def find_resources(http: HttpRequest) -> HttpResponse:
    """Return the results of a search: the part of the page that the script puts in its place."""
    who, search = offering.asker(me(http)), SearchForm(http.GET)
    return render(http, "portal/_found.html", _found(who, search, offering.Basket()))


@page("POST")
def check_request(http: HttpRequest) -> HttpResponse:
    """Return the basket and what would happen to the form as it stands: the parts of the page that say so."""
    ask = _ask(offering.asker(me(http)), AskForm(http.POST))
    return render(http, "portal/_checked.html", _asked(ask))


def _begun(http: HttpRequest) -> tuple[AskForm, offering.Picks]:
    """Return a new form, begun with a request that the person may see and wants again, if they name one."""
    text = http.GET.get("again", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    before = visible_to(me(http)).filter(pk=number).first() if number else None
    if before is None:
        return AskForm(initial={"token": new_token()}), offering.Picks()
    initial: dict[str, Any] = {"token": new_token(), "justification": before.justification, "duration": ""}
    if before.duration_seconds is not None:
        known = before.duration_seconds in SEGMENTS
        initial["duration"] = str(before.duration_seconds) if known else OTHER
        initial["other"] = "" if known else words_for(before.duration_seconds)
    return AskForm(initial=initial), offering.picks_of(before)


def _ask(who: offering.Asker, form: AskForm) -> Ask:
    form.is_valid()
    basket = offering.fill(who, offering.Picks(form.cleaned_data.get("picked", ())))
    return Ask(form, basket, _run(who, form, basket))


def _run(who: offering.Asker, form: AskForm, basket: offering.Basket) -> actions.DryRun | None:
    """Return what would happen; None when nothing is picked or the form makes no sense."""
    if not basket.pairs or (form.is_bound and not form.is_valid()):
        return None
    typed = form.cleaned_data if form.is_bound else _typed(form)
    return actions.dry_run(
        who.user, basket.pairs, duration_seconds=typed["duration"], justification=typed["justification"]
    )


def _typed(form: AskForm) -> Mapping[str, Any]:
    """Return what a form that was begun for the person holds."""
    begun = AskForm({name: value for name, value in form.initial.items() if value is not None})
    begun.is_valid()
    return {"duration": begun.cleaned_data.get("duration"), "justification": form.initial.get("justification", "")}


def _send(http: HttpRequest, who: offering.Asker, ask: Ask) -> HttpResponse:
    """Submit. What is in the way is shown at its fields, with the answer 422."""
    if not ask.form.is_valid() or ask.basket.problems:
        return _show(http, who, ask, sent=True)
    typed = ask.form.cleaned_data
    try:
        sent = actions.send(
            who.user,
            ask.basket.pairs,
            token=typed["token"] or new_token(),
            actor=actor_of(http),
            duration_seconds=typed["duration"],
            justification=typed["justification"],
            mfa_at=proven(http, timezone.now()),
        )
    except actions.BadAsk as bad:
        return _show(http, who, ask, sent=True, problems=bad.problems)
    if sent.other:
        names = ", ".join(str(one) for one in sent.requests)
        again = f"This form was sent before and became {names}. Send it once more to make another request."
        return _show(http, who, ask, sent=True, problem=again)
    return _sent(http, sent)


def _sent(http: HttpRequest, sent: actions.Sent) -> HttpResponse:
    if not sent.before:
        messages.success(http, f"Asked: {', '.join(str(one) for one in sent.requests)}.")
    owing = next((one for one in sent.requests if one.state == RequestState.PENDING_MFA), None)
    if owing is not None:
        return redirect("request_factor", pk=owing.pk)
    return redirect("request_page", pk=sent.requests[0].pk) if len(sent.requests) == 1 else redirect("my_access")


def _show(
    http: HttpRequest,
    who: offering.Asker,
    ask: Ask,
    *,
    sent: bool = False,
    problems: Iterable[Problem] = (),
    problem: str = "",
) -> HttpResponse:
    search = SearchForm(http.POST if http.method == "POST" else http.GET)
    told = [*ask.problems, *problems] if sent else []
    context = {
        "form": ask.form,
        # A form that was sent and came to something else is a new one from here on.
        "token": new_token() if problem else ask.form["token"].value() or new_token(),
        "at_fields": _at_fields(told),
        "problem": problem,
        **_asked(ask),
        **_found(who, search, ask.basket),
    }
    return render(http, "portal/new_request.html", context, status=422 if sent else 200)


def _asked(ask: Ask) -> dict[str, Any]:
    return {"basket": ask.basket, "said": ask.said()}


def _found(who: offering.Asker, search: SearchForm, basket: offering.Basket) -> dict[str, Any]:
    """Return one page of results, and when there is nothing at all, whom to turn to."""
    filters = _filters(search)
    found = offering.look(who, filters)
    context: dict[str, Any] = {
        "found": found,
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
    number = search.value("page") or (search.value("at") if do in {"check", "send", "add"} or _drops(search) else 1)
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
