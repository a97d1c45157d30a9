"""Changes that take two: proposed on the page that makes them, and decided on pages of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.actions import NotAllowed
from flows import actions
from flows.actions.proposals import may_decide, openings_of
from flows.admin import effects
from flows.admin.frame import actor_of, need, page
from flows.choices import ProposalState
from flows.differences import changes
from flows.document import names_in
from flows.findings import Finding
from flows.models import Proposal
from flows.sentence import sentence
from flows.whatif import of_documents

if TYPE_CHECKING:
    _ProposalAdmin = admin.ModelAdmin[Proposal]
else:
    # Generic only for the type checker.
    _ProposalAdmin = admin.ModelAdmin

_LOOKS = {
    ProposalState.WAITING: ("wait", "hourglass"),
    ProposalState.ACCEPTED: ("good", "ok"),
    ProposalState.REFUSED: ("bad", "no"),
    ProposalState.WITHDRAWN: ("quiet", "x"),
    ProposalState.OVERTAKEN: ("quiet", "ban"),
}


def propose(
    request: HttpRequest, wanted: actions.Wanted, refused: Callable[[Iterable[Finding]], None]
) -> HttpResponse | None:
    """Propose a change and lead to its page; None when it is refused, and `refused` was told why."""
    try:
        row = actions.propose(wanted, actor=actor_of(request))
    except actions.BadFlow as problem:
        refused(problem.findings)
        return None
    messages.success(request, f"The change of {row.name} waits for another admin’s yes. Nothing has changed yet.")
    return HttpResponseRedirect(reverse("admin:flows_proposal_change", args=[row.pk]))


def look(row: Proposal) -> dict[str, str]:
    """Return a proposal's state as a badge."""
    state = ProposalState(row.state)
    tone, icon = _LOOKS[state]
    return {"tone": tone, "icon": icon, "word": str(state.label)}


@admin.register(Proposal)
class ProposalAdmin(_ProposalAdmin):
    """Changes that wait for a second yes, and what became of others. Every write goes through flows.actions."""

    list_display = ("named", "state_badge", "proposed_by", "proposed_at")
    list_display_links = None
    list_filter = ("state",)
    list_select_related = ("proposed_by",)
    list_per_page = 50
    sortable_by = ()
    search_fields = ("name", "proposed_by__name", "proposed_by__email")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_words = "What opens production to everyone without approval takes a second admin’s yes: it waits here."

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer nothing for many: each is looked at."""
        return {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A change is proposed where it is made."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Proposal | None = None) -> bool:
        """What was proposed stays on record."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the answers."""
        view, own = self.admin_site.admin_view, "flows_proposal"
        return [
            path(f"<path:object_id>/{verb}/", view(require_POST(self._answer(verb))), name=f"{own}_{verb}")
            for verb in ("accept", "refuse", "withdraw")
        ] + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        """What waits comes first, then the latest."""
        found: QuerySet[Proposal] = super().get_queryset(request)
        return found.select_related("proposed_by", "decided_by").order_by(
            F("decided_at").desc(nulls_first=True), "-proposed_at"
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a change: what it says, what it changes, what it would do."""
        return show_page(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none of its own: the audit trail has it."""
        self._one(request, object_id)
        raise Http404

    def _one(self, request: HttpRequest, object_id: str) -> Proposal:
        """Return what the address names, to who may see it."""
        need(request, "flows.view_proposal")
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _answer(self, verb: str) -> Callable[[HttpRequest, str], HttpResponse]:
        return lambda request, object_id: answer(request, self._one(request, object_id), verb)

    @admin.display(description="change of", ordering="name")
    def named(self, row: Proposal) -> SafeString:
        """Return what would change, and below it why that takes two."""
        address = reverse("admin:flows_proposal_change", args=[row.pk])
        return format_html('<a href="{}">{}</a><p class="meta">{}</p>', address, row.name, row.why)

    @admin.display(description="state")
    def state_badge(self, row: Proposal) -> SafeString:
        """Return what became of it."""
        return render_to_string("portal/_state.html", {"badge": look(row)})


def show_page(request: HttpRequest, row: Proposal, problem: str = "", status: int = 200) -> HttpResponse:
    """Show a proposal with the difference, the sentence and the effect, and the buttons for whoever may answer."""
    openings = openings_of(row)
    names = names_in(document for one in openings for document in (one.before, one.after) if document)
    waits = row.state == ProposalState.WAITING
    effect = effects.whole(of_documents((one.before, one.after) for one in openings)) if waits else None
    user: Any = request.user
    return page(
        request,
        Proposal,
        "proposal.html",
        f"Change of {row.name}",
        proposal=row,
        badge=look(row),
        openings=[
            (one.after["name"], sentence(one.after, names), changes(one.before, one.after, names), one.before is None)
            for one in openings
        ],
        effect=effect,
        waits=waits,
        may_answer=waits and may_decide(row, user),
        own=row.proposed_by_id == user.pk,
        problem=problem,
        status=status,
    )


def answer(request: HttpRequest, row: Proposal, verb: str) -> HttpResponse:
    """Say yes or no, or take it back; what stands in the way is said on the page."""
    told: dict[str, Any] = {"reason": request.POST.get("reason", "")[:1000]} if verb == "refuse" else {}
    do = {"accept": actions.accept, "refuse": actions.refuse, "withdraw": actions.withdraw}[verb]
    try:
        settled = do(row, actor=actor_of(request), **told)
    except NotAllowed as problem:
        raise PermissionDenied(str(problem)) from problem
    except actions.Settled as problem:
        row.refresh_from_db()
        return show_page(request, row, str(problem), 409)
    if settled.state == ProposalState.OVERTAKEN:
        messages.error(request, f"Nothing was changed: {settled.reason}")
    else:
        messages.success(request, f"The change of {row.name} is {str(ProposalState(settled.state).label).lower()}.")
    return HttpResponseRedirect(reverse("admin:flows_proposal_change", args=[row.pk]))
