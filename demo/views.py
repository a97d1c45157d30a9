"""Being somebody by pressing a button, and the guide. For this machine alone: to everybody else it is not there."""

from __future__ import annotations

from typing import cast

from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import User
from demo.folder import is_loopback
from demo.marking import marked
from demo.people import FACES

# Set by proxies: whoever comes through one is not necessarily at this machine.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_VIA")
HIDDEN = "demo_guide_hidden"


def at_this_machine(http: HttpRequest) -> bool:
    """Whether client and host name are this machine's own, with no proxy in between."""
    host = http.get_host()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    through_proxy = any(http.META.get(header) for header in FORWARDED)
    return is_loopback(str(http.META.get("REMOTE_ADDR", ""))) and is_loopback(name) and not through_proxy


@never_cache
@require_POST
def sign_in(http: HttpRequest) -> HttpResponse:
    """Be one of the people with a button. Raises Http404 for all others, and for clients elsewhere."""
    face = next((face for face in FACES if face.email == http.POST.get("email")), None)
    if face is None or not at_this_machine(http):
        raise Http404
    user = get_object_or_404(User, email=face.email, is_active=True)
    with marked():
        if http.user.is_authenticated:
            logout(http)
        login(http, user, backend="accounts.backends.PeopleBackend")
    back = _way_back(http)
    return redirect(face.lands if back == "/" else back)


@never_cache
@require_POST
def guide(http: HttpRequest) -> HttpResponse:
    """Hide the guide, or show it again."""
    if not http.user.is_authenticated:
        raise Http404
    cast(dict[str, bool], http.session)[HIDDEN] = http.POST.get("show") != "1"
    return redirect(_way_back(http))


def _way_back(http: HttpRequest) -> str:
    """Return the page of ours that was asked for, or the first."""
    back = http.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts={http.get_host()}, require_https=http.is_secure())
    return back if ours else "/"
