"""An identity provider that pushes, with a token of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts import actions
from accounts.models import PushedPerson, User
from audit.actor import system

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
Json = dict[str, Any]


def new_token() -> str:
    """Make a service and return a token of its with the scope scim."""
    service = actions.create_service("Directory", roles=(), actor=system())
    return actions.issue_token(service, "directory", scopes=["scim"], actor=system())[1]


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Json
    headers: dict[str, str]


@dataclass
class Directory:
    """Pushes with a token. The web client raises what a view raises: nothing may be a 5xx."""

    token: str = field(default_factory=new_token)
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Ask for anything below /scim/v2/."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        told = {
            "Authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): each for name, each in headers.items()},
        }
        response: Any = self.client.generic(
            method, f"/scim/v2/{path}", content, content_type="application/scim+json", headers=told
        )
        assert isinstance(response, HttpResponse)
        assert response["Content-Type"] == "application/scim+json"
        answer = Answer(response.status_code, json.loads(response.content or b"{}"), dict(response.items()))
        assert answer.status < 500
        if answer.status >= 400:
            assert answer.body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert answer.body["status"] == str(answer.status)
        return answer

    def person(self, name: str, **more: Any) -> Json:
        """Push somebody new and return them as they were answered."""
        answer = self.call("POST", "Users", person(name, **more))
        assert answer.status == 201, answer.body
        return answer.body

    def group(self, name: str, *members: str) -> Json:
        """Push a new group and return it as it was answered."""
        told = {"schemas": [GROUP], "displayName": name, "members": [{"value": each} for each in members]}
        answer = self.call("POST", "Groups", told)
        assert answer.status == 201, answer.body
        return answer.body

    def patch(self, path: str, *operations: Json, **headers: str) -> Answer:
        """Change something."""
        return self.call("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def found(self, endpoint: str, **query: Any) -> Json:
        """Search, and return the answer's body."""
        from urllib.parse import urlencode

        answer = self.call("GET", f"{endpoint}?{urlencode(query)}")
        assert answer.status == 200, answer.body
        return answer.body


def person(name: str, **more: Any) -> Json:
    """Return what a provider says of somebody."""
    email = {"value": f"{name}@example.com", "type": "work", "primary": True}
    return {"schemas": [CORE, ENTERPRISE], "userName": name, "displayName": name.title(), "emails": [email], **more}


def user_of(resource: Json) -> User:
    """Return the person behind a resource, as stored."""
    return PushedPerson.objects.select_related("user").get(pk=resource["id"]).user
