"""What somebody leaves behind is on one page, with who takes over; automatic flows go off in the same act."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from access_requests import actions
from access_requests.choices import RevocationKind
from access_requests.models import AccessRequest, Revocation
from access_requests.queries.leaving import leftovers_of, would_give
from accounts import actions as people
from accounts.actions import NotAllowed
from accounts.choices import Role
from audit.actor import system
from audit.models import AuditEntry
from flows import actions as flow_actions
from flows.models import AccessFlow
from integrations.models import IntegrationOwner
from tests.automatic.giving import automatic_flow, work
from tests.cast import PASSWORD, person
from tests.journeys.browser import words_of
from tests.story import Story, put_into

WHY = "A laptop was stolen."


@pytest.fixture
def giving(story: Story) -> AccessFlow:
    """An automatic flow that gives to Rita and to Finn, and has given."""
    put_into("engineers", person("Finn"))
    story.now = timezone.now()
    found = automatic_flow(story.integration)
    work(story)
    assert AccessRequest.objects.filter(automatic=True, state="active").count() == 2
    return found


def client_of(email: str) -> Client:
    client = Client()
    assert client.login(username=email, password=PASSWORD)
    return client


def about(kind: RevocationKind, subject: object = None) -> Revocation:
    return Revocation(kind=kind, **({kind.value: subject} if subject else {}))


def test_each_scope_says_which_flows_would_give_again(story: Story, giving: AccessFlow) -> None:
    other = automatic_flow(story.integration, "Others", requestors={"operator": "or", "conditions": [
        {"type": "user", "operator": "is", "values": ["omar@example.com"]}]})  # fmt: skip
    rita = story.cast.requester
    assert would_give(about(RevocationKind.PERSON, rita)) == [giving]
    assert set(would_give(about(RevocationKind.INTEGRATION, story.integration))) == {giving, other}
    assert would_give(about(RevocationKind.FLOW, giving)) == [giving]
    assert set(would_give(about(RevocationKind.EVERYWHERE))) == {giving, other}
    assert would_give(about(RevocationKind.FLOW, AccessFlow.objects.get(name="Databases"))) == []
    flow_actions.set_active(giving, False, actor=system())
    assert would_give(about(RevocationKind.INTEGRATION, story.integration)) == [other]


def test_a_tick_switches_them_off_in_the_same_act_and_nothing_is_given_again(story: Story, giving: AccessFlow) -> None:
    ada = client_of("ada@example.com")
    path = f"/emergencies/revoke/person/?of={story.cast.requester.email}"
    asks = words_of(ada.get(path).content.decode())
    assert "Switch off the automatic flow that would give it again" in asks
    assert "2 requests in all" in asks
    assert ada.post(path, {"reason": WHY, "automatic_off": "on"}).status_code == 302
    giving.refresh_from_db()
    assert not giving.active
    begun = AuditEntry.objects.get(action="revocation.begun")
    assert begun.details["switched_off"] == [{"flow": str(giving.pk), "name": giving.name}]
    own = AuditEntry.objects.filter(subject_id=str(giving.pk)).order_by("-pk").first()
    assert own is not None and own.operation == begun.operation and own.actor_name == "Ada"
    work(story)
    assert Revocation.objects.get().finished_at is not None
    assert not AccessRequest.objects.filter(automatic=True, state="active").exists()


def test_without_the_tick_they_stay_on_and_nothing_typed_is_lost(story: Story, giving: AccessFlow) -> None:
    ada = client_of("ada@example.com")
    path = f"/emergencies/revoke/person/?of={story.cast.requester.email}"
    again = ada.post(path, {"reason": " ", "automatic_off": "on"})
    assert again.status_code == 422
    assert 'name="automatic_off"' in again.content.decode()
    assert "checked" in again.content.decode().split('name="automatic_off"')[1].split(">")[0]
    ada.post(path, {"reason": WHY})
    giving.refresh_from_db()
    assert giving.active
    assert "switched_off" not in AuditEntry.objects.get(action="revocation.begun").details


def test_while_one_runs_the_tick_still_counts_and_is_on_record(story: Story, giving: AccessFlow) -> None:
    by = story.by(story.cast.admin)
    here = (RevocationKind.INTEGRATION, story.integration)
    first = actions.revoke_all(*here, actor=by, reason=WHY, at=story.now)
    assert actions.revoke_all(*here, actor=by, reason=WHY, automatic_off=True, at=story.now) == first
    giving.refresh_from_db()
    assert not giving.active
    assert AuditEntry.objects.get(action="revocation.switched_off").details["switched_off"]


def test_who_may_not_change_flows_switches_none_off_and_begins_nothing(story: Story, giving: AccessFlow) -> None:
    vera = person("Vera", Role.VIEWER)
    with pytest.raises(NotAllowed):
        actions.revoke_all(
            RevocationKind.FLOW, giving, actor=story.by(vera), reason=WHY, automatic_off=True, at=story.now
        )
    giving.refresh_from_db()
    assert giving.active
    assert not Revocation.objects.exists()


def test_the_page_says_what_is_left_and_who_takes_over(story: Story) -> None:
    abel, ada = story.cast.approver, story.cast.admin
    named = AccessFlow.objects.get(name="Databases")
    document = named.current.document if named.current else {}
    approval = {"groups": [{"operator": "or", "conditions": [
        {"type": "user", "operator": "is", "values": [abel.email, ada.email]}]}]}  # fmt: skip
    columns = {"name": named.name, "approval_mode": "any_of"}
    flow_actions.define(
        columns,
        {"requestors": document["requestors"], "targets": document["targets"], "approval": approval},
        actor=system(),
        flow=named,
    )
    IntegrationOwner.objects.create(integration=story.integration, user=abel)
    found = leftovers_of(abel)
    assert [(one.flow.name, one.others) for one in found.approves] == [("Databases", 1)]
    assert [(one.integration, one.others) for one in found.owned] == [(story.integration, ())]
    IntegrationOwner.objects.create(integration=story.integration, user=ada)
    people.disable_user(abel, actor=story.by(ada))
    actions.off_board(type(abel).objects.get(pk=abel.pk))
    page = client_of(ada.email).get(f"/emergencies/{Revocation.objects.get().pk}/")
    told = words_of(page.content.decode())
    assert "Off-boarding of Abel" in told
    assert "refused; every session ended" in told
    assert "ada@example.com owns it as well" in told
    assert "1 other can answer in their place" in told


def test_of_who_is_disabled_it_says_what_would_give_were_they_back(story: Story, giving: AccessFlow) -> None:
    rita = story.cast.requester
    people.disable_user(rita, actor=story.by(story.cast.admin))
    rita.refresh_from_db()
    assert leftovers_of(rita).gives == (giving,)
    assert would_give(about(RevocationKind.PERSON, rita)) == [giving]
    work(story)
    assert would_give(about(RevocationKind.PERSON, rita)) == []
