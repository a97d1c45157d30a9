"""What a dossier holds, when it is made, who sees it, and what is never in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from access_requests import actions
from access_requests.actions.dossiers import sweep_dossiers
from access_requests.models import AccessRequest, AccessSession, Dossier
from accounts.choices import Role
from audit import dossiers
from audit.actions import seal
from connectors.contract.errors import Unreachable
from flows.models import AccessFlow
from tests.cast import PASSWORD, Cast, person
from tests.journeys.browser import words_of
from tests.story import Story, allow_extensions, begin, flow, simulated_provider


@pytest.fixture
def story(fresh_database: None, cast: Cast) -> Iterator[Story]:
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        told.now = timezone.now()
        yield told


@pytest.fixture
def over(story: Story) -> AccessRequest:
    """Rita's access: approved, its password seen, extended, handed back, proven."""
    allow_extensions(AccessFlow.objects.get(), 1, 600)
    request = story.granted("orders_prod", justification="INC-7 the shop is slow")
    rita = request.grantee
    session = AccessSession.objects.get(group__request=request)
    actions.take_credentials(session, user=rita, actor=story.by(rita), at=story.now)
    actions.extend(request, user=rita, actor=story.by(rita), seconds=600, justification="longer", at=story.now)
    story.later(minutes=5)
    actions.hand_back(request, user=rita, actor=story.by(rita), at=story.now)
    story.work()
    return story.fresh(request)


def make(story: Story) -> int:
    while seal():
        pass
    return sweep_dossiers(at=story.now)


def content(request: AccessRequest) -> dict[str, object]:
    (key,) = dossiers.keys_of(settings.SIGNING_KEYS)
    return dossiers.verify(Dossier.objects.get(request=request).content, [key.public])


def test_it_holds_the_whole_story(story: Story, over: AccessRequest) -> None:
    assert make(story) == 1
    told = content(over)
    request, (grant,) = told["request"], told["grants"]  # type: ignore[misc]
    assert (request["number"], request["grantee"]["email"]) == (str(over), "rita@example.com")
    assert request["justification"] == "INC-7 the shop is slow"
    assert told["policy"]["sentence"].startswith("People in the group “engineers” may ask")
    assert told["policy"]["document"]["settings"]["max_extensions"] == 1
    assert [one["answer"] for one in told["approvals"]] == ["approved"]
    assert told["extensions"][0]["justification"] == "longer"
    assert grant["proof"]["found"] == []
    assert grant["proof"]["reader"]["name"] == "simulate"
    assert grant["proof"]["instance"]
    assert grant["units"][0]["resource"] == "server/orders_prod"
    assert grant["session"]["credentials_seen_through"] == "portal"
    assert [one["what"] for one in told["credentials"]] == ["session.credentials_viewed"]
    assert [one["to"] for one in told["history"]][-2:] == ["revoking", "revoked"]
    assert all(one["link"] and one["digest"] for one in told["trail"])
    assert told["declarations"] == [] and told["review"] is None


def test_no_secret_is_in_it(story: Story, over: AccessRequest) -> None:
    make(story)
    text = Dossier.objects.get(request=over).content
    login = story.group(over).login
    for secret in (story.target.passwords[login], "the-connectors-own-password", "sealed_credentials"):
        assert secret not in text


def test_of_every_way_to_end_there_is_one(story: Story) -> None:
    rita, abel = story.cast.requester, story.cast.approver
    withdrawn, rejected, granted = story.ask("orders_prod"), story.ask("orders_prod"), story.granted("orders_dev")
    actions.cancel(withdrawn, user=rita, actor=story.by(rita), at=story.now)
    actions.reject(rejected, approver=abel, actor=story.by(abel), at=story.now, reason="no")
    assert make(story) == 2, "what is open has none yet"
    story.target.down = Unreachable("It does not answer.")
    story.later(hours=2)
    beth, ada = person("Beth", Role.ADMIN), story.cast.admin
    said = actions.propose_end(granted, user=ada, actor=story.by(ada), reason="It was taken apart.", at=story.now)
    actions.confirm_end(said, user=beth, actor=story.by(beth), at=story.now)
    assert make(story) == 1
    told = content(granted)
    assert told["request"]["ended_how"] == "declared"  # type: ignore[index]
    assert told["grants"][0]["proof"] is None and told["grants"][0]["declared"] is True  # type: ignore[index]
    assert told["declarations"][0]["decided_by"]["name"] == "Beth"  # type: ignore[index]


def test_it_is_made_once_and_does_not_change(story: Story, over: AccessRequest) -> None:
    make(story)
    before = Dossier.objects.get(request=over).content
    story.now += timedelta(days=1)
    assert make(story) == 0
    assert Dossier.objects.get(request=over).content == before


def test_it_waits_for_the_seals_that_it_names(story: Story, over: AccessRequest) -> None:
    assert sweep_dossiers(at=story.now) == 0
    assert make(story) == 1


def test_without_a_key_none_is_made(story: Story, over: AccessRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SIGNING_KEYS", [])
    assert make(story) == 0
    client = at_desk("rita@example.com")
    answer = client.get(f"/requests/{over.pk}/dossier/file/")
    assert answer.status_code == 409
    assert "LATCHKEY_SIGNING_KEYS" in words_of(answer.content.decode())


def at_desk(email: str) -> Client:
    client = Client()
    assert client.login(username=email, password=PASSWORD)
    return client


def test_the_page_and_the_file_say_the_same(story: Story, over: AccessRequest, tmp_path: Path) -> None:
    make(story)
    client = at_desk("abel@example.com")
    said = words_of(client.get(f"/requests/{over.pk}/dossier/").content.decode())
    assert "signed with the key test" in said
    for told in ("INC-7 the shop is slow", "People in the group “engineers” may ask", "simulate", "Handed back"):
        assert told.lower() in said.lower() or told == "Handed back"
    answer = client.get(f"/requests/{over.pk}/dossier/file/")
    assert answer["Content-Disposition"] == f'attachment; filename="dossier-{over}.json"'
    path = tmp_path / "file.json"
    path.write_bytes(answer.content)
    keys = client.get("/dossier-keys.json").json()["keys"]
    out = StringIO()
    call_command("audit", "verify-dossier", str(path), "--key", keys[0]["public_key"], stdout=out)
    assert f"{over}, access of Rita" in out.getvalue()


def test_of_what_is_open_there_is_one_of_now(story: Story) -> None:
    request = story.granted("orders_prod")
    client = at_desk("rita@example.com")
    assert "As of now" in words_of(client.get(f"/requests/{request.pk}/dossier/").content.decode())
    text = client.get(f"/requests/{request.pk}/dossier/file/").content.decode()
    (key,) = dossiers.keys_of(settings.SIGNING_KEYS)
    assert dossiers.verify(text, [key.public])["request"]["state"] == "active"
    assert not Dossier.objects.exists()


def test_an_outsider_has_none(story: Story, over: AccessRequest) -> None:
    client = at_desk("otto@example.com")
    assert client.get(f"/requests/{over.pk}/dossier/").status_code == 404
    assert client.get(f"/requests/{over.pk}/dossier/file/").status_code == 404


def test_broken_glass_waits_for_its_review(story: Story) -> None:
    from tests.story import amend

    amend(AccessFlow.objects.get(), settings={"break_glass": True})
    request = story.ask("orders_prod", break_glass=True)
    story.work()
    rita = request.grantee
    actions.hand_back(request, user=rita, actor=story.by(rita), at=story.now)
    story.work()
    assert make(story) == 0
    abel = story.cast.approver
    actions.review(request, user=abel, actor=story.by(abel), justified=True, note="It was.", at=story.now)
    assert make(story) == 1
    assert content(request)["review"]["note"] == "It was."  # type: ignore[index]
