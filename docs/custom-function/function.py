"""A function that Latchkey can tell who may do what: copy it, and put what you guard where the class `Store` is.

It guards a few reports behind a small web server, with its users in one SQLite file, and needs nothing but Python 3.11:

    SIGNING_KEY=… python function.py --port 8600 --data reports.db      for the integration "Custom function over HTTP"
    handler: function.lambda_handler                                    for AWS Lambda
    entry point: cloud_function                                         for Cloud Run functions

README.md beside it says what each event means.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KIND = "resource"
REPORTS = {
    "sales": {"name": "Sales", "tags": {"team": "finance"}},
    "payroll": {"name": "Payroll", "tags": {"team": "people", "secret": "yes"}},
}
PERMISSIONS = [
    {"id": "read", "name": "Read", "risk_level": 3},
    {"id": "publish", "name": "Publish", "risk_level": 6},
]
TABLES = """
CREATE TABLE IF NOT EXISTS users (
  username TEXT PRIMARY KEY, grant_id TEXT NOT NULL, person_id TEXT NOT NULL, integration_id TEXT NOT NULL,
  salt BLOB NOT NULL, hash BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS access (
  username TEXT NOT NULL, resource TEXT NOT NULL, permission TEXT NOT NULL, ends_at TEXT,
  PRIMARY KEY (username, resource, permission)
);
CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at REAL NOT NULL);
"""
# How far the clocks of both sides may differ, and so how long a signed request counts.
WINDOW_SECONDS = 300
BODY_MAX = 2**20


class Refusal(Exception):
    """What goes back instead of an answer. `error` is one of the words that README.md lists."""

    def __init__(self, error: str, message: str, fix: str = "") -> None:
        """Say what is, and what to do about it."""
        super().__init__(message)
        self.answer = {"status": "error", "error": error, "message": message, "fix": fix}


class Store:
    """What is guarded: reports, and who may do what with them. Every method is one transaction."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self._path = path
        database = sqlite3.connect(path, timeout=10)
        database.executescript(TABLES)
        database.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are kept together or not at all."""
        database = sqlite3.connect(self._path, timeout=10, isolation_level=None)
        database.row_factory = sqlite3.Row
        try:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        finally:
            database.close()  # what was not committed is taken back

    def access(self, usernames: list[str], person_id: str, integration_id: str) -> tuple[list[Any], list[Any]]:
        """Return the users of these names or made for this person, and what they may."""
        marks = ", ".join("?" * len(usernames)) or "NULL"
        with self._change() as database:
            users = database.execute(
                f"SELECT * FROM users WHERE username IN ({marks}) OR (person_id = ? AND integration_id = ?)",  # noqa: S608
                (*usernames, person_id, integration_id),
            ).fetchall()
            names = [user["username"] for user in users]
            marks = ", ".join("?" * len(names)) or "NULL"
            held = database.execute(f"SELECT * FROM access WHERE username IN ({marks})", names).fetchall()  # noqa: S608
        return users, held

    def make_user(self, username: str, grant_id: str, person_id: str, integration_id: str) -> str:
        """Make a user, or give the one of this grant a new password; return it."""
        with self._change() as database:
            user = database.execute("SELECT grant_id FROM users WHERE username = ?", (username,)).fetchone()
            if user is not None and user["grant_id"] != grant_id:
                raise Refusal("refused", f"There is a user {username} that was not made for this grant.")
            password, salt = secrets.token_urlsafe(24), secrets.token_bytes(16)
            database.execute(
                "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)",
                (username, grant_id, person_id, integration_id, salt, _hash(password, salt)),
            )
        return password

    def drop_user(self, username: str, grant_id: str) -> None:
        """Remove the user of a grant with all they may; nothing where there is none."""
        with self._change() as database:
            gone = database.execute("DELETE FROM users WHERE username = ? AND grant_id = ?", (username, grant_id))
            if gone.rowcount:
                database.execute("DELETE FROM access WHERE username = ?", (username,))

    def give(self, username: str, grant_id: str, units: list[tuple[str, str]], ends_at: str | None) -> None:
        """Let the user of a grant do something until a moment."""
        with self._change() as database:
            mine = "SELECT 1 FROM users WHERE username = ? AND grant_id = ?"
            if database.execute(mine, (username, grant_id)).fetchone() is None:
                raise Refusal("target_missing", f"There is no user {username} of this grant.")
            rows = [(username, resource, permission, ends_at) for resource, permission in units]
            database.executemany("INSERT OR REPLACE INTO access VALUES (?, ?, ?, ?)", rows)

    def take(self, username: str, grant_id: str, units: list[tuple[str, str]]) -> None:
        """Let the user of a grant do something no more; nothing where they may not."""
        with self._change() as database:
            database.executemany(
                "DELETE FROM access WHERE username = ? AND resource = ? AND permission = ?"
                " AND username IN (SELECT username FROM users WHERE grant_id = ?)",
                [(username, resource, permission, grant_id) for resource, permission in units],
            )

    def new(self, id_: str, now: float) -> bool:
        """Say whether a request was not seen before, and remember it for as long as its signature counts."""
        with self._change() as database:
            database.execute("DELETE FROM seen WHERE at < ?", (now - 2 * WINDOW_SECONDS,))
            return database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (id_, now)).rowcount == 1

    def may(self, username: str, password: str, resource: str, permission: str) -> bool:
        """Say whether somebody may do something: what the reports' own web server asks."""
        with self._change() as database:
            user = database.execute("SELECT * FROM users WHERE username = ?", (username,)).fetchone()
            held = database.execute(
                "SELECT ends_at FROM access WHERE username = ? AND resource = ? AND permission = ?",
                (username, resource, permission),
            ).fetchone()
        if user is None or held is None or not hmac.compare_digest(user["hash"], _hash(password, user["salt"])):
            return False
        return held["ends_at"] is None or held["ends_at"] > time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)


def get_status(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Say whether what is guarded can be reached."""
    store.access([], "", "")
    return {}


def list_resources(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Say what can be given."""
    if params.get("resource_type") != KIND:
        return {"resources": [], "permissions": []}
    resources = [{"id": id_, "name": report["name"], "type": KIND} for id_, report in REPORTS.items()]
    return {"resource_type_name": "Report", "resources": resources, "permissions": PERMISSIONS}


def list_resources_tags(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Say how resources are tagged."""
    return {"tags": {id_: report["tags"] for id_, report in REPORTS.items()}}


def list_access(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Say what a person has: by us, and (with an empty grant_id) by themselves."""
    person = params["person"]
    own = {alias.partition("@")[0] for alias in person["aliases"]} | set(person["aliases"])
    now = time.time()
    users, held = store.access([*params["usernames"], *own], person["id"], params["integration_id"])
    grants = {user["username"]: user["grant_id"] for user in users}
    address = os.environ.get("REPORTS_ADDRESS", "http://127.0.0.1:8600")
    return {
        "read_at": now,
        "users": [
            {"username": name, "grant_id": grant_id, "details": {"uri": f"{address}/reports/"}}
            for name, grant_id in grants.items()
        ],
        "access": [
            {
                "username": row["username"],
                "grant_id": grants[row["username"]],
                "resource_type": KIND,
                "resource": row["resource"],
                "permission": row["permission"],
            }
            for row in held
        ],
    }


def grant_access(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Give."""
    store.give(params["username"], params["grant_id"], _units(params), params.get("ends_at"))
    return {}


def revoke_access(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Take; what is not there is taken already."""
    units = [(resource, params["permission"]) for resource in params["resources"]]
    store.take(params["username"], params["grant_id"], units)
    return {}


def create_credentials(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Make the user of a grant. Their password leaves here once, in this answer."""
    person_id, integration_id = params["person"]["id"], params["integration_id"]
    return {"secret": store.make_user(params["username"], params["grant_id"], person_id, integration_id)}


def delete_credentials(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Remove the user of a grant."""
    store.drop_user(params["username"], params["grant_id"])
    return {}


EVENTS: dict[str, Callable[[Store, dict[str, Any]], dict[str, Any]]] = {
    "get-status": get_status,
    "list-resources": list_resources,
    "list-resources-tags": list_resources_tags,
    "list-access": list_access,
    "grant-access": grant_access,
    "revoke-access": revoke_access,
    "create-credentials": create_credentials,
    "reset-credentials": create_credentials,
    "delete-credentials": delete_credentials,
}


def _units(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is to be given. Raises Refusal for what is not here."""
    permission = params["permission"]
    here = REPORTS if params["resource_type"] == KIND else {}
    unknown = [resource for resource in params["resources"] if resource not in here]
    if unknown or permission not in {one["id"] for one in PERMISSIONS}:
        raise Refusal("target_missing", f"There is no {permission} on {', '.join(unknown) or 'these'}.")
    return [(resource, permission) for resource in params["resources"]]


def answer(store: Store, event: Any) -> dict[str, Any]:
    """Answer one event. Who sent it has been looked at before."""
    try:
        if not isinstance(event, dict) or not isinstance(event.get("params"), dict):
            raise Refusal("misconfigured", "An event is an object with event_type and params.")
        told = EVENTS.get(str(event.get("event_type")))
        if told is None:
            raise Refusal("misconfigured", f"This function does not know the event {event.get('event_type')}.")
        # After the deadline somebody else may be at work on the same grant.
        if event["params"].get("deadline", 0) < time.time():
            raise Refusal("unreachable", "The event came after its deadline.", "Look at the clocks of both machines.")
        return {"status": "ok", **told(store, event["params"])}
    except Refusal as refusal:
        return refusal.answer
    except (KeyError, TypeError, AttributeError) as error:
        return Refusal("misconfigured", f"A parameter is missing or of the wrong kind: {error}.").answer


def signed(headers: Mapping[str, str], body: bytes, key: bytes, store: Store) -> bool:
    """Say whether a request was signed with the key, within the window, and is new (Standard Webhooks)."""
    id_, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    wanted = base64.b64encode(hmac.new(key, f"{id_}.{sent}.".encode() + body, hashlib.sha256).digest())
    given = [one[3:].encode() for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    if not any(hmac.compare_digest(wanted, one) for one in given):
        return False
    now = time.time()
    return sent.isdecimal() and abs(now - int(sent)) <= WINDOW_SECONDS and store.new(id_, now)


class Web(BaseHTTPRequestHandler):
    """The web server: events by POST, and the reports themselves."""

    store: Store
    key: bytes
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """Write no log: events hold passwords and names."""

    def do_POST(self) -> None:
        """Take an event."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_MAX:
            self._send(413, {"status": "error", "message": "The body is too large."})
            return
        body = self.rfile.read(int(length))
        if not signed(self.headers, body, self.key, self.store):  # type: ignore[arg-type]  # it has get(), as a mapping has
            self._send(401, {"status": "error", "message": "The signature is wrong, too old, or was used before."})
            return
        try:
            event = json.loads(body)
        except ValueError:
            event = None
        self._send(200, answer(self.store, event))

    def do_GET(self) -> None:
        """Show a report to whoever may read it: /reports/ID, with user name and password."""
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ") or b"").decode()
        username, _, password = given.partition(":")
        report, _, permission = self.path.removeprefix("/reports/").partition("?")
        if self.store.may(username, password, report, permission or "read"):
            self._send(200, {"report": REPORTS[report]["name"]})
        else:
            self._send(403, {"message": "You may not."})

    def _send(self, status: int, data: dict[str, Any]) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer on AWS Lambda: only who may invoke the function gets here. A real one keeps its data in a database."""
    return answer(Store(Path(os.environ.get("DATA", "/tmp/reports.db"))), event)  # noqa: S108  # Lambda's one writable place


def cloud_function(request: Any) -> tuple[dict[str, Any], int]:
    """Answer on Cloud Run functions: only who has the role Cloud Run Invoker gets here."""
    return answer(Store(Path(os.environ.get("DATA", "/tmp/reports.db"))), request.get_json(silent=True)), 200  # noqa: S108


def main(arguments: list[str]) -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A function that Latchkey can tell who may do what.")
    parser.add_argument("--port", type=int, default=8600)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", type=Path, default=Path("reports.db"))
    given = parser.parse_args(arguments)
    key = os.environ.get("SIGNING_KEY", "").encode()
    if len(key) < 24:
        parser.error("SIGNING_KEY in the environment: 24 characters or more, the same as in the integration")
    kind = type("Web", (Web,), {"store": Store(given.data), "key": key})
    with ThreadingHTTPServer((given.host, given.port), kind) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
