"""The addresses of SCIM. They are entered at identity providers: they do not change."""

from django.urls import path, re_path

from accounts.scim import views

urlpatterns = [
    path("scim/v2", views.scim, name="scim_root"),
    re_path(r"^scim/v2/(?P<path>[\s\S]*)\Z", views.scim, name="scim"),
]
