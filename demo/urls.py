"""The product's addresses, and the demo's own."""

from django.urls import URLPattern, URLResolver, include, path

from demo import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/sign-in/", views.sign_in, name="demo_sign_in"),
    path("demo/guide/", views.guide, name="demo_guide"),
    path("", include("config.urls")),
]
