"""Approving less, on the pages: what is ticked, for the time chosen."""

from __future__ import annotations

from typing import Any

from access_requests.models import AccessRequest, AccessUnit
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page, text


def units(access: AccessRequest, *names: str) -> list[str]:
    found = AccessUnit.objects.filter(group__request=access, resource__name__in=names)
    return [str(pk) for pk in found.values_list("pk", flat=True)]


def less(access: AccessRequest, *names: str, seconds: str = "1800", **more: Any) -> dict[str, Any]:
    return {"narrow": "1", "keep": units(access, *names), "seconds": seconds, **more}


def test_all_is_ticked_and_the_time_is_as_asked(stage: Stage, enter: SignIn) -> None:
    access = stage.ask("orders", "ledger")
    for response in (enter(stage.cast.approver).get("/tasks/"), page(enter(stage.cast.approver), access)):
        body = response.content.decode()
        for one in units(access, "orders", "ledger"):
            assert f'id="keep-{one}"' in body
        assert body.partition("<main")[2].count("checked") == 3
        assert "1 h, as asked" in text(response)


def test_a_shorter_time_and_fewer_units_are_what_the_requester_gets(stage: Stage, enter: SignIn) -> None:
    access = stage.ask("orders", "ledger")
    abel = enter(stage.cast.approver)
    response = abel.post(address("approve_request", access), less(access, "orders", reason="Do.", back="tasks"))
    assert response.status_code == 302
    said = text(page(enter(stage.cast.requester), access))
    for words in (
        "Approved", "for 30 min", "30 min instead of 1 h, by Abel", "Without Read only on ledger , by Abel",
        "Abel gives less: 30 min instead of 1 h; without Read only on ledger",
    ):  # fmt: skip
        assert words in said
    assert said.index("Abel gives less") < said.index("Abel approved")


def test_nothing_ticked_rejects(stage: Stage, enter: SignIn) -> None:
    access = stage.ask()
    response = enter(stage.cast.approver).post(
        address("approve_request", access), less(access, reason="No."), follow=True
    )
    assert "was rejected: nothing of it was left to approve." in text(response)
    assert AccessRequest.objects.get(pk=access.pk).note == "No."


def test_what_was_ticked_and_chosen_stays_when_it_is_not_taken(stage: Stage, enter: SignIn) -> None:
    making.flow(
        stage.integration, stage.cast.requester, stage.cast.approver,
        name="Strict", permissions=("ADMIN",), approver_reason_required=True,
    )  # fmt: skip
    access = stage.ask("orders", "ledger", permission="ADMIN")
    abel = enter(stage.cast.approver)
    for back in ("tasks", ""):
        response = abel.post(address("approve_request", access), less(access, "orders", reason=" ", back=back))
        body = response.content.decode()
        assert response.status_code == 409
        kept, gone = units(access, "orders")[0], units(access, "ledger")[0]
        assert "checked" in body.partition(f'value="{kept}"')[2].partition("/>")[0]
        assert "checked" not in body.partition(f'value="{gone}"')[2].partition("/>")[0]
        assert "checked" in body.partition('value="1800"')[2].partition("/>")[0]
    assert AccessUnit.objects.count() == 2


def test_more_than_was_asked_for_is_refused(stage: Stage, enter: SignIn) -> None:
    access = stage.ask("orders")
    abel, at = enter(stage.cast.approver), address("approve_request", access)
    for seconds in ("3601", ""):
        response = abel.post(at, less(access, "orders", seconds=seconds))
        assert (response.status_code, "never more" in text(response)) == (409, True)
    for given in (less(access, "orders", seconds="x"), {"narrow": "1", "keep": ["'; drop"], "seconds": "60"}):
        assert abel.post(at, given).status_code == 422
    assert AccessRequest.objects.get(pk=access.pk).state == "pending"


def test_a_plain_yes_still_gives_all_of_it(stage: Stage, enter: SignIn) -> None:
    access = stage.ask("orders", "ledger")
    enter(stage.cast.approver).post(address("approve_request", access), {"reason": "ok"})
    assert (AccessRequest.objects.get(pk=access.pk).state, AccessUnit.objects.count()) == ("approved", 2)
