"""The main job from terminals, on the product itself: ask, approve, use, and give back."""

from __future__ import annotations

import io
import subprocess
from contextlib import suppress

import pytest
from ruamel.yaml import YAML

from audit.models import AuditEntry
from flows.models import AccessFlow
from tests.command_line.calling import ended, plain
from tests.command_line.conftest import Place
from tests.story import allow_extensions, amend, flow

ASK = ("request", "-i", "simulated server", "-R", "orders_prod", "-P", "Read only", "-j", "INC-7 the shop is slow")


def test_from_the_question_to_the_end_of_access(place: Place) -> None:
    rita, abel, story = place.rita, place.abel, place.story
    before = rita.data(*ASK, "--dry-run")
    assert before["status"] == "SUCCESS"
    (part,) = before["parts"]
    assert (part["flow"], part["approvers"][0]["names"], part["max_duration_in_sec"]) == ("Databases", ["Abel"], 3600)
    said = rita.run(*ASK, "--dry-run")
    assert "By the access flow Databases, for 1h" in said.err
    assert "Read only on server/orders_prod" in said.err
    assert "Abel" in said.err
    assert rita.data("requests") == [], "a dry run asks for nothing"
    (made,) = rita.data(*ASK, "-d", "30m")
    name = made["id"]
    assert (made["status"]["status"], made["duration_in_sec"]) == ("Pending", 1800)
    assert made["access_units"][0]["resource"]["name"] == "orders_prod"
    shown = plain(rita.run("show", name).out)
    assert "INC-7 the shop is slow" in shown
    assert "Abel (Pending) – In the group approvers" in shown
    assert f"{name} Pending" in plain(rita.run("requests").out)
    assert name in abel.run("requests", "--scope", "tasks").out
    assert f"{name} was approved." in abel.run("approve", name.lower(), "--reason", "go ahead").err
    story.catch_up()
    assert rita.data("show", name)["status"]["status"] == "Active"
    told = [one["metadata"] for one in rita.data("show", name)["challenge"]["approvers"]]
    assert told[0]["reason"] == "go ahead"
    use(place, name)
    allow_extensions(AccessFlow.objects.get(), 1, 600)
    assert "while the approvers are asked" in rita.run("extend", name).err
    assert "was approved" in abel.run("approve", name).err
    assert rita.data("show", name)["extension_count"] == 1
    assert rita.run("revoke", name).code == 0
    story.catch_up()
    assert rita.data("access") == []
    assert story.held() == set()
    sources = AuditEntry.objects.filter(actor_kind="user", subject_id=name.removeprefix("AR-"))
    assert {one.source for one in sources} == {"api"}


def use(place: Place, name: str) -> None:
    """Look at the access, take its credentials once, and have new ones made."""
    rita, story = place.rita, place.story
    (session,) = rita.data("access")
    short = session["id"][:8]
    assert f"{short} " in rita.run("access").out
    assert rita.try_("creds", short, "--form", "link").code == 4
    (login,) = story.target.passwords
    first = rita.run("creds", name, "--form", "json")
    assert first.data["password"] == story.target.passwords[login]
    assert "handed out now, and will not be again" in plain(first.err)
    again = rita.run("creds", "Simulated server")
    assert "Password: ********" in again.out
    assert f"latchkey reset {short}" in plain(again.err)
    reset = rita.begin("reset", short)
    while reset.poll() is None:
        story.catch_up()
        with suppress(subprocess.TimeoutExpired):
            reset.wait(0.3)
    assert ended(reset).code == 0
    anew = rita.run("creds", short, "--form", "instructions")
    assert f"Password: {story.target.passwords[login]}" in anew.out
    assert story.target.passwords[login] != first.data["password"]
    assert place.otto.try_("creds", short).code == 4
    assert place.otto.data("access") == []


@pytest.mark.full
def test_what_is_refused_says_why_and_how_it_ended(place: Place) -> None:
    rita, abel, otto = place.rita, place.abel, place.otto
    long = rita.try_(*ASK, "-d", "9h")
    assert (long.code, "At most 1h." in plain(long.err)) == (5, True)
    none = otto.try_(*ASK)
    assert none.code == 4
    assert "orders_prod" not in none.err.replace("“orders_prod”", "")
    assert rita.try_("request", "-i", "simulated server", "-R", "nothing", "-P", "Read only").code == 4
    assert rita.try_("request").code == 2
    assert rita.try_("request", "-d", "soon").code == 2
    (made,) = rita.data(*ASK)
    name = made["id"]
    assert otto.try_("show", name).code == 4
    assert otto.try_("approve", name).code == 4
    assert rita.try_("approve", name).code == 4, "nobody approves their own"
    assert abel.run("reject", name, "--reason", "not today").code == 0
    assert abel.try_("reject", name).code == 6
    waited = rita.try_("show", name)
    assert "not today" in waited.out
    assert rita.try_("connect", name).code == 4
    (other,) = rita.data("again", name, "-j", "once more")
    assert other["justification"] == "once more"
    assert rita.run("cancel", other["id"]).code == 0
    assert rita.data("show", other["id"])["status"]["metadata"]["state"] == "cancelled"
    wait = rita.try_(*ASK, "--wait", "--timeout", "1s", "--yes")
    assert (wait.code, "waits for Abel" in wait.err) == (9, True)


@pytest.mark.full
def test_tokens_are_made_shown_once_extended_and_revoked(place: Place) -> None:
    rita = place.rita
    made = rita.run("tokens", "make", "nightly", "--until", "7d", "--scope", "end_user:access_requests:read")
    text = made.out.strip()
    assert text.startswith("lk_")
    assert "shown once" in made.err
    listed = rita.run("tokens", "list")
    assert "nightly" in listed.out
    assert text not in listed.out
    other = place.nobody()
    assert other.run("login", place.url, "--token", typed=f"{text}\n").err.count("rita@example.com") == 1
    assert text in other.kept.read_text()
    assert other.kept.stat().st_mode & 0o777 == 0o600
    assert other.run("requests").code == 0
    assert other.try_("access").code == 4, "it has not the scope"
    assert rita.run("tokens", "extend", "nightly", "--until", "30d").code == 0
    assert rita.run("tokens", "revoke", "nightly").code == 0
    assert other.try_("requests").code == 3
    assert "“nightly”" in rita.try_("tokens", "revoke", "nightly").err


def test_why_not_says_what_is_in_the_way_and_every_form_says_the_same(place: Place) -> None:
    told = place.rita.run("why-not", "orders_prod").out
    assert "✓ Read only: you can ask for it; Databases gives it with one approval." in told
    assert place.rita.data("why-not", "orders_prod")["resources"][0]["ways"][0]["can_ask"] is True
    nothing = place.otto.run("why-not", "orders_prod").out
    assert "No access flow gives you anything like “orders_prod”" in nothing
    assert "server/" not in nothing
    rita = place.rita
    rita.run(*ASK)
    data = rita.data("requests")
    text = rita.run("requests", "-o", "yaml").out
    assert YAML(typ="safe").load(io.StringIO(text)) == data
    table = rita.run("requests").out.splitlines()
    assert table[0].split() == ["REQUEST", "STATUS", "FOR", "WHAT", "ASKED"]
    assert max(map(len, table)) <= 80


@pytest.mark.full
def test_bundles_are_asked_for_as_a_whole_and_others_can_be_asked_for(place: Place) -> None:
    rita, otto, integration = place.rita, place.story.cast.outsider, place.story.integration
    words = ("request", "-b", "night shift", "-j", "the night")
    assert rita.try_(*words).code == 4
    everybody = {"operator": "or", "conditions": [{"type": "user", "operator": "is", "values": [otto.email]}]}
    whom = {"scopes": ["self", "others"], "grantees": everybody}
    here = {"integration": str(integration.pk), "resource_type": "database", "permissions": ["READ_ONLY"]}
    kit = {"kind": "bundle", "bundle": "22222222-2222-2222-2222-222222222222", "name": "Night shift"}
    within = [{"kind": "integration", **here, "selectors": []}]
    amend(flow(integration, "Kits", "none"), targets=[{**kit, "targets": within}], request_for=whom)
    before = rita.run(*words, "--dry-run", "--for", otto.email)
    assert "It takes nobody's approval." in before.err
    (made,) = rita.data(*words, "--for", otto.email)
    assert (made["grantee"]["source_id"], len(made["access_units"])) == (otto.email, 2)
    assert [one["id"] for one in rita.data("requests", "--scope", "for-others")] == [made["id"]]
    place.story.catch_up()
    assert len(place.otto.data("access")) == 1
    assert rita.data("access") == []
    assert rita.try_(*words, "--for", "nobody@example.com").code == 4
