"""Webhooks: a list, a form that can try them, versions, an end that is refused while flows name them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows import actions, slots
from flows.admin.frame import actor_of, need, page
from flows.admin.reading import Fault
from flows.choices import PolicyKind
from flows.document import compose_webhook
from flows.findings import Finding
from flows.forms import BadRows, WebhookPage, pressed
from flows.models import Revision, Webhook
from flows.queries import webhook_uses
from integrations import actions as integrations

if TYPE_CHECKING:
    _WebhookAdmin = admin.ModelAdmin[Webhook]
else:
    # Generic only for the type checker.
    _WebhookAdmin = admin.ModelAdmin

VERSIONS_A_PAGE, USING_SHOWN = 20, 50
# Secrets that were typed are held so long in the session, encrypted, while the form is being put right or tried.
HELD, HELD_SECONDS = "webhook_secrets", 1800


class _WebhookList(ChangeList):
    """A page of webhooks, which counts the flows that ask all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Add `uses` to each webhook of the page."""
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        uses = webhook_uses()
        for row in rows:
            row.uses = uses.get(str(row.pk), 0)
        self.result_list = rows


@admin.register(Webhook)
class WebhookAdmin(_WebhookAdmin):
    """Other systems that are asked. Every write goes through flows.actions."""

    list_display = ("named", "place", "flows_asking")
    list_display_links = None
    list_per_page = 50
    sortable_by = ("named",)
    search_fields = ("name", "description", "url")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/flows/list.html"
    empty_words = "A webhook asks another system: as an approver of a flow, or as a check before anybody is asked."

    def get_changelist(self, request: HttpRequest, **told: Any) -> type[Any]:
        """Return the list that counts who asks."""
        return _WebhookList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer nothing for many: the admin site's own way to delete would go past the action."""
        return {}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Write a webhook."""
        return form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Edit a webhook, or look at it."""
        webhook = self._one(request, object_id)
        if self.has_change_permission(request, webhook):
            return form_page(request, webhook)
        if request.method == "POST":
            need(request, "flows.change_webhook")
        return show_page(request, webhook)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then delete."""
        return delete_page(request, self._one(request, object_id))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show its versions."""
        return versions_page(request, self._one(request, object_id))

    def _one(self, request: HttpRequest, object_id: str) -> Webhook:
        """Return what the address names, to who may see it."""
        need(request, "flows.view_webhook")
        webhook = self.get_object(request, object_id)
        if webhook is None:
            raise Http404
        return webhook

    @admin.display(description="webhook", ordering="name")
    def named(self, webhook: Webhook) -> SafeString:
        """Return the name, and below it what it is for."""
        address = reverse("admin:flows_webhook_change", args=[webhook.pk])
        return format_html('<a href="{}">{}</a><p class="meta">{}</p>', address, webhook.name, webhook.description)

    @admin.display(description="address")
    def place(self, webhook: Webhook) -> str:
        """Return the host; the rest of an address may hold a secret."""
        return urlsplit(webhook.url).hostname or ""

    @admin.display(description="access flows that ask it")
    def flows_asking(self, webhook: Any) -> int:
        """Return how many flows name it."""
        return int(webhook.uses)


def form_page(request: HttpRequest, webhook: Webhook | None) -> HttpResponse:
    """Show the form of a webhook; save it or try it through the actions, or say in words why not."""
    need(request, "flows.change_webhook" if webhook else "flows.add_webhook")
    button = request.POST.get("_do", "")
    sent = request.method == "POST"
    try:
        form = WebhookPage(
            webhook, pressed(request.POST, button) if sent else None, _held(request, webhook) if sent else None
        )
    except BadRows as problem:
        return page(request, Webhook, "altered.html", "Nothing was saved", problem=problem, status=400)
    checked = sent and button in {"", "try"}
    trial, overtaken = None, False
    if checked and form.is_valid() and not _named_twice(form):
        try:
            if button == "try":
                trial = _tried(request, webhook, form)
            elif (saved := _saved(request, webhook, form)) is not None:
                return HttpResponseRedirect(reverse("admin:flows_webhook_change", args=[saved.pk]))
        except actions.Overtaken:
            overtaken = True
    if sent:
        _hold(request, webhook, form)
    return _shown(request, webhook, form, checked=checked, overtaken=overtaken, trial=trial)


def _named_twice(form: WebhookPage) -> bool:
    twice = form.twice()
    form.add_findings(Finding("headers", f"The header {name} is there more than once.") for name in twice)
    return bool(twice)


def _saved(request: HttpRequest, webhook: Webhook | None, form: WebhookPage) -> Webhook | None:
    """Define the webhook; None when it is refused, which the form then shows. Raises Overtaken."""
    after = form.own.cleaned_data["version"] if webhook else None
    try:
        saved = actions.define_webhook(
            form.columns(), secrets=form.secrets(), actor=actor_of(request), webhook=webhook, after=after
        )
    except actions.BadFlow as problem:
        form.add_findings(problem.findings)
        return None
    except IntegrityError:
        form.own.add_error("name", "Another webhook took this name meanwhile. Choose a different one.")
        return None
    _let_go(request, webhook)
    number = len(actions.flows_naming(saved))
    told = f" {number} access flow{' asks' if number == 1 else 's ask'} it as it is now." if number else ""
    messages.success(request, f"{saved.name} is saved.{told}")
    return saved


def _tried(request: HttpRequest, webhook: Webhook | None, form: WebhookPage) -> actions.Answer | None:
    """Ask it as it is written, with sample values; None when it could not be saved like this, which is then shown."""
    try:
        return actions.try_webhook(form.columns(), secrets=form.secrets(), actor=actor_of(request), webhook=webhook)
    except actions.BadFlow as problem:
        form.add_findings(problem.findings)
        return None


def _key(webhook: Webhook | None) -> str:
    return str(webhook.pk) if webhook else "new"


def _held(request: HttpRequest, webhook: Webhook | None) -> dict[str, str]:
    """Return the secrets that were typed on this page before."""
    draft = request.session.get(HELD, {})
    if draft.get("of") != _key(webhook) or time.time() - draft.get("at", 0) > HELD_SECONDS:
        return {}
    return integrations.open_draft(draft)


def _hold(request: HttpRequest, webhook: Webhook | None, form: WebhookPage) -> None:
    """Keep what was typed, encrypted, so that nobody types it twice and no page ever shows it."""
    if form.typed():
        form.held |= form.typed()
        request.session[HELD] = {**integrations.keep_draft(form.held), "of": _key(webhook), "at": time.time()}
        for row in form.hidden:
            row.held = frozenset(form.held)


def _let_go(request: HttpRequest, webhook: Webhook | None) -> None:
    if request.session.get(HELD, {}).get("of") == _key(webhook):
        del request.session[HELD]


def _shown(
    request: HttpRequest,
    webhook: Webhook | None,
    form: WebhookPage,
    *,
    checked: bool,
    overtaken: bool,
    trial: actions.Answer | None,
) -> HttpResponse:
    wrong = faults(form) if checked else []
    if not checked:
        form.quiet()
    return page(
        request,
        Webhook,
        "webhook.html",
        webhook.name if webhook else "New webhook",
        webhook=webhook,
        form=form,
        faults=wrong,
        read_version=form.version if overtaken or not form.own.is_bound else form.own.data.get("version", ""),
        overtaken=overtaken,
        trial=trial,
        trial_sent=json.dumps(trial.sent, indent=2, ensure_ascii=False) if trial else "",
        slots=[(name, what) for name, (what, _) in slots.VOCABULARY.items()],
        using=actions.flows_naming(webhook)[:USING_SHOWN] if webhook else [],
        status=409 if overtaken else 200,
    )


def faults(form: WebhookPage) -> list[Fault]:
    """Return all errors of the page, in its order."""
    found = [
        Fault(form.own[name].id_for_label, f"{form.own[name].label}: {text}")
        for name, texts in form.own.errors.items()
        if name != "__all__"
        for text in texts
    ]
    lists = ((form.headers, "Header"), (form.hidden, "Secret header"), (form.validators, "Condition"))
    for rows, where in lists:
        for row in rows:
            for name, texts in row.errors.items():
                found += [Fault(row[name].auto_id, f"{where} {row.number}: {text}") for text in texts]
    anchors = {"secrets": "headers"}
    return found + [Fault(anchors.get(one.part, one.part) or "top", one.text) for one in form.findings]


def show_page(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """Show a webhook to who may not change it."""
    content = compose_webhook(webhook)
    code = json.dumps(webhook.body, indent=2, ensure_ascii=False)
    return page(
        request,
        Webhook,
        "webhook_shown.html",
        webhook.name,
        webhook=webhook,
        content=content,
        code=code,
        using=actions.flows_naming(webhook)[:USING_SHOWN],
    )


def versions_page(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """Show every version of a webhook: who saved it, what it changed, how it was."""
    versions = Revision.objects.filter(kind=PolicyKind.WEBHOOK, subject=webhook.pk).select_related("created_by")
    chosen = Paginator(versions.order_by("-number"), VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(chosen)
    # One more, for the oldest on the page to be compared with.
    more = versions.filter(number=shown[-1].number - 1) if shown else []
    by_number = {one.number: one.document for one in [*shown, *more]}
    rows = [(one, changed(by_number.get(one.number - 1), one.document), as_code(one.document)) for one in shown]
    title = f"Versions of {webhook.name}"
    return page(request, Webhook, "webhook_versions.html", title, webhook=webhook, rows=rows, chosen=chosen)


def as_code(document: dict[str, Any]) -> str:
    """Return a version's document as text, its body as the JSON that it is."""
    return json.dumps(document | {"body": json.loads(document["body"])}, indent=2, ensure_ascii=False)


def changed(before: dict[str, Any] | None, after: dict[str, Any]) -> list[str]:
    """Return what a version says otherwise than the one before, a line each."""
    if before is None:
        return []
    words = {
        "url": "address",
        "hidden": "secrets",
        "validators": "conditions on the answer",
        "oauth": "OAuth",
        "timeout_seconds": "seconds to wait",
    }
    before, after = ({"active": True} | one for one in (before, after))
    names = [name for name in after if name != "id" and before.get(name) != after[name]]
    told = [_difference(words.get(name, name.replace("_", " ")), before.get(name), after[name]) for name in names]
    return told or ["A secret was typed anew."]


def _difference(word: str, before: Any, after: Any) -> str:
    plain = isinstance(before, str | int) and isinstance(after, str | int) and word != "body"
    now, then = (f"“{one}”" if one != "" else "nothing" for one in (after, before))
    said = f": {now} instead of {then}" if plain else " changed"
    return f"{word[:1].upper()}{word[1:]}{said}."


def delete_page(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    """Ask, then delete; refused while flows name the webhook, which are named, or requests have asked it."""
    need(request, "flows.delete_webhook")
    refused, using = "", actions.flows_naming(webhook)[:USING_SHOWN]
    if request.method == "POST":
        name = webhook.name
        try:
            actions.delete_webhook(webhook, actor=actor_of(request))
        except actions.StillNeeded as problem:
            refused, using = str(problem), problem.flows[:USING_SHOWN]
        else:
            messages.success(request, f"{name} is deleted.")
            return HttpResponseRedirect(reverse("admin:flows_webhook_changelist"))
    title = f"Delete {webhook.name}"
    status = 409 if refused else 200
    return page(
        request, Webhook, "webhook_delete.html", title, webhook=webhook, refused=refused, using=using, status=status
    )
