"""The whole story over HTTP, on real PostgreSQL servers: ask, approve, use, lose access, and the record of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command

from access_requests.models import AccessGroup, AccessRequest, Proof, StandingRecord
from accounts.models import User
from integrations.models import Integration, Permission, Resource
from tests.cast import PASSWORD, Cast
from tests.journeys.browser import Browser, words_of
from tests.journeys.real import CONNECTOR_PASSWORD, furnish, logins, memberships
from tests.journeys.stack import Stack, wait_for
from tests.story import put_into
from tests.targets import CONNECTOR, VERSIONS, PostgresServer, binaries, missing, running

pytestmark = pytest.mark.target
STANDING = "rita"


@pytest.fixture
def stack(fresh_database: str, tmp_path: Path) -> Iterator[Stack]:
    """The running stack, on the test's database."""
    up = Stack(tmp_path)
    up.move_in()
    up.start()
    up.wait_until_ready()
    yield up
    up.stop()


@dataclass
class Scene:
    """One server as target, and the people at their browsers."""

    server: PostgresServer
    admin: Browser
    requester: Browser
    approver: Browser
    outsider: Browser
    passwords: dict[int, str] = field(default_factory=dict)

    @property
    def integration(self) -> Integration:
        """The integration of this server."""
        return Integration.objects.get(name=f"Shop {self.server.version}")

    def connect(self) -> None:
        """The admin tries the connection, then saves; the databases appear."""
        form = {
            "name": f"Shop {self.server.version}",
            "config_hostname": self.server.host,
            "config_port": str(self.server.port),
            "config_dbname": "postgres",
            "config_sslmode": "disable",
            "config_username": CONNECTOR,
            "secret_password": CONNECTOR_PASSWORD,
            "cleanup_days": "90",
            "types": ["database"],
        }
        page = "/admin/integrations/integration/connect/postgresql/"
        self.admin.get(page)
        wrong = words_of(self.admin.post(page, **{**form, "secret_password": "wrong", "_test": "Test"}))
        assert "password" in wrong
        assert not Integration.objects.filter(name=form["name"]).exists()
        tried = words_of(self.admin.post(page, **form, _test="Test"))
        assert f"PostgreSQL {self.server.version}" in tried
        self.admin.post(page, **form, _save="Save")
        wait_for("the databases", lambda: self.integration.resources.filter(name="shop").exists())

    def write_policy(self) -> None:
        """The admin writes two flows: a minute of writing, an hour of reading."""
        for name, permission, minutes in (("Write", "READ_WRITE", 1), ("Read", "READ_ONLY", 60)):
            page = self.admin.post(
                "/admin/flows/accessflow/add/",
                **{
                    "name": f"{name} {self.server.version}",
                    "active": "on",
                    "requestor_operator": "or",
                    "grant_duration_minutes": str(minutes),
                    "justification_required": "on",
                    "pending_hours": "8",
                    "approval_mode": "any_of",
                    "request_for": "self",
                    "requestors": "0",
                    "requestors-0-type": "group",
                    "requestors-0-operator": "is",
                    "requestors-0-values": "engineers",
                    "targets": "0",
                    "targets-0-kind": "integration",
                    "targets-0-integration": str(self.integration.pk),
                    "targets-0-resource_type": "database",
                    "targets-0-permissions": permission,
                    "approvers": "0",
                    "approvers-0-operator": "or",
                    "approvers-0-conditions": "0",
                    "approvers-0-conditions-0-type": "group",
                    "approvers-0-conditions-0-operator": "is",
                    "approvers-0-conditions-0-values": "approvers",
                    "_save": "Save",
                },
            )
            assert "may ask, for themselves, for" in words_of(page), words_of(page)

    def ask(self, permission: str) -> AccessRequest:
        """The engineer finds the database, sees whose approval it takes, and sends the request."""
        resource = Resource.objects.get(integration=self.integration, name="shop")
        kind = resource.resource_type
        first, pick = (
            f"{resource.pk}:{Permission.objects.get(resource_type=kind, source_id=one).pk}"
            for one in ("READ_ONLY", permission)
        )
        assert f'value="{first}"' in self.requester.get("/requests/new/?q=shop")
        assert f'value="{pick}"' in self.requester.post("/requests/new/", add=first, do="check")
        form = {"pick": pick, "duration": "", "justification": "INC-7 the shop is slow"}
        assert "Abel" in words_of(self.requester.post("/requests/new/", **form, do="check"))
        before = set(AccessRequest.objects.values_list("pk", flat=True))
        self.requester.post("/requests/new/", **form, do="send")
        (made,) = AccessRequest.objects.exclude(pk__in=before)
        return made

    def approve(self, request: AccessRequest) -> None:
        """The approver finds it among their tasks and says yes."""
        assert "INC-7 the shop is slow" in self.approver.get("/tasks/")
        self.approver.post(f"/requests/{request.pk}/approve/", reason="go ahead")
        wait_for(f"{request} active", lambda: self.state(request) == "active")

    def granted(self, permission: str) -> AccessRequest:
        """Ask, approve, and see the password once."""
        request = self.ask(permission)
        self.approve(request)
        self.see_password(request)
        return request

    def see_password(self, request: AccessRequest) -> None:
        """The engineer sees the password once; a second time it is not there, and nobody else sees it at all."""
        session = AccessGroup.objects.get(request=request).session
        path = f"/requests/{request.pk}/sessions/{session.pk}/password/"
        for other in (self.outsider, self.approver, self.admin):
            other.get("/")
            other.send(path, expect=404)
        assert "psql" in words_of(self.requester.get(f"/requests/{request.pk}/"))
        answer = self.requester.send(path)
        assert "no-store" in answer.headers["Cache-Control"]
        login = AccessGroup.objects.get(request=request).login
        candidates = re.findall(r"[A-Za-z0-9_\-]{20,}", words_of(answer.text))
        self.passwords[request.pk] = next(word for word in candidates if self.opens(login, word))
        again = self.requester.session.post(
            self.requester.address + path,
            data={"csrfmiddlewaretoken": self.requester.session.cookies["csrftoken"]},
            headers={"Referer": self.requester.address},
            timeout=60,
        )
        assert self.passwords[request.pk] not in again.text
        assert self.passwords[request.pk] not in self.requester.get(f"/requests/{request.pk}/")

    def opens(self, login: str, password: str) -> bool:
        """Whether the server takes this password for this login."""
        try:
            self.server.connect("shop", user=login, password=password).close()
        except psycopg.OperationalError:
            return False
        return True

    def psql(self, request: AccessRequest, statement: str) -> subprocess.CompletedProcess[str]:
        """Run the real psql with the details of a request."""
        group = AccessGroup.objects.get(request=request)
        folder = binaries(self.server.version)
        assert folder is not None
        return subprocess.run(
            [str(folder / "psql"), "-X", "-At", group.session.details["uri"], "-c", statement],
            env={**os.environ, "PGPASSWORD": self.passwords[request.pk], "PGCONNECT_TIMEOUT": "5"},
            capture_output=True,
            text=True,
            check=False,
        )

    def state(self, request: AccessRequest) -> str:
        """Return the state in the database."""
        return str(AccessRequest.objects.values_list("state", flat=True).get(pk=request.pk))

    def wait_for_end(self, request: AccessRequest) -> None:
        """Wait until it is revoked; the login is shut and the page says that it is proven."""
        wait_for(f"{request} revoked", lambda: self.state(request) == "revoked", seconds=150)
        refused = self.psql(request, "SELECT 1")
        assert refused.returncode != 0, refused.stdout
        assert not logins(self.server)[AccessGroup.objects.get(request=request).login]
        page = words_of(self.requester.get(f"/requests/{request.pk}/"))
        assert "Revoked (proven)" in page
        assert Proof.objects.get(group__request=request).found == []


def scenes(stack: Stack, cast: Cast, servers: list[PostgresServer]) -> list[Scene]:
    """Furnish the servers and sit everybody down at a browser, signed in."""
    put_into("engineers", cast.requester)
    put_into("approvers", cast.approver)
    address = f"http://127.0.0.1:{stack.port}"
    browsers = {}
    for name in ("admin", "requester", "approver", "outsider"):
        user: User = getattr(cast, name)
        # The stack hashes as the product does; the tests' own hasher is a quick one it does not know.
        hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6)
        User.objects.filter(pk=user.pk).update(password=hashed)
        browsers[name] = Browser(address)
        browsers[name].sign_in(user.email, PASSWORD)
    for server in servers:
        furnish(server, "shop")
        server.run_sql(f"CREATE ROLE {STANDING} LOGIN PASSWORD 'standing'")
        server.run_sql(f"GRANT SELECT ON orders TO {STANDING}", "shop")
    return [Scene(server, **browsers) for server in servers]


def test_the_story_over_http(stack: Stack, cast: Cast) -> None:
    versions = [version for version in VERSIONS if not missing(version)]
    if not versions:
        pytest.skip(missing(VERSIONS[0]))
    opened = [running(version) for version in versions]
    try:
        tell([*scenes(stack, cast, [one.__enter__() for one in opened])])
        call_command("audit", "verify")
    finally:
        for one in opened:
            one.__exit__(None, None, None)


def tell(stages: list[Scene]) -> None:
    """Tell the story on every stage; a minute of waiting is shared by all."""
    begun = []
    for scene in stages:
        scene.connect()
        scene.write_policy()
    for scene in stages:
        writing = scene.granted("READ_WRITE")
        assert scene.psql(writing, "INSERT INTO orders VALUES (8) RETURNING number").stdout.split()[0] == "8"
        live = scene.server.connect(
            "shop", user=AccessGroup.objects.get(request=writing).login, password=scene.passwords[writing.pk]
        )
        reading = scene.granted("READ_ONLY")
        assert scene.psql(reading, "SELECT count(*) FROM orders").stdout.strip() == "2"
        assert "permission denied" in scene.psql(reading, "INSERT INTO orders VALUES (9)").stderr
        begun.append((scene, writing, live, reading))
    for scene, *_ in begun:
        no_and_never_mind(scene)
        taken_away(scene)
    for scene, writing, live, reading in begun:
        scene.wait_for_end(writing)
        with pytest.raises(psycopg.OperationalError):
            live.execute("SELECT 1")
        assert scene.psql(reading, "SELECT count(*) FROM orders").stdout.strip() == "2"
        down_at_the_end(scene, reading)
        nothing_is_left(scene)


def no_and_never_mind(scene: Scene) -> None:
    """One request is rejected, one is withdrawn; neither opens anything."""
    rejected, withdrawn = scene.ask("READ_ONLY"), scene.ask("READ_ONLY")
    scene.outsider.get(f"/requests/{rejected.pk}/", expect=404)
    scene.outsider.send(f"/requests/{rejected.pk}/approve/", expect=404)
    scene.approver.post(f"/requests/{rejected.pk}/reject/", reason="not today")
    assert "not today" in scene.requester.get(f"/requests/{rejected.pk}/")
    scene.requester.post(f"/requests/{withdrawn.pk}/withdraw/")
    assert (scene.state(rejected), scene.state(withdrawn)) == ("rejected", "cancelled")


def taken_away(scene: Scene) -> None:
    """An admin revokes a third grant and says why."""
    third = scene.granted("READ_ONLY")
    scene.admin.post(f"/requests/{third.pk}/revoke/", reason="wrong database")
    scene.wait_for_end(third)
    assert "wrong database" in scene.requester.get(f"/requests/{third.pk}/")


def down_at_the_end(scene: Scene, reading: AccessRequest) -> None:
    """The server is down when access is handed back, and comes back later."""
    scene.server.stop("immediate")
    scene.requester.post(f"/requests/{reading.pk}/hand-back/")
    assert scene.state(reading) == "revoking"
    scene.server.start()
    scene.wait_for_end(reading)


def nothing_is_left(scene: Scene) -> None:
    """No login opens, no membership is left, and what was standing stands."""
    assert not any(logins(scene.server).values())
    assert memberships(scene.server) == set()
    with scene.server.connect("shop", user=STANDING, password="standing") as standing:
        assert standing.execute("SELECT count(*) FROM orders").fetchone() == (2,)
    assert StandingRecord.objects.filter(integration=scene.integration, login=STANDING).exists()
