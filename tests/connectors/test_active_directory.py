"""Active Directory on a real Samba controller: what the common stories do not tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest

from connectors.contract.errors import ErrorKind, Unreachable
from connectors.contract.orders import Grant, GrantReport, Person, Report, Unit, UnitOutcome, Verb
from connectors.contract.provider import Run, remember
from connectors.registry import BUILT_IN
from connectors.vet.stories import Stage, in_this_process, of
from tests import targets_samba
from tests.directories import CLOSED, GROUPS, OTHERS, PASSWORD, PEOPLE, RECORDS, World
from tests.targets import free_port
from tests.targets_samba import BASE

ADA = Person("person-ada", "Ada Live", ("ada.live@example.com", "ada.live"))


@dataclass
class Cast:
    """What a Stage wants to know of a target, and no more."""

    config: dict[str, Any]
    person: Person
    units: tuple[Unit, ...]
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if reason := targets_samba.missing():
        pytest.skip(reason)
    with targets_samba.running() as server:
        made = World(server)
        made.prepare()
        yield made


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    """Ada, who asks for what members of Shop Readers see."""
    yield on(world)
    assert world.records() == [], "a test left records behind"


def on(world: World, person: Person = ADA, **config: Any) -> Stage:
    cast = Cast(world.config(**config), person, (world.unit("Shop Readers"),), {"password": PASSWORD})
    return Stage("active-directory", cast, in_this_process())  # type: ignore[arg-type]


def outcome(stage: Stage, grant: Grant, **change: Any) -> tuple[Report, GrantReport]:
    report = stage.runs(
        stage.order(Verb.APPLY, (grant,), **change), lambda page: None, lambda there, wanted: frozenset()
    )
    assert report.error is None, report.error
    return report, of(report, grant)


def failure(told: GrantReport) -> ErrorKind:
    (unit,) = told.units
    assert unit.outcome is UnitOutcome.FAILED
    assert unit.error is not None
    return unit.error.kind


def error_of(stage: Stage, verb: Verb = Verb.CHECK, **change: Any) -> ErrorKind:
    report = stage.runs(stage.order(verb, **change), lambda page: None, remember({}))
    assert report.error is not None
    assert PASSWORD not in str(report)
    return report.error.kind


def test_the_set_up_lets_the_connector_write_the_chosen_groups_and_no_other(world: World, stage: Stage) -> None:
    grant = stage.grant(world.unit(CLOSED))
    _, told = outcome(stage, grant)
    assert failure(told) is ErrorKind.NOT_PERMITTED
    assert told.units[0].error is not None
    assert "Write Members on the group" in told.units[0].error.fix
    assert world.members(world.unit(CLOSED)) == []
    stage.leave(grant)


def test_one_group_can_be_delegated_alone(world: World, stage: Stage) -> None:
    alone = world.group("Cellar", OTHERS)
    world.set_up(f"CN=Cellar,{OTHERS}", GROUPS)
    grant = stage.grant(alone)
    stage.apply(grant)
    assert world.members(alone) == [f"CN=Ada Live,{PEOPLE}"]
    stage.leave(grant)


def test_groups_of_others_are_shown_with_the_reason_why_they_cannot_be_given(world: World) -> None:
    stage = on(world)
    pages: list[Any] = []
    stage.runs(stage.order(Verb.DISCOVER, page_size=3), pages.append, remember({}))
    found = {one.name: one for page in pages for one in page.resources}
    assert len(pages) > 3
    assert all(len(page.resources) <= 3 for page in pages)
    assert found["Shop Readers"].refusals == {}
    assert found["Shop Readers"].path == f"CN=Shop Readers,{GROUPS}"
    assert "set-up" in found[CLOSED].refusals["MEMBER"]
    assert "AdminSDHolder" in found["Domain Admins"].refusals["MEMBER"]
    assert found["Domain Admins"].risk_level == 9
    only = on(world, groups_dn=GROUPS)
    pages.clear()
    only.runs(only.order(Verb.DISCOVER), pages.append, remember({}))
    assert all(one.path.endswith(GROUPS) for page in pages for one in page.resources)


def test_more_groups_than_a_controller_gives_at_once_are_all_found(world: World) -> None:
    place = f"OU=Many,{BASE}"
    world.server.add(place, objectClass="organizationalUnit")
    world.many(1100, place)
    stage = on(world, groups_dn=place)
    pages: list[Any] = []
    report = stage.runs(stage.order(Verb.DISCOVER, page_size=5000), pages.append, remember({}))
    assert report.error is None
    assert report.found == 1100
    assert len({one.source_id for page in pages for one in page.resources}) == 1100


def test_check_says_what_is_missing_and_what_is_too_much(world: World) -> None:
    def findings(**config: Any) -> str:
        stage = on(world, **config)
        stage.live.secrets = {"password": config.get("secret", PASSWORD)}
        report = stage.run(stage.order(Verb.CHECK))
        return "\n".join(f"{one.level}: {one.message}" for one in report.findings)

    # In a directory with more groups than one page holds, the few that can be given may be on any of them.
    place = f"OU=Plenty,{BASE}"
    world.server.add(place, objectClass="organizationalUnit")
    world.many(600, place, "plenty")
    usual = findings()
    assert "ok: Ready to be asked for: " in usual
    assert "error" not in usual
    assert "do not end by themselves" in usual
    assert "error: There is no container of records at CN=None" in findings(records_dn=f"CN=None,{BASE}")
    assert "error: The connector may not keep records" in findings(records_dn=f"OU=People,{BASE}")
    assert "may write the members of no group" in findings(groups_dn=OTHERS.replace("Others", "People"))
    mighty = findings(username="administrator@jit.test", secret=targets_samba.ADMIN_PASSWORD)
    assert "is an administrator" in mighty
    assert "protected groups" in mighty
    assert "Nobody proves which server answers" in findings(verify=False)


def test_what_goes_wrong_at_the_door_is_typed(world: World) -> None:
    assert error_of(on(world, username="nobody@jit.test")) is ErrorKind.CREDENTIALS_REJECTED
    assert error_of(on(world, username="")) is ErrorKind.CREDENTIALS_REJECTED
    assert error_of(on(world, ca="")) is ErrorKind.UNREACHABLE
    assert error_of(on(world, hostname="localhost")) is ErrorKind.UNREACHABLE
    assert error_of(on(world, ca="no certificate")) is ErrorKind.MISCONFIGURED
    assert error_of(on(world, port=free_port())) is ErrorKind.UNREACHABLE
    plain = {"port": world.server.ldap_port, "encryption": "none"}
    assert error_of(on(world, **plain)) is ErrorKind.MISCONFIGURED
    assert error_of(on(world, records_dn=f"CN=None,{BASE}"), Verb.APPLY) is ErrorKind.MISCONFIGURED
    assert error_of(on(world), lease_seconds=0.0) is ErrorKind.LEASE_LOST


def test_an_empty_password_is_not_taken_for_a_sign_in(world: World) -> None:
    stage = on(world)
    stage.live.secrets = {"password": ""}
    assert error_of(stage) is ErrorKind.CREDENTIALS_REJECTED


def test_start_tls_is_as_good_as_ldaps(world: World) -> None:
    stage = on(world, port=world.server.ldap_port, encryption="starttls")
    grant = stage.grant()
    stage.apply(grant)
    stage.leave(grant)
    assert world.records() == []


def test_names_with_every_awkward_character_are_data(world: World, stage: Stage) -> None:
    world.server.user(
        f'CN=O\\"Neil\\, (Zoë) *\\\\,{PEOPLE}', "zoë.o'neil", "Zoe-Pass-1!", mail="zoë(*)o'neil@example.com"
    )
    odd = world.group("Odd", dn=f'CN=R&D\\, \\"north\\" (*) ü\\+,{GROUPS}')
    zoe = on(world, Person("person-zoe", "Zoë", ("zoë(*)o'neil@example.com",)))
    grant = zoe.grant(odd)
    report = zoe.apply(grant)
    assert of(report, grant).details["groups"] == 'R&D, "north" (*) ü+'
    assert len(world.members(odd)) == 1
    zoe.leave(grant)
    assert world.members(odd) == []


@pytest.mark.parametrize("alias", ["*", "ada*", "*)(objectClass=*", "a)(|(mail=*)", "\0", "ada.live@example.com\0"])
def test_an_alias_is_never_a_pattern(world: World, stage: Stage, alias: str) -> None:
    someone = on(world, Person("person-x", "X", (alias, f"{alias}@example.com")))
    grant = someone.grant()
    _, told = outcome(someone, grant)
    assert failure(told) is ErrorKind.TARGET_MISSING


def test_an_account_that_only_looks_alike_is_nobodys(world: World) -> None:
    world.person("Muller", "müller", "Some-Pass-1!", mail="müller@example.com")
    for alias in ("muller", "muller@example.com"):
        someone = on(world, Person("person-y", "Y", (alias,)))
        assert failure(outcome(someone, someone.grant())[1]) is ErrorKind.TARGET_MISSING


def test_two_accounts_with_one_address_are_one_too_many(world: World) -> None:
    for number in (1, 2):
        world.person(f"Twin {number}", f"twin{number}", "Some-Pass-1!", mail="twin@example.com")
    twin = on(world, Person("person-t", "Twin", ("twin@example.com", "twin1")))
    _, told = outcome(twin, twin.grant())
    assert failure(told) is ErrorKind.MISCONFIGURED
    assert told.units[0].error is not None
    assert "twin1, twin2" in told.units[0].error.message


def test_an_attribute_says_which_account_is_meant(world: World, stage: Stage) -> None:
    world.person("Admin Bea", "adm-bea", "Some-Pass-1!", mail="bea@example.com")
    world.person("Bea", "bea", "Some-Pass-1!", mail="bea@example.com")
    person = Person("person-b", "Bea", ("bea@example.com",), {"ad_account": ("adm-bea",)})
    bea = on(world, person, account_attribute="ad_account")
    grant = bea.grant()
    bea.apply(grant)
    assert world.members(grant.units[0]) == [f"CN=Admin Bea,{PEOPLE}"]
    bea.leave(grant)


def test_an_account_name_with_somebody_elses_address_is_somebody_elses(world: World) -> None:
    world.person("John Roe", "john", "Some-Pass-1!", mail="john.roe@example.com")
    john = on(world, Person("person-j", "John Doe", ("john@example.com", "john")))
    assert failure(outcome(john, john.grant())[1]) is ErrorKind.TARGET_MISSING


def test_a_grant_follows_renames_and_moves(world: World, stage: Stage) -> None:
    world.person("Cleo", "cleo", "Cleo-Pass-1!", mail="cleo@example.com")
    moved = world.group("Moving")
    cleo = on(world, Person("person-c", "Cleo", ("cleo@example.com",)))
    grant = cleo.grant(moved)
    cleo.apply(grant)
    world.server.rename(f"CN=Cleo,{PEOPLE}", "CN=Cleo Married", GROUPS)
    world.server.rename(f"CN=Moving,{GROUPS}", "CN=Moved")
    world.server.modify(f"CN=Cleo Married,{GROUPS}", "replace", "mail", "cleo.married@example.com")
    world.server.modify(f"CN=Cleo Married,{GROUPS}", "replace", "userPrincipalName", "other@jit.test")
    # Nobody is called so any more; but our record says whose account it was.
    _, told = outcome(cleo, grant)
    assert told.units[0].outcome is UnitOutcome.HELD
    assert told.warnings
    cleo.apply(gone=(grant,))
    assert world.members(moved) == []


def test_what_an_account_was_given_is_ended_when_the_address_is_another_persons(world: World, stage: Stage) -> None:
    world.person("Old", "old", "Some-Pass-1!", mail="shared@example.com")
    person = on(world, Person("person-s", "Sam", ("shared@example.com",)))
    grant = person.grant()
    person.apply(grant)
    world.server.modify(f"CN=Old,{PEOPLE}", "replace", "mail", "old@example.com")
    world.person("New", "new", "Some-Pass-1!", mail="shared@example.com")
    person.apply(grant)
    assert world.members(grant.units[0]) == [f"CN=New,{PEOPLE}"]
    person.leave(grant)


def test_a_primary_group_is_standing(world: World, stage: Stage) -> None:
    dn = world.person("Prim", "prim", "Some-Pass-1!", mail="prim@example.com")
    unit = world.group("Primary")
    world.join("Prim", unit)
    number = world.server.value(f"CN=Primary,{GROUPS}", "objectSid").rpartition("-")[2]
    world.server.modify(dn, "replace", "primaryGroupID", number)
    assert world.members(unit) == []
    prim = on(world, Person("person-p", "Prim", ("prim@example.com",)))
    grant = prim.grant(unit)
    report = prim.apply(grant)
    assert report.read_back is not None
    assert unit in {one.unit for one in report.read_back.standing}
    assert world.members(unit) == []
    prim.leave(grant)
    assert world.server.value(dn, "primaryGroupID") == number


def test_access_that_somebody_took_by_hand_shows_and_comes_back(world: World, stage: Stage) -> None:
    grant = stage.grant()
    stage.apply(grant)
    world.leave("Ada Live", grant.units[0])
    report = stage.run(stage.order(Verb.READ_BACK, (grant,)))
    assert failure(of(report, grant)) is ErrorKind.TARGET_MISSING
    assert report.read_back is not None
    assert grant.units[0] not in {one.unit for one in report.read_back.ours}
    stage.apply(grant)
    stage.leave(grant)


def test_access_that_somebody_gave_by_hand_shows_as_standing_and_stays(world: World, stage: Stage) -> None:
    grant, other = stage.grant(), world.unit("Shop Writers")
    stage.apply(grant)
    world.join("Ada Live", other)
    report = stage.run(stage.order(Verb.READ_BACK, (grant,)))
    assert report.read_back is not None
    assert other in {one.unit for one in report.read_back.standing}
    stage.leave(grant)
    assert world.members(other) == [f"CN=Ada Live,{PEOPLE}"]
    world.leave("Ada Live", other)


def test_a_membership_of_ours_that_no_order_names_is_ended_and_told(world: World, stage: Stage) -> None:
    grant = stage.grant()
    stage.apply(grant)
    report = stage.run(stage.order(Verb.APPLY))
    (told,) = report.grants
    assert told.grant_id == grant.grant_id
    assert "does not hold" in told.warnings[0]
    assert world.members(grant.units[0]) == []


def test_a_clean_up_touches_only_what_it_names(world: World, stage: Stage) -> None:
    first, second = stage.grant(), stage.grant(world.unit("Shop Writers"))
    stage.apply(first, second)
    stage.run(stage.order(Verb.CLEAN_UP, (), (first,)))
    assert world.members(first.units[0]) == []
    assert world.members(second.units[0]) == [f"CN=Ada Live,{PEOPLE}"]
    stage.leave(second)


def test_another_integration_that_gave_the_same_is_not_hurt(world: World, stage: Stage) -> None:
    other = replace(on(world), integration="integration-other")
    mine, theirs = stage.grant(), other.grant()
    stage.apply(mine)
    report = other.apply(theirs)
    assert report.read_back is not None
    assert not {one.unit for one in report.read_back.standing} & set(theirs.units)
    stage.leave(mine)
    assert world.members(mine.units[0]) == [f"CN=Ada Live,{PEOPLE}"]
    other.leave(theirs)
    assert world.members(mine.units[0]) == []


def test_a_deleted_group_fails_a_grant_and_ends_one(world: World, stage: Stage) -> None:
    unit = world.group("Short")
    grant = stage.grant(unit)
    stage.apply(grant)
    world.server.delete(f"CN=Short,{GROUPS}")
    _, told = outcome(stage, grant)
    assert failure(told) is ErrorKind.TARGET_MISSING
    stage.leave(grant)


def test_a_deleted_account_ends_a_grant(world: World, stage: Stage) -> None:
    dn = world.person("Gone", "gone", "Some-Pass-1!", mail="gone@example.com")
    gone = on(world, Person("person-g", "Gone", ("gone@example.com",)))
    grant = gone.grant()
    gone.apply(grant)
    world.server.delete(dn)
    gone.leave(grant)


def test_an_end_that_is_not_permitted_is_not_called_an_end(world: World, stage: Stage) -> None:
    unit = world.group("Locked")
    grant = stage.grant(unit)
    stage.apply(grant)
    world.server.rename(f"CN=Locked,{GROUPS}", "CN=Locked", OTHERS)
    report = stage.run(stage.order(Verb.APPLY, (), (grant,)))
    assert failure(of(report, grant)) is ErrorKind.NOT_PERMITTED
    assert report.read_back is not None
    assert [one.grant_id for one in report.read_back.ours] == [grant.grant_id]
    world.server.rename(f"CN=Locked,{OTHERS}", "CN=Locked", GROUPS)
    stage.leave(grant)
    assert world.members(unit) == []


def test_a_unit_that_is_none_fails_alone(world: World, stage: Stage) -> None:
    wrong = (Unit("group", "no guid", "MEMBER"), Unit("group", grant_id := world.guids["Shop Readers"], "OWNER"))
    grant = stage.grant(*wrong, Unit("group", grant_id, "MEMBER"))
    _, told = outcome(stage, grant)
    assert [one.outcome for one in told.units] == [UnitOutcome.FAILED, UnitOutcome.FAILED, UnitOutcome.HELD]
    assert {one.error.kind for one in told.units if one.error} == {ErrorKind.MISCONFIGURED}
    stage.leave(grant)


def test_a_disabled_account_is_told_of(world: World, stage: Stage) -> None:
    dn = world.person("Dis", "dis", "Some-Pass-1!", mail="dis@example.com")
    world.server.modify(dn, "replace", "userAccountControl", "514")
    dis = on(world, Person("person-d", "Dis", ("dis@example.com",)))
    grant = dis.grant()
    assert "is disabled" in of(dis.apply(grant), grant).warnings[0]
    dis.leave(grant)


def test_nothing_secret_is_in_a_report(world: World, stage: Stage) -> None:
    grant = stage.grant()
    for order in (stage.order(Verb.APPLY, (grant,), dry_run=True), stage.order(Verb.APPLY, (grant,))):
        assert PASSWORD not in json.dumps(str(stage.run(order)))
    stage.leave(grant)


def test_an_owners_pin_is_kept(world: World, stage: Stage) -> None:
    report = stage.runs(stage.order(Verb.APPLY, (stage.grant(),), digests={"root": "0" * 64}), print, remember({}))
    assert report.error is not None
    assert report.error.kind is ErrorKind.REFUSED


def test_the_container_of_records_says_who_holds_what(world: World, stage: Stage) -> None:
    grant = stage.grant()
    stage.apply(grant)
    text = "\n".join(world.records())
    assert f"description: latchkey integration={stage.integration} person=person-ada" in text
    assert f"grant={grant.grant_id}" in text
    assert RECORDS in text
    stage.leave(grant)


def test_somebody_who_is_quicker_does_no_harm(world: World, stage: Stage) -> None:
    grant = stage.grant()

    def meanwhile(present: Any, wanted: Any) -> frozenset[Unit]:
        world.join("Ada Live", grant.units[0])
        return frozenset()

    report = stage.runs(stage.order(Verb.APPLY, (grant,)), print, meanwhile)
    assert of(report, grant).units[0].outcome is UnitOutcome.HELD
    stage.leave(grant)
    BUILT_IN.provider("active-directory")
    enter = import_module("connectors.providers.active_directory.directory").enter
    with enter(stage.order(Verb.READ_BACK), Run(alive=lambda: None, seal=lambda details, grant_id="": "")) as domain:
        (account,) = domain.accounts_by_name("ada.live")
        domain.take(grant.units[0].resource, account)


def test_access_ends_also_when_the_server_cannot_be_asked_what_was_standing(world: World, stage: Stage) -> None:
    old, new = stage.grant(), stage.grant(world.unit("Shop Writers"))
    stage.apply(old)

    def silent(present: Any, wanted: Any) -> frozenset[Unit]:
        raise Unreachable("The server does not answer.")

    report = stage.runs(stage.order(Verb.APPLY, (new,), (old,)), print, silent)
    assert report.error is not None
    assert report.error.kind is ErrorKind.UNREACHABLE
    assert world.members(old.units[0]) == world.members(new.units[0]) == []


def test_a_membership_from_elsewhere_that_was_adopted_is_taken_over_and_ends_proven(world: World, stage: Stage) -> None:
    shop = world.group("Adopted Readers")
    world.join("Ada Live", shop)
    first = stage.run(stage.order(Verb.READ_BACK))
    assert first.read_back is not None
    assert shop in {one.unit for one in first.read_back.standing}
    # An admin made it part of a grant: the server says that it does not count as having been there before.
    stage.memory[shop] = False
    grant = stage.grant(shop)
    given = stage.apply(grant)
    assert given.read_back is not None
    assert {one.grant_id for one in given.read_back.ours} == {grant.grant_id}
    assert shop not in {one.unit for one in given.read_back.standing}
    stage.apply(gone=(grant,))
    assert world.members(shop) == []


def test_a_membership_from_elsewhere_that_nobody_adopted_outlives_a_grant_of_it(world: World, stage: Stage) -> None:
    shop = world.group("Kept Readers")
    world.join("Ada Live", shop)
    grant = stage.grant(shop)
    stage.apply(grant)
    stage.apply(gone=(grant,))
    assert world.members(shop) == [f"CN=Ada Live,{PEOPLE}"]
    world.leave("Ada Live", shop)
