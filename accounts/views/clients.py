"""Signing in command-line clients: the page that asks a person, and the address that gives tokens (RFC 6749, 8252)."""

from __future__ import annotations

import base64
import binascii
from typing import Any, cast
from urllib.parse import unquote_plus, urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import Throttled

from accounts import actions, tokens
from accounts.actions import clients
from accounts.choices import END_USER_SCOPES, TokenKind
from accounts.models import User
from accounts.rest.limits import count_bad
from audit.actor import person
from audit.choices import Source

_NAMES = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
_STATE_MAX = 1000


class _BackRedirect(HttpResponseRedirect):
    """To the program that began; its address was held to be the person's own computer."""

    allowed_schemes = ["http"]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def authorize(http: HttpRequest) -> HttpResponse:
    """Ask the signed-in person whether a client may act for them, and take the answer back to it."""
    asked = {name: http.GET.get(name, "") for name in _NAMES}
    twice = [name for name in _NAMES if len(http.GET.getlist(name)) > 1]
    # Where it is not certain who asks, the answer goes to nobody.
    if twice or not clients.is_client(asked["client_id"]) or not clients.is_loopback(asked["redirect_uri"]):
        return render(http, "account/client_refused.html", {"asked": asked}, status=400)
    if wrong := _wrong(asked):
        return _back(http, asked, {"error": wrong[0], "error_description": wrong[1]})
    scopes = [scope for scope in END_USER_SCOPES if scope in asked["scope"].split()]
    if http.method != "POST":
        return render(http, "account/client.html", {"asked": asked, "scopes": scopes})
    if http.POST.get("answer") != "allow":
        return _back(http, asked, {"error": "access_denied", "error_description": "The person said no."})
    user = cast(User, http.user)
    code = actions.allow_client(
        user,
        client_id=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        challenge=asked["code_challenge"],
        scopes=scopes,
        actor=person(user, Source.PORTAL),
    )
    return _back(http, asked, {"code": code})


@csrf_exempt
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["POST"])
@never_cache
def token(http: HttpRequest) -> HttpResponse:
    """Give tokens for a code or a refresh token. Whoever asks brings no session; nothing of a browser's counts."""
    form = http.POST
    if any(len(values) > 1 for _, values in form.lists()):
        return _error("invalid_request", "A parameter is there twice.")
    client, wrong = _client_of(http, form)
    if wrong is not None:
        return wrong
    try:
        given = _give(form, client)
    except actions.GrantRefused as refused:
        response = _error(refused.error, str(refused))
        return _counted(http, response) if refused.error == "invalid_grant" else response
    told = {"access_token": given.access, "token_type": "Bearer", "expires_in": given.seconds}
    return _json({**told, "refresh_token": given.refresh, "scope": " ".join(given.scopes)})


@csrf_exempt
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["POST"])
@never_cache
def revoke(http: HttpRequest) -> HttpResponse:
    """End a client's sign-in by its access token (RFC 7009). Of one that is over, or another's, nothing is told."""
    client, wrong = _client_of(http, http.POST)
    if wrong is not None:
        return wrong
    found = tokens.holder(str(http.POST.get("token", "")))
    if found is None or found.kind != TokenKind.CLIENT or found.name != client:
        return _counted(http, _json({}))
    actions.revoke_token(found, actor=person(found.owner, Source.API))
    return _json({})


def _counted(http: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the answer to something that was no good, or say that there was too much of that from this address."""
    try:
        count_bad(http)
    except Throttled as too_often:
        response = _error("slow_down", "There were too many of these from this address. Try again in a minute.", 429)
        response["Retry-After"] = str(int(getattr(too_often, "wait", None) or 0) + 1)
    return response


def _give(form: QueryDict, client: str) -> clients.Given:
    """Return what the form asks for. Raises GrantRefused."""
    kind = form.get("grant_type", "")
    needed = {"authorization_code": ("code", "redirect_uri", "code_verifier"), "refresh_token": ("refresh_token",)}
    if kind not in needed:
        raise actions.GrantRefused(
            "unsupported_grant_type" if kind else "invalid_request",
            "The grant_type must be authorization_code or refresh_token.",
        )
    values = [str(form.get(name, "")) for name in needed[kind]]
    if missing := [name for name, value in zip(needed[kind], values, strict=True) if not value]:
        raise actions.GrantRefused("invalid_request", f"There is no {missing[0]}.")
    if kind == "refresh_token":
        return actions.refresh_client(values[0], client_id=client)
    code, redirect_uri, verifier = values
    return actions.redeem_code(code, client_id=client, redirect_uri=redirect_uri, verifier=verifier)


def _client_of(http: HttpRequest, form: QueryDict) -> tuple[str, HttpResponse | None]:
    """Return who asks: by the form, or by HTTP Basic as some libraries do it, without a secret to hold it to."""
    said, named = str(form.get("client_id", "")), ""
    scheme, _, rest = http.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            named = unquote_plus(base64.b64decode(rest, validate=True).decode("ascii").partition(":")[0])
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return "", _error("invalid_client", "The Authorization header cannot be read.", 401)
    if said and named and said != named:
        return "", _error("invalid_request", "The form names another client than the Authorization header.")
    client = said or named
    if not clients.is_client(client):
        return "", _error("invalid_client", "There is no client_id.", 401)
    return client, None


def _wrong(asked: dict[str, str]) -> tuple[str, str] | None:
    """Return what is wrong with how a client asks, as RFC 6749 words it; None if nothing is."""
    if asked["response_type"] != "code":
        return "unsupported_response_type", "The response_type must be code."
    if not asked["state"] or len(asked["state"]) > _STATE_MAX:
        return "invalid_request", "There must be a state, of a thousand characters at most."
    if asked["code_challenge_method"] != "S256" or not clients.is_challenge(asked["code_challenge"]):
        return "invalid_request", "There must be a code_challenge by the method S256."
    if not set(asked["scope"].split()) & set(END_USER_SCOPES):
        return "invalid_scope", "There must be a scope that a command-line client can have."
    return None


def _back(http: HttpRequest, asked: dict[str, str], answer: dict[str, str]) -> HttpResponse:
    """Take the answer to the program.

    After a form by a page that goes on by itself: browsers hold redirects after a form to the policy's `form-action`.
    """
    told = answer | ({"state": asked["state"]} if asked["state"] else {})
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    address = f"{asked['redirect_uri']}{joint}{urlencode(told)}"
    if http.method != "POST":
        return _BackRedirect(address)
    title = "You are signed in there" if "code" in answer else "Nothing was allowed"
    oidc = {"name": "the program that asked"}
    response = render(http, "account/going.html", {"address": address, "title": title, "oidc": oidc})
    response["Cache-Control"] = "no-store"
    # The code is in that address: the next page is not to read it from where it came.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _error(error: str, words: str, status: int = 400) -> HttpResponse:
    response = _json({"error": error, "error_description": words}, status)
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="Latchkey"'
    return response


def _json(data: dict[str, Any], status: int = 200) -> HttpResponse:
    response = JsonResponse(data, status=status)
    response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
    return response
