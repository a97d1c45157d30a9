"""Addresses of the API of policy."""

from django.urls import URLPattern, path

from flows.api import spaces, views
from flows.api.older import urls as older

_SPACES = "api/admin/v1/spaces"
urlpatterns: list[URLPattern] = [
    path("api/admin/v2/access-flows", views.Flows.as_view(), name="api_flows"),
    path("api/admin/v2/access-flows/<str:pk>", views.Flow.as_view(), name="api_flow"),
    path("api/admin/v2/bundles", views.Bundles.as_view(), name="api_bundles"),
    path("api/admin/v2/bundles/<str:pk>", views.OneBundle.as_view(), name="api_bundle"),
    path("api/admin/v1/access-scopes", views.AccessScopes.as_view(), name="api_scopes"),
    path("api/admin/v1/access-scopes/<str:pk>", views.OneAccessScope.as_view(), name="api_scope"),
    path(_SPACES, spaces.Spaces.as_view(), name="api_spaces"),
    path(f"{_SPACES}/<str:pk>", spaces.OneSpace.as_view(), name="api_space"),
    path(f"{_SPACES}/<str:pk>/members", spaces.SpaceMembers.as_view(), name="api_space_members"),
    path(f"{_SPACES}/<str:pk>/members/<str:identity>", spaces.SpaceMemberOne.as_view(), name="api_space_member"),
    *older.urlpatterns,
]
