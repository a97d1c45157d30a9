"""What may be written of webhooks, and how it is described."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.fields import OPTIONAL, text
from flows.api.shapes import NAME_MAX, TEXT_MAX, many

METHODS = ("POST", "PUT", "DELETE", "GET", "PATCH")


class WebhookHttpRequest(serializers.Serializer[object]):
    """What is asked, and how. Of headers that say who you are the values are never told: they read ********."""

    url = text(1000)
    method = serializers.ChoiceField(choices=METHODS)
    headers = serializers.DictField(child=text(4000, allow_blank=True))


class WebhookOfIntegration(serializers.Serializer[object]):
    """An action of an integration. Latchkey has none."""

    integration_id = text(60)
    action_name = text(100)


class WebhookType(serializers.Serializer[object]):
    """What kind of question it is: one by HTTP."""

    http_request = WebhookHttpRequest(**OPTIONAL)
    integration = WebhookOfIntegration(**OPTIONAL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Another system is asked by HTTP."""
        if attrs.get("integration"):
            raise serializers.ValidationError({"integration": "Integrations have no actions here: say http_request."})
        if not attrs.get("http_request"):
            raise serializers.ValidationError({"http_request": "Say what is asked."})
        return attrs


class WebhookResponseValidator(serializers.Serializer[object]):
    """What an answer that is a yes has at a JSON path: any of the values."""

    json_path = text(200)
    expected_values = serializers.ListField(child=text(300, allow_blank=True), max_length=20, min_length=1)


class WebhookOAuth(serializers.Serializer[object]):
    """Where tokens come from. The client's secret is never told: it reads ********, and written so it stays."""

    client_id = text(300)
    client_secret = text(4000)
    token_endpoint_url = text(1000)
    scopes = serializers.ListField(child=serializers.RegexField(r"^\S+$", max_length=200), max_length=50)


class WebhookAuthentication(serializers.Serializer[object]):
    """How we say who we are."""

    oauth = WebhookOAuth(**OPTIONAL)


class WebhookWanted(serializers.Serializer[object]):
    """A webhook as it is written."""

    name = text(NAME_MAX)
    active = serializers.BooleanField()
    type = WebhookType()
    body_template = text(TEXT_MAX * 2, allow_blank=True, **OPTIONAL)
    response_validators = many(WebhookResponseValidator, max_length=20, **OPTIONAL)
    timeout_in_sec = serializers.IntegerField(min_value=1, max_value=60, **OPTIONAL)
    authentication_config = WebhookAuthentication(**OPTIONAL)
    custom_validation_error_message = text(300, allow_blank=True, **OPTIONAL)


class WebhookShown(WebhookWanted):
    """A webhook as it is answered."""

    id = serializers.CharField()
