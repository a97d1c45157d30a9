"""Spaces: a list, the boundary, who belongs to it, an end that is refused while something lies in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.choices import SpaceRole
from flows import actions
from flows.admin import effects, proposing
from flows.admin.frame import InSpaces, actor_of, need, page
from flows.choices import PolicyKind
from flows.document import compose_scope, compose_space, digest, ordered
from flows.forms.space import MemberForm, SpaceForm
from flows.models import Space, SpaceMember
from flows.whatif import Change, of_space

if TYPE_CHECKING:
    _SpaceAdmin = admin.ModelAdmin[Space]
else:
    # Generic only for the type checker.
    _SpaceAdmin = admin.ModelAdmin

# So much of what lies in a space, and so many members, are named on its page.
NAMED = 100


@admin.register(Space)
class SpaceAdmin(InSpaces, _SpaceAdmin):
    """Parts of the inventory whose policy others write. Every write goes through flows.actions."""

    list_display = ("named", "covers", "policy", "members_in")
    list_display_links = None
    list_per_page = 50
    sortable_by = ("named",)
    search_fields = ("name",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/flows/list.html"
    empty_words = "A space is a part of the inventory whose flows, bundles and scopes are written by those who know it."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Space]:
        """Count what is in them."""
        found: QuerySet[Space] = super().get_queryset(request)
        counts = {
            f"_{name}": Count(name, distinct=True) for name in ("flows", "bundles", "own_scopes", "members", "boundary")
        }
        return found.annotate(**counts)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer nothing for many: the admin site's own way to delete would go past the action."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """Add who belongs to it."""
        view, own = self.admin_site.admin_view, "flows_space"
        return [
            path("<path:object_id>/members/", view(require_POST(self.add_member)), name=f"{own}_members"),
            path(
                "<path:object_id>/members/<int:member>/remove/",
                view(require_POST(self.remove_member)),
                name=f"{own}_dismiss",
            ),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Make a space."""
        need(request, "flows.add_space")
        return form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Draw a space anew, or look at it."""
        space = self._one(request, object_id)
        if request.method == "POST":
            need(request, "flows.change_space")
        return form_page(request, space)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return delete_page(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is none of its own: the audit trail has it."""
        self._one(request, object_id)
        raise Http404

    def add_member(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give somebody a role in it."""
        space = self._one(request, object_id)
        need(request, "flows.add_spacemember", SpaceMember(space=space))
        form = MemberForm(request.POST)
        if form.is_valid():
            who, role = form.cleaned_data["who"], SpaceRole(form.cleaned_data["role"])
            actions.add_member(space, who, role, actor=actor_of(request))
            messages.success(request, f"{who} is {role.label.lower()} of {space.name}.")
            return HttpResponseRedirect(reverse("admin:flows_space_change", args=[space.pk]))
        return _shown(request, space, SpaceForm(space), {"joining": form}, status=422)

    def remove_member(self, request: HttpRequest, object_id: str, member: int) -> HttpResponse:
        """Take a role in it away."""
        space = self._one(request, object_id)
        row = SpaceMember.objects.select_related("user", "group").filter(space=space, pk=member).first()
        need(request, "flows.delete_spacemember", row or SpaceMember(space=space))
        if row is not None:
            actions.remove_member(row, actor=actor_of(request))
            messages.success(request, f"{row} is no {row.get_role_display().lower()} of {space.name} any more.")
        return HttpResponseRedirect(reverse("admin:flows_space_change", args=[space.pk]))

    def _one(self, request: HttpRequest, object_id: str) -> Space:
        """Return what the address names, to who may see it."""
        need(request, "flows.view_space")
        space: Space | None = self.get_object(request, object_id)
        if space is None:
            raise Http404
        return space

    @admin.display(description="space", ordering="name")
    def named(self, space: Space) -> SafeString:
        """Return the name."""
        return format_html('<a href="{}">{}</a>', reverse("admin:flows_space_change", args=[space.pk]), space.name)

    @admin.display(description="covers")
    def covers(self, space: Any) -> str:
        """Return by how many scopes it is bounded."""
        return f"{space._boundary} access scopes" if space._boundary != 1 else "1 access scope"

    @admin.display(description="flows, bundles, scopes in it")
    def policy(self, space: Any) -> str:
        """Return how much lies in it."""
        return f"{space._flows}, {space._bundles}, {space._own_scopes}"

    @admin.display(description="members")
    def members_in(self, space: Any) -> int:
        """Return how many roles are held in it."""
        return int(space._members)


def form_page(request: HttpRequest, space: Space | None) -> HttpResponse:
    """Show a space with its form; save it through the action, or say in words why not."""
    form = SpaceForm(space, request.POST if request.method == "POST" else None)
    found: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        if space is not None and request.POST.get("_do") == "whatif":
            found["effect"] = effects.whole(_change(space, form))
        else:
            done = _try(request, form, space, found)
            if done is not None:
                return done
    wrong = request.method == "POST" and not form.is_valid()
    status = 409 if found.get("unsure") or found.get("need") or found.get("overtaken") else 422 if wrong else 200
    return _shown(request, space, form, found, status=status)


def _change(space: Space, form: SpaceForm) -> Change:
    told = form.cleaned_data
    content = {"id": str(space.pk), "name": told["name"], "scopes": ordered(map(compose_scope, told["scopes"]))}
    return of_space(space, content)


def _try(request: HttpRequest, form: SpaceForm, space: Space | None, found: dict[str, Any]) -> HttpResponse | None:
    """Save or propose the space; None where that was not possible, and why not is found."""
    told, actor = form.cleaned_data, actor_of(request)
    try:
        if space is not None and "_propose" in request.POST:
            return _propose(request, form, space)
        if space is not None and digest(compose_space(space)) == told["version"]:
            effects.look_first(request, _change(space, form))
        after = told["version"] if space else None
        saved = actions.define_space(told["name"], told["scopes"], actor=actor, space=space, after=after)
    except actions.Overtaken:
        found["overtaken"] = True
    except effects.Unsure as unsure:
        found.update(effect=unsure.effect, unsure=True)
    except actions.NeedsSecondAdmin as problem:
        found.update(need=problem)
    except actions.BadFlow as problem:
        _blame(form, problem)
    else:
        messages.success(request, f"{saved.name} is saved.")
        return HttpResponseRedirect(reverse("admin:flows_space_change", args=[saved.pk]))
    return None


def _blame(form: SpaceForm, problem: actions.BadFlow) -> None:
    for one in problem.findings:
        form.add_error(one.part if one.part in form.fields else None, one.text)


def _propose(request: HttpRequest, form: SpaceForm, space: Space) -> HttpResponse | None:
    """Keep the change for a second admin; None when it is refused, which the form then shows."""
    told = form.cleaned_data
    meant = {"name": told["name"], "scopes": [str(one.pk) for one in told["scopes"]]}
    wanted = actions.Wanted("define_space", PolicyKind.SPACE, told["name"], meant, space.pk, told["version"])
    return proposing.propose(request, wanted, lambda found: _blame(form, actions.BadFlow(list(found))))


def _shown(
    request: HttpRequest, space: Space | None, form: SpaceForm, found: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    told: dict[str, Any] = {"members": (), "inside": (), "joining": MemberForm()}
    if space is not None:
        may = {verb: request.user.has_perm(f"flows.{verb}_spacemember", SpaceMember(space=space)) for verb in _VERBS}
        members = space.members.select_related("user", "group").order_by("role", "id")[:NAMED]
        told |= {"members": list(members), "inside": _inside(space), "may_member": may}
        told["bounds"] = list(space.scopes.order_by("name"))
    title = space.name if space else "New space"
    return page(request, Space, "space.html", title, space=space, form=form, status=status, **(told | found))


_VERBS = ("add", "delete")


def _inside(space: Space) -> list[tuple[str, str, str]]:
    """Return what lies in a space: a noun, the name, the address; the first of each kind."""
    kinds = (
        ("access flow", "accessflow", space.flows),
        ("bundle", "bundle", space.bundles),
        ("access scope", "accessscope", space.own_scopes),
    )
    return [
        (noun, str(row), reverse(f"admin:flows_{kind}_change", args=[row.pk]))
        for noun, kind, rows in kinds
        for row in rows.order_by("name")[:NAMED]
    ]


def delete_page(request: HttpRequest, space: Space) -> HttpResponse:
    """Ask, then delete; refused while something lies in it, which is named."""
    need(request, "flows.delete_space")
    refused, name = "", space.name
    if request.method == "POST":
        try:
            actions.delete_space(space, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused = str(problem)
        else:
            messages.success(request, f"{name} is deleted.")
            return HttpResponseRedirect(reverse("admin:flows_space_changelist"))
    told = {"space": space, "refused": refused, "inside": _inside(space)}
    return page(request, Space, "space_delete.html", f"Delete {name}", status=409 if refused else 200, **told)
