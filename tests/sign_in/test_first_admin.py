"""The first admin, and the way back in: a one-time link from the command line, whatever ways to sign in are on."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.choices import Role
from accounts.models import SignInLink, User
from audit.actor import system
from config import first_admin
from config.single_sign_on import Oidc
from tests.cast import Cast
from tests.cast import person as somebody
from tests.sign_in.provider import configured
from tests.sign_in.walking import PRODUCT, trail

SOMEWHERE = Oidc("https://login.example.com", "latchkey", "s", "Acme")


def printed(*arguments: str) -> str:
    """Return the path of the link that the command prints."""
    out = StringIO()
    call_command("sign_in_link", *arguments, stdout=out)
    (path,) = re.findall(rf"{PRODUCT}(/sign-in/\S+/)", out.getvalue())
    return str(path)


def test_the_first_admin_comes_by_a_link_with_passwords_off(db: None, client: Client) -> None:
    with configured(SOMEWHERE, PRODUCT, password_sign_in=False):
        assert client.post(printed("--admin-email", "Ops@Example.com")).status_code == 302
        assert client.get("/admin/").status_code == 200
    assert User.objects.get().role_set() == {Role.ADMIN}
    assert trail() == ["user.created", "user.link_made", "user.link_used", "user.signed_in"]


def test_where_there_is_an_admin_the_link_is_for_one_and_nobody_is_made(cast: Cast) -> None:
    ann = somebody("Ann", Role.ADMIN)
    with configured(SOMEWHERE, PRODUCT):
        for arguments, whom in (((), cast.admin), (("--admin-email", "ann@example.com"), ann)):
            client = Client()
            client.post(printed(*arguments))
            assert client.session["_auth_user_id"] == str(whom.pk)
    assert User.objects.count() == 5


def test_whoever_is_no_admin_is_not_made_one(cast: Cast) -> None:
    actions.disable_user(somebody("Ann", Role.ADMIN), actor=system())
    User.objects.filter(pk=cast.admin.pk).update(is_active=False)
    with pytest.raises(CommandError, match="is taken"):
        first_admin.link("otto@example.com", by="test")
    with pytest.raises(CommandError, match="is no e-mail address"):
        first_admin.link("otto", by="test")
    assert User.objects.count() == 5


def test_the_link_lets_in_once_and_not_after_its_time(db: None) -> None:
    with configured(SOMEWHERE, PRODUCT, password_sign_in=False):
        path = printed("--admin-email", "ops@example.com")
        first, second = Client(), Client()
        assert (first.post(path).status_code, second.post(path).status_code) == (302, 410)
        assert [one.get("/account/").status_code for one in (first, second)] == [200, 302]
        late = printed()
        SignInLink.objects.filter(used_at=None).update(expires_at=timezone.now())
        third = Client()
        assert third.post(late).status_code == 410
        assert third.get("/account/").status_code == 302


def killed_at(place: str, do: Callable[[], object]) -> None:
    """Do something in a process that is killed when it comes to a place."""
    connection.close()
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(place, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
            do()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_one_who_is_killed_while_making_the_first_admin_makes_nobody_and_the_next_try_does(fresh_database: str) -> None:
    killed_at("accounts.actions.people.record", lambda: first_admin.link("ops@example.com", by="test"))
    assert not User.objects.exists()
    # Made, but killed before the link was: the next link is for whom there is.
    killed_at("accounts.actions.sign_in.record", lambda: first_admin.link("ops@example.com", by="test"))
    assert not SignInLink.objects.exists()
    with configured(SOMEWHERE, PRODUCT, password_sign_in=False):
        client = Client()
        assert client.post(printed("--admin-email", "ops@example.com")).status_code == 302
        assert client.get("/admin/").status_code == 200
    assert User.objects.count() == 1


def test_a_link_is_used_up_by_whoever_came_in_and_by_nobody_else(fresh_database: str) -> None:
    with configured(SOMEWHERE, PRODUCT, password_sign_in=False):
        path = printed("--admin-email", "ops@example.com")
        # Killed before it is on record that the link was used: it was not.
        killed_at("accounts.actions.sign_in.record", lambda: Client().post(path))
        assert SignInLink.objects.get().used_at is None
        # Killed once it is used up, before anybody was signed in: it stays used up, and another one is made.
        killed_at("accounts.sessions.begin", lambda: Client().post(path))
        assert SignInLink.objects.get().used_at is not None
        assert Client().post(path).status_code == 410
        client = Client()
        assert client.post(printed()).status_code == 302
        assert client.get("/admin/").status_code == 200
