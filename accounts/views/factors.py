"""Pages of one's second factors: what there is, adding, removing, proving.

allauth's rows, checks and script are used; its views are not: they take a password for a fresh sign-in, which people
who come by link or provider have not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import actions, factors
from accounts.models import User
from accounts.proving import asking, credential_of, proven, providers_of, remember, steps_of, try_factor
from audit.actor import Actor, person
from audit.choices import Source

View = Callable[..., HttpResponse]
_limited: Callable[[View], View] = rate_limit(action="second_factor")


def _page(*methods: str) -> Callable[[View], View]:
    """Decorate a view: these methods only, signed in only, kept by no cache."""

    def decorate(view: View) -> View:
        return never_cache(require_http_methods(list(methods))(login_required(view)))

    return decorate


def _me(http: HttpRequest) -> User:
    return cast(User, http.user)


def _actor(http: HttpRequest) -> Actor:
    return person(_me(http), Source.PORTAL)


def _confirmed(http: HttpRequest) -> Any:
    return proven(http, timezone.now())


def _changing(view: View) -> View:
    """Let only those change their factors who signed in a short time ago and confirmed with one they have."""

    @wraps(view)
    def guarded(http: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        after = http.path if http.method in {"GET", "HEAD"} else reverse("second_factor")
        if not factors.is_fresh(http, _me(http)):
            return redirect(f"{reverse('fresh_sign_in')}?{urlencode({'next': after})}")
        if factors.has_factor(_me(http)) and _confirmed(http) is None:
            return redirect(f"{reverse('factor_prove')}?{urlencode({'next': after})}")
        return view(http, *args, **kwargs)

    return guarded


@_page("GET", "HEAD")
def second_factor(http: HttpRequest) -> HttpResponse:
    """Show one's second factors, and how to add others."""
    found = factors.factors_of(_me(http))
    context = {
        "factors": [one for one in found if one.kind in factors.REAL],
        "codes": next((one for one in found if one.kind not in factors.REAL), None),
        "has_app": any(one.kind == factors.Kind.TOTP for one in found),
    }
    return render(http, "account/second_factor.html", context)


@_page("GET", "HEAD")
def fresh_sign_in(http: HttpRequest) -> HttpResponse:
    """Say that a fresh sign-in is needed, and the ways to it."""
    context = {
        "next": get_next_redirect_url(http) or reverse("second_factor"),
        "providers": providers_of(_me(http)),
        "password": settings.PASSWORD_SIGN_IN and _me(http).has_usable_password(),
    }
    return render(http, "account/fresh_sign_in.html", context)


@sensitive_post_parameters()
@sensitive_variables("secret")
@_page("GET", "HEAD", "POST")
@_limited
@_changing
def factor_app(http: HttpRequest) -> HttpResponse:
    """Add an authenticator app: a picture to scan, and the code it shows then."""
    user, problem = _me(http), ""
    secret = factors.begin_app(http.session, anew=http.method != "POST")
    if http.method == "POST":
        try:
            codes = actions.add_app(
                user, secret, http.POST.get("code", ""), actor=_actor(http), confirmed_at=_confirmed(http)
            )
        except actions.Refused as refused:
            problem = str(refused)
        else:
            factors.forget_app(http.session)
            return _added(http, codes, "Your authenticator app is added.")
    context = {"picture": factors.picture_of(user, secret), "secret": secret, "problem": problem}
    return render(http, "account/factor_app.html", context, status=422 if problem else 200)


@_page("GET", "HEAD", "POST")
@_limited
@_changing
def factor_key(http: HttpRequest) -> HttpResponse:
    """Add a security key: the browser asks it, and sends what it said."""
    user, problem = _me(http), ""
    if http.method == "POST":
        try:
            codes = actions.add_key(
                user,
                http.POST.get("name", ""),
                credential_of(http),
                actor=_actor(http),
                confirmed_at=_confirmed(http),
            )
        except actions.Refused as refused:
            problem = str(refused)
        else:
            return _added(http, codes, "Your security key is added.")
    context = {
        "options": factors.key_to_add(user),
        "name": http.POST.get("name", ""),
        "problem": problem,
        "keys_work": factors.keys_work_at(http.get_host()),
    }
    return render(http, "account/factor_key.html", context, status=422 if problem else 200)


@_page("GET", "HEAD", "POST")
@_changing
def factor_remove(http: HttpRequest, factor: int) -> HttpResponse:
    """Remove one's app or key, after asking."""
    user = _me(http)
    found = next((one for one in factors.factors_of(user) if one.id == factor and one.kind in factors.REAL), None)
    if found is None:
        raise Http404
    if http.method == "POST":
        try:
            actions.remove_factor(user, factor, actor=_actor(http), confirmed_at=_confirmed(http))
            messages.success(http, f"{found.name} is removed.")
        except actions.Refused as refused:
            messages.error(http, str(refused))
        return redirect("second_factor")
    return render(http, "account/factor_remove.html", {"factor": found})


@_page("POST")
@_changing
def factor_codes(http: HttpRequest) -> HttpResponse:
    """Make new recovery codes, shown in this answer only."""
    try:
        codes = actions.renew_codes(_me(http), actor=_actor(http), confirmed_at=_confirmed(http))
    except actions.Refused as refused:
        messages.error(http, str(refused))
        return redirect("second_factor")
    return render(http, "account/factor_codes.html", {"codes": codes})


@sensitive_post_parameters()
@_page("GET", "HEAD", "POST")
@_limited
def factor_prove(http: HttpRequest) -> HttpResponse:
    """Prove a factor that one has, and go on to where that was asked for."""
    after = get_next_redirect_url(http) or reverse("second_factor")
    if not factors.has_factor(_me(http)) and not steps_of(_me(http)):
        return redirect("second_factor")
    problem = try_factor(http) if http.method == "POST" else ""
    if http.method == "POST" and not problem:
        return redirect(after)
    context = {**asking(http), "next": after, "problem": problem}
    return render(http, "account/factor_prove.html", context, status=422 if problem else 200)


def _added(http: HttpRequest, codes: list[str], said: str) -> HttpResponse:
    """Go on after a factor was added: it was in the person's hand a moment ago, so it counts as proven."""
    remember(http, timezone.now())
    if codes:
        return render(http, "account/factor_codes.html", {"codes": codes, "said": said})
    messages.success(http, said)
    return redirect("second_factor")
