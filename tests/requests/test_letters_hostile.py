"""What people and targets are called never becomes anything but text, in every letter and in both its parts."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core import mail

from access_requests import actions
from access_requests.models import AccessUnit
from accounts import actions as people
from accounts.choices import LetterKind
from accounts.letters import LINE_MAX, SUBJECT_MAX, lines, one_line, plain
from accounts.models import Letter, User
from connectors.contract.errors import Unreachable
from integrations.models import Integration
from tests.requests.postbox import letters, told
from tests.story import Story, allow_extensions, flow

NAMES = {
    "markup": "<script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>\"'&",
    "lines": "Rita\r\nBcc: evil@example.com\r\n\r\nApprove here: http://evil.example/\u2028next\x00\x1b[31m",
    "turned": "Rita \u202etxet desrever\u202c \u2066isolated\u2069 עברית",
    "long": "R" * 149,
    "template": "{{ settings.SECRET_KEY }}{% load x %}",
}
OURS = {
    "mail-brand",
    "mail-said",
    "mail-small",
    "mail-link",
    "mail-button",
    "mail-good",
    "mail-wait",
    "mail-bad",
    "mail",
}


class Tags(HTMLParser):
    """What a mail program sees: elements and what they name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.named: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.named += [(name, value or "") for name, value in attrs]


def every_kind(story: Story, name: str) -> None:
    """Make a letter of every kind in which people, resource, integration and reasons have that name."""
    cast = story.cast
    User.objects.filter(pk__in=[cast.requester.pk, cast.approver.pk]).update(name=name[:150])
    for user in (cast.requester, cast.approver):
        user.refresh_from_db()
    Integration.objects.update(name=name[:100].replace("\x00", ""))
    allow_extensions(flow(story.integration, "Longer", columns={"grant_duration_minutes": 120}), 2, 1800)
    request = story.ask("orders_prod", justification=name)
    AccessUnit.objects.update(resource_path=name, permission_name=name[:200])
    told(story, 60)
    approver, requester = cast.approver, cast.requester
    rejected = story.ask("orders_dev", justification=name)
    actions.reject(rejected, approver=approver, actor=story.by(approver), reason=name, at=story.now)
    actions.approve(request, approver=approver, actor=story.by(approver), reason=name, at=story.now)
    story.work()
    told(story, 60)
    more = actions.extend(
        story.fresh(request), user=requester, actor=story.by(requester), seconds=600, justification=name, at=story.now
    )
    told(story, 60)
    actions.approve_extension(more, approver=approver, actor=story.by(approver), reason=name, at=story.now)
    ends_at = story.fresh(request).ends_at
    assert ends_at is not None
    story.now = ends_at - timedelta(minutes=5)
    told(story)
    story.target.down = Unreachable(name)
    story.later(minutes=20)
    told(story)
    story.target.down = None
    story.later(hours=2)
    told(story)


@pytest.mark.parametrize("kind", NAMES)
def test_no_name_becomes_markup_a_line_or_a_turn_in_any_letter(story: Story, kind: str) -> None:
    name = NAMES[kind].replace("\x00", "") if kind == "lines" else NAMES[kind]
    every_kind(story, name)
    made = list(Letter.objects.all())
    kinds = {one.kind for one in made}
    assert kinds == {"approval", "opened", "refused", "ending", "ended", "overdue"}
    for letter in made:
        check_subject(letter)
        check_text(letter.text)
        check_html(letter.html)


def check_subject(letter: Letter) -> None:
    """One line of ours, of a length that fits."""
    assert len(letter.subject) <= SUBJECT_MAX
    assert re.fullmatch(r"[^\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+", letter.subject)


def check_text(text: str) -> None:
    """No line that somebody else began, and nothing escaped as for HTML."""
    for line in text.splitlines():
        assert not line.startswith(("Bcc:", "Approve here:", "next")), line
        assert len(line) <= 3 * LINE_MAX
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", text)
    assert "&lt;" not in text
    assert "SECRET_KEY" not in text or "{{ settings.SECRET_KEY }}" in text


def check_html(html: str) -> None:
    """Only elements of ours; nothing that loads, runs or leads elsewhere."""
    tags = Tags(html)
    assert tags.found <= {
        *("html", "head", "meta", "title", "style", "body", "div", "p", "h1", "h2", "dl", "dt", "dd", "a", "b"),
        *("br", "span", "ul", "li", "code"),
    }
    for name, value in tags.named:
        assert name in {"lang", "charset", "name", "content", "class", "role", "href", "dir"}, (name, value)
        assert name != "href" or value.startswith("http://127.0.0.1:8810/"), value
        assert name != "class" or set(value.split()) <= OURS
    assert "url(" not in html
    assert "@import" not in html
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", html)


def test_a_letter_with_hostile_names_leaves_as_one_message_to_one_person(story: Story) -> None:
    every_kind(story, NAMES["lines"].replace("\x00", ""))
    mail.outbox = []
    count = len(letters())
    assert people.send_letters(at=story.now) <= count
    for sent in mail.outbox:
        made = sent.message()
        assert made["Bcc"] is None
        assert len(sent.to) == 1
        assert "evil" not in str(made["To"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nb", "a b"),
        ("  a \t\n b ", "a b"),
        ("a\u202eb\u2066c\ufeff", "abc"),
        ("a\u2028b\x00c\x85d", "a b c d"),
        ("x" * 600, "x" * 499 + "…"),
        ("👩‍🚀 עברית", "👩‍🚀 עברית"),
        ("half \ud83d", "half"),
    ],
)
def test_a_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_text_of_many_lines_has_an_end() -> None:
    assert lines("a\n\n b \r\nc") == ["a", "b", "c"]
    assert (len(lines("x\n" * 1000)), lines("x\n" * 1000)[-1]) == (41, "…")


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, User(name="Rita")])
def test_a_letter_is_made_of_plain_data_only(value: Any) -> None:
    with pytest.raises(TypeError, match="plain data"):
        plain({"a": [value]})


def test_every_kind_of_letter_has_a_word_for_the_account_page() -> None:
    assert all(kind.label and not kind.label.endswith(".") for kind in LetterKind)
