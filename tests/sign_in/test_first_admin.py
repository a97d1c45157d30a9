"""The first admin, and the way back in: a one-time link from the command line, whatever ways to sign in are on."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import actions
from accounts.choices import Role
from accounts.models import User
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
