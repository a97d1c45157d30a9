"""The main job by a command-line client, from the first look to the end of access, in the shapes of the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from access_requests.api.client.urls import urlpatterns
from access_requests.models import AccessRequest
from audit.models import AuditEntry
from tests.cast import Cast
from tests.client_api.calling import ask_body, conform
from tests.client_api.conftest import Desk
from tests.contracts import needs_contracts


def test_from_the_first_look_to_the_end_of_access(living: Desk) -> None:
    rita, abel, story = living.rita, living.abel, living.story
    (system,) = rita.get("inventory/integrations")["data"]
    (kind,) = rita.get("inventory/resource-types", **{"integration-id": system["id"]})["data"]
    where = {"integration-id": system["id"], "resource-type-id": kind["id"]}
    found = rita.get("inventory/resources", **where, limit=1000)["data"]
    (permission,) = rita.get("inventory/permissions", **where)["data"]
    prod = next(one for one in found if one["name"] == "orders_prod")
    assert (kind["id"], permission) == ("database", {"id": "READ_ONLY", "name": "Read only"})
    wanted = ask_body(
        filter_integration_ids=[system["id"]],
        filter_resource_type_ids=[kind["id"]],
        filter_resources=[{"type": "id", "value": prod["id"]}],
        filter_permission_ids=[permission["id"]],
    )
    dry = rita.post("access-requests/dry-run", wanted)
    assert dry == {"status": "SUCCESS", "errors": [], "max_duration_in_sec": 3600}
    (name,) = rita.post("access-requests", wanted)["request_ids"]
    mine = rita.get("access-requests", scope="MyRequests", limit=1)["data"][0]
    assert (mine["id"], mine["status"]["status"]) == (name, "Pending")
    assert [one["name"] for one in mine["challenge"]["approvers"]] == ["Abel"]
    (task,) = abel.get("access-requests", scope="MyTasks")["data"]
    assert task["access_units_summary"] == [{"resource_name": "orders_prod", "permission_name": "Read only"}]
    abel.post(f"access-requests/{name}/approve", {"justification": "go"})
    assert rita.get(f"access-requests/{name}")["status"]["status"] == "Granting"
    story.catch_up()
    (group,) = rita.get(f"access-requests/{name}")["access_groups"]
    assert (group["status"], group["has_new_credentials"]) == ({"status": "Success"}, True)
    (session,) = rita.get("access-sessions", request_id=name)["data"]
    assert session["credentials"]["status"] == "NEW"
    # Looked at without saying who looks, nothing is used up.
    assert rita.get(f"access-sessions/{session['id']}/access-details")["json"]["password"] == "********"
    used = rita.get(f"access-sessions/{session['id']}/access-details", consumed_by="cli", format_type="json")
    login = used["json"]["username"]
    assert used["json"]["password"] == story.target.passwords[login]
    assert used["consumed_by"] == "cli"
    again = rita.get(f"access-sessions/{session['id']}/access-details", consumed_by="cli")
    assert again["json"]["password"] == "********"
    rita.post(f"access-sessions/{session['id']}/reset-credentials")
    assert rita.get(f"access-sessions/{session['id']}")["credentials"]["status"] == "RESETTING"
    story.catch_up()
    # Clients that wait for the end of a reset look for the word in small letters.
    assert rita.get(f"access-sessions/{session['id']}")["credentials"]["status"] == "new"
    assert rita.get("access-sessions")["data"][0]["credentials"]["status"] == "NEW"
    anew = rita.get(f"access-sessions/{session['id']}/access-details", consumed_by="cli")
    assert anew["json"]["password"] == story.target.passwords[login] != used["json"]["password"]
    assert anew["json"]["password"] in anew["instructions"]["plain"]
    rita.post(f"access-requests/{name}/revoke")
    assert rita.get(f"access-requests/{name}")["status"]["status"] == "Revoking"
    story.catch_up()
    assert rita.get(f"access-requests/{name}")["status"]["status"] == "Revoked"
    assert rita.get("access-sessions")["data"] == []
    assert story.held() == set()
    request = AccessRequest.objects.get()
    told = AuditEntry.objects.filter(subject_id=str(request.pk), actor_kind="user").values_list("action", "source")
    assert {source for _, source in told} == {"api"}
    assert {"request.created", "request.approval_given", "session.credentials_viewed"} <= {one for one, _ in told}


@needs_contracts
def test_what_is_otherwise_than_the_contract_is_found(desk: Desk) -> None:
    """What these tests hold answers against would find a null, a field too many, one too few and a wrong kind."""
    desk.story.ask("orders_dev")
    path, answer = "access-requests", desk.rita.send("get", "access-requests")
    conform("get", path, answer)
    for change in ({"bundle": None}, {"more": 1}, {"id": 17}, {"creation_time": None}):
        other = answer.json()
        other["data"][0] |= change
        with pytest.raises(AssertionError):
            conform("get", path, Answer(other))
    other = answer.json()
    del other["data"][0]["extension_count"]
    with pytest.raises(AssertionError):
        conform("get", path, Answer(other))


class Answer:
    """An answer with other data."""

    def __init__(self, data: Any) -> None:
        self.status_code, self.content = 200, json.dumps(data).encode()
        self.headers = {"Content-Type": "application/json"}

    def json(self) -> Any:
        """Return the data."""
        return json.loads(self.content)


def test_clients_lead_people_to_the_right_page(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.requester)
    assert browser.get("/account/step-up?status=pending-mfa&request=AR-17")["Location"] == "/requests/17/second-factor/"
    assert browser.get("/account/step-up")["Location"] == browser.get("/requests/open")["Location"] == "/"


def test_our_own_document_tells_of_every_address_without_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    document = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
    there = {(at, method) for at, methods in document["paths"].items() for method in methods}
    assert ("/api/client/v1/access-requests/{id}/approve", "post") in there
    (answers,) = document["paths"]["/api/client/v1/mcp"]["post"]["responses"]
    assert answers == "404"
    request = document["components"]["schemas"]["ClientRequest"]["properties"]
    assert request["status"] == {"$ref": "#/components/schemas/ClientStatus"}
    assert "Warning" not in capsys.readouterr().err
