"""The pages of one flow: its form, its switch, its versions, its code, its end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from audit.actor import Actor
from flows import actions, events
from flows.admin import effects, frame, history, proposing
from flows.admin.automatic import beside
from flows.admin.frame import actor_of, need, need_to_write, places_of
from flows.admin.reading import faults, read
from flows.admin.steps import may_grow, steps
from flows.api.terraform import flow_text
from flows.choices import PolicyKind
from flows.differences import changes
from flows.document import names_in
from flows.findings import refusals
from flows.forms import BadRows, PolicyForm, pressed, zones
from flows.models import AccessFlow, FlowVersion
from flows.whatif import Effect, of_end, of_flow, of_switch

VERSIONS_A_PAGE = 20
VERSIONS_BESIDE = 6


def form_page(request: HttpRequest, flow: AccessFlow | None) -> HttpResponse:
    """Show the form of a flow; save it through the action, or say in words why not."""
    need_to_write(request, "accessflow", flow)
    button = request.POST.get("_do", "")
    try:
        sent = pressed(request.POST, button) if request.method == "POST" else None
        form = PolicyForm(
            flow, sent, zone=getattr(request.user, "time_zone", ""), places=places_of(request, "accessflow")
        )
    except BadRows as problem:
        return _refused(request, flow, problem)
    checked = request.method == "POST" and not button
    found = _Found()
    if button == "whatif":
        found.effect = effects.whole(of_flow(flow, form.draft()))
    elif checked and not form.is_valid():
        form.look_further()
    elif checked:
        done = _try(request, form, flow, found)
        if done is not None:
            return done
    return _shown(request, flow, form, checked, found)


@dataclass
class _Found:
    """What came of trying to save: what others saved, what it would do, why it takes two."""

    meanwhile: list[Any] = field(default_factory=list)
    effect: Effect | None = None
    unsure: bool = False
    need: actions.NeedsSecondAdmin | None = None


def _try(request: HttpRequest, form: PolicyForm, flow: AccessFlow | None, found: _Found) -> HttpResponse | None:
    """Save or propose the flow; None where that was not possible, and why not is found."""
    try:
        if "_propose" in request.POST:
            return _propose(request, form, flow)
        draft = form.draft()
        # What policy refuses is said first, and what others saved meanwhile.
        current = flow is None or flow.current is None or form.flow.cleaned_data["version"] == flow.current.number
        if current and not refusals(draft):
            effects.look_first(request, of_flow(flow, draft))
        saved = _save(form, flow, actor_of(request))
        return _saved(request, saved) if saved is not None else None
    except actions.Overtaken:
        found.meanwhile = _meanwhile(form, flow)
    except effects.Unsure as unsure:
        found.effect, found.unsure = unsure.effect, True
    except actions.NeedsSecondAdmin as need:
        found.need, found.effect = need, effects.whole(of_flow(flow, form.draft()))
    return None


def _propose(request: HttpRequest, form: PolicyForm, flow: AccessFlow | None) -> HttpResponse | None:
    """Keep the change for a second admin; None when policy refuses it, which the form then shows."""
    columns, number = form.columns(), form.flow.cleaned_data["version"] or 0
    told = {"columns": columns, "document": form.document()}
    after = str(number) if flow else ""
    return proposing.propose(
        request,
        actions.Wanted("define", PolicyKind.FLOW, columns["name"], told, flow.pk if flow else None, after),
        form.add_findings,
    )


def _shown(
    request: HttpRequest, flow: AccessFlow | None, form: PolicyForm, checked: bool, found: _Found
) -> HttpResponse:
    """Show the form with how it reads; what was typed stays, and what is wrong is said where it is."""
    asked = steps(form.approvers)
    reading = read(form, names=request.user.has_perm("accounts.view_user"))
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
        steps=asked,
        next_step=may_grow(asked),
        zones=zones(),
        faults=wrong,
        wrong_parts={one.part for one in wrong},
        number=number,
        next_number=form.flow.number + 1,
        versions=_versions_beside(flow),
        status=409 if found.meanwhile or found.unsure or found.need else 200,
        **vars(found),
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
    """Ask, with what changes, then switch the flow on or off; on is refused where policy refuses the flow."""
    need(request, "flows.change_accessflow", flow)
    told: dict[str, Any] = {"refused": [], "need": None}
    wanted = request.POST.get("active", "")
    if request.method == "POST" and wanted in {"on", "off", "propose"}:
        try:
            done = _switch(request, flow, wanted, told)
        except actions.BadFlow as problem:
            told["refused"] = problem.problems
        except actions.NeedsSecondAdmin as needs:
            told["need"] = needs
        else:
            if done is not None:
                return done
    told["live"] = events.live_requests([flow.pk]) if flow.active else 0
    told["effect"] = effects.whole(of_switch([flow], not flow.active))
    title = f"Switch {flow.name} {'off' if flow.active else 'on'}"
    status = 409 if told["refused"] or told["need"] else 200
    return page(request, "switch.html", title, flow=flow, status=status, **told)


def _switch(request: HttpRequest, flow: AccessFlow, wanted: str, told: dict[str, Any]) -> HttpResponse | None:
    """Switch the flow, or propose to switch it on. Raises BadFlow, NeedsSecondAdmin."""
    if wanted == "propose":
        after = str(flow.current.number) if flow.current else ""
        change = actions.Wanted("switch_on", PolicyKind.FLOW, flow.name, {}, flow.pk, after)
        return proposing.propose(request, change, lambda found: told["refused"].extend(one.text for one in found))
    actions.set_active(flow, wanted == "on", actor=actor_of(request))
    messages.success(request, f"{flow.name} is switched {wanted}.")
    return HttpResponseRedirect(reverse("admin:flows_accessflow_change", args=[flow.pk]))


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
    # Rows are what is in force; of an earlier version there is only the document.
    text = flow_text(flow) if version == flow.current else ""
    return page(request, "code.html", f"{flow.name} as code", flow=flow, chosen=version, code=code, text=text)


def versions_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show every version of a flow: what it says, who saved it, what it changed."""
    return history.versions_page(request, history.of_access_flow(flow))


def compare_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show what one version of a flow says otherwise than another."""
    return history.compare_page(request, history.of_access_flow(flow))


def restore_page(request: HttpRequest, flow: AccessFlow, number: str) -> HttpResponse:
    """Ask, with what changes, then make an earlier version the next one."""
    return history.restore_page(request, history.of_access_flow(flow), number)


def delete_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Ask, then delete; refused once a request has named the flow."""
    need(request, "flows.delete_accessflow", flow)
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
    effect = None if refused else effects.whole(of_end(flow))
    return page(
        request, "delete.html", title, flow=flow, refused=refused, effect=effect, status=409 if refused else 200
    )


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Return a page about flows."""
    return frame.page(request, AccessFlow, template, title, **context)
