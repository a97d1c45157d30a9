"""Sessions do not pile up."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import tasks


def test_sessions_that_are_over_are_deleted_and_others_kept(db: None) -> None:
    now = timezone.now()
    Session.objects.create(session_key="over", session_data="", expire_date=now - timedelta(seconds=1))
    Session.objects.create(session_key="open", session_data="", expire_date=now + timedelta(hours=1))
    tasks.sweep_sessions()
    assert [*Session.objects.values_list("session_key", flat=True)] == ["open"]
