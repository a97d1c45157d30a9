"""The page of an automatic flow's work: how far it came, who holds through it, and the button that starts it now."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from flows import actions, events
from flows.admin import frame
from flows.admin.frame import actor_of, need
from flows.choices import Trigger
from flows.models import AccessFlow, AutomaticRun

HOLDERS_SHOWN = 20
RUNS_SHOWN = 5


def automatic_page(request: HttpRequest, flow: AccessFlow) -> HttpResponse:
    """Show the runs of a flow and who holds through it; a POST has everybody looked at now."""
    refused = ""
    if request.method == "POST":
        need(request, "flows.change_accessflow", flow)
        try:
            actions.run_now(flow, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused = str(problem)
        else:
            messages.success(request, f"Everybody is being looked at for {flow.name}.")
            return HttpResponseRedirect(reverse("admin:flows_accessflow_automatic", args=[flow.pk]))
    return frame.page(
        request,
        AccessFlow,
        "automatic.html",
        f"What {flow.name} gives by itself",
        flow=flow,
        refused=refused,
        holders=_holders(request, flow),
        runs=list(flow.runs.all()[:RUNS_SHOWN]),
        status=409 if refused else 200,
        **beside(request, flow),
    )


def beside(request: HttpRequest, flow: AccessFlow | None) -> dict[str, Any]:
    """Return what is shown beside a flow that gives by itself: its latest run, and how many hold through it."""
    if flow is None or flow.trigger != Trigger.AUTOMATIC:
        return {"automatic": None}
    return {"automatic": {"run": _latest(flow), "number": events.holders(flow.pk, 0).number}}


def _latest(flow: AccessFlow) -> AutomaticRun | None:
    return flow.runs.first()


def _holders(request: HttpRequest, flow: AccessFlow) -> events.Holders:
    """Return who holds, by name only to who may read requests."""
    shown = HOLDERS_SHOWN if request.user.has_perm("requests.view_accessrequest") else 0
    return events.holders(flow.pk, shown)
