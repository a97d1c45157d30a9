"""Three steps from empty to the first grant: read from what is there, skipped and taken up again."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actions import NotAllowed
from accounts.choices import Role
from audit.models import AuditEntry
from config import first_steps
from config.models import SkippedStep
from integrations.models import ConnectorInstance
from tests.cast import Cast, person
from tests.desk.conftest import signed_in
from tests.story import Story

PAGE = "admin:first_steps"


def look() -> first_steps.FirstSteps:
    """Return how they stand now."""
    return first_steps.look(timezone.now())


def test_an_empty_installation_begins_with_the_connector(desk: Client) -> None:
    assert [step.done for step in look().steps] == [False, False, False]
    assert look().next == look().steps[0]
    for page in (desk.get(reverse("admin:index")), desk.get(reverse(PAGE))):
        text = page.content.decode()
        assert "0 of 3 done" in text
        assert text.count("is-primary") == 1


def test_each_step_is_read_from_what_is_there(story: Story, desk: Client) -> None:
    ConnectorInstance.objects.update(last_seen_at=timezone.now())
    told = look()
    assert [step.done for step in told.steps] == [True, True, True]
    assert (told.next, told.shown, told.complete) == (None, True, False)
    text = desk.get(reverse("admin:index")).content.decode()
    assert "Ask for it yourself" in text
    assert reverse("new_request") in text
    story.granted("orders_prod")
    assert look().complete
    assert "Ask for it yourself" not in desk.get(reverse("admin:index")).content.decode()


def test_a_step_is_skipped_and_taken_up_again(desk: Client) -> None:
    desk.post(reverse("admin:skip_step", args=["connector"]))
    assert look().next == look().steps[1]
    for step in ("integration", "flow"):
        desk.post(reverse("admin:skip_step", args=[step]))
    assert not look().shown
    assert "First steps" not in desk.get(reverse("admin:index")).content.decode()
    assert "Take up what was skipped" in desk.get(reverse(PAGE)).content.decode()
    desk.post(reverse("admin:resume_steps"))
    assert look().next == look().steps[0]
    actions = (
        AuditEntry.objects.filter(action__startswith="first_steps").order_by("pk").values_list("action", flat=True)
    )
    assert list(actions) == ["first_steps.skipped"] * 3 + ["first_steps.resumed"]


def test_skipping_what_is_no_step_is_not_found_and_a_get_changes_nothing(desk: Client) -> None:
    assert desk.post(reverse("admin:skip_step", args=["breakfast"])).status_code == 404
    assert desk.get(reverse("admin:skip_step", args=["flow"])).status_code == 405
    assert not SkippedStep.objects.exists()


@pytest.mark.parametrize(("role", "status"), [(Role.POWER_USER, 200), (Role.DEPLOYMENT, 200), (Role.VIEWER, 403)])
def test_who_could_not_take_them_is_not_led(cast: Cast, role: Role, status: int) -> None:
    client = signed_in(person("Sam", role))
    assert client.get(reverse(PAGE)).status_code == status
    assert ("0 of 3 done" in client.get(reverse("admin:index")).content.decode()) == (status == 200)
    skipped = client.post(reverse("admin:skip_step", args=["flow"])).status_code
    assert skipped == (302 if status == 200 else 403)


def test_the_action_itself_asks_for_the_permission(cast: Cast) -> None:
    from audit.actor import person as acting
    from audit.choices import Source

    with pytest.raises(NotAllowed):
        first_steps.skip("flow", actor=acting(cast.outsider, Source.ADMIN))
    with pytest.raises(NotAllowed):
        first_steps.resume(actor=acting(cast.outsider, Source.ADMIN))
