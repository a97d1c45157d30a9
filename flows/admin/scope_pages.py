"""The pages of one access scope: its form, its versions, its end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from audit.actor import Actor
from flows import actions
from flows.admin import frame
from flows.admin.frame import actor_of, need
from flows.admin.reading import scope_faults
from flows.choices import PolicyKind
from flows.document import compose_scope, digest
from flows.forms import ScopePage
from flows.models import AccessFlow, AccessScope, Bundle, Revision
from integrations.aql.comparing import Line, lines_between
from integrations.aql.editing import tell
from integrations.queries import oldest_sync

USING_SHOWN = 50
VERSIONS_A_PAGE = 20


def form_page(request: HttpRequest, scope: AccessScope | None) -> HttpResponse:
    """Show the form of a scope; save it through the action, or say in words why not."""
    need(request, "flows.change_accessscope" if scope else "flows.add_accessscope")
    button = request.POST.get("_do", "")
    data = request.POST if request.method == "POST" else None
    form = ScopePage(scope, data, button, request.GET.get("query", ""))
    checked, overtaken = data is not None and not button, False
    if checked and form.is_valid():
        try:
            saved = _save(form, scope, actor_of(request))
        except actions.Overtaken:
            overtaken = True
        else:
            if saved is not None:
                messages.success(request, _saved(saved))
                return HttpResponseRedirect(_address("change", saved))
    return _shown(request, scope, form, checked, overtaken)


def _save(form: ScopePage, scope: AccessScope | None, actor: Actor) -> AccessScope | None:
    """Define the scope; None when it is refused, which the form then shows. Raises Overtaken."""
    own = form.own.cleaned_data
    try:
        return actions.define_scope(
            own["name"],
            form.draft.text,
            description=own["description"],
            actor=actor,
            scope=scope,
            after=own["version"] if scope else None,
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
    request: HttpRequest, scope: AccessScope | None, form: ScopePage, checked: bool, overtaken: bool
) -> HttpResponse:
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
        status=409 if overtaken else 200,
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
    need(request, "flows.delete_accessscope")
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


def versions_page(request: HttpRequest, scope: AccessScope) -> HttpResponse:
    """Show every version of a scope: who saved it, and what it changed. A POST restores one as a new version."""
    refused: list[str] = []
    if request.method == "POST":
        need(request, "flows.change_accessscope")
        revision = _revision(scope, request.POST.get("number", ""))
        try:
            _restore(scope, revision, request.POST.get("version", ""), actor_of(request))
        except (actions.BadFlow, actions.Overtaken) as problem:
            refused = [str(problem)]
        else:
            messages.success(request, f"Version {revision.number} of {scope.name} is in force again.")
            return HttpResponseRedirect(_address("history", scope))
    chosen = Paginator(_revisions(scope), VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "scope_versions.html",
        f"Versions of {scope.name}",
        scope=scope,
        rows=_with_changes(scope, list(chosen)),
        chosen=chosen,
        refused=refused,
        read_version=digest(compose_scope(AccessScope.objects.get(pk=scope.pk))),
        status=409 if refused else 200,
    )


def _revisions(scope: AccessScope) -> Any:
    found = Revision.objects.filter(kind=PolicyKind.SCOPE, subject=scope.pk)
    return found.select_related("created_by").order_by("-number")


def _revision(scope: AccessScope, number: str) -> Revision:
    known = number.isascii() and number.isdecimal() and len(number) < 9
    found: Revision | None = _revisions(scope).filter(number=int(number)).first() if known else None
    if found is None:
        raise Http404
    return found


def _restore(scope: AccessScope, revision: Revision, after: str, actor: Actor) -> None:
    """Make a scope what it was. Raises BadFlow, Overtaken."""
    told = revision.document
    description = told.get("description", "")
    actions.define_scope(told["name"], told["query"], description=description, actor=actor, scope=scope, after=after)


def _with_changes(scope: AccessScope, shown: list[Revision]) -> list[dict[str, Any]]:
    """Return each version with what it says otherwise than the one before; one query for the oldest one's."""
    if not shown:
        return []
    before = [*shown[1:], _revisions(scope).filter(number=shown[-1].number - 1).first()]
    return [_changes(one, last) for one, last in zip(shown, before, strict=True)]


def _changes(one: Revision, last: Revision | None) -> dict[str, Any]:
    new, old = one.document, last.document if last else one.document
    renamed = f"Name: “{new['name']}” instead of “{old['name']}”." if new["name"] != old["name"] else ""
    described = new.get("description", "") != old.get("description", "")
    return {
        "version": one,
        "renamed": renamed,
        "described": "Another description." if described else "",
        "lines": lines_between(old["query"], new["query"]),
    }


def _address(name: str, scope: AccessScope) -> str:
    return reverse(f"admin:flows_accessscope_{name}", args=[scope.pk])


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Return a page about access scopes."""
    return frame.page(request, AccessScope, template, title, **context)
