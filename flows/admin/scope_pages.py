"""The pages of one access scope: its form, and its end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from audit.actor import Actor
from flows import actions
from flows.admin import effects, frame, proposing
from flows.admin.frame import actor_of, need, need_to_write, places_of
from flows.admin.reading import scope_faults
from flows.choices import PolicyKind
from flows.forms import ScopePage
from flows.models import AccessFlow, AccessScope, Bundle
from flows.whatif import Change, of_scope
from integrations.aql.comparing import Line, lines_between
from integrations.aql.editing import tell
from integrations.queries import oldest_sync

USING_SHOWN = 50


def form_page(request: HttpRequest, scope: AccessScope | None) -> HttpResponse:
    """Show the form of a scope; save it through the action, or say in words why not."""
    need_to_write(request, "accessscope", scope)
    button = request.POST.get("_do", "")
    data = request.POST if request.method == "POST" else None
    form = ScopePage(scope, data, button, request.GET.get("query", ""), places=places_of(request, "accessscope"))
    checked = data is not None and not button
    found: dict[str, Any] = {"overtaken": False, "effect": None, "unsure": False, "need": None}
    if button == "whatif" and form.is_valid() and form.is_query():
        found["effect"] = effects.whole(_change(form, scope))
    elif checked and form.is_valid():
        done = _try(request, form, scope, found)
        if done is not None:
            return done
    return _shown(request, scope, form, checked, found)


def _change(form: ScopePage, scope: AccessScope | None) -> Change:
    return of_scope(scope, form.draft.text, form.own.cleaned_data["name"])


def _try(
    request: HttpRequest, form: ScopePage, scope: AccessScope | None, found: dict[str, Any]
) -> HttpResponse | None:
    """Save or propose the scope; None where that was not possible, and why not is found."""
    try:
        if "_propose" in request.POST:
            return _propose(request, form, scope)
        # Who has not read what is there now hears of that first.
        if scope and form.is_query() and form.version == form.own.cleaned_data["version"]:
            effects.look_first(request, _change(form, scope))
        saved = _save(form, scope, actor_of(request))
    except actions.Overtaken:
        found["overtaken"] = True
    except effects.Unsure as unsure:
        found.update(effect=unsure.effect, unsure=True)
    except actions.NeedsSecondAdmin as problem:
        found.update(need=problem, effect=effects.whole(_change(form, scope)))
    else:
        if saved is not None:
            messages.success(request, _saved(saved))
            return HttpResponseRedirect(reverse("admin:flows_accessscope_change", args=[saved.pk]))
    return None


def _propose(request: HttpRequest, form: ScopePage, scope: AccessScope | None) -> HttpResponse | None:
    """Keep the change for a second admin; None when it is refused, which the form then shows."""
    own = form.own.cleaned_data
    told = {"name": own["name"], "query": form.draft.text, "description": own["description"]}
    told["space"] = own.get("space")
    subject, after = (scope.pk, own["version"]) if scope else (None, "")
    wanted = actions.Wanted("define_scope", PolicyKind.SCOPE, own["name"], told, subject, after)
    return proposing.propose(request, wanted, lambda found: form.wrong.extend(one.text for one in found))


def _save(form: ScopePage, scope: AccessScope | None, actor: Actor) -> AccessScope | None:
    """Define the scope; None when it is refused, which the form then shows. Raises Overtaken, NeedsSecondAdmin."""
    own = form.own.cleaned_data
    try:
        return actions.define_scope(
            own["name"],
            form.draft.text,
            description=own["description"],
            actor=actor,
            scope=scope,
            after=own["version"] if scope else None,
            space=own.get("space"),
        )
    except actions.BadFlow as problem:
        form.wrong.extend(problem.problems)
    except IntegrityError:
        form.own.add_error("name", "Another access scope took this name meanwhile. Choose a different one.")
    return None


def _saved(scope: AccessScope) -> str:
    flows = len(_flows(scope))
    told = f" {flows} access flow{' gives' if flows == 1 else 's give'} it as it is now." if flows else ""
    return f"{scope.name} is saved.{told}"


def _shown(
    request: HttpRequest, scope: AccessScope | None, form: ScopePage, checked: bool, found: dict[str, Any]
) -> HttpResponse:
    overtaken = found.pop("overtaken")
    wrong = scope_faults(form) if checked else []
    if not checked:
        form.quiet()
    data = form.own.data if form.own.is_bound else None
    return page(
        request,
        "scope.html",
        scope.name if scope else "New access scope",
        scope=scope,
        form=form,
        draft=form.draft,
        told=form.told(),
        oldest=oldest_sync(),
        faults=wrong,
        read_version=form.version if checked or data is None else data.get("version", ""),
        meanwhile=_meanwhile(scope, form) if scope and overtaken else [],
        status=409 if overtaken or found["unsure"] or found["need"] else 200,
        **found,
        **_using(scope),
    )


def _meanwhile(scope: AccessScope, form: ScopePage) -> list[Line]:
    """Return what is in force now beside what the writer wrote: what saving that would take out, and put in."""
    return lines_between(scope.query, form.draft.text)


def _flows(scope: AccessScope) -> list[AccessFlow]:
    """Return the flows that give a scope, by themselves or in a bundle."""
    given = Q(targets__access_scope=scope) | Q(targets__bundle__targets__access_scope=scope)
    return list(AccessFlow.objects.filter(given).distinct().order_by("name"))


def _using(scope: AccessScope | None) -> dict[str, Any]:
    """Return what uses the scope; there may be many, so only the first."""
    if scope is None:
        return {"using": [], "bundles": []}
    bundles = Bundle.objects.filter(targets__access_scope=scope).distinct().order_by("name")
    return {"using": _flows(scope)[:USING_SHOWN], "bundles": list(bundles[:USING_SHOWN])}


def show_page(request: HttpRequest, scope: AccessScope) -> HttpResponse:
    """Show a scope to who may not change it."""
    told = tell(scope.query)
    return page(request, "scope_shown.html", scope.name, scope=scope, told=told, oldest=oldest_sync(), **_using(scope))


def delete_page(request: HttpRequest, scope: AccessScope) -> HttpResponse:
    """Ask, then delete; refused while flows or bundles use the scope, which are named."""
    need(request, "flows.delete_accessscope", scope)
    refused = ""
    if request.method == "POST":
        name = scope.name
        try:
            actions.delete_scope(scope, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused = str(problem)
        else:
            messages.success(request, f"{name} is deleted.")
            return HttpResponseRedirect(reverse("admin:flows_accessscope_changelist"))
    title, status = f"Delete {scope.name}", 409 if refused else 200
    return page(request, "scope_delete.html", title, scope=scope, refused=refused, status=status, **_using(scope))


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Return a page about access scopes."""
    return frame.page(request, AccessScope, template, title, **context)
