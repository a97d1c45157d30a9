"""How the API is served: settings of Django REST framework and of the document that describes the API."""

from __future__ import annotations

from typing import Any

from config import env

# What Django has to know of it.
APPS = ["rest_framework", "drf_spectacular", "drf_spectacular_sidecar"]
FRAMEWORK: dict[str, Any] = {
    # No sessions here, so nothing of a browser's is ever taken for a yes: no CSRF to guard against.
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.rest.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.rest.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["accounts.rest.parsing.CarefulJSON"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.rest.limits.PerToken"],
    "DEFAULT_SCHEMA_CLASS": "accounts.rest.describing.Described",
    "EXCEPTION_HANDLER": "accounts.rest.errors.answer",
    "UNAUTHENTICATED_USER": None,
    "UNICODE_JSON": True,
    "STRICT_JSON": True,
    "COERCE_DECIMAL_TO_STRING": False,
}
# Requests in a minute: of one token, and of one address that brings none, or a bad one.
PER_MINUTE = {"token": env.integer("LATCHKEY_API_PER_MINUTE", 1200), "address": 120}
# How long a token of the API lasts at most.
TOKEN_DAYS = env.integer("LATCHKEY_TOKEN_DAYS", 90)
# A directory that disables more people by SCIM within a minute raises an alarm, and is heeded.
SCIM_DISABLES_PER_MINUTE = env.integer("LATCHKEY_SCIM_DISABLES_PER_MINUTE", 50)
OPENAPI: dict[str, Any] = {
    "TITLE": "Latchkey",
    "VERSION": "1",
    "DESCRIPTION": "Just-in-time access. Sign in with a token: `Authorization: Bearer lk_…`.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Choices stand where they are made: names for them, over all versions, would change with every addition.
    "POSTPROCESSING_HOOKS": ["accounts.rest.describing.plain_choices"],
    "SCHEMA_PATH_PREFIX": r"/api/(?:[a-z]+/)?v[0-9]+",
}
