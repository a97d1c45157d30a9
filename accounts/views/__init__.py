"""Pages of signing in and of one's own account. Password sign-in is allauth's, in our templates."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.views import LoginView, ReauthenticateView
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
from django.views.decorators.http import require_http_methods

from accounts import actions, sessions, zones
from accounts.choices import LETTERS_TO_CHOOSE
from accounts.factors import REAL, factors_of
from accounts.forms import AwayForm, LettersForm, PasswordForm, ProfileForm, SignInForm
from accounts.inviting import may_invite
from accounts.models import User
from accounts.queries import delegations_of, invited_by
from audit.actor import person
from audit.choices import Source

_BACKEND = "accounts.backends.PeopleBackend"


class SignInView(LoginView):  # type: ignore[misc]  # allauth ships no types
    """The ways in: the identity provider, and a password where that is on."""

    form_class = SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say which ways there are."""
        ways = {"providers": settings.OIDC_PROVIDERS, "password_sign_in": settings.PASSWORD_SIGN_IN}
        return {**super().get_context_data(**kwargs), **ways}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse a password where that is off, before it is looked at."""
        if settings.PASSWORD_SIGN_IN:
            return cast(HttpResponse, super().post(request, *args, **kwargs))
        return render(request, "account/login.html", self.get_context_data(form=None, form_refused=True), status=403)


sign_in = SignInView.as_view()
_reauthenticate = ReauthenticateView.as_view()


def reauthenticate(request: HttpRequest) -> HttpResponse:
    """Ask for the password once more; there is no such page where there are no passwords."""
    _require_passwords()
    return cast(HttpResponse, _reauthenticate(request))


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
        "zones": sorted(zones.names()),
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
        mine = sessions.id_of(request)
        actions.set_password(user, form.cleaned_data["new"], actor=person(user, Source.PORTAL), session=mine)
        sessions.rotate(request, lambda: update_session_auth_hash(request, user))
        messages.success(request, "Your password is set.")
        return redirect("account")
    return render(request, "account/password.html", {"form": form})
