"""Addresses of the API of integrations and connectors."""

from django.urls import URLPattern, path

from integrations.api import views

urlpatterns: list[URLPattern] = [
    path("api/admin/v4/integrations", views.Integrations.as_view(), name="api_integrations"),
    path("api/admin/v4/integrations/<str:pk>", views.OneIntegration.as_view(), name="api_integration"),
    path("api/admin/v3/connectors", views.Connectors.as_view(), name="api_connectors"),
    path("api/admin/v3/connectors/<str:pk>", views.OneConnector.as_view(), name="api_connector"),
]
