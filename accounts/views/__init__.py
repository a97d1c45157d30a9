"""Pages of signing in and of one's own account. Password sign-in and sign-out are allauth's, in our templates.

By OIDC: the sign-in page sends a form (a link could be followed without meaning to), and the answer is a page that goes
on to the provider by itself. It is no redirect because browsers hold redirects after a form to the policy's
`form-action`, every hop of them, and where a provider sends people on to is not ours to know. The policy stays 'self'.
"""

from __future__ import annotations

import logging
import zoneinfo
from dataclasses import dataclass
from typing import Any, cast

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView, LogoutView, ReauthenticateView
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, oidc
from accounts.choices import LETTERS_TO_CHOOSE, SignInRefusal
from accounts.claims import Told
from accounts.factors import REAL, factors_of
from accounts.forms import AwayForm, LettersForm, PasswordForm, ProfileForm, SignInForm
from accounts.inviting import may_invite
from accounts.models import User
from accounts.queries import delegations_of, invited_by
from accounts.trail import address_of
from audit.actor import person
from audit.choices import Source

_BACKEND = "accounts.backends.PeopleBackend"
_log = logging.getLogger(__name__)


class SignInView(LoginView):  # type: ignore[misc]  # allauth ships no types
    """The ways in: the identity provider, and a password where that is on."""

    form_class = SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say which ways there are."""
        ways = {"oidc": settings.OIDC, "password_sign_in": settings.PASSWORD_SIGN_IN}
        return {**super().get_context_data(**kwargs), **ways}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse a password where that is off, before it is looked at."""
        if settings.PASSWORD_SIGN_IN:
            return cast(HttpResponse, super().post(request, *args, **kwargs))
        return render(request, "account/login.html", self.get_context_data(form=None, form_refused=True), status=403)


sign_in = SignInView.as_view()
_reauthenticate = ReauthenticateView.as_view()
_sign_out = LogoutView.as_view()


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here and, where the provider offers that, there."""
    elsewhere = oidc.way_out(request) if request.method == "POST" else ""
    response: HttpResponse = _sign_out(request)
    if not elsewhere:
        return response
    return _go_on(request, elsewhere, "You are signed out of Latchkey")


def reauthenticate(request: HttpRequest) -> HttpResponse:
    """Ask for the password once more; there is no such page where there are no passwords."""
    _require_passwords()
    return cast(HttpResponse, _reauthenticate(request))


@require_POST
@never_cache
@rate_limit(action="single_sign_on")  # type: ignore[untyped-decorator]  # allauth ships no types
def oidc_start(request: HttpRequest) -> HttpResponse:
    """Go to the provider. Of the request only the way back counts, if it is one of ours."""
    _require_provider()
    way_back = get_next_redirect_url(request)
    try:
        address = oidc.begin(request, way_back, anew=bool(request.POST.get("anew")))
    except oidc.Failed as failure:
        return _refuse(request, failure.refusal, failure.next)
    return _go_on(request, address, f"Going to {settings.OIDC.name}" if settings.OIDC else "")


@sensitive_variables()
@require_GET
@never_cache
def oidc_callback(request: HttpRequest) -> HttpResponse:
    """Take in who comes back from the provider."""
    _require_provider()
    try:
        arrival = oidc.finish(request)
    except oidc.Failed as failure:
        actions.record_refused_sign_in(failure.refusal, address=address_of(request))
        return _refuse(request, failure.refusal, failure.next)
    if arrival.told.groups_trouble:
        _log.warning("Sign-in by OIDC: %s", arrival.told.groups_trouble)
    create = bool(settings.OIDC and settings.OIDC.create_people)
    try:
        user = actions.sign_in_with(arrival.told, create=create, address=address_of(request))
    except actions.SignInRefused as refused:
        return _refuse(request, refused.refusal, arrival.next, arrival.told)
    login(request, user, backend=_BACKEND)
    if arrival.farewell:
        request.session[oidc.SESSION_KEY] = arrival.farewell
    return redirect(arrival.next or settings.LOGIN_REDIRECT_URL)


@dataclass(frozen=True)
class _Words:
    """What a page says: {provider} and {email} are filled in. `anew`: trying again asks the provider who it is."""

    title: str
    text: str
    status: int = 403
    anew: bool = True


_WORDS = {
    SignInRefusal.NO_EMAIL: _Words(
        "Your e-mail address is missing",
        "Latchkey knows people by their e-mail address, and {provider} did not send yours. Add it to your account "
        "there, or ask an admin to allow Latchkey the scope “email” at {provider}.",
    ),
    SignInRefusal.UNVERIFIED: _Words(
        "Your e-mail address is not verified",
        "Latchkey opens an account only for an address that {provider} has verified. Verify it there, then sign in "
        "again. An admin can also make you a one-time link.",
    ),
    SignInRefusal.UNKNOWN: _Words(
        "You have no account here yet",
        "Ask an admin of Latchkey to make one for {email}. After that this sign-in works.",
    ),
    SignInRefusal.TAKEN: _Words(
        "This address belongs to another sign-in",
        "{email} is linked to another account at {provider}. Sign in with that one. If it is gone, ask an admin to "
        "remove the old link: Administration, Users.",
    ),
    SignInRefusal.DISABLED: _Words(
        "Your account is disabled", "Ask an admin of Latchkey if you think it should not be."
    ),
    SignInRefusal.STALE: _Words(
        "This sign-in is over",
        "It was used already, took longer than ten minutes, or began in another browser. Nothing happened.",
        400,
        anew=False,
    ),
    SignInRefusal.BAD_ANSWER: _Words(
        "{provider} sent an answer that cannot be used",
        "Try again. If it stays like this, tell an admin: the reason is in the log of Latchkey.",
        502,
        anew=False,
    ),
    SignInRefusal.CANCELLED: _Words(
        "You are not signed in",
        "You stopped at {provider}, or it does not let you use Latchkey. In that case ask who looks after {provider}.",
        403,
        anew=False,
    ),
    SignInRefusal.UNREACHABLE: _Words(
        "{provider} does not answer",
        "That is not you. Try again in a minute. Access that is open stays open, and ends when it should.",
        503,
        anew=False,
    ),
}


def _refuse(request: HttpRequest, refusal: SignInRefusal, way_back: str, told: Told | None = None) -> HttpResponse:
    """Say why a sign-in came to nothing and what to do."""
    words, names = _WORDS[refusal], {"provider": settings.OIDC.name if settings.OIDC else "", "email": ""}
    names["email"] = told.email if told else ""
    context = {
        "title": words.title.format(**names)[:1].upper() + words.title.format(**names)[1:],
        "text": words.text.format(**names),
        "anew": words.anew,
        "next": way_back,
        "oidc": settings.OIDC,
        "password_sign_in": settings.PASSWORD_SIGN_IN,
    }
    return render(request, "account/refused.html", context, status=words.status)


def _go_on(request: HttpRequest, address: str, title: str) -> HttpResponse:
    """Return a page that goes on to the provider."""
    response = render(request, "account/going.html", {"address": address, "title": title, "oidc": settings.OIDC})
    response["Cache-Control"] = "no-store"
    return response


def _require_provider() -> None:
    if settings.OIDC is None:
        raise Http404


def _require_passwords() -> None:
    if not settings.PASSWORD_SIGN_IN:
        raise Http404


@sensitive_variables("token")
@require_http_methods(["GET", "POST"])
@never_cache
@rate_limit(action="login")  # type: ignore[untyped-decorator]  # allauth ships no types
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button, which uses the link: mail scanners and previews open links, but press nothing."""
    response = _use_link(request, token) if request.method == "POST" else render(request, "account/link.html")
    # Not no-referrer: the browser would then send the form with "Origin: null", which the CSRF check refuses.
    response["Referrer-Policy"] = "same-origin"
    return response


def _use_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in whose link it is."""
    try:
        user = actions.use_sign_in_link(token)
    except actions.LinkRefused as refusal:
        return render(request, "account/link_refused.html", {"refusal": refusal}, status=410)
    login(request, user, backend=_BACKEND)
    # An admin with such a link is on the way to set things up: the first page there has the first steps.
    return redirect("admin:index" if user.is_staff else settings.LOGIN_REDIRECT_URL)


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show and change one's own name and time zone."""
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, initial={"name": user.name, "time_zone": user.time_zone})
    if request.method == "POST" and form.is_valid():
        actions.edit_profile(user, actor=person(user, Source.PORTAL), **form.cleaned_data)
        messages.success(request, "Your profile is saved.")
        return redirect("account")
    return render_account(request, form=form)


def render_account(
    request: HttpRequest, *, form: ProfileForm | None = None, away: AwayForm | None = None, status: int = 200
) -> HttpResponse:
    """Return the account page with the forms as they stand."""
    user, now = cast(User, request.user), timezone.now()
    context = {
        "form": form or ProfileForm(initial={"name": user.name, "time_zone": user.time_zone}),
        "factors": [one for one in factors_of(user) if one.kind in REAL],
        "away": away or AwayForm(zone_of=user),
        "delegations": delegations_of(user, now),
        "may_invite": may_invite(user) or invited_by(user).exists(),
        "now": now,
        "letters": LettersForm(initial=_letters_of(user)),
        "zones": sorted(zoneinfo.available_timezones()),
        "password_sign_in": settings.PASSWORD_SIGN_IN,
    }
    return render(request, "account/account.html", context, status=status)


def _letters_of(user: User) -> dict[str, list[str]]:
    return {"letters": [kind.value for kind in LETTERS_TO_CHOOSE if kind not in user.letters_off]}


@require_http_methods(["POST"])
@never_cache
@login_required
def letters(request: HttpRequest) -> HttpResponse:
    """Choose which letters one gets."""
    user, form = cast(User, request.user), LettersForm(request.POST)
    if form.is_valid():
        actions.choose_letters(user, form.off, actor=person(user, Source.PORTAL))
        messages.success(request, "Your choice of letters is saved.")
    else:
        messages.error(request, "There are no such letters. Nothing was changed.")
    return redirect("account")


@require_http_methods(["POST"])
@never_cache
@login_required
def theme(request: HttpRequest) -> HttpResponse:
    """Choose how pages look, and go back to the page where it was chosen."""
    user = cast(User, request.user)
    try:
        actions.set_theme(user, request.POST.get("theme", ""), actor=person(user, Source.PORTAL))
    except actions.BadValue:
        return HttpResponseBadRequest("There is no such theme.", content_type="text/plain")
    after = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(after, {request.get_host()}, require_https=request.is_secure())
    return redirect(after if ours else settings.LOGIN_REDIRECT_URL)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@never_cache
@login_required
@rate_limit(action="change_password")  # type: ignore[untyped-decorator]  # allauth ships no types
def password(request: HttpRequest) -> HttpResponse:
    """Set one's own password; the other sessions of the person end."""
    _require_passwords()
    user = cast(User, request.user)
    form = PasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.set_password(user, form.cleaned_data["new"], actor=person(user, Source.PORTAL))
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is set.")
        return redirect("account")
    return render(request, "account/password.html", {"form": form})
