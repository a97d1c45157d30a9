"""Signing in at an identity provider, and out of it again.

The sign-in page sends a form (a link could be followed without meaning to), and the answer is a page that goes on to
the provider by itself. It is no redirect because browsers hold redirects after a form to the policy's `form-action`,
every hop of them, and where a provider sends people on to is not ours to know. The policy stays 'self'.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LogoutView
from allauth.decorators import rate_limit
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from accounts import actions, factors, oidc, proving, sessions
from accounts.choices import SignInRefusal
from accounts.claims import Told
from accounts.descriptions import description_of, keys_of
from accounts.id_tokens import OLDEST, Demand, Logout, check_logout, signed
from accounts.models import User
from accounts.trail import address_of
from accounts.views.refusals import WORDS
from audit.actor import person
from audit.choices import Source

_BACKEND = "accounts.backends.PeopleBackend"
_log = logging.getLogger(__name__)
_sign_out = LogoutView.as_view()


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here and, where the provider offers that, there."""
    elsewhere, provider = oidc.way_out(request) if request.method == "POST" else ("", None)
    response: HttpResponse = _sign_out(request)
    if not elsewhere:
        return response
    return _go_on(request, elsewhere, provider, "You are signed out of Latchkey")


@require_POST
@never_cache
@rate_limit(action="single_sign_on")  # type: ignore[untyped-decorator]  # allauth ships no types
def oidc_start(request: HttpRequest) -> HttpResponse:
    """Go to a provider. Of the request only its id, the way back, if it is ours, and what is to be proven count."""
    provider = _provider(request.POST.get("provider", oidc.MAIN))
    demand = _demand(request, provider)
    try:
        address = oidc.begin(
            request, provider, get_next_redirect_url(request), anew=bool(request.POST.get("anew")), demand=demand
        )
    except oidc.Failed as failure:
        return _refuse(request, provider, failure.refusal, failure.next)
    return _go_on(request, address, provider, f"Going to {provider.name}")


def _demand(request: HttpRequest, provider: Any) -> Demand:
    """Return what the answer has to prove: a sign-in of now, or a second factor of whoever is signed in here."""
    now, user = time.time(), request.user
    if request.POST.get("step_up") and isinstance(user, User) and provider.step_up_acr:
        return Demand(now, provider.step_up_acr, str(user.pk))
    return Demand(now) if request.POST.get("fresh") else Demand()


@sensitive_variables()
@require_GET
@never_cache
def oidc_callback(request: HttpRequest, provider: str = oidc.MAIN) -> HttpResponse:
    """Take in who comes back from a provider. Each has an address of its own, so that none answers for another."""
    asked = _provider(provider)
    try:
        arrival = oidc.finish(request, asked)
    except oidc.Failed as failure:
        actions.record_refused_sign_in(failure.refusal, address=address_of(request))
        return _refuse(request, asked, failure.refusal, failure.next)
    if arrival.told.groups_trouble:
        _log.warning("Sign-in by OIDC: %s", arrival.told.groups_trouble)
    return _step_up(request, asked, arrival) if arrival.demand.user else _enter(request, asked, arrival)


def _enter(request: HttpRequest, provider: Any, arrival: oidc.Arrival) -> HttpResponse:
    """Sign in who came."""
    address, told = address_of(request), arrival.told
    try:
        user = actions.sign_in_with(told, create=provider.create_people, address=address)
    except actions.SignInRefused as refused:
        return _refuse(request, provider, refused.refusal, arrival.next, told)
    login(request, user, backend=_BACKEND)
    actions.name_provider(sessions.id_of(request), issuer=told.issuer, sid=arrival.sid)
    factors.note_sign_in(request, user, "oidc", arrival.signed_in_at)
    if arrival.farewell:
        request.session[oidc.SESSION_KEY] = arrival.farewell
    return redirect(arrival.next or settings.LOGIN_REDIRECT_URL)


def _step_up(request: HttpRequest, provider: Any, arrival: oidc.Arrival) -> HttpResponse:
    """Take a second factor as proven that the provider asked for, of who is signed in here and of nobody else."""
    user, told, now = request.user, arrival.told, timezone.now()
    if not isinstance(user, User) or str(user.pk) != arrival.demand.user:
        return _refuse(request, provider, SignInRefusal.STALE, arrival.next)
    actor = person(user, Source.PORTAL)
    try:
        actions.prove_by_provider(user, issuer=told.issuer, subject=told.subject, acr=arrival.acr, actor=actor, at=now)
    except actions.FactorRefused:
        return _refuse(request, provider, SignInRefusal.ANOTHER, arrival.next)
    factors.note_sign_in(request, user, "oidc", arrival.signed_in_at)
    proving.remember(request, now)
    messages.success(request, f"{provider.name} confirmed that it is you. It counts for an hour.")
    return redirect(arrival.next or settings.LOGIN_REDIRECT_URL)


@sensitive_post_parameters()
@csrf_exempt
@require_POST
@never_cache
@rate_limit(action="back_channel")  # type: ignore[untyped-decorator]  # allauth ships no types
def back_channel(request: HttpRequest, provider: str = oidc.MAIN) -> HttpResponse:
    """End the sessions that a provider's logout token names (OpenID Connect Back-Channel Logout 1.0).

    No browser comes here, so there is neither cookie nor form token: the signature is what counts.
    """
    asked = _provider(provider)
    try:
        said, _ = signed(request.POST.get("logout_token"), lambda anew: keys_of(asked, anew))
        issuer = description_of(asked)["issuer"]
        told = check_logout(said, issuer=issuer, client_id=asked.client_id, at=time.time())
        _once(asked, told)
        actions.end_sessions_told(asked.issuer.rstrip("/"), subject=told.subject, sid=told.sid)
    except (OAuth2Error, RequestException) as error:
        _log.warning("A logout token of %s was refused: %s.", asked.name, type(error).__name__)
        words = "The logout token is not taken. The log of Latchkey says more."
        return JsonResponse({"error": "invalid_request", "error_description": words}, status=400)
    cache.set(_name_of(asked, told), True, OLDEST * 2)
    return HttpResponse(status=204)


def _once(provider: Any, told: Logout) -> None:
    """Refuse a token that was used. It is marked only afterwards: a provider that hears no answer sends it again."""
    if cache.get(_name_of(provider, told)):
        raise OAuth2Error("It was used already.")


def _name_of(provider: Any, told: Logout) -> str:
    return f"oidc:logout:{hashlib.sha256(f'{provider.issuer} {told.jti}'.encode()).hexdigest()}"


def _refuse(
    request: HttpRequest, provider: Any, refusal: SignInRefusal, way_back: str, told: Told | None = None
) -> HttpResponse:
    """Say why a sign-in came to nothing and what to do."""
    words, names = WORDS[refusal], {"provider": provider.name, "email": told.email if told else ""}
    title = words.title.format(**names)
    context = {
        "title": title[:1].upper() + title[1:],
        "text": words.text.format(**names),
        "anew": words.anew,
        "next": way_back,
        "oidc": provider,
        "password_sign_in": settings.PASSWORD_SIGN_IN,
    }
    return render(request, "account/refused.html", context, status=words.status)


def _go_on(request: HttpRequest, address: str, provider: Any, title: str) -> HttpResponse:
    """Return a page that goes on to the provider."""
    response = render(request, "account/going.html", {"address": address, "title": title, "oidc": provider})
    response["Cache-Control"] = "no-store"
    return response


def _provider(name: str) -> Any:
    """Return the provider with this id; there is no such door without. Raises Http404."""
    found = oidc.provider_of(name)
    if found is None:
        raise Http404
    return found
