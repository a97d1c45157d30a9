"""The main job by a command-line client, from the first look to the end of access, in the shapes of the contract."""

from __future__ import annotations

from access_requests.models import AccessRequest
from audit.models import AuditEntry
from tests.client_api.calling import ask_body
from tests.client_api.conftest import Desk


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
