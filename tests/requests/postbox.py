"""What the tests of letters are written in: what was written, to whom, and what its links are."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest import mock

from access_requests.actions import letters as writing
from access_requests.models import Change
from accounts import events
from accounts.choices import LetterState
from accounts.models import Letter, User
from tests.story import Story

LINK = re.compile(r'https?://[^\s"<>]+')


def deliver(story: Story, **more: datetime) -> int:
    """Deliver the news of requests, heard at the story's time."""
    with mock.patch("access_requests.actions.letters.timezone", SimpleNamespace(now=lambda: story.now)):
        return events.deliver(Change, **more)


def told(story: Story, seconds: float = 6) -> int:
    """Let a moment pass and do what the timetable does for letters; return how many there are."""
    story.now += timedelta(seconds=seconds)
    writing.sweep(at=story.now)
    deliver(story)
    return Letter.objects.count()


def letters(kind: str = "", to: User | None = None) -> list[Letter]:
    """Return the letters of a kind to a person that were not dropped, oldest first."""
    found = Letter.objects.exclude(state=LetterState.DROPPED).order_by("pk")
    if kind:
        found = found.filter(kind=kind)
    return list(found.filter(to=to) if to else found)


def links(letter: Letter) -> set[str]:
    """Return every address in a letter, in either part."""
    return {link.rstrip(".,)") for part in (letter.text, letter.html) for link in LINK.findall(part)}
