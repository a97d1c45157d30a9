"""Addresses of signing in and of one's own account. Of allauth's pages only those that are needed: nobody signs up."""

from django.urls import path

from accounts import views

urlpatterns = [
    # allauth finds its own pages by these names.
    path("account/login/", views.sign_in, name="account_login"),
    path("account/logout/", views.sign_out, name="account_logout"),
    path("account/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("account/", views.account, name="account"),
    path("account/theme/", views.theme, name="account_theme"),
    path("account/letters/", views.letters, name="account_letters"),
    path("account/password/", views.password, name="account_password"),
    path("account/oidc/", views.oidc_start, name="oidc_start"),
    # Registered at the identity provider: it does not change.
    path("account/oidc/callback/", views.oidc_callback, name="oidc_callback"),
    path("sign-in/<str:token>/", views.sign_in_link, name="sign_in_link"),
]
