"""The pages of one flow: its form, its switch, its versions, its code, its end."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from audit.actor import Actor
from flows import actions, events
from flows.admin import frame
from flows.admin.automatic import beside
from flows.admin.frame import actor_of, need
from flows.admin.reading import faults, read
from flows.differences import changes
from flows.document import names_in
from flows.forms import BadRows, PolicyForm, beyond_the_form, pressed
from flows.models import AccessFlow, FlowVersion

VERSIONS_A_PAGE = 20
VERSIONS_BESIDE = 6


def form_page(request: HttpRequest, flow: AccessFlow | None) -> HttpResponse:
    """Show the form of a flow; save it through the action, or say in words why not."""
    need(request, "flows.change_accessflow" if flow else "flows.add_accessflow")
    beyond = beyond_the_form(flow.current.document) if flow and flow.current else ""
    if flow and beyond:
        messages.error(request, f"This flow has {beyond}, which this form would lose, so it is shown only.")
        return show_page(request, flow)
    button = request.POST.get("_do", "")
    try:
        form = PolicyForm(flow, pressed(request.POST, button) if request.method == "POST" else None)
    except BadRows as problem:
        return _refused(request, flow, problem)
    checked, meanwhile = request.method == "POST" and not button, []
    if checked and not form.is_valid():
        form.look_further()
    elif checked:
        try:
            saved = _save(form, flow, actor_of(request))
        except actions.Overtaken:
            meanwhile = _meanwhile(form, flow)
        else:
            if saved is not None:
                return _saved(request, saved)
    return _shown(request, flow, form, checked, meanwhile)


def _shown(
    request: HttpRequest, flow: AccessFlow | None, form: PolicyForm, checked: bool, meanwhile: list[Any]
) -> HttpResponse:
    """Show the form with how it reads; what was typed stays, and what is wrong is said where it is."""
    reading = read(form)
    wrong = faults(form) if checked else []
    if not checked:
        form.quiet()
    number = form.flow.number if checked or not form.data else form.data.get("version", "")
    return page(
        request,
        "form.html",
        flow.name if flow else "New access flow",
        flow=flow,
        form=form,
        reading=reading,
        faults=wrong,
        wrong_parts={one.part for one in wrong},
        meanwhile=meanwhile,
        number=number,
        next_number=form.flow.number + 1,
        versions=_versions_beside(flow),
        status=409 if meanwhile else 200,
        **beside(request, flow),
    )


def _refused(request: HttpRequest, flow: AccessFlow | None, problem: Exception) -> HttpResponse:
    """Say that the page came back as it never was."""
    return page(request, "altered.html", "Nothing was saved", flow=flow, problem=problem, status=400)


def _save(form: PolicyForm, flow: AccessFlow | None, actor: Actor) -> AccessFlow | None:
    """Define the flow; None when policy refuses it, which the form then shows, and nothing has changed.

    Raises Overtaken.
    """
    after = (form.flow.cleaned_data["version"] or 0) if flow else None
    try:
        return actions.define(form.columns(), form.document(), actor=actor, flow=flow, after=after)
    except actions.BadFlow as problem:
        form.add_findings(problem.findings)
    except IntegrityError:
        form.flow.add_error("name", "Another access flow took this name meanwhile. Choose a different one.")
    return None


def _meanwhile(form: PolicyForm, flow: AccessFlow | None) -> list[Any]:
    """Return the versions that were saved since the writer read the flow, latest first, each with its changes."""
    if flow is None:
        return []
    since = form.flow.cleaned_data["version"] or 0
    rows = flow.versions.filter(number__gte=since).select_related("created_by").order_by("-number")
    return [one for one in _with_changes(list(rows[:VERSIONS_A_PAGE])) if one[0].number > since]


def _with_changes(versions: list[FlowVersion]) -> list[tuple[FlowVersion, list[str]]]:
    """Return each version with what it changed of the one before, as far as that is among them."""
    names, by_number = names_in(one.document for one in versions), {one.number: one.document for one in versions}
    return [(one, changes(by_number.get(one.number - 1), one.document, names)) for one in versions]


def _versions_beside(flow: AccessFlow | None) -> list[FlowVersion]:
    if flow is None:
        return []
    rows = flow.versions.select_related("created_by").defer("document", "sentence").order_by("-number")
    return list(rows[:VERSIONS_BESIDE])


def _saved(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Say what the flow now says."""
    sentence = flow.current.sentence if flow.current else ""
    messages.success(request, f"{flow.name} is saved. It says: {sentence}")
    return HttpResponseRedirect(reverse("admin:flows_accessflow_change", args=[flow.pk]))


def show_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show a flow to who may not change it."""
    return page(request, "flow.html", flow.name, flow=flow, versions=_versions_beside(flow), **beside(request, flow))


def switch_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Ask, with how many requests end, then switch the flow on or off; on is refused where policy refuses the flow."""
    need(request, "flows.change_accessflow")
    refused: list[str] = []
    wanted = request.POST.get("active", "")
    if request.method == "POST" and wanted in {"on", "off"}:
        try:
            actions.set_active(flow, wanted == "on", actor=actor_of(request))
        except actions.BadFlow as problem:
            refused = problem.problems
        else:
            messages.success(request, f"{flow.name} is switched {wanted}.")
            return HttpResponseRedirect(reverse("admin:flows_accessflow_change", args=[flow.pk]))
    live = events.live_requests([flow.pk]) if flow.active else 0
    title = f"Switch {flow.name} {'off' if flow.active else 'on'}"
    status = 409 if refused else 200
    return page(request, "switch.html", title, flow=flow, live=live, refused=refused, status=status)


def code_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show a version as the document it is; the one in force unless ?version= names another."""
    number = request.GET.get("version", "")
    version = flow.current
    if number:
        known = number.isascii() and number.isdecimal() and len(number) < 9
        version = flow.versions.filter(number=int(number)).first() if known else None
    if version is None:
        raise Http404
    code = json.dumps(version.document, indent=2, ensure_ascii=False, sort_keys=True)
    return page(request, "code.html", f"{flow.name} as code", flow=flow, chosen=version, code=code)


def versions_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show every version of a flow: what it says, who saved it, what it changed."""
    versions = flow.versions.select_related("created_by").order_by("-number")
    chosen = Paginator(versions, VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(chosen)
    # One more, for the oldest on the page to be compared with.
    oldest = shown[-1].number if shown else 0
    rows = _with_changes([*shown, *versions.filter(number=oldest - 1)])[: len(shown)]
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
            return HttpResponseRedirect(reverse("admin:flows_accessflow_changelist"))
    title = f"Delete {flow.name}"
    return page(request, "delete.html", title, flow=flow, refused=refused, status=409 if refused else 200)


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Return a page about flows."""
    return frame.page(request, AccessFlow, template, title, **context)
