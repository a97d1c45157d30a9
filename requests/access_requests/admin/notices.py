"""Which webhooks are told of overdue access: added and removed, every write through the actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from access_requests.actions.notices import MAY, tell_webhook, tell_webhook_no_more
from access_requests.models import OverdueWebhook
from audit.actor import person
from audit.choices import Source

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[OverdueWebhook]
else:
    # Generic only for the type checker.
    _Admin = admin.ModelAdmin


@admin.register(OverdueWebhook)
class OverdueWebhookAdmin(_Admin):
    """Mark a webhook: tell it of overdue access."""

    list_display = ("webhook", "created_at")
    fields = ("webhook",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may change webhooks marks them."""
        return request.user.has_perm(MAY)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is nothing to change: it is marked, or not."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change webhooks unmarks them."""
        return request.user.has_perm(MAY)

    def save_model(self, request: Any, obj: OverdueWebhook, form: Any, change: bool) -> None:
        """Mark it, by the action."""
        obj.pk = tell_webhook(obj.webhook, actor=person(request.user, Source.ADMIN)).pk

    def delete_model(self, request: Any, obj: OverdueWebhook) -> None:
        """Unmark it, by the action."""
        tell_webhook_no_more(obj.webhook, actor=person(request.user, Source.ADMIN))
