"""Addresses of the client API."""

from django.urls import path

from access_requests.api.client import answering, filters, inventory, optional, requests, sessions, templates

BASE = "api/client/v1"

urlpatterns = [
    path(f"{BASE}/access-requests", requests.access_requests, name="api_client_requests"),
    path(f"{BASE}/access-requests/access_units", requests.access_units, name="api_client_request_units"),
    path(f"{BASE}/access-requests/dry-run", requests.dry_run, name="api_client_dry_run"),
    path(f"{BASE}/access-requests/pass-mfa", answering.pass_mfa, name="api_client_pass_mfa"),
    path(f"{BASE}/access-requests/<str:pk>", requests.access_request, name="api_client_request"),
    path(f"{BASE}/access-requests/<str:pk>/approve", answering.approve, name="api_client_approve"),
    path(f"{BASE}/access-requests/<str:pk>/reject", answering.reject, name="api_client_reject"),
    path(f"{BASE}/access-requests/<str:pk>/revoke", answering.revoke, name="api_client_revoke"),
    path(f"{BASE}/access-requests/<str:pk>/extend", answering.extend, name="api_client_extend"),
    path(f"{BASE}/access-requests/<str:pk>/favorite", answering.favourite, name="api_client_favorite"),
    path(f"{BASE}/access-requests/<str:pk>/request-again", requests.request_again, name="api_client_request_again"),
    path(f"{BASE}/access-requests/<str:pk>/dry-run", requests.dry_run_again, name="api_client_dry_run_again"),
    path(f"{BASE}/justification-validation", requests.justification_validation, name="api_client_justification"),
    path(f"{BASE}/access-groups/<str:pk>/details", sessions.group_details, name="api_client_group_details"),
    path(f"{BASE}/access-groups/<str:pk>/units", sessions.group_units, name="api_client_group_units"),
    path(f"{BASE}/access-groups/<str:pk>/reset", sessions.group_reset, name="api_client_group_reset"),
    path(f"{BASE}/access-sessions", sessions.access_sessions, name="api_client_sessions"),
    path(f"{BASE}/access-sessions/<str:pk>", sessions.access_session, name="api_client_session_one"),
    path(f"{BASE}/access-sessions/<str:pk>/access-details", sessions.access_details, name="api_client_session_details"),
    path(
        f"{BASE}/access-sessions/<str:pk>/request-template",
        sessions.session_template,
        name="api_client_session_template",
    ),
    path(
        f"{BASE}/access-sessions/<str:pk>/reset-credentials",
        sessions.reset_credentials,
        name="api_client_session_reset",
    ),
    path(f"{BASE}/access-session-groups", sessions.session_groups, name="api_client_session_groups"),
    path(f"{BASE}/access-session-sync", sessions.session_sync, name="api_client_session_sync"),
    path(f"{BASE}/inventory/integrations", inventory.integrations, name="api_client_integrations"),
    path(f"{BASE}/inventory/resource-types", inventory.resource_types, name="api_client_resource_types"),
    path(f"{BASE}/inventory/resources", inventory.resources, name="api_client_resources"),
    path(f"{BASE}/inventory/permissions", inventory.permissions, name="api_client_permissions"),
    path(f"{BASE}/inventory/access-units", inventory.access_units, name="api_client_access_units"),
    path(f"{BASE}/inventory/bundles", inventory.bundles, name="api_client_bundles"),
    path(f"{BASE}/inventory/grantees", inventory.grantees, name="api_client_grantees"),
    path(f"{BASE}/filters/integrations", filters.integrations, name="api_client_filter_integrations"),
    path(f"{BASE}/filters/options", filters.options, name="api_client_filter_options"),
    path(f"{BASE}/access-request-templates", templates.request_templates, name="api_client_templates"),
    path(f"{BASE}/access-request-templates/<str:pk>", templates.request_template, name="api_client_template"),
    path(f"{BASE}/cli-notifications", optional.no_notifications, name="api_client_notifications"),
    path(f"{BASE}/analytics", optional.dropped, name="api_client_analytics"),
    path(f"{BASE}/analytics/bulk", optional.dropped, name="api_client_analytics_bulk"),
    path(f"{BASE}/logs", optional.log_dropped, name="api_client_logs"),
    path(f"{BASE}/assistant/conversations", optional.no_conversations, name="api_client_conversations"),
    path(f"{BASE}/assistant/<path:rest>", optional.not_there, name="api_client_assistant"),
    path(f"{BASE}/agentic/tools/available", optional.nothing_listed, name="api_client_tools"),
    path(f"{BASE}/agentic/trust-policies/resolved", optional.nothing_listed, name="api_client_trust_policies"),
    path(f"{BASE}/agentic/<path:rest>", optional.not_there, name="api_client_agentic"),
    path(f"{BASE}/action-approval", optional.no_approval, name="api_client_action_approval"),
    path(f"{BASE}/action-approval/<str:pk>", optional.no_approval_status, name="api_client_action_approval_one"),
    path(f"{BASE}/mcp", optional.not_there, name="api_client_mcp"),
]
