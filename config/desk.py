"""The admin site: Django's, with an overview as its first page and the first steps.

Made when the admin site is first asked for, which is after all models are loaded.
"""

from __future__ import annotations

from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audit.actor import person
from audit.choices import Source
from config import first_steps, overview, role_table


class Desk(AdminSite):
    """Where policy is set up and operations are watched."""

    site_header = site_title = "Latchkey"
    index_title = "Overview"
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Put our own pages before the admin site's."""
        wrap = self.admin_view
        own: list[URLPattern | URLResolver] = [
            path("roles/", wrap(self.roles), name="roles"),
            path("first-steps/", wrap(self.first_steps), name="first_steps"),
            path("first-steps/resume/", wrap(require_POST(self.resume_steps)), name="resume_steps"),
            path("first-steps/<slug:step>/skip/", wrap(require_POST(self.skip_step)), name="skip_step"),
        ]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Show every page in the reader's time zone; a page that is made later is made here, inside of it."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def in_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            with timezone.override(_zone_of(request.user)):
                response = inner(request, *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

        return in_zone

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show how things stand, each part to who may see it."""
        told = {"title": self.index_title, **overview.read(request.user, timezone.now()), **(extra_context or {})}
        return self._page(request, "overview.html", told)

    def password_change(  # type: ignore[override]  # Django's returns a page, ours leads to one
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the person's own page: there is one way to change a password, and it is on record."""
        return HttpResponseRedirect(reverse("account_password"))

    def first_steps(self, request: HttpRequest) -> TemplateResponse:
        """Show the three steps to who can take them."""
        if not request.user.has_perm(first_steps.MAY):
            raise PermissionDenied
        told = {"title": "First steps", "first_steps": first_steps.look(timezone.now()), "may_skip": True}
        return self._page(request, "first_steps.html", told)

    def roles(self, request: HttpRequest) -> TemplateResponse:
        """Show what each role may do, and who holds which, to who may see people."""
        if not request.user.has_perm(role_table.MAY):
            raise PermissionDenied
        return self._page(request, "roles.html", {"title": "Roles", **role_table.read()})

    def skip_step(self, request: HttpRequest, step: str) -> HttpResponse:
        """Leave one step out."""
        try:
            first_steps.skip(step, actor=person(request.user, Source.ADMIN))
        except LookupError:
            raise Http404 from None
        messages.success(request, "Skipped. Take it up again here whenever you like.")
        return HttpResponseRedirect(reverse("admin:first_steps"))

    def resume_steps(self, request: HttpRequest) -> HttpResponse:
        """Take up what was skipped."""
        first_steps.resume(actor=person(request.user, Source.ADMIN))
        return HttpResponseRedirect(reverse("admin:first_steps"))

    def _page(self, request: HttpRequest, template: str, told: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(request, f"admin/latchkey/{template}", {**self.each_context(request), **told})


def _zone_of(user: Any) -> ZoneInfo:
    """Return the reader's time zone, or UTC."""
    try:
        return ZoneInfo(getattr(user, "time_zone", "") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
