"""The pages of one flow: its form, its versions, its end."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.actor import Actor, person
from audit.choices import Source
from flows import actions
from flows.admin.versions import changes
from flows.forms import BLANK_ROWS, PolicyForm, beyond_the_form, suggestions
from flows.models import AccessFlow

VERSIONS_A_PAGE = 20


def form_page(request: HttpRequest, flow: AccessFlow | None) -> HttpResponse:
    """Show the form of a flow; save it through the action, or say in words why not."""
    need(request, "flows.change_accessflow" if flow else "flows.add_accessflow")
    beyond = beyond_the_form(flow.current.document) if flow and flow.current else ""
    if beyond:
        messages.error(request, f"This flow has {beyond}, which this form would lose, so it is shown only.")
        return show_page(request, flow) if flow else HttpResponseRedirect(_list())
    more = request.POST.get("_more", "")
    form = PolicyForm(flow, _with_more_rows(request.POST, more) if request.method == "POST" else None)
    checked = request.method == "POST" and not more
    if checked and form.is_valid():
        saved = _save(form, flow, actor_of(request))
        if saved is not None:
            return _saved(request, saved)
    title = f"Edit {flow.name}" if flow else "Add access flow"
    return page(request, "form.html", title, flow=flow, form=form, checked=checked, **suggestions())


def _with_more_rows(sent: QueryDict, prefix: str) -> QueryDict:
    """Return what was sent, with more blank rows in one of the lists."""
    name = f"{prefix}-TOTAL_FORMS"
    now = str(sent.get(name, ""))
    if not now.isdigit():
        return sent
    more = sent.copy()
    more[name] = str(int(now) + BLANK_ROWS)
    return more


def _save(form: PolicyForm, flow: AccessFlow | None, actor: Actor) -> AccessFlow | None:
    """Define the flow; None when policy refuses it, which the form then shows, and nothing has changed."""
    row = AccessFlow.objects.get(pk=flow.pk) if flow else None
    try:
        return actions.define(form.columns(), form.document(), actor=actor, flow=row)
    except actions.BadFlow as problem:
        form.add_problems(problem.problems)
    except IntegrityError:
        form.add_problems(["Another flow took this name meanwhile. Choose a different one."])
    return None


def _saved(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Say what the flow now says."""
    sentence = flow.current.sentence if flow.current else ""
    messages.success(request, f"{flow.name} is saved. It says: {sentence}")
    name = "admin:flows_accessflow_change" if "_continue" in request.POST else "admin:flows_accessflow_changelist"
    return HttpResponseRedirect(reverse(name, args=[flow.pk] if "_continue" in request.POST else []))


def show_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show a flow to who may not change it."""
    return page(request, "flow.html", flow.name, flow=flow)


def versions_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show every version of a flow: what it says, who saved it, what it changed."""
    versions = flow.versions.select_related("created_by").order_by("-number")
    chosen = Paginator(versions, VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(chosen)
    # One more, for the oldest on the page to be compared with.
    oldest = shown[-1].number if shown else 0
    documents = {one.number: one.document for one in [*shown, *versions.filter(number=oldest - 1)]}
    rows = [(one, changes(documents.get(one.number - 1), one.document)) for one in shown]
    return page(request, "versions.html", f"Versions of {flow.name}", flow=flow, rows=rows, chosen=chosen)


def delete_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Ask, then delete; refused once a request has named the flow."""
    need(request, "flows.delete_accessflow")
    refused = ""
    if request.method == "POST":
        name = flow.name
        try:
            actions.delete(flow, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused = str(problem)
        else:
            messages.success(request, f"{name} is deleted.")
            return HttpResponseRedirect(_list())
    title = f"Delete {flow.name}"
    return page(request, "delete.html", title, flow=flow, refused=refused, status=409 if refused else 200)


def need(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the person has the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def actor_of(request: HttpRequest) -> Actor:
    """Return the person at the admin site."""
    return person(request.user, Source.ADMIN)


def _list() -> str:
    return reverse("admin:flows_accessflow_changelist")


def page(request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return a page in the admin site's frame."""
    may = {name: request.user.has_perm(f"flows.{name}_accessflow") for name in ("change", "delete")}
    told = {**admin.site.each_context(request), "title": title, "opts": AccessFlow._meta, "may": may, **context}
    return TemplateResponse(request, f"admin/flows/{template}", told, status=status)
