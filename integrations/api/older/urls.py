"""Older addresses of integrations, connectors, the inventory and people."""

from django.urls import URLPattern, path

from integrations.api.older import catalogue, people, views

_TERRAFORM, _OLDER, _THIRD = "api/terraform/v1/integrations", "api/v2/integrations", "api/v3/integrations"
urlpatterns: list[URLPattern] = [
    path(_TERRAFORM, views.TerraformIntegrations.as_view(), name="api_terraform_integrations"),
    path(f"{_TERRAFORM}/<str:pk>", views.TerraformIntegration.as_view(), name="api_terraform_integration"),
    path(_OLDER, views.OlderIntegrations.as_view(), name="api_older_integrations"),
    path(f"{_OLDER}/<str:pk>", views.OlderIntegration.as_view(), name="api_older_integration"),
    path(f"{_OLDER}/<str:pk>/refresh", views.IntegrationRefresh.as_view(), name="api_integration_refresh"),
    path("api/v2/integrations-catalog", catalogue.Catalogue.as_view(), name="api_catalogue"),
    path("api/v2/integrations-catalog/<str:kind>", catalogue.CatalogueOne.as_view(), name="api_catalogue_entry"),
    path("api/v2/connectors", catalogue.OlderConnectors.as_view(), name="api_older_connectors"),
    path("api/v2/identities", people.Identities.as_view(), name="api_identities"),
    path("api/v2/users", people.OlderUsers.as_view(), name="api_older_users"),
    path("api/v2/users/<str:pk>", people.OlderOneUser.as_view(), name="api_older_user"),
    path("api/v2/bulk/identities/attributes", people.ManyAttributes.as_view(), name="api_many_attributes"),
    path(f"{_THIRD}/<str:pk>/resources", catalogue.OlderResources.as_view(), name="api_older_resources"),
    path(f"{_THIRD}/<str:pk>/permissions", catalogue.OlderPermissions.as_view(), name="api_older_permissions"),
]
