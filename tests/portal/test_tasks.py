"""My tasks: what waits for my answer."""

from __future__ import annotations

from access_requests.models import AccessRequest
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, text

TASKS = "/tasks/"


def test_a_task_says_who_what_why_me_and_how_long(stage: Stage, enter: SignIn) -> None:
    access = stage.ask("orders", "ledger", why="INC-4821: postings are missing.")
    said = text(enter(stage.cast.approver).get(TASKS))
    for words in (
        str(access), "Rita · rita@example.com", "INC-4821: postings are missing.", "Why you The access flow names you.",
        "How long 1 h", "payments-prod", "Read only on ledger", "Read only on orders", "1 h, as asked",
        "Approve", "Reject",
    ):  # fmt: skip
        assert words in said


def test_the_menu_counts_what_waits(stage: Stage, enter: SignIn) -> None:
    stage.ask("orders")
    stage.ask("ledger")
    assert "My tasks 2" in text(enter(stage.cast.approver).get("/"))
    assert "My tasks 2" not in text(enter(stage.cast.requester).get("/"))


def test_only_who_was_asked_has_the_task(stage: Stage, enter: SignIn) -> None:
    stage.ask()
    for who in (stage.cast.requester, stage.cast.admin, stage.cast.outsider):
        assert "Nothing waits for you" in text(enter(who).get(TASKS))


def test_approving_comes_back_to_the_tasks(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.ask(), enter(stage.cast.approver)
    response = abel.post(address("approve_request", access), {"reason": "Fine.", "back": "tasks"}, follow=True)
    assert response.redirect_chain == [(TASKS, 302)]
    assert f"{access} was approved." in text(response)
    assert "Nothing waits for you" in text(response)
    assert AccessRequest.objects.get(pk=access.pk).state == "approved"


def test_rejecting_too(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.ask(), enter(stage.cast.approver)
    abel.post(address("reject_request", access), {"reason": "No.", "back": "tasks"})
    stored = AccessRequest.objects.get(pk=access.pk)
    assert (stored.state, stored.note) == ("rejected", "No.")


def test_a_missing_reason_is_said_at_the_task_and_the_others_stay(stage: Stage, enter: SignIn) -> None:
    making.flow(
        stage.integration, stage.cast.requester, stage.cast.approver,
        name="Strict", permissions=("ADMIN",), approver_reason_required=True,
    )  # fmt: skip
    strict, other = stage.ask("orders", permission="ADMIN"), stage.ask("ledger")
    response = enter(stage.cast.approver).post(address("approve_request", strict), {"reason": " ", "back": "tasks"})
    body = response.content.decode()
    assert response.status_code == 409
    mine = body[body.index(f'id="task-{strict.pk}"') : body.index(f'id="task-{other.pk}"')]
    assert "wants a reason with every answer" in mine
    assert body.count("wants a reason with every answer") == 1
    assert AccessRequest.objects.get(pk=strict.pk).state == "pending"


def test_what_was_typed_is_kept_when_the_answer_is_not_taken(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    long = "y" * 501
    response = enter(stage.cast.approver).post(address("reject_request", access), {"reason": long, "back": "tasks"})
    assert response.status_code == 422
    assert long in response.content.decode()


def test_what_somebody_else_answered_waits_for_nobody(stage: Stage, enter: SignIn) -> None:
    access, abel = stage.ask(), enter(stage.cast.approver)
    abel.post(address("approve_request", access), {"back": "tasks"})
    response = abel.post(address("approve_request", access), {"back": "tasks"})
    assert response.status_code == 409
    assert "waits for no answer any more" in text(response)


def test_my_answers_stay_to_be_read(stage: Stage, enter: SignIn) -> None:
    abel = enter(stage.cast.approver)
    assert "You have not answered any request" in text(abel.get(TASKS, {"answered": "1"}))
    first, second = stage.ask("orders"), stage.ask("ledger")
    abel.post(address("approve_request", first), {"reason": "Fine for the incident."})
    abel.post(address("reject_request", second), {"reason": "Orders is enough."})
    body = abel.get(TASKS, {"answered": "1"})
    said = text(body)
    assert "Fine for the incident." in said
    assert "Orders is enough." in said
    assert said.index("on ledger") < said.index("on orders")
    assert "Approve for" not in said


def test_somebody_elses_answers_are_not_mine(stage: Stage, enter: SignIn) -> None:
    making.approved(stage.ask(), stage.cast.approver, "Fine.")
    assert "You have not answered any request" in text(enter(stage.cast.admin).get(TASKS, {"answered": "1"}))


def test_answers_come_in_pages(stage: Stage, enter: SignIn) -> None:
    abel = enter(stage.cast.approver)
    made = [making.approved(stage.ask(), stage.cast.approver, f"Answer {number}.") for number in range(11)]
    first = abel.get(TASKS, {"answered": "1"})
    assert "Answer 10." in text(first)
    assert "Answer 0." not in text(first)
    assert "?answered=1&page=2" in first.content.decode().replace("&amp;", "&")
    assert "Answer 0." in text(abel.get(TASKS, {"answered": "1", "page": "2"}))
    assert len(made) == 11
