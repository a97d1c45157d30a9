"""A server that says what a test wants, in the shapes of the client API."""

from __future__ import annotations

from typing import Any

from tests.http_server import Answer, Asked

BASE = "/api/client/v1"
SESSION = "0a1b2c3d-0000-4000-8000-000000000000"
ME = {"user": {"id": "1", "name": "Rita", "email": "rita@example.com"}}


def page(*rows: dict[str, Any]) -> Answer:
    """Return one page of a list."""
    return Answer(data={"data": list(rows), "pagination": {"limit": 1000, "offset": 0, "has_more": False}})


def a_request(**change: Any) -> dict[str, Any]:
    """Return a request as lists have it."""
    return {
        "id": "AR-1",
        "status": {"status": "Active", "metadata": {"state": "active"}},
        "grantee": {"display_name": "Rita"},
        "requestor": {"name": "Rita"},
        "justification": "because",
        "access_units_summary": [{"resource_name": "orders", "permission_name": "Read"}],
        "creation_time": 1.7e9,
        "custom_fields": {},
    } | change


def a_session(kind: str, status: str = "NEW") -> dict[str, Any]:
    """Return a session of one kind of system."""
    credentials = {"credentials": {"id": SESSION, "status": status, "can_reset": True}} if status else {}
    return {
        "id": SESSION,
        "name": "Shop AR-1",
        "type": {"id": kind, "name": kind},
        "integration": {"id": "1", "name": "Shop", "type": kind},
        **credentials,
    }


def holding(kind: str, details: dict[str, Any], secrets: dict[str, str], status: str = "NEW") -> Any:
    """Return the answers of a server at which one access is held; its credentials are handed out once."""
    state = {"status": status}

    def answer(asked: Asked) -> Answer:
        path = asked.path.removeprefix(BASE)
        if path == "/access-sessions":
            return page(a_session(kind, state["status"]))
        if path == f"/access-sessions/{SESSION}":
            return Answer(data=a_session(kind, state["status"]))
        if path.endswith("/reset-credentials"):
            state["status"] = "new"
            return Answer(data={"message": "New credentials are being made."})
        taken = state["status"].lower() == "new" and "consumed_by" in asked.query
        shown = secrets if taken else dict.fromkeys(secrets, "********")
        if taken:
            state["status"] = "VIEWED"
        told = {"json": {**details, **shown}, "instructions": {"plain": "Go.", "markdown": "Go."}}
        return Answer(data=told | ({"consumed_by": "latchkey-cli"} if state["status"] == "VIEWED" else {}))

    return answer
