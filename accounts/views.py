"""Pages of signing in and of one's own account. Password sign-in and sign-out are allauth's, in our templates."""

from __future__ import annotations

from typing import cast

from allauth.account.views import LoginView, LogoutView, ReauthenticateView
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import actions
from accounts.choices import LETTERS_TO_CHOOSE
from accounts.forms import LettersForm, PasswordForm, ProfileForm, SignInForm
from accounts.models import User
from audit.actor import person
from audit.choices import Source

sign_in = LoginView.as_view(form_class=SignInForm)
sign_out = LogoutView.as_view()
reauthenticate = ReauthenticateView.as_view()


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
    login(request, user, backend="accounts.backends.PeopleBackend")
    return redirect(settings.LOGIN_REDIRECT_URL)


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
    return render(request, "account/account.html", {"form": form, "letters": LettersForm(initial=_letters_of(user))})


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
    user = cast(User, request.user)
    form = PasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.set_password(user, form.cleaned_data["new"], actor=person(user, Source.PORTAL))
        update_session_auth_hash(request, user)
        messages.success(request, "Your password is set.")
        return redirect("account")
    return render(request, "account/password.html", {"form": form})
