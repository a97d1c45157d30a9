"""Letters on pages: one's own choice, and what admins see of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts import post
from accounts.choices import LetterKind, LetterState, Role
from accounts.models import Letter, User
from tests.accounts.test_letters import NOON, write
from tests.cast import Cast
from tests.cast import person as somebody

LIST = "/admin/accounts/letter/"


def entered(user: User) -> Client:
    """Return a browser with the person in it."""
    client = Client()
    client.force_login(user)
    return client


def test_people_choose_on_their_account_page(cast: Cast) -> None:
    client = entered(cast.requester)
    page = client.get("/account/").content.decode()
    assert page.count("checked>") == 5
    answer = client.post("/account/letters/", {"letters": ["approval", "ended"]}, follow=True)
    assert "Your choice of letters is saved." in answer.content.decode()
    assert User.objects.get(pk=cast.requester.pk).letters_off == ["ending", "opened", "refused"]
    assert answer.content.decode().count("checked>") == 2
    client.post("/account/letters/", {})
    assert len(User.objects.get(pk=cast.requester.pk).letters_off) == 5


@pytest.mark.parametrize("junk", ["overdue", "jobs", "nothing", "<script>", "approval\x00"])
def test_what_is_no_choice_changes_nothing(cast: Cast, junk: str) -> None:
    client = entered(cast.admin)
    answer = client.post("/account/letters/", {"letters": ["approval", junk]}, follow=True)
    assert "There are no such letters." in answer.content.decode()
    assert User.objects.get(pk=cast.admin.pk).letters_off == []


def test_the_choice_is_changed_by_a_post_alone(cast: Cast) -> None:
    assert entered(cast.requester).get("/account/letters/").status_code == 405
    assert Client().post("/account/letters/")["Location"].startswith("/account/login/")


def test_admins_find_letters_read_them_and_have_them_sent_again(cast: Cast) -> None:
    letter = write(cast.requester, subject="<b>Hello</b>")
    assert letter
    Letter.objects.update(state=LetterState.FAILED, settled_at=NOON, last_error="550 <i>no</i> such user")
    client = entered(cast.admin)
    page = client.get(LIST).content.decode()
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "550 &lt;i&gt;no&lt;/i&gt; such user" in page
    assert "rita@example.com" in client.get(f"{LIST}?q=rita&state__exact=failed").content.decode()
    one = client.get(f"{LIST}{letter.pk}/change/").content.decode()
    assert "It was sent by a test" in one
    chosen = {"action": "send_again", "_selected_action": [letter.pk]}
    assert "1 letter is due now." in client.post(LIST, chosen, follow=True).content.decode()
    letter.refresh_from_db()
    assert letter.state == LetterState.QUEUED
    Letter.objects.update(state=LetterState.SENT, settled_at=NOON)
    assert "1 of the chosen have left" in client.post(LIST, chosen, follow=True).content.decode()


def test_each_role_gets_what_it_may_of_letters(cast: Cast) -> None:
    """Letters tell of requests: who may not see those may not read letters, whatever they may see of people."""
    letter = write(cast.requester, subject="Hello")
    assert letter
    allowed = {Role.ADMIN: 200, Role.POWER_USER: 200, Role.VIEWER: 200, Role.DEPLOYMENT: 403, Role.GRANTEE: 302}
    for role, status in allowed.items():
        client = entered(somebody(role.label.replace(" ", ""), role))
        for path in (LIST, f"{LIST}{letter.pk}/change/"):
            assert client.get(path).status_code == status, (role, path)
        for path in (f"{LIST}add/", f"{LIST}{letter.pk}/delete/"):
            assert client.get(path).status_code in {302, 403}, (role, path)
            assert client.post(path).status_code in {302, 403}, (role, path)
        client.post(f"{LIST}{letter.pk}/change/", {"subject": "x", "state": "sent"})
        if role != Role.ADMIN:
            client.post(LIST, {"action": "send_again", "_selected_action": [letter.pk]})
    letter.refresh_from_db()
    assert (letter.subject, letter.state, letter.give_up_at) == ("Hello", "queued", NOON + timedelta(days=3))


def test_a_list_of_letters_reads_no_bodies(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        write(cast.requester, str(number))
    client = entered(cast.admin)
    client.get(LIST)
    with django_assert_max_num_queries(11) as queries:
        client.get(LIST)
    assert not any('"accounts_letter"."html"' in one["sql"] for one in queries.captured_queries)


def test_the_overview_says_where_mail_goes_and_what_is_stuck(cast: Cast) -> None:
    client = entered(cast.admin)
    with override_settings(EMAIL_BACKEND=post.FOLDER_BACKEND):
        page = client.get(reverse("admin:index")).content.decode()
    assert "Mail goes to a folder" in page
    assert "None is stuck" in page
    write(cast.requester, "a")
    write(cast.requester, "b")
    Letter.objects.filter(key="a").update(tries=3, last_error="The mail server hung up.")
    Letter.objects.filter(key="b").update(state=LetterState.FAILED, settled_at=timezone.now())
    page = client.get(reverse("admin:index")).content.decode()
    assert "1 letter was tried and waits" in page
    assert "The mail server hung up." in page
    assert "1 letter was given up" in page
    for role, sees in ((Role.VIEWER, True), (Role.DEPLOYMENT, False)):
        shown = entered(somebody(role.label, role)).get(reverse("admin:index")).content.decode()
        assert ("letter was given up" in shown) is sees


def test_kinds_to_choose_are_not_those_nobody_may_miss() -> None:
    from accounts.choices import LETTERS_TO_ADMINS, LETTERS_TO_CHOOSE

    assert set(LETTERS_TO_CHOOSE) | set(LETTERS_TO_ADMINS) | {
        LetterKind.REPORT,
        LetterKind.SECURITY,
        LetterKind.INVITATION,
        LetterKind.GLASS,
    } == set(LetterKind)
    assert not set(LETTERS_TO_CHOOSE) & set(LETTERS_TO_ADMINS)
