"""Webhooks for older Terraform providers: the contract to columns and back, and the endpoints.

What a client left out is not told, and what it wrote is told back just so while it still means the same
(`Webhook.as_written`). Values of secrets are told to nobody: whoever just wrote them gets their own back once, for they
would take anything else for a failure; who reads gets HIDDEN, and writes that where a value is to stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import require
from accounts.choices import TokenScope
from accounts.rest.authentication import actor_of
from accounts.rest.older import Message, said
from accounts.rest.parsing import careful
from accounts.rest.permissions import Scopes
from accounts.rest.views import Endpoint
from flows import actions
from flows.api.older import webhook_shapes as shapes
from flows.api.parts import Part, present
from flows.api.views import one_of
from flows.api.writing import checked, free_name, refusals
from flows.choices import MatchOperator
from flows.findings_of_webhooks import CLIENT_SECRET, HEADER
from flows.models import Webhook

HIDDEN = "********"
_WRITE = (TokenScope.INTEGRATIONS_WRITE,)
_READ = (TokenScope.ADMIN_READ, *_WRITE)
# A header whose name has one of these says who you are.
_SECRET = re.compile(r"auth|cookie|token|secret|key|passw|credential|signature", re.IGNORECASE)
# Slots of older templates, by the names that ours have.
_SLOTS = {
    "data.id": "request.id",
    "data.justification": "request.justification",
    "data.access_duration_in_seconds": "request.duration_seconds",
    "data.requester.email": "requestor.email",
    "data.requester.name": "requestor.name",
    "data.grantee.name": "grantee.name",
    "data.access_flow.name": "flow.name",
}
_SLOT = re.compile(r"\{\{\s*(data\.[\w.-]+)\s*\}\}")
_FIELD, _OUR_FIELD = "data.custom_fields.", "request.fields."
# Which field a finding is about.
_FIELDS = {
    "method": "type.http_request.method",
    "url": "type.http_request.url",
    "headers": "type.http_request.headers",
    "oauth": "authentication_config.oauth",
    "body": "body_template",
    "validators": "response_validators",
    "timeout_seconds": "timeout_in_sec",
    "error_message": "custom_validation_error_message",
    "secrets": "type.http_request.headers",
}
_OPTIONAL = (
    "body_template",
    "response_validators",
    "timeout_in_sec",
    "authentication_config",
    "custom_validation_error_message",
)


def _ours(slot: re.Match[str]) -> str:
    name = slot[1]
    if name.startswith(_FIELD):
        name = f"{_OUR_FIELD}{name.removeprefix(_FIELD)}"
    return f"{{{{ {_SLOTS.get(name, name)} }}}}"


def body_wanted(template: str | None) -> Any:
    """Return a template as the JSON that we keep, its slots by our names. Raises ValidationError."""
    if not template or not template.strip():
        return {}
    try:
        return careful(_SLOT.sub(_ours, template).encode())
    except ParseError as problem:
        words = f"{problem.detail} It has to be JSON whose texts may hold slots, such as {{{{ requestor.email }}}}."
        raise ValidationError({"body_template": [words]}) from problem


def _columns(body: Part, row: Webhook | None) -> tuple[Part, dict[str, str | None]]:
    """Return a checked body as columns, and secrets by field: a value, or None for one that stays."""
    told, oauth = body["type"]["http_request"], (body.get("authentication_config") or {}).get("oauth")
    kept = {one.field for one in row.secrets.all()} if row else set()
    secrets = {
        f"{HEADER}{name}": value
        for name, value in told["headers"].items()
        if _SECRET.search(name) or value == HIDDEN or f"{HEADER}{name}" in kept
    }
    secrets |= {CLIENT_SECRET: oauth["client_secret"]} if oauth else {}
    columns = {
        "name": body["name"],
        "active": body["active"],
        "method": told["method"],
        "url": told["url"],
        "headers": {name: value for name, value in told["headers"].items() if f"{HEADER}{name}" not in secrets},
        "body": body_wanted(body.get("body_template")),
        "oauth": _oauth(oauth),
        "validators": [*_validators(body), *_beside(row)],
        "timeout_seconds": body.get("timeout_in_sec") or 10,
        "error_message": body.get("custom_validation_error_message") or "",
        "as_written": {
            "said": [name for name in _OPTIONAL if body.get(name) is not None],
            "body_template": body.get("body_template"),
        },
    }
    return columns, {field: None if value == HIDDEN else value for field, value in secrets.items()}


def _oauth(told: Part | None) -> Part:
    if not told:
        return {}
    scope = {"scope": " ".join(told["scopes"])} if told["scopes"] else {}
    return {"token_url": told["token_endpoint_url"], "client_id": told["client_id"]} | scope


def _validators(body: Part) -> list[Part]:
    found = []
    for place, one in enumerate(body.get("response_validators") or ()):
        value, *more = one["expected_values"]
        if more:
            field = f"response_validators.{place}.expected_values"
            raise ValidationError({field: ["One value a path: have the other system answer with one word for yes."]})
        found.append({"path": one["json_path"], "operator": MatchOperator.IS.value, "value": value})
    return found


def _beside(row: Webhook | None) -> list[Part]:
    """Return what an answer has to fulfil that the contract has no word for: it stays."""
    return [one for one in row.validators if one["operator"] != MatchOperator.IS] if row else []


def shown(row: Webhook, sent: Mapping[str, str | None] | None = None) -> Part:
    """Return a webhook as it is answered. `sent` are secrets by field that who asks has just written."""
    fields, typed = [one.field for one in row.secrets.all()], sent or {}
    values = {field: typed.get(field) or HIDDEN for field in fields}
    hidden = {field.removeprefix(HEADER): value for field, value in values.items() if field.startswith(HEADER)}
    told = {
        "body_template": _template(row),
        "response_validators": _validators_shown(row),
        "timeout_in_sec": row.timeout_seconds,
        "authentication_config": _authentication(row, values.get(CLIENT_SECRET, HIDDEN)),
        "custom_validation_error_message": row.error_message,
    }
    written = row.as_written.get("said", ())
    request = {"url": row.url, "method": row.method, "headers": row.headers | hidden}
    return present(
        {
            "id": str(row.pk),
            "name": row.name,
            "active": row.active,
            "type": {"http_request": request},
            **{name: told[name] for name in _OPTIONAL if name in written or _unusual(name, told[name])},
        }
    )


def _unusual(name: str, value: Any) -> bool:
    """Whether something is worth telling to who did not say it."""
    return value != 10 if name == "timeout_in_sec" else bool(value)


def _template(row: Webhook) -> str:
    written = row.as_written.get("body_template")
    if written is not None and body_wanted(written) == row.body:
        return str(written)
    return json.dumps(row.body, ensure_ascii=False) if row.body else ""


def _validators_shown(row: Webhook) -> list[Part]:
    plain = [one for one in row.validators if one["operator"] == MatchOperator.IS]
    return [{"json_path": one["path"], "expected_values": [one["value"]]} for one in plain]


def _authentication(row: Webhook, secret: str) -> Part | None:
    if not row.oauth:
        return {} if "authentication_config" in row.as_written.get("said", ()) else None
    oauth = {
        "client_id": row.oauth["client_id"],
        "client_secret": secret,
        "token_endpoint_url": row.oauth["token_url"],
        "scopes": row.oauth.get("scope", "").split(),
    }
    return {"oauth": oauth}


def _write(request: Request, row: Webhook | None) -> Response:
    body = checked(shapes.WebhookWanted, request.data)
    free_name(Webhook, body["name"], row.pk if row else None)
    columns, secrets = _columns(body, row)
    with refusals(_FIELDS):
        made = actions.define_webhook(columns, actor=actor_of(request), secrets=secrets, webhook=row)
    return Response(shown(Webhook.objects.prefetch_related("secrets").get(pk=made.pk), secrets))


class Webhooks(Endpoint):
    """Webhooks for older Terraform providers."""

    scopes: ClassVar[Scopes] = {"POST": _WRITE}
    secret: ClassVar[bool] = True

    @extend_schema(request=shapes.WebhookWanted, responses=shapes.WebhookShown)
    def post(self, request: Request) -> Response:
        """Make a webhook. This answer, and no later one, repeats its secrets."""
        require(actor_of(request), "flows.add_webhook")
        return _write(request, None)


class OneWebhook(Endpoint):
    """One webhook for older Terraform providers."""

    scopes: ClassVar[Scopes] = {"GET": _READ, "PUT": _WRITE, "DELETE": _WRITE}
    secret: ClassVar[bool] = True

    @extend_schema(responses=shapes.WebhookShown)
    def get(self, request: Request, pk: str) -> Response:
        """Return it; its secrets read ********."""
        require(actor_of(request), "flows.view_webhook")
        return Response(shown(one_of(Webhook.objects.prefetch_related("secrets"), pk)))

    @extend_schema(request=shapes.WebhookWanted, responses=shapes.WebhookShown)
    def put(self, request: Request, pk: str) -> Response:
        """Make it as the body says. A secret that reads ******** stays."""
        require(actor_of(request), "flows.change_webhook")
        return _write(request, one_of(Webhook.objects.all(), pk))

    @extend_schema(responses=Message)
    def delete(self, request: Request, pk: str) -> Response:
        """Delete it; one that flows name, or that requests asked, is refused with 409."""
        require(actor_of(request), "flows.delete_webhook")
        row = one_of(Webhook.objects.all(), pk)
        with refusals(_FIELDS):
            actions.delete_webhook(row, actor=actor_of(request))
        return said("The webhook was deleted.")
