"""What people read of draining: on the page of a request, in My access, in letters, in the dossier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from access_requests import actions
from access_requests.actions import letters as letters_actions
from access_requests.models import AccessRequest, Proof
from access_requests.queries.dossier import gather
from accounts.models import Letter
from audit.actor import system
from connectors.contract.orders import ResourceFact
from flows.models import AccessFlow
from integrations import actions as integration_actions
from integrations.models import Integration
from tests.cast import PASSWORD, Cast
from tests.drift.looking import Looking
from tests.journeys.browser import words_of
from tests.simulated_accounts import ACCOUNTS
from tests.story import NOON, Story, amend, begin, flow, simulated_provider


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    """A flow for an hour, after which open sessions may go on for half an hour."""
    with simulated_provider():
        told = begin(cast)
        flow(told.integration, columns={"drain_minutes": 30})
        yield Looking(cast, told.integration, told.target, told.now)


def read(story: Story, request: AccessRequest | None = None) -> str:
    client = Client()
    assert client.login(username=story.cast.requester.email, password=PASSWORD)
    address = reverse("request_page", args=[request.pk]) if request else reverse("my_access")
    return re.sub(r" ([;.,])", r"\1", " ".join(words_of(client.get(address).content.decode()).split()))


def letter(story: Story, kind: str) -> str:
    letters_actions.sweep(at=story.now)
    return " ".join(words_of(Letter.objects.filter(kind=kind).latest("pk").html).split())


def test_from_the_first_word_to_the_proof(story: Story) -> None:
    request = story.granted("orders_prod")
    group = story.group(request)
    story.target.sessions[str(group.pk)] = 2
    assert "sessions that are open then may go on for 30 min" in read(story, request)
    story.later(minutes=52)
    assert "sessions that are open then may go on for 30 min" in letter(story, "ending")
    story.later(minutes=8)
    page = read(story, request)
    assert "Draining until 2 Mar, 13:30; no new connections." in page
    assert "2 open sessions may go on until then, and are cut at that time" in page
    assert "Due 2 Mar, 13:30:00" in page
    assert "no new session since 2 Mar, 13:00:00; 2 still open" in page
    assert "Simulated server lets no new session begin" in page
    assert "Open sessions are cut, and the target is read back" in page
    home = read(story)
    assert "Draining until 2 Mar, 13:30; no new connections" in home
    assert "End it now" in home
    story.later(minutes=30)
    page = read(story, request)
    assert "no new session since 2 Mar, 13:00:00; open ones could go on until 2 Mar, 13:30:00" in page
    assert "Draining" not in page
    dossier = gather(story.fresh(request), story.now)
    assert dossier["request"]["open_sessions_end_at"] == dossier["request"]["due_at"] == "2026-03-02T13:30:00+00:00"
    assert dossier["grants"][0]["new_sessions_refused_at"] == "2026-03-02T13:00:00+00:00"
    assert dossier["grants"][0]["proof"]["lag_milliseconds"] == 0


def test_the_grantee_ends_what_drains_from_its_page_and_nobody_else_does(story: Story) -> None:
    request = story.granted("orders_prod")
    story.target.sessions[str(story.group(request).pk)] = 1
    story.later(hours=1)
    address = reverse("hand_back_access", args=[request.pk])
    for user, status in ((story.cast.outsider, 404), (story.cast.requester, 302)):
        client = Client()
        assert client.login(username=user.email, password=PASSWORD)
        assert client.post(address).status_code == status
    assert story.fresh(request).end_reason == "handed_back"


def test_an_outdated_connector_is_told_of(story: Story) -> None:
    request = story.granted("orders_prod")
    story.target.sessions[str(story.group(request).pk)] = 1
    story.target.outdated = True
    story.later(hours=1)
    assert "the connector there is too old to let them go on" in read(story, request)


def directory(story: Story) -> Integration:
    """Connect a directory, where nothing can drain, and let the flow give both."""
    integration = integration_actions.connect(
        "Directory",
        "simulated_accounts",
        config={"hostname": "sim"},
        secrets={"password": "x"},
        actor=system(),
        at=story.now,
    )
    ACCOUNTS[str(integration.pk)].groups = [ResourceFact("group", "admins", "admins", "directory/admins")]
    story.work()
    return integration


def test_where_nothing_can_drain_it_ends_at_once_and_says_so(story: Story) -> None:
    integration = directory(story)
    here = {"integration": str(integration.pk), "resource_type": "group", "permissions": ["MEMBER"], "selectors": []}
    flow(integration, name="Groups", targets=[here], columns={"drain_minutes": 30})
    server, story.integration = story.integration, integration
    request = story.granted("admins", permission="MEMBER")
    assert "Directory cannot let sessions go on: access there ends at once" in read(story, request)
    story.later(hours=1)
    over = story.fresh(request)
    assert (over.state, over.drains_until) == ("revoked", None)
    assert "Directory cannot let sessions go on: access there ended at once" in read(story, request)
    story.integration = server


def test_of_two_integrations_each_ends_as_it_can(story: Story) -> None:
    made, integration = AccessFlow.objects.get(), directory(story)
    document = made.current.document if made.current else {}
    here = {**document["targets"][0], "integration": str(integration.pk), "resource_type": "group"}
    amend(made, targets=[*document["targets"], here | {"permissions": ["MEMBER"]}])
    server, story.integration = story.integration, integration
    pair = story.pair("admins", "MEMBER")
    story.integration = server
    rita = story.cast.requester
    (request,) = actions.ask(
        rita, [pair, story.pair("orders_prod")], justification="both", actor=story.by(rita), at=story.now
    )
    story.approve(request)
    story.work()
    one, other = (request.access_groups.get(integration=each) for each in (server, integration))
    story.target.sessions[str(one.pk)] = 1
    story.later(hours=1)
    ends = NOON + timedelta(hours=1)
    now = story.fresh(request)
    assert (now.state, now.due_at) == ("revoking", ends + timedelta(minutes=30))
    assert Proof.objects.get(group=other).due_at == ends
    page = read(story, request)
    assert "Draining until 2 Mar, 13:30" in page
    assert "Directory cannot let sessions go on: access there ended at once" in page
    story.later(minutes=30)
    assert story.fresh(request).ended_how == "proven"
    assert Proof.objects.get(group=one).due_at == ends + timedelta(minutes=30)
