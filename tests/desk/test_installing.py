"""Remote connectors: made, installed by a ready command, given tokens that are shown once, told apart when outdated."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Role
from audit.actor import system
from connectors import VERSION
from connectors.registry import BUILT_IN
from integrations import actions, install
from integrations.actions.tokens import admit
from integrations.models import Connector, ConnectorInstance, ConnectorToken
from integrations.queries import seen
from tests.architecture.source import PROJECT, ROOT
from tests.cast import Cast, person
from tests.desk.conftest import signed_in

TOKEN = re.compile(r"lkc_[0-9a-f]{10}_[A-Za-z0-9_-]{43}")
HOSTILE = "x'; rm -rf / #$(id)`id`\"\n"


@pytest.fixture
def east(cast: Cast) -> Connector:
    """A remote connector."""
    return Connector.objects.create(name="east", kind="remote")


def address(name: str, *args: object) -> str:
    """Return the address of one of its pages."""
    return reverse(f"admin:integrations_connector_{name}", args=args)


def test_a_connector_is_made_with_a_token_that_is_shown_this_once(desk: Client) -> None:
    answer = desk.post(address("add"), {"name": "east"})
    row = Connector.objects.get(name="east")
    (token,) = set(TOKEN.findall(answer.content.decode()))
    found = admit(token)
    assert found is not None
    assert found.connector == row
    assert "no-store" in answer["Cache-Control"]
    for page in (address("change", row.pk), address("install", row.pk), address("functions", row.pk)):
        assert not TOKEN.findall(desk.get(page).content.decode())


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "east"])
def test_a_name_that_cannot_be_is_refused_and_makes_nothing(desk: Client, east: Connector, name: str) -> None:
    before = Connector.objects.count()
    answer = desk.post(address("add"), {"name": name})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert Connector.objects.count() == before
    assert not ConnectorToken.objects.exists()


def test_tokens_are_replaced_without_a_gap(desk: Client, east: Connector) -> None:
    first, second = (
        TOKEN.findall(desk.post(address("token", east.pk), {"days": days}).content.decode())[0] for days in ("", "30")
    )
    assert admit(first)
    assert admit(second)
    old, new = ConnectorToken.objects.order_by("pk")
    assert old.expires_at is None
    assert new.expires_at is not None
    assert timedelta(days=29) < new.expires_at - timezone.now() < timedelta(days=31)
    page = desk.post(address("revoketoken", east.pk, old.pk), follow=True).content.decode()
    assert "Instances that used it are cut off." in page
    assert admit(first) is None
    assert admit(second)
    assert "was revoked before" in desk.post(address("revoketoken", east.pk, old.pk), follow=True).content.decode()


@pytest.mark.parametrize("days", ["0", "-1", "3651", "a", "1.5"])
def test_a_length_that_cannot_be_makes_no_token(desk: Client, east: Connector, days: str) -> None:
    assert "1 to 3650 days" in desk.post(address("token", east.pk), {"days": days}, follow=True).content.decode()
    assert not ConnectorToken.objects.exists()


def test_a_token_of_another_connector_is_not_found(desk: Client, east: Connector, cast: Cast) -> None:
    west = Connector.objects.create(name="west", kind="remote")
    actions.make_token(west, actor=system())
    token = ConnectorToken.objects.get()
    assert desk.post(address("revoketoken", east.pk, token.pk)).status_code == 404
    assert ConnectorToken.objects.get().revoked_at is None


def test_the_embedded_connector_gets_no_token(desk: Client, cast: Cast) -> None:
    row = Connector.objects.create(name="embedded")
    assert "needs no token" in desk.post(address("token", row.pk), follow=True).content.decode()
    assert not ConnectorToken.objects.exists()


def test_who_may_only_look_makes_and_revokes_nothing(east: Connector) -> None:
    viewer = signed_in(person("Vera", Role.VIEWER))
    assert viewer.get(address("install", east.pk)).status_code == 200
    assert viewer.get(address("add")).status_code == 403
    assert viewer.post(address("add"), {"name": "mine"}).status_code == 403
    assert viewer.post(address("token", east.pk)).status_code == 403
    assert not ConnectorToken.objects.exists()
    assert not Connector.objects.filter(name="mine").exists()


# The commands.


def commands(**change: str) -> list[tuple[str, str, str]]:
    """Return platform, shell and text of every command to install."""
    told = {"name": "prod eu", "url": "https://access.example.com", "image": "image:1", "version": "1"} | change
    return [(one.id, each.shell, each.text) for one in install.PLATFORMS for each in install.install(one, **told)]


def test_every_platform_has_commands_and_every_command_a_platform() -> None:
    files = {path.name for path in install.COMMANDS.iterdir()}
    for platform in install.PLATFORMS:
        assert {f"{platform.id}.sh", f"{platform.id}-upgrade.sh"} <= files
        files -= {f"{platform.id}.sh", f"{platform.id}.ps1", f"{platform.id}-upgrade.sh"}
    assert files == set()


@pytest.mark.parametrize(("platform", "shell", "text"), commands(), ids=lambda value: str(value)[:12])
def test_a_command_can_be_read_by_its_shell_and_names_files_that_are_there(
    platform: str, shell: str, text: str
) -> None:
    assert TOKEN.search(text) is None
    if shell == "Shell":
        assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    for name in re.findall(r"deploy/[\w./-]+", text):
        assert (ROOT / name).exists(), name


def test_values_never_become_a_part_of_a_command() -> None:
    for _, shell, text in commands(name=HOSTILE, url=HOSTILE, image=HOSTILE, version=HOSTILE):
        if shell != "Shell":
            continue
        lines = text[: text.index("# The token is asked")]
        words = subprocess.run(
            [shutil.which("sh") or "sh", "-c", f'{lines}\nprintf "%s|" "$URL" "$NAME" "$IMAGE"'],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert words.split("|")[0] in {HOSTILE, ""}
        assert HOSTILE not in text.replace(shlex.quote(HOSTILE), "")


def test_the_page_has_every_platform_and_the_address_to_allow(desk: Client, east: Connector) -> None:
    page = desk.get(address("install", east.pk)).content.decode()
    for platform in install.PLATFORMS:
        assert platform.name in page
    assert install.outbound(settings.PUBLIC_URL) in page
    assert install.outbound("https://access.example.com") == "access.example.com:443"
    assert install.outbound("https://access.example.com:8443") == "access.example.com:8443"


# How instances are.


def instance(connector: Connector, version: str = VERSION, **change: object) -> ConnectorInstance:
    """Make a running instance."""
    return ConnectorInstance.objects.create(
        connector=connector, version=version, place="east-1", last_seen_at=timezone.now(), **change
    )


def test_an_instance_that_is_older_is_flagged_with_the_command_of_its_platform(desk: Client, east: Connector) -> None:
    instance(east, "0.0.9", identity="a", surroundings={"runs_as": "docker"})
    assert seen(east, timezone.now()).health == "outdated"
    page = desk.get(address("change", east.pk)).content.decode()
    assert "Outdated" in page
    assert "docker rm --force" in page


def test_an_instance_that_is_current_or_newer_is_well(desk: Client, east: Connector) -> None:
    one = instance(east, identity="a", surroundings={"runs_as": "docker"})
    for version in (VERSION, "99.0.0", "99.0.0-dev"):
        ConnectorInstance.objects.filter(pk=one.pk).update(version=version)
        assert seen(east, timezone.now()).health == "well"
        assert "Outdated" not in desk.get(address("change", east.pk)).content.decode()


def test_an_unknown_platform_gets_no_command(desk: Client, east: Connector) -> None:
    instance(east, "0.0.9", identity="a", surroundings={"runs_as": "../../etc/passwd"})
    assert "Upgrade it" not in desk.get(address("change", east.pk)).content.decode()


def test_what_it_may_do_is_told_beside_what_is_shipped(desk: Client, east: Connector) -> None:
    shipped = {one.name: one.digest for one in BUILT_IN.functions("postgresql")}
    told = {f"postgresql/{name}": digest for name, digest in shipped.items() if name != "drop_login"}
    told |= {"postgresql/shut_login": "f" * 64, "postgresql/extra": "e" * 64, "home-grown/give": "d" * 64}
    instance(east, identity="a", functions=told, rules="c" * 64)
    page = desk.get(address("functions", east.pk)).content.decode()
    sections = {part.partition('"')[0]: part for part in page.split('<section class="panel" aria-label="')}
    told_of = "".join(sections[name] for name in ("postgresql", "home-grown"))
    rows = dict(re.findall(r"<code>(\w+)</code>\s*</td>\s*<td data-label=\"State\">([^<]+)</td>", told_of))
    assert (rows["drop_login"], rows["shut_login"], rows["clock"]) == ("Not allowed", "Replaced", "As shipped")
    assert (rows["extra"], rows["give"]) == ("Its own", "Its own")
    assert "c" * 64 in page


def test_instances_that_differ_are_said_to(desk: Client, east: Connector) -> None:
    instance(east, identity="a", rules="c" * 64)
    instance(east, identity="b")
    assert "do not say the same" in desk.get(address("functions", east.pk)).content.decode()


def test_there_is_one_version_of_server_and_connector() -> None:
    assert PROJECT["project"]["version"] == VERSION
    assert settings.CONNECTOR_IMAGE.endswith(f":{VERSION}")
