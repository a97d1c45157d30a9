"""Overdue access is loud in one place, in one letter an hour, in one metric; nothing keeps an end from being tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from access_requests.actions import grants
from access_requests.models import AccessRequest, Proof
from accounts.choices import Role
from connectors.contract.errors import Unreachable
from tests.cast import PASSWORD, person
from tests.story import Story, flow


@pytest.fixture
def late(story: Story) -> AccessRequest:
    """Rita's access, overdue at the real time."""
    story.now = timezone.now() - timedelta(hours=2)
    request = story.granted("orders_prod", duration_seconds=60)
    story.target.down = Unreachable("It does not answer.")
    story.later(seconds=60)
    story.later(seconds=61)
    return story.fresh(request)


def client_of(user: Any) -> Client:
    client = Client()
    assert client.login(username=user.email, password=PASSWORD)
    return client


def test_the_page_is_for_who_sees_requests_and_tells_of_those_before(story: Story, late: AccessRequest) -> None:
    ada = client_of(story.cast.admin)
    for told in (str(late), "Rita", story.integration.name, "It does not answer.", "Try now"):
        assert told in ada.get(reverse("overdue")).content.decode(), told
    viewer = client_of(person("Vik", Role.VIEWER)).get(reverse("overdue")).content.decode()
    assert "Rita" in viewer
    assert "Try now" not in viewer
    assert client_of(story.cast.requester).get(reverse("overdue")).status_code == 404
    story.target.down = None
    story.later(hours=3)
    text = ada.get(reverse("overdue")).content.decode()
    assert "Late before" in text and "Revoked (proven)" in text


def test_a_report_that_cannot_be_taken_in_keeps_no_end_from_being_ordered(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = story.granted("orders_prod", duration_seconds=60)
    real = grants.prove
    broken = [2]

    def prove(*told: Any, **more: Any) -> Any:
        if broken[0]:
            broken[0] -= 1
            raise KeyError("read_back")
        return real(*told, **more)

    monkeypatch.setattr(grants, "prove", prove)
    story.later(seconds=60)
    for _ in range(6):
        story.later(seconds=60)
    assert broken == [0]
    assert story.fresh(request).ended_how == "proven"


def test_one_that_raises_in_the_sweep_holds_up_no_other(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    flow(story.integration, "Open", "none")
    first, second = story.granted("orders_prod", duration_seconds=60), story.granted("orders_dev", duration_seconds=60)
    from access_requests.actions import endings

    real = endings.end

    def end(row: AccessRequest, *told: Any, **more: Any) -> bool:
        if row.pk == first.pk:
            raise RuntimeError("poison")
        return real(row, *told, **more)

    monkeypatch.setattr(endings, "end", end)
    story.later(seconds=60)
    assert story.fresh(first).state == "active"
    assert story.fresh(second).ended_how == "proven"


def test_a_target_that_is_back_after_a_month_finds_its_revokes_waiting(story: Story) -> None:
    request = story.granted("orders_prod", duration_seconds=60)
    story.target.down = Unreachable("Gone.")
    story.later(seconds=60)
    for _ in range(30):
        story.later(days=1)
    assert story.fresh(request).state == "revoking"
    assert len(story.held()) == 1
    story.target.down = None
    story.later(hours=1)
    assert story.fresh(request).ended_how == "proven"
    assert Proof.objects.get(group__request=request).lag_seconds > 30 * 86400
    assert story.held() == set()


def test_metrics_answer_who_brings_the_token_and_name_no_person(
    story: Story, late: AccessRequest, settings: Any
) -> None:
    client = Client()
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer a-long-token"})
    text = answer.content.decode()
    assert f'latchkey_overdue_ends{{integration="{story.integration.name}"}} 1.0' in text
    assert f'latchkey_orders{{integration="{story.integration.name}",state="queued"}} 1.0' in text
    assert "latchkey_end_lag_last_day_seconds_bucket" in text
    oldest = next(line for line in text.splitlines() if line.startswith("latchkey_overdue_oldest_seconds"))
    assert float(oldest.split()[1]) > 3600
    for told in ("Rita", "rita@", "orders_prod", str(late.grantee_id)):
        assert told not in text
