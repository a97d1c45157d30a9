"""Older addresses of policy."""

from django.urls import URLPattern, path

from flows.api.older import views, webhooks

_TERRAFORM = "api/terraform/v1/access-flows"
urlpatterns: list[URLPattern] = [
    path(_TERRAFORM, views.TerraformFlows.as_view(), name="api_terraform_flows"),
    path(f"{_TERRAFORM}/<str:pk>", views.TerraformFlow.as_view(), name="api_terraform_flow"),
    path("api/v1/access-flows", views.OlderFlows.as_view(), name="api_older_flows"),
    path("api/v1/access-flows/<str:pk>", views.OlderFlow.as_view(), name="api_older_flow"),
    path("api/v1/access-bundles", views.OlderBundles.as_view(), name="api_older_bundles"),
    path("api/v1/access-bundles/<str:pk>", views.OlderBundle.as_view(), name="api_older_bundle"),
    path("api/terraform/v1/webhooks/manual", webhooks.Webhooks.as_view(), name="api_webhooks"),
    path("api/terraform/v1/webhooks/manual/<str:pk>", webhooks.OneWebhook.as_view(), name="api_webhook"),
]
