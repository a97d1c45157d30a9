"""Other systems are told of overdue access: at once, once an hour, when all is well; and no notice is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from access_requests.actions import notices
from access_requests.models import OverdueNotice
from accounts.actions import NotAllowed
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from flows import actions as flow_actions
from flows.actions.calling import Answer
from flows.judging import Said, Verdict
from flows.models import Webhook
from tests.story import Story


class Elsewhere:
    """The other system: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.status: int | None = 200

    def __call__(self, question: Any, values: Any, *, key: str) -> Answer:
        self.got.append((key, question.webhook.body))
        if self.status is None:
            return Answer(Verdict(Said.AGAIN, "no answer"))
        return Answer(Verdict(Said.NO, ""), self.status)

    @property
    def events(self) -> list[str]:
        return [told["event"] for _, told in self.got]


@pytest.fixture
def elsewhere(story: Story, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    other = Elsewhere()
    monkeypatch.setattr(flow_actions, "ask_webhook", other)
    webhook = Webhook.objects.create(name="Pager", url="https://pager.example.com/")
    notices.tell_webhook(webhook, actor=story.by(story.cast.admin), at=story.now)
    return other


def late(story: Story) -> None:
    story.granted("orders_prod", duration_seconds=60)
    story.target.down = Unreachable("No.")
    story.later(seconds=60)
    story.later(seconds=61)


def tell(story: Story, **delta: float) -> None:
    story.now += timedelta(**delta)
    notices.sweep_notices(at=story.now)


def test_it_is_told_at_once_then_hourly_then_that_all_is_well(story: Story, elsewhere: Elsewhere) -> None:
    tell(story)
    assert elsewhere.got == []
    late(story)
    tell(story)
    assert elsewhere.got[0][1]["overdue"] == 1
    for _ in range(11):
        tell(story, minutes=5)
    assert elsewhere.events == ["overdue"]
    tell(story, minutes=5)
    assert elsewhere.events == ["overdue", "overdue"]
    story.target.down = None
    story.later(hours=1)
    tell(story)
    tell(story, hours=5)
    assert elsewhere.events == ["overdue", "overdue", "well"]
    assert "Rita" not in str(elsewhere.got)


def test_what_does_not_arrive_is_tried_again_under_the_same_key(story: Story, elsewhere: Elsewhere) -> None:
    late(story)
    elsewhere.status = None
    tell(story)
    tell(story, seconds=1)
    assert len(elsewhere.got) == 1
    elsewhere.status = 503
    tell(story, seconds=30)
    elsewhere.status = 204
    tell(story, minutes=2)
    tell(story, minutes=10)
    assert len(elsewhere.got) == 3
    assert len({key for key, _ in elsewhere.got}) == 1
    assert OverdueNotice.objects.get().done_at is not None


def test_a_process_killed_while_it_sends_loses_no_notice(
    story: Story, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    late(story)

    def killed(*_: Any, **__: Any) -> Answer:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(flow_actions, "ask_webhook", killed)
        with pytest.raises(SystemExit):
            tell(story)
    tell(story, seconds=10)
    assert elsewhere.got == []
    tell(story, minutes=3)
    assert elsewhere.events == ["overdue"]


def test_marking_takes_the_permission_and_is_recorded(story: Story, elsewhere: Elsewhere) -> None:
    webhook = Webhook.objects.get()
    with pytest.raises(NotAllowed):
        notices.tell_webhook_no_more(webhook, actor=story.by(story.cast.outsider), at=story.now)
    notices.tell_webhook_no_more(webhook, actor=story.by(story.cast.admin), at=story.now)
    late(story)
    tell(story)
    assert elsewhere.got == []
    assert AuditEntry.objects.filter(action__startswith="overdue.webhook").count() == 2
