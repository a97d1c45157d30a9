"""Groups given to accounts that people have anyway: nothing is taken that was there before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Grant, Person, Report, UnitOutcome, Verb
from tests import hosts
from tests.connectors.ssh_world import (
    Servers,
    Shown,
    group_on,
    of,
    outcomes,
    own_key,
    says,
    servers,
    signed_in,
    ssh,
)

HELD, GONE, FAILED = UnitOutcome.HELD, UnitOutcome.GONE, UnitOutcome.FAILED


@pytest.fixture(scope="module")
def running() -> Iterator[Servers]:
    if reason := hosts.missing():
        pytest.skip(reason)
    with servers("web", GIVE_GROUPS="deploy backup") as made:
        yield made


@pytest.fixture
def web(running: Servers) -> Iterator[Servers]:
    """A server on which the person has an account, called like their e-mail address before the @."""
    made = Servers(running.hosts, running.made)
    name = made.person.aliases[1]
    private, public = own_key()
    made.one.add_account(name, public)
    made.own = Shown(name, private, "")
    yield made
    made.one.run("userdel", "-r", "-f", name, check=False)


def account(web: Servers) -> Shown:
    """Return how the person signs in with their own key."""
    assert web.own is not None
    return web.own


def groups(web: Servers) -> list[str]:
    """Return the groups that the person's own account is in."""
    return ssh(web.one, account(web), "id -Gn").stdout.split()


def error_of(report: Report, grant: Grant) -> ErrorKind | None:
    """Return the kind of error of the first unit."""
    error = of(report, grant).units[0].error
    return error.kind if error else None


def test_ones_own_account_is_in_the_group_as_long_as_the_grant_lasts(web: Servers) -> None:
    before = web.one.accounts()
    grant = web.grant(group_on(web.one, "OWN_ACCOUNT"))
    report = web.apply(grant)
    assert outcomes(report, grant) == [HELD]
    told = of(report, grant)
    assert (told.sealed_credentials, told.login) == ("", "")
    assert told.details["command"] == f"ssh -p {web.one.port} {account(web).login}@127.0.0.1"
    assert report.read_back is not None
    assert [(one.login, one.grant_id) for one in report.read_back.ours] == [(account(web).login, grant.grant_id)]
    assert "deploy" in groups(web)
    web.end(grant)
    assert "deploy" not in groups(web)
    assert web.one.accounts() == before


def test_a_membership_that_was_there_is_standing_and_stays(web: Servers) -> None:
    web.one.run("gpasswd", "-a", account(web).login, "deploy")
    unit = group_on(web.one, "OWN_ACCOUNT")
    grant = web.grant(unit)
    report = web.apply(grant)
    assert outcomes(report, grant) == [HELD]
    assert report.read_back is not None
    assert report.read_back.ours == ()
    assert unit in {one.unit for one in report.read_back.standing}
    web.end(grant)
    assert "deploy" in groups(web)


def test_what_was_standing_and_was_taken_by_hand_is_ours_to_end_once_a_grant_gives_it_anew(web: Servers) -> None:
    unit = group_on(web.one, "OWN_ACCOUNT")
    web.memory[unit] = True
    grant = web.grant(unit)
    web.apply(grant)
    assert "deploy" in groups(web)
    web.end(grant)
    assert "deploy" not in groups(web)


def test_the_end_of_one_of_two_grants_takes_nothing(web: Servers) -> None:
    unit = group_on(web.one, "OWN_ACCOUNT")
    first, second = web.grant(unit), web.grant(unit)
    web.apply(first, second)
    report = web.apply(second, gone=(first,))
    assert (outcomes(report, first), outcomes(report, second)) == ([GONE], [HELD])
    assert report.read_back is not None
    assert {one.grant_id for one in report.read_back.ours} == {second.grant_id}
    assert "deploy" in groups(web)
    web.end(second)
    assert "deploy" not in groups(web)


def test_a_session_that_has_the_group_is_cut_and_an_older_one_is_not(web: Servers) -> None:
    grant = web.grant(group_on(web.one, "OWN_ACCOUNT"))
    with signed_in(web.one, account(web)) as older:
        assert "deploy" not in says(older, "id -Gn")
        web.apply(grant)
        with signed_in(web.one, account(web)) as newer:
            assert "deploy" in says(newer, "id -Gn")
            web.end(grant)
            assert says(newer, "id -Gn") == ""
        assert "deploy" not in says(older, "id -Gn")


def test_nobody_is_guessed_when_there_is_no_account_or_more_than_one(web: Servers) -> None:
    grant = web.grant(group_on(web.one, "OWN_ACCOUNT"))
    nobody = replace(web, person=Person("person-x", "Grace", ("grace@example.com", "grace")))
    assert error_of(nobody.apply(grant), grant) is ErrorKind.TARGET_MISSING
    twins = replace(web, person=replace(web.person, aliases=(*web.person.aliases, "Twin")))
    web.one.run("useradd", "twin")
    try:
        report = twins.apply(grant)
    finally:
        web.one.run("userdel", "twin")
    assert error_of(report, grant) is ErrorKind.MISCONFIGURED
    assert "deploy" not in groups(web)


def test_the_account_may_be_named_by_an_attribute_and_then_by_nothing_else(web: Servers) -> None:
    name = account(web).login
    other = Person("person-y", "Ada", ("someone@example.com", "someone"), {"unix_name": (name,)})
    named = replace(web, person=other, config={"account_attribute": "unix_name"})
    grant = named.grant(group_on(web.one, "OWN_ACCOUNT"))
    assert outcomes(named.apply(grant), grant) == [HELD]
    named.end(grant)
    unnamed = replace(web, config={"account_attribute": "unix_name"})
    assert error_of(unnamed.apply(grant), grant) is ErrorKind.TARGET_MISSING


def test_what_was_given_is_ended_although_the_person_is_called_otherwise_by_then(web: Servers) -> None:
    grant = web.grant(group_on(web.one, "OWN_ACCOUNT"))
    web.apply(grant)
    married = replace(web, person=replace(web.person, name="Ada L", aliases=("other@example.com", "other")))
    married.end(grant)
    assert "deploy" not in groups(web)


def test_what_nobody_knows_to_be_granted_is_taken_by_its_note(web: Servers) -> None:
    web.apply(web.grant(group_on(web.one, "OWN_ACCOUNT")))
    report = web.run(web.order(Verb.READ_BACK))
    assert report.read_back is not None
    assert [one.unit for one in report.read_back.ours] == [group_on(web.one, "OWN_ACCOUNT")]
    web.apply()
    assert "deploy" not in groups(web)


def test_a_group_that_may_not_be_given_any_more_is_still_taken(web: Servers) -> None:
    grant = web.grant(group_on(web.one, "OWN_ACCOUNT", "backup"))
    web.apply(grant)
    assert "backup" in groups(web)
    web.one.set_up(web.made, GIVE_GROUPS="deploy")
    try:
        web.end(grant)
    finally:
        web.one.set_up(web.made, GIVE_GROUPS="deploy backup")
    assert "backup" not in groups(web)


def test_accounts_of_the_system_are_nobodys_own(web: Servers) -> None:
    someone = replace(web, person=Person("person-z", "Root", ("root@example.com", "root", "backup", "latchkey")))
    grant = someone.grant(group_on(web.one, "OWN_ACCOUNT"))
    report = someone.apply(grant)
    assert error_of(report, grant) is ErrorKind.TARGET_MISSING
    assert report.read_back is not None and report.read_back.standing == ()


def test_access_that_the_person_has_anyway_is_recorded(web: Servers) -> None:
    web.one.run("gpasswd", "-a", account(web).login, "sudo")
    report = web.run(web.order(Verb.READ_BACK))
    assert report.read_back is not None
    found = {(one.unit.resource_type, one.unit.permission, one.login) for one in report.read_back.standing}
    assert found == {("server", "LOGIN", account(web).login), ("server", "SUDO", account(web).login)}


def test_a_login_of_the_grant_and_ones_own_account_may_be_in_one_grant(web: Servers) -> None:
    grant = web.grant(group_on(web.one), group_on(web.one, "OWN_ACCOUNT"))
    report = web.apply(grant)
    assert outcomes(report, grant) == [HELD, HELD]
    assert "deploy" in ssh(web.one, web.shown(report, grant), "id -Gn").stdout
    web.end(grant)
