"""Addresses of the API of integrations, connectors, and people with where they come from."""

from django.urls import URLPattern, path

from integrations.api import attributes, people, views
from integrations.api.older import urls as older

_GROUP = "api/admin/v1/groups/<str:pk>"
urlpatterns: list[URLPattern] = [
    path("api/admin/v4/integrations", views.Integrations.as_view(), name="api_integrations"),
    path("api/admin/v4/integrations/<str:pk>", views.OneIntegration.as_view(), name="api_integration"),
    path("api/admin/v3/connectors", views.Connectors.as_view(), name="api_connectors"),
    path("api/admin/v3/connectors/<str:pk>", views.OneConnector.as_view(), name="api_connector"),
    path("api/admin/v1/groups", people.Groups.as_view(), name="api_groups"),
    path(_GROUP, people.OneGroup.as_view(), name="api_group"),
    path(f"{_GROUP}/name", people.GroupName.as_view(), name="api_group_name"),
    path(f"{_GROUP}/members", people.Members.as_view(), name="api_members"),
    path(f"{_GROUP}/members/<str:email>", people.Member.as_view(), name="api_member"),
    path("api/admin/v3/users", people.Users.as_view(), name="api_users"),
    path("api/admin/v3/users/<str:pk>", people.OneUser.as_view(), name="api_user"),
    path("api/admin/v1/attributes", attributes.Attributes.as_view(), name="api_attributes"),
    *older.urlpatterns,
]
