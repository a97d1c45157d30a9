"""Several providers at once: a button each, and none speaks for another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts import actions
from accounts.claims import read
from accounts.models import Group, Identity, User
from config.single_sign_on import Oidc, problems
from tests.cast import Cast
from tests.sign_in.hostile import Hostile, speaking
from tests.sign_in.provider import CALLBACK, configured
from tests.sign_in.walking import PRODUCT, START, last

GOOD = {"sub": "rita", "email": "rita@example.com", "email_verified": True, "name": "Rita"}
PARTNER = "/account/oidc/partner/callback/"


@pytest.fixture
def main() -> Iterator[Hostile]:
    with speaking() as one:
        one.userinfo = dict(GOOD)
        yield one


@pytest.fixture
def partner(main: Hostile) -> Iterator[Hostile]:
    """A second provider beside the first, in use."""
    with speaking() as one:
        one.userinfo = dict(GOOD)
        with configured((main.settings(), of(one)), PRODUCT):
            yield one


def of(hostile: Hostile, **changes: Any) -> Oidc:
    return hostile.settings(id="partner", name="Partner", groups_claim="", **changes)


def begin(client: Client, hostile: Hostile, provider: str) -> str:
    """Press the button of a provider; return the state."""
    return hostile.begun(client.post(START, {"provider": provider}).context["address"])


def test_each_has_a_button_and_an_address_of_its_own(cast: Cast, main: Hostile, partner: Hostile) -> None:
    client = Client()
    page = client.get("/account/login/").content.decode()
    assert (page.count("Sign in with Acme"), page.count("Sign in with Partner"), page.count("is-primary")) == (1, 1, 1)
    state = begin(client, partner, "partner")
    assert client.get(PARTNER, {"code": "c", "state": state}).status_code == 302
    assert Identity.objects.get().issuer == partner.issuer
    assert partner.last_form == {}  # the last it was asked for was user information, by GET
    assert (main.asked["/token"], partner.asked["/token"]) == (0, 1)


def test_an_unknown_provider_is_no_door(db: None, partner: Hostile) -> None:
    for answer in (Client().post(START, {"provider": "other"}), Client().get("/account/oidc/other/callback/")):
        assert answer.status_code == 404


def test_the_answer_to_one_is_nothing_at_the_address_of_another(cast: Cast, main: Hostile, partner: Hostile) -> None:
    client = Client()
    state = begin(client, partner, "partner")
    assert client.get(CALLBACK, {"code": "c", "state": state}).status_code == 400
    state = begin(client, main, "oidc")
    assert client.get(PARTNER, {"code": "c", "state": state}).status_code == 400
    assert client.get("/account/").status_code == 302
    # The code went to nobody.
    assert (main.asked["/token"], partner.asked["/token"]) == (0, 0)


@pytest.mark.parametrize(
    ("names_itself", "iss", "status"),
    [(True, "own", 302), (True, None, 502), (True, "other", 502), (False, "other", 502), (False, None, 302)],
)
def test_an_answer_that_says_it_is_anothers_gets_no_code_to_anybody(
    cast: Cast, client: Client, main: Hostile, partner: Hostile, names_itself: bool, iss: str | None, status: int
) -> None:
    main.configuration = {"authorization_response_iss_parameter_supported": names_itself}
    said = {"own": {"iss": main.issuer}, "other": {"iss": partner.issuer}, None: {}}[iss]
    state = begin(client, main, "oidc")
    assert client.get(CALLBACK, {"code": "c", "state": state, **said}).status_code == status
    assert main.asked["/token"] == (status == 302)


def test_one_that_vouches_for_a_domain_links_nobody_of_another(cast: Cast, main: Hostile) -> None:
    with speaking() as other, configured((main.settings(), of(other, email_domains=("partner.example",))), PRODUCT):
        other.userinfo = GOOD | {"email": "ada@example.com"}
        client = Client()
        page = client.get(PARTNER, {"code": "c", "state": begin(client, other, "partner")})
        assert (page.status_code, b"does not vouch for your address" in page.content) == (403, True)
        assert not Identity.objects.exists()
        assert last().details["reason"] == "address of a domain the provider does not vouch for"
        other.userinfo = GOOD | {"email": "p@Partner.example"}
        assert client.get(PARTNER, {"code": "c", "state": begin(client, other, "partner")}).status_code == 302


def test_groups_of_one_are_never_those_of_another(cast: Cast, main: Hostile) -> None:
    with speaking() as other:
        wanted = (main.settings(), other.settings(id="partner", name="Partner", groups_claim="groups"))
        with configured(wanted, PRODUCT):
            main.userinfo = GOOD | {"groups": ["Admins", "partner: Admins"]}
            other.userinfo = GOOD | {"groups": ["Admins", "Guests"]}
            for hostile, name, path in ((main, "oidc", CALLBACK), (other, "partner", PARTNER)):
                client = Client()
                assert client.get(path, {"code": "c", "state": begin(client, hostile, name)}).status_code == 302
            held = Group.objects.filter(members=cast.requester, source="oidc").values_list("name", flat=True)
            assert set(held) == {"Admins", "partner: Admins", "partner: Guests"}
            # The first may not give the other's groups, nor does its next sign-in take them.
            main.userinfo = GOOD | {"groups": ["partner: Guests"]}
            client = Client()
            client.get(CALLBACK, {"code": "c", "state": begin(client, main, "oidc")})
            assert set(held.all()) == {"partner: Admins", "partner: Guests"}


def test_the_manager_comes_goes_and_is_nobody_where_nobody_is_known(cast: Cast, main: Hostile) -> None:
    with configured(main.settings(manager_claim="manager"), PRODUCT):
        for said, manager in (
            ("Abel@example.com", cast.approver),
            ({"value": "ada@example.com"}, cast.admin),
            ("nobody@example.com", None),
            ("abel@example.com", cast.approver),
            ("rita@example.com", None),
            (["abel@example.com"], None),
        ):
            main.userinfo = GOOD | {"manager": said}
            client = Client()
            client.get(CALLBACK, {"code": "c", "state": begin(client, main, "oidc")})
            assert User.objects.get(pk=cast.requester.pk).manager == manager, said
    actions.edit_user(cast.requester, actor=_system(), manager=cast.admin)
    with configured(main.settings(), PRODUCT):
        client = Client()
        client.get(CALLBACK, {"code": "c", "state": begin(client, main, "oidc")})
    assert User.objects.get(pk=cast.requester.pk).manager == cast.admin


def _system() -> Any:
    from audit.actor import system

    return system()


def test_a_name_that_fits_only_without_the_prefix_is_left_out() -> None:
    told = read("https://a.example", [{"sub": "s", "groups": ["x" * 195, "y"]}], "groups", prefix="partner: ")
    assert (told.groups, told.groups_trouble) == (("partner: y",), "1 entries of the claim groups are no names.")


def test_the_same_provider_twice_is_told() -> None:
    one = Oidc("https://login.example.com", "a", "s")
    two = Oidc("https://login.example.com/", "b", "s", id="partner")
    assert [number for number, _, _ in problems([one, two], password_sign_in=True)] == ["E034"]
