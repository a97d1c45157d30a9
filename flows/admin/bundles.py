"""Bundles: a list, a form of targets, an end that is refused while flows give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.actor import Actor
from flows import actions
from flows.admin import effects, history, proposing
from flows.admin.filters import SpaceFilter
from flows.admin.frame import InSpaces, actor_of, need, need_to_write, page, places_of
from flows.admin.reading import bundle_faults, count_targets
from flows.api.terraform import bundle_text
from flows.choices import PolicyKind
from flows.document import bundle_of, compose_bundle, digest, names_in
from flows.forms import BadRows, BundlePage, pressed
from flows.models import AccessFlow, Bundle
from flows.sentence import target_words
from flows.whatif import of_bundle

if TYPE_CHECKING:
    _BundleAdmin = admin.ModelAdmin[Bundle]
else:
    # Generic only for the type checker.
    _BundleAdmin = admin.ModelAdmin

USING_SHOWN = 50


@admin.register(Bundle)
class BundleAdmin(InSpaces, _BundleAdmin):
    """Named sets of targets. Every write goes through flows.actions."""

    list_display = ("named", "targets_in", "flows_using")
    list_display_links = None
    list_filter = (SpaceFilter,)
    list_select_related = ("space",)
    list_per_page = 50
    sortable_by = ("named",)
    search_fields = ("name", "description")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/flows/list.html"
    empty_words = "A bundle is a named set of targets that people ask for as one."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bundle]:
        """Count what is in them and what gives them."""
        found: QuerySet[Bundle] = super().get_queryset(request)
        inside, using = Count("targets", distinct=True), Count("used_by__flow", distinct=True)
        return found.annotate(_inside=inside, _using=using)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer nothing for many: the admin site's own way to delete would go past the action."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of versions."""
        view, own = self.admin_site.admin_view, "flows_bundle"
        return [
            path("<path:object_id>/code/", view(self.code_view), name=f"{own}_code"),
            path("<path:object_id>/compare/", view(self.compare_view), name=f"{own}_compare"),
            path("<path:object_id>/restore/<str:number>/", view(self.restore_view), name=f"{own}_restore"),
            *super().get_urls(),
        ]

    def code_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a bundle as Terraform text."""
        row = self._one(request, object_id)
        return page(request, Bundle, "terraform.html", f"{row.name} as code", row=row, text=bundle_text(row))

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what one version says otherwise than another."""
        return history.compare_page(request, history.of_a_bundle(self._one(request, object_id)))

    def restore_view(self, request: HttpRequest, object_id: str, number: str) -> HttpResponse:
        """Ask, then make an earlier version the next one."""
        return history.restore_page(request, history.of_a_bundle(self._one(request, object_id)), number)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Write a bundle."""
        return form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Edit a bundle, or look at it."""
        bundle = self._one(request, object_id)
        if self.has_change_permission(request, bundle):
            return form_page(request, bundle)
        if request.method == "POST":
            need(request, "flows.change_bundle", bundle)
        return show_page(request, bundle)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return delete_page(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the versions."""
        return history.versions_page(request, history.of_a_bundle(self._one(request, object_id)))

    def _one(self, request: HttpRequest, object_id: str) -> Bundle:
        """Return what the address names, to who may see it."""
        need(request, "flows.view_bundle")
        bundle: Bundle | None = self.get_object(request, object_id)
        if bundle is None:
            raise Http404
        return bundle

    @admin.display(description="bundle", ordering="name")
    def named(self, bundle: Bundle) -> SafeString:
        """Return the name, and below it what it is for."""
        address = reverse("admin:flows_bundle_change", args=[bundle.pk])
        told = " · ".join(filter(None, [f"space {bundle.space}" if bundle.space else "", bundle.description]))
        return format_html('<a href="{}">{}</a><p class="meta">{}</p>', address, bundle.name, told)

    @admin.display(description="targets")
    def targets_in(self, bundle: Any) -> int:
        """Return how many targets are in it."""
        return int(bundle._inside)

    @admin.display(description="access flows that give it")
    def flows_using(self, bundle: Any) -> int:
        """Return how many flows give it."""
        return int(bundle._using)


def form_page(request: HttpRequest, bundle: Bundle | None) -> HttpResponse:
    """Show the form of a bundle; save it through the action, or say in words why not."""
    need_to_write(request, "bundle", bundle)
    button = request.POST.get("_do", "")
    try:
        sent = pressed(request.POST, button) if request.method == "POST" else None
        form = BundlePage(bundle, sent, places=places_of(request, "bundle"))
    except BadRows as problem:
        return page(request, Bundle, "altered.html", "Nothing was saved", problem=problem, status=400)
    checked = request.method == "POST" and not button
    found: dict[str, Any] = {"overtaken": False, "effect": None, "unsure": False, "need": None}
    if button == "whatif" and form.is_valid():
        found["effect"] = effects.whole(of_bundle(bundle, _content(form, bundle)))
    elif checked and form.is_valid():
        done = _try(request, form, bundle, found)
        if done is not None:
            return done
    return _shown(request, bundle, form, checked, found)


def _content(form: BundlePage, bundle: Bundle | None) -> dict[str, Any]:
    """Return the bundle as it would be, composed as versions keep it."""
    return bundle_of(str(bundle.pk) if bundle else "", form.own.cleaned_data["name"], form.told())


def _try(request: HttpRequest, form: BundlePage, bundle: Bundle | None, found: dict[str, Any]) -> HttpResponse | None:
    """Save or propose the bundle; None where that was not possible, and why not is found."""
    try:
        if "_propose" in request.POST:
            return _propose(request, form, bundle)
        # Who has not read what is there now hears of that first.
        if bundle and digest(compose_bundle(bundle)) == form.own.cleaned_data["version"]:
            effects.look_first(request, of_bundle(bundle, _content(form, bundle)))
        saved = _save(form, bundle, actor_of(request))
    except actions.Overtaken:
        found["overtaken"] = True
    except effects.Unsure as unsure:
        found.update(effect=unsure.effect, unsure=True)
    except actions.NeedsSecondAdmin as problem:
        found.update(need=problem, effect=effects.whole(of_bundle(bundle, _content(form, bundle))))
    else:
        if saved is not None:
            messages.success(request, _saved(saved))
            return HttpResponseRedirect(reverse("admin:flows_bundle_change", args=[saved.pk]))
    return None


def _propose(request: HttpRequest, form: BundlePage, bundle: Bundle | None) -> HttpResponse | None:
    """Keep the change for a second admin; None when it is refused, which the form then shows."""
    own = form.own.cleaned_data
    told = {"name": own["name"], "targets": form.told(), "description": own["description"], "space": own.get("space")}
    subject, after = (bundle.pk, own["version"]) if bundle else (None, "")
    wanted = actions.Wanted("define_bundle", PolicyKind.BUNDLE, own["name"], told, subject, after)
    return proposing.propose(request, wanted, form.add_findings)


def _save(form: BundlePage, bundle: Bundle | None, actor: Actor) -> Bundle | None:
    """Define the bundle; None when it is refused, which the form then shows. Raises Overtaken."""
    own = form.own.cleaned_data
    try:
        return actions.define_bundle(
            own["name"],
            form.told(),
            description=own["description"],
            actor=actor,
            bundle=bundle,
            after=own["version"] if bundle else None,
            space=own.get("space"),
        )
    except actions.BadFlow as problem:
        form.add_findings(problem.findings)
    except IntegrityError:
        form.own.add_error("name", "Another bundle took this name meanwhile. Choose a different one.")
    return None


def _saved(bundle: Bundle) -> str:
    number = AccessFlow.objects.filter(targets__bundle=bundle).distinct().count()
    told = f" {number} access flow{' gives' if number == 1 else 's give'} it as it is now." if number else ""
    return f"{bundle.name} is saved.{told}"


def _shown(
    request: HttpRequest, bundle: Bundle | None, form: BundlePage, checked: bool, found: dict[str, Any]
) -> HttpResponse:
    overtaken = found.pop("overtaken")
    data = form.own.data if form.own.is_bound else None
    count_targets(form.targets, compose_bundle(bundle)["targets"] if bundle and data is None else None)
    wrong = bundle_faults(form) if checked else []
    if not checked:
        form.quiet()
    content = compose_bundle(bundle) if bundle and overtaken else None
    names = names_in([content]) if content else {}
    return page(
        request,
        Bundle,
        "bundle.html",
        bundle.name if bundle else "New bundle",
        bundle=bundle,
        form=form,
        faults=wrong,
        read_version=form.version if checked or data is None else data.get("version", ""),
        meanwhile=[target_words(one, names) for one in content["targets"]] if content else [],
        using=_using(bundle),
        status=409 if overtaken or found["unsure"] or found["need"] else 200,
        **found,
    )


def _using(bundle: Bundle | None) -> list[AccessFlow]:
    """Return the flows that give the bundle; there may be many, so only the first."""
    if bundle is None:
        return []
    return list(AccessFlow.objects.filter(targets__bundle=bundle).distinct().order_by("name")[:USING_SHOWN])


def show_page(request: HttpRequest, bundle: Bundle) -> HttpResponse:
    """Show a bundle to who may not change it."""
    content = compose_bundle(bundle)
    names = names_in([content])
    targets = [target_words(one, names) for one in content["targets"]]
    return page(request, Bundle, "bundle_shown.html", bundle.name, bundle=bundle, targets=targets, using=_using(bundle))


def delete_page(request: HttpRequest, bundle: Bundle) -> HttpResponse:
    """Ask, then delete; refused while flows give the bundle, which are named."""
    need(request, "flows.delete_bundle", bundle)
    refused, using = "", _using(bundle)
    if request.method == "POST":
        name = bundle.name
        try:
            actions.delete_bundle(bundle, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused, using = str(problem), problem.flows[:USING_SHOWN]
        else:
            messages.success(request, f"{name} is deleted.")
            return HttpResponseRedirect(reverse("admin:flows_bundle_changelist"))
    title = f"Delete {bundle.name}"
    status = 409 if refused else 200
    return page(
        request, Bundle, "bundle_delete.html", title, bundle=bundle, refused=refused, using=using, status=status
    )
