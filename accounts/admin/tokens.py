"""All tokens of the API: who holds which, and when it was last used; new ones for services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import actions
from accounts.forms import ServiceTokenForm
from accounts.models import ApiToken
from audit.actor import person
from audit.choices import Source

if TYPE_CHECKING:
    _AnyAdmin = admin.ModelAdmin[Any]
else:
    _AnyAdmin = admin.ModelAdmin


class TokenAdmin(_AnyAdmin):
    """Tokens: to be read by who may see people, revoked by admins. Their text is nowhere."""

    list_display = ("name", "owner", "kind", "shown_scopes", "last_used_at", "expires_at", "state")
    list_display_links = ("name",)
    list_filter = ("kind", "owner__is_service")
    search_fields = ("name", "owner__email", "owner__name", "=tail")
    search_help_text = "A part of its name or its owner’s, or its last four letters."
    list_select_related = ("owner", "grant")
    show_full_result_count = False
    list_per_page = 50
    change_form_template = "admin/latchkey/read_only.html"
    actions = ("revoke",)
    fields = (
        *("name", "owner", "kind", "masked", "shown_scopes", "created_by", "created_at", "expires_at"),
        *("last_used_at", "state"),
    )
    readonly_fields = fields

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """A token is not changed by others than its owner."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """It is revoked, not deleted: the trail speaks of it."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whether the person may revoke anybody's; the admin site asks before it offers the action."""
        return request.user.has_perm("accounts.delete_apitoken")

    @admin.display(description="scopes")
    def shown_scopes(self, token: ApiToken) -> str:
        """Return the scopes as programs name them."""
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def state(self, token: ApiToken) -> str:
        """Say whether it is good for anything."""
        if token.revoked_at is not None or (token.grant is not None and token.grant.revoked_at is not None):
            return "revoked"
        if token.expires_at <= timezone.now():
            return "expired"
        same = token.owner.is_active and token.owner.session_round == token.session_round
        return "good" if same else "dead with its owner’s sessions"

    @admin.action(description="Revoke the chosen tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke all of them."""
        actor = person(request.user, Source.ADMIN)
        done = sum(actions.revoke_token(token, actor=actor) for token in queryset.select_related("owner", "grant"))
        messages.success(request, f"Revoked: {done}. Whatever used them gets nothing any more.")

    @sensitive_variables("text")
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Make a token for a service, a new one or one there is, and show its text this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, context = ServiceTokenForm(request.POST or None), self.admin_site.each_context(request)
        context |= {"form": form, "opts": self.opts, "title": "A token for a service"}
        if request.method == "POST" and form.is_valid():
            try:
                token, text = form.make(person(request.user, Source.ADMIN))
            except actions.Refused as refused:
                form.add_error(None, str(refused))
            else:
                return self._page(request, "admin/accounts/token_made.html", context | {"token": token, "text": text})
        return self._page(request, "admin/accounts/token_add.html", context, 422 if form.errors else 200)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        request.current_app = self.admin_site.name
        response = render(request, template, context, status=status)
        response["Cache-Control"] = "no-store"
        return response
