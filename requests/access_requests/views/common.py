"""What every page shares: who asks, and what they may see."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from access_requests.forms import PageForm
from access_requests.models import AccessRequest
from access_requests.queries import in_full, visible_to
from accounts.models import User
from audit.actor import Actor, person
from audit.choices import Source

View = Callable[..., HttpResponse]


def page(*methods: str) -> Callable[[View], View]:
    """Decorate a view: these methods only, signed in only, and no cache keeps the answer (Cache-Control: no-store)."""

    def decorate(view: View) -> View:
        return never_cache(require_http_methods(list(methods))(_signed_in(view)))

    return decorate


def _signed_in(view: View) -> View:
    """Send who is not signed in to the door, and from there to a page that can be opened: a POST cannot be repeated."""

    @wraps(view)
    def guarded(http: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if http.user.is_authenticated:
            return view(http, *args, **kwargs)
        if http.method in {"GET", "HEAD"}:
            return redirect_to_login(http.get_full_path())
        after = reverse("request_page", args=[kwargs["pk"]]) if "pk" in kwargs else reverse("my_access")
        return redirect_to_login(after)

    return guarded


def me(http: HttpRequest) -> User:
    """Return who is signed in."""
    return cast(User, http.user)


def actor_of(http: HttpRequest) -> Actor:
    """Return who is signed in, as actions and audit take them."""
    return person(me(http), Source.PORTAL)


def find(http: HttpRequest, pk: int) -> AccessRequest:
    """Return a request. Raises Http404 alike for one that does not exist and one that is not theirs to see."""
    found = visible_to(me(http)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def find_in_full(http: HttpRequest, pk: int) -> AccessRequest:
    """Return a request with all that its page shows. Raises Http404 as `find` does."""
    found = in_full(visible_to(me(http))).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def page_number(http: HttpRequest, name: str = "page") -> int:
    """Return which page of a list is asked for; the first when it makes no sense."""
    form = PageForm(http.GET)
    return (form.cleaned_data[name] or 1) if form.is_valid() else 1
