"""What pages say of access that nobody asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from access_requests.models import AccessRequest
from accounts.choices import Role
from accounts.models import User
from audit.actor import system
from audit.models import AuditEntry
from flows import actions as flow_actions
from flows.models import AccessFlow, AutomaticRun
from tests.automatic.giving import live, work
from tests.cast import PASSWORD, person
from tests.reports.making import fetch, table
from tests.story import Story, flow, put_into


def signed_in(user: User) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def page_of(flow: AccessFlow, name: str = "automatic") -> str:
    return reverse(f"admin:flows_accessflow_{name}", args=[flow.pk])


def test_my_access_says_by_which_flow_and_how_long_and_has_no_button_to_end_it(story: Story) -> None:
    shown = text(signed_in(story.cast.requester), reverse("my_access"))
    assert "By the access flow Readers, as long as you are in the group engineers." in shown
    assert "I’m done" not in shown
    assert "Connect" in shown


def test_the_page_of_the_request_says_so_too_and_to_others_of_them(story: Story) -> None:
    (request,) = live()
    path = reverse("request_page", args=[request.pk])
    shown = text(signed_in(story.cast.requester), path)
    assert "Nobody asked for this. By the access flow Readers, as long as you are in the group engineers." in shown
    assert "Given by the access flow Readers: nobody asked" in shown
    assert "I’m done" not in shown
    shown = text(signed_in(story.cast.admin), path)
    assert "as long as they are in the group engineers." in shown
    assert reverse("revoke_access", args=[request.pk]) not in shown


def test_a_form_sent_all_the_same_is_refused_in_words(story: Story) -> None:
    (request,) = live()
    answer = signed_in(story.cast.requester).post(reverse("hand_back_access", args=[request.pk]))
    assert answer.status_code == 409
    assert "would give it again" in answer.content.decode()
    assert story.fresh(request).state == "active"


def test_the_words_fit_every_kind_of_condition(bare: Story) -> None:
    from access_requests.views.words import _of_another, _of_oneself

    def said(kind: str, operator: str, *values: str) -> tuple[str, str]:
        one = {"type": kind, "operator": operator, "values": list(values)}
        return _of_oneself(one), _of_another(one)

    assert said("user", "is", "a@b.c") == ("it names you", "it names them")
    assert said("group", "is", "x", "y") == ("you are in the group x or y", "they are in the group x or y")
    assert said("manager", "is") == ("you have a manager", "they have a manager")
    assert said("city", "is_not", "Rome") == ("your city is not Rome", "their city is not Rome")


def test_beside_the_flow_stands_how_far_it_is_and_how_many_hold(story: Story) -> None:
    readers = AccessFlow.objects.get()
    ada = signed_in(story.cast.admin)
    shown = text(ada, page_of(readers, "change"))
    assert "<b>1</b> person holds access through it now." in shown
    assert "1 person, 1 given, 0 taken." in shown
    AutomaticRun.objects.all().delete()
    AutomaticRun.objects.create(flow=readers, why="a test", total=1234, seen=300, error="It selects too much.")
    shown = text(ada, page_of(readers, "change"))
    assert "300 of 1234 people looked at" in shown
    assert "It selects too much." in shown


def test_a_flow_that_is_asked_shows_nothing_of_it(bare: Story) -> None:
    asked = flow(bare.integration)
    ada = signed_in(bare.cast.admin)
    assert 'id="automatic"' not in text(ada, page_of(asked, "change"))
    answer = ada.post(page_of(asked))
    assert answer.status_code == 409
    assert "gives nothing by itself" in answer.content.decode()


def test_the_page_names_who_holds_and_runs_now(story: Story) -> None:
    put_into("engineers", *(person(f"P{number:02}") for number in range(22)))
    readers = AccessFlow.objects.get()
    flow_actions.start_run(readers.pk, "a test")
    work(story)
    ada = signed_in(story.cast.admin)
    shown = text(ada, page_of(readers))
    assert "23 people" in shown
    assert "The first 20 of 23, by name." in shown
    assert "p19@example.com" in shown
    assert "p20@example.com" not in shown
    before = AutomaticRun.objects.count()
    assert ada.post(page_of(readers)).status_code == 302
    assert AutomaticRun.objects.count() == before + 1
    assert AuditEntry.objects.filter(action="flow.run_asked", actor_name="Ada").exists()


@pytest.mark.parametrize(("role", "sees", "runs"), [(Role.VIEWER, True, False), (Role.DEPLOYMENT, False, False)])
def test_who_may_only_read_of_flows_starts_nothing(story: Story, role: Role, sees: bool, runs: bool) -> None:
    reader, readers = signed_in(person("Vic", role)), AccessFlow.objects.get()
    shown = text(reader, page_of(readers))
    assert ("rita@example.com" in shown) == sees
    assert "Run now" not in shown
    assert (reader.post(page_of(readers)).status_code == 302) == runs


def test_an_outsider_sees_nothing_of_it(story: Story) -> None:
    path = page_of(AccessFlow.objects.get())
    for act in ("get", "post"):
        answer = getattr(signed_in(story.cast.outsider), act)(path)
        assert answer.status_code in {302, 403, 404}
        assert "Readers" not in answer.content.decode()


def test_the_page_that_revokes_says_what_to_do_instead(story: Story) -> None:
    flow(story.integration, "Asked", mode="none")
    asked, (given,) = story.granted("orders_prod"), live()
    ada, path = signed_in(story.cast.admin), reverse("admin:requests_accessrequest_revoke")
    alone = text(ada, f"{path}?id={given.pk}")
    assert "Switch the flow off, or take the person out of the group" in alone
    assert 'name="reason"' not in alone
    both = text(ada, f"{path}?id={given.pk}&id={asked.pk}")
    assert 'name="reason"' in both
    ada.post(f"{path}?id={given.pk}&id={asked.pk}", {"reason": "no more"})
    assert (story.fresh(given).state, story.fresh(asked).state) == ("active", "revoking")


def test_activity_and_its_csv_mark_it(story: Story) -> None:
    # The story is a second ahead of the page, which shows nothing of what is to come.
    AccessRequest.objects.update(requested_at=story.now - timedelta(minutes=1))
    rita = signed_in(story.cast.requester)
    assert "Nobody: automatic" in text(rita, reverse("activity"))
    status, content = fetch(story.cast.requester, reverse("activity_csv"))
    (row,) = table(content.decode())
    assert status == 200
    assert (row["trigger_type"], row["approver_types"], row["access_flow"]) == ("AUTOMATIC", "automatic", "Readers")


def test_what_is_over_is_not_asked_for_again(story: Story) -> None:
    flow_actions.set_active(AccessFlow.objects.get(), False, actor=system())
    work(story)
    assert AccessRequest.objects.get().state == "revoked"
    shown = text(signed_in(story.cast.requester), reverse("my_access"))
    assert "Request again" not in shown
    assert "Automatic" in shown
