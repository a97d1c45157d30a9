"""More time, on the pages: asked for, answered, withdrawn; without a script, and by nobody else."""

from __future__ import annotations

import pytest
from django.urls import reverse

from access_requests.models import AccessRequest, Extension
from accounts.models import User
from flows.models import AccessFlow
from tests import cast as people
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text


@pytest.fixture
def held(stage: Stage) -> AccessRequest:
    """Rita's active access, of a flow that gives two extensions of two hours at most."""
    access = stage.active()
    making.extendable(AccessFlow.objects.get())
    return access


def about(name: str, extension: Extension) -> str:
    return reverse(name, args=[extension.request_id, extension.pk])


def test_extend_is_offered_where_the_flow_gives_it(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    rita = enter(stage.cast.requester)
    for response in (rita.get("/"), page(rita, held)):
        body = response.content.decode()
        assert address("extend_access", held) in body
        assert "2 extensions left" in text(response)
        assert "The approvers are asked again" in text(response)
    assert address("extend_access", held) not in page(enter(stage.cast.approver), held).content.decode()


def test_it_is_not_offered_where_the_flow_gives_none(stage: Stage, enter: SignIn) -> None:
    access, rita = stage.active(), enter(stage.cast.requester)
    assert "Extend" not in text(rita.get("/"))
    assert "Extend" not in text(page(rita, access))


def test_asking_for_more_shows_that_it_waits_and_access_stays(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    rita = enter(stage.cast.requester)
    response = rita.post(
        address("extend_access", held), {"seconds": "1800", "justification": "The import runs on."}, follow=True
    )
    assert response.redirect_chain == [(address("request_page", held), 302)]
    said = text(response)
    for words in (
        "Asked for 30 min more.", "Active", "Rita asked for 30 min more", "The import runs on.", "Approvers of 30 min",
        "Withdraw the extension",
    ):  # fmt: skip
        assert words in said
    assert address("extend_access", held) not in response.content.decode()
    assert "30 min more was asked for" in text(rita.get("/"))


def test_a_flow_without_approval_extends_at_once(stage: Stage, enter: SignIn) -> None:
    flow = making.flow(making.integration("open", ("attic",)), stage.cast.requester, name="Open")
    access = making.active(making.ask(stage.cast.requester, "attic"))
    making.extendable(flow)
    rita = enter(stage.cast.requester)
    response = rita.post(address("extend_access", access), {"seconds": "900", "justification": "x"}, follow=True)
    assert "Extended by 15 min." in text(response)
    assert "Approved at once, without a gap. 1 extension left." in text(response)


@pytest.mark.parametrize(
    ("given", "status", "words"),
    [
        ({"seconds": "7201", "justification": "More, more"}, 409, "At most 2 h more"),
        ({"seconds": "1800", "justification": ""}, 409, "wants a justification"),
        ({"seconds": "", "justification": "More, more"}, 422, "Say for how long."),
        ({"seconds": "soon", "justification": "More, more"}, 422, "whole number"),
        ({"seconds": "-5", "justification": "More, more"}, 422, "greater than or equal to 1"),
        ({"seconds": "9" * 30, "justification": "More, more"}, 422, "less than or equal"),
        ({"seconds": "1800", "justification": "m" * 2001}, 422, "at most 2000"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    stage: Stage, enter: SignIn, held: AccessRequest, given: dict[str, str], status: int, words: str
) -> None:
    response = enter(stage.cast.requester).post(address("extend_access", held), given)
    body = response.content.decode()
    assert response.status_code == status
    assert words in text(response)
    assert f">{given['justification']}</textarea>" in body
    assert not Extension.objects.exists()


def test_the_approver_finds_it_among_the_tasks_and_says_yes(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    extension, abel = making.more_time(held, stage.cast.requester), enter(stage.cast.approver)
    response = abel.get("/tasks/")
    said = text(response)
    for words in (
        "My tasks 1", "30 min more: Read only on orders", "Not done yet.", "The first extension of this access",
        "Approve 30 min more", "Why you The access flow names you.", "or with your yes",
    ):  # fmt: skip
        assert words in said
    response = abel.post(about("approve_extension", extension), {"back": "tasks", "reason": "Go on."}, follow=True)
    assert f"{extension} was approved." in text(response)
    assert "Nothing waits for you" in text(response)
    said = text(page(enter(stage.cast.requester), held))
    assert "Abel approved the extension" in said
    assert "Extended by 30 min" in said


def test_the_approver_says_no_on_the_request(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    extension, abel = making.more_time(held, stage.cast.requester), enter(stage.cast.approver)
    assert "30 min more: your answer" in text(page(abel, held))
    response = abel.post(about("reject_extension", extension), {"reason": "Enough."}, follow=True)
    assert response.redirect_chain == [(address("request_page", held), 302)]
    assert "Abel rejected the extension" in text(response)
    assert "your answer" not in text(response)


def test_a_second_answer_comes_too_late_and_keeps_its_reason(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    extension, abel = making.more_time(held, stage.cast.requester), enter(stage.cast.approver)
    abel.post(about("approve_extension", extension))
    for back in ("", "tasks"):
        response = abel.post(about("reject_extension", extension), {"reason": "No, wait.", "back": back})
        assert response.status_code == 409
        assert "waits for no answer any more: it is approved" in text(response)


def test_a_reason_too_long_is_said_at_the_extension(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    extension, abel = making.more_time(held, stage.cast.requester), enter(stage.cast.approver)
    other = stage.ask("ledger")
    response = abel.post(about("approve_extension", extension), {"reason": "y" * 501, "back": "tasks"})
    body = response.content.decode()
    assert response.status_code == 422
    assert body.count("y" * 501) == 1
    assert body.index("y" * 501) < body.index(f'id="task-{other.pk}"')


def test_it_can_be_withdrawn(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    extension, rita = making.more_time(held, stage.cast.requester), enter(stage.cast.requester)
    response = rita.post(about("withdraw_extension", extension), follow=True)
    assert f"{extension} was withdrawn." in text(response)
    assert address("extend_access", held) in response.content.decode()
    assert rita.post(about("withdraw_extension", extension)).status_code == 409


@pytest.mark.parametrize("name", ["approve_extension", "reject_extension", "withdraw_extension"])
def test_who_has_no_part_in_it_gets_the_404_of_nothing(
    stage: Stage, enter: SignIn, held: AccessRequest, name: str
) -> None:
    extension = making.more_time(held, stage.cast.requester)
    others = [stage.cast.outsider, stage.cast.admin]
    others.append(stage.cast.approver if name == "withdraw_extension" else stage.cast.requester)
    for user in others:
        assert enter(user).post(about(name, extension), {"reason": "x"}).status_code == 404
        assert enter(user).get(about(name, extension)).status_code == 405
    extension.refresh_from_db()
    assert extension.state == "pending"


def test_an_extension_is_found_under_its_own_request_only(stage: Stage, enter: SignIn, held: AccessRequest) -> None:
    extension, other = making.more_time(held, stage.cast.requester), stage.ask("ledger")
    wrong = reverse("approve_extension", args=[other.pk, extension.pk])
    assert enter(stage.cast.approver).post(wrong).status_code == 404


def test_who_is_asked_about_the_extension_only_sees_the_request(
    stage: Stage, enter: SignIn, held: AccessRequest
) -> None:
    new: User = people.person("Nora")
    assert page(enter(new), held).status_code == 404
    extension = making.more_time(held, stage.cast.requester)
    extension.approvals.update(approver=new)
    assert "30 min more: your answer" in text(page(enter(new), held))
