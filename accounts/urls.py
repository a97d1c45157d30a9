"""Addresses of signing in and of one's own account. Of allauth's pages only those that are needed: nobody signs up."""

from django.urls import include, path

from accounts import views
from accounts.views import away, clients, factors, invited, signed_in, single_sign_on, tokens

urlpatterns = [
    # allauth finds its own pages by these names.
    path("account/login/", views.sign_in, name="account_login"),
    path("account/logout/", single_sign_on.sign_out, name="account_logout"),
    path("account/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("account/", views.account, name="account"),
    path("account/theme/", views.theme, name="account_theme"),
    path("account/letters/", views.letters, name="account_letters"),
    path("account/password/", views.password, name="account_password"),
    path("account/second-factor/", factors.second_factor, name="second_factor"),
    path("account/second-factor/fresh/", factors.fresh_sign_in, name="fresh_sign_in"),
    path("account/second-factor/app/", factors.factor_app, name="factor_app"),
    path("account/second-factor/key/", factors.factor_key, name="factor_key"),
    path("account/second-factor/codes/", factors.factor_codes, name="factor_codes"),
    path("account/second-factor/prove/", factors.factor_prove, name="factor_prove"),
    path("account/second-factor/<int:factor>/remove/", factors.factor_remove, name="factor_remove"),
    path("account/tokens/", tokens.tokens, name="account_tokens"),
    path("account/tokens/<uuid:token>/end/", tokens.expiry, name="account_token_expiry"),
    path("account/tokens/<uuid:token>/revoke/", tokens.revoke, name="account_token_revoke"),
    path("oauth/authorize", clients.authorize, name="oauth_authorize"),
    path("oauth/token", clients.token, name="oauth_token"),
    path("oauth/revoke", clients.revoke, name="oauth_revoke"),
    path("account/away/", away.delegate, name="delegate"),
    path("account/away/<int:delegation>/end/", away.end_delegation, name="end_delegation"),
    path("people/invited/", invited.invited, name="invited"),
    path("people/invited/<uuid:person>/extend/", invited.extend_stay, name="extend_stay"),
    path("people/invited/<uuid:person>/end/", invited.end_stay, name="end_stay"),
    path("people/invited/<uuid:person>/letter/", invited.invite_again, name="invite_again"),
    path("account/sessions/", signed_in.sessions, name="sessions"),
    path("account/sessions/end-others/", signed_in.end_others, name="end_other_sessions"),
    path("account/sessions/<uuid:session>/end/", signed_in.end_one, name="end_session"),
    path("account/oidc/", single_sign_on.oidc_start, name="oidc_start"),
    # Registered at identity providers: these do not change.
    path("account/oidc/callback/", single_sign_on.oidc_callback, name="oidc_callback"),
    path("account/oidc/back-channel/", single_sign_on.back_channel, name="oidc_back_channel"),
    path("account/oidc/<slug:provider>/callback/", single_sign_on.oidc_callback, name="oidc_callback_of"),
    path("account/oidc/<slug:provider>/back-channel/", single_sign_on.back_channel, name="oidc_back_channel_of"),
    path("", include("accounts.scim.urls")),
    path("sign-in/<str:token>/", views.sign_in_link, name="sign_in_link"),
]
