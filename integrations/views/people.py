"""Pages of directories: how people are taken over, who would go, and where each fact about a person came from."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from integrations import actions, queries
from integrations.actions.people.reading import groups_leaving, leaving
from integrations.models import Directory, SyncRun
from integrations.views.common import actor_of, address_of, need, page
from integrations.views.people_form import DirectoryForm

ROWS = 100


def settings(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show and change how a directory's people are taken over."""
    need(request, "integrations.change_integration")
    need(request, "accounts.change_user")
    row = get_object_or_404(Directory.objects.select_related("integration"), pk=pk)
    form = DirectoryForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid() and _saved(request, row, form):
        messages.success(request, "Saved. The next sync reads everybody anew.")
        return HttpResponseRedirect(address_of(row.integration))
    title = f"{row.integration.name}: how people are taken over"
    context: dict[str, Any] = {"form": form, "integration": row.integration}
    return page(request, "directory.html", title, status=422 if form.errors else 200, **context)


def _saved(request: HttpRequest, row: Directory, form: DirectoryForm) -> bool:
    """Save; False with the problem in the form when it was refused."""
    data = dict(form.cleaned_data)
    attributes = data.pop("attributes")
    try:
        actions.edit_directory(row, settings=data, attributes=attributes, actor=actor_of(request), at=timezone.now())
    except actions.BadSettings as problem:
        for name, words in problem.problems.items():
            form.add_error(name if name in form.fields else None, words)
        return False
    return True


def going(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show who would go by a sync that waits for a yes; by POST say yes or no."""
    need(request, "integrations.sync_integration")
    need(request, "accounts.change_user")
    run = get_object_or_404(SyncRun.objects.select_related("integration"), pk=_number(request), integration=pk)
    if request.method == "POST" and request.POST.get("answer") in {"yes", "no"}:
        _answer(request, run, yes=request.POST["answer"] == "yes")
        return HttpResponseRedirect(address_of(run.integration))
    people = Paginator(leaving(run), ROWS).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "run": run,
        "integration": run.integration,
        "directory": queries.directory_of(run.integration),
        "people": people,
        "groups": groups_leaving(run)[:ROWS],
        "waits": queries.waiting_run(run.integration) == run,
    }
    return page(request, "going.html", f"{run.integration.name}: who would go", **context)


def _number(request: HttpRequest) -> int:
    """Return the number of the run that the address, or the form, names; 0 for none."""
    text = request.POST.get("run") or request.GET.get("run") or ""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _answer(request: HttpRequest, run: SyncRun, *, yes: bool) -> None:
    """Say yes or no, and tell what came of it."""
    answer = actions.allow_leaving if yes else actions.refuse_leaving
    if not answer(run, actor=actor_of(request)):
        messages.error(request, "It was decided already, or a newer sync took its place.")
    elif yes:
        messages.success(request, "What the directory told is being taken over.")
    else:
        messages.success(request, "Nobody goes. The directory is asked again in an hour.")


@require_safe
def identities(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show where each fact about a person came from, and when."""
    need(request, "accounts.view_user")
    person = get_object_or_404(User.objects.select_related("manager"), pk=pk)
    context: dict[str, Any] = {
        "person": person,
        "known": queries.known_of(person),
        "accounts": queries.accounts_of(person),
        "signed_in_by": person.identities.order_by("issuer"),
        "may_see_integrations": request.user.has_perm("integrations.view_integration"),
    }
    return page(request, "identities.html", f"{person.name}: where it comes from", **context)
