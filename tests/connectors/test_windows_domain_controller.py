"""A domain controller through WinRM: what the common stories do not tell.

The endpoint is our own (tests.simulated_winrm): the wire is what it is, no PowerShell runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Person, Report, UnitOutcome, Verb
from connectors.contract.provider import remember
from connectors.vet.stories import Stage, in_this_process, of
from tests import targets_samba
from tests.directories import CLOSED, GROUPS, OTHERS, PASSWORD, PEOPLE, World
from tests.live.windows_domain_controller import WindowsDomainControllerLive
from tests.simulated_time_to_live import TimeToLive, turn_on
from tests.simulated_winrm import Endpoint, ScriptFailed, endpoint
from tests.targets import free_port
from tests.targets_samba import BASE


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if reason := targets_samba.missing():
        pytest.skip(reason)
    with targets_samba.running() as server:
        made = World(server)
        made.prepare()
        yield made


@pytest.fixture
def way(world: World) -> Iterator[Endpoint]:
    with endpoint(world.server) as made:
        yield made
        assert not made.pools, "a session was left open"


@pytest.fixture
def stage(world: World, way: Endpoint) -> Iterator[Stage]:
    yield on(world, way)
    assert world.records() == [], "a test left records behind"


def on(world: World, way: Endpoint, **config: Any) -> Stage:
    live = WindowsDomainControllerLive(world, way)
    live.config |= config
    return Stage("windows-domain-controller", live, in_this_process())


def run(stage: Stage, verb: Verb = Verb.CHECK, **change: Any) -> Report:
    report = stage.runs(stage.order(verb, **change), lambda page: None, remember({}))
    assert PASSWORD not in str(report)
    return report


def error_of(report: Report) -> ErrorKind:
    assert report.error is not None
    return report.error.kind


def test_what_goes_wrong_at_the_door_is_typed(world: World, way: Endpoint) -> None:
    assert error_of(run(on(world, way, username="nobody@jit.test"))) is ErrorKind.CREDENTIALS_REJECTED
    assert error_of(run(on(world, way, ca=""))) is ErrorKind.UNREACHABLE
    assert error_of(run(on(world, way, ca="no certificate"))) is ErrorKind.MISCONFIGURED
    assert error_of(run(on(world, way, port=free_port()))) is ErrorKind.UNREACHABLE
    assert error_of(run(on(world, way, ssl="false"))) is ErrorKind.REFUSED
    assert error_of(run(on(world, way, hostname=""))) is ErrorKind.MISCONFIGURED
    assert error_of(run(on(world, way), lease_seconds=0.0)) is ErrorKind.LEASE_LOST
    assert way.sent == []


def test_a_user_who_may_not_open_sessions_is_told_which_group_lets_them(world: World, way: Endpoint) -> None:
    way.refuses_sessions = True
    report = run(on(world, way))
    assert error_of(report) is ErrorKind.NOT_PERMITTED
    assert report.error is not None
    assert "Remote Management Users" in report.error.fix


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [
        ("ActiveDirectoryServer:8344,Microsoft.ActiveDirectory.Management.Commands.X", ErrorKind.NOT_PERMITTED),
        ("ActiveDirectoryServer:8333,X", ErrorKind.TARGET_MISSING),
        ("ActiveDirectoryServer:8206,X", ErrorKind.UNREACHABLE),
        ("ActiveDirectoryServer:99999,X", ErrorKind.MISCONFIGURED),
        ("ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADServerDownException,X", ErrorKind.UNREACHABLE),
        ("CommandNotFoundException", ErrorKind.MISCONFIGURED),
        ("ParameterArgumentTransformationError", ErrorKind.MISCONFIGURED),
    ],
)
def test_error_records_are_typed(world: World, way: Endpoint, identifier: str, kind: ErrorKind) -> None:
    def fail(values: dict[str, Any]) -> None:
        raise ScriptFailed(identifier, "Something is wrong.")

    way.stands_in["domain"] = fail
    assert error_of(run(on(world, way))) is kind


def test_an_answer_that_is_no_object_is_refused(world: World, way: Endpoint) -> None:
    way.stands_in["domain"] = lambda values: ["no json"]
    assert error_of(run(on(world, way))) is ErrorKind.MISCONFIGURED


def test_a_group_that_is_not_delegated_is_not_permitted(world: World, stage: Stage) -> None:
    grant = stage.grant(world.unit(CLOSED))
    told = of(stage.run(stage.order(Verb.APPLY, (grant,))), grant)
    assert told.units[0].outcome is UnitOutcome.FAILED
    assert told.units[0].error is not None
    assert told.units[0].error.kind is ErrorKind.NOT_PERMITTED
    assert "Write Members on the group" in told.units[0].error.fix
    stage.leave(grant)


def test_check_says_what_is_missing_and_what_is_too_much(world: World, way: Endpoint) -> None:
    def findings(**config: Any) -> str:
        stage = on(world, way, **config)
        stage.live.secrets = {"password": config.get("secret", PASSWORD)}
        return "\n".join(f"{one.level}: {one.message}" for one in run(stage).findings)

    assert "ok: Ready to be asked for: Shop Readers, Shop Writers." in findings(groups_dn=GROUPS)
    assert "error: There is no container of records" in findings(records_dn=f"CN=None,{BASE}")
    assert "error: The connector may not keep records" in findings(records_dn=PEOPLE)
    assert "may write the members of no group" in findings(groups_dn=OTHERS)
    assert "Nobody proves" in findings(verify="false")
    mighty = findings(username="administrator@jit.test", secret=targets_samba.ADMIN_PASSWORD)
    assert "is an administrator" in mighty


def test_a_container_of_records_that_is_not_there_stops_everything(world: World, way: Endpoint) -> None:
    stage = on(world, way, records_dn=f"CN=None,{BASE}")
    assert error_of(run(stage, Verb.APPLY, holds=(stage.grant(),))) is ErrorKind.MISCONFIGURED


def test_values_travel_beside_the_script_and_never_in_it(world: World, way: Endpoint) -> None:
    evil = "a'; Remove-ADUser ada.live; $(whoami)\"`\u2019"
    stage = on(world, way)
    stage.live.person = Person("person-e", "Eve", (evil, f"{evil}@example.com"))
    grant = stage.grant()
    told = of(run(stage, Verb.APPLY, holds=(grant,)), grant)
    assert told.units[0].error is not None
    assert told.units[0].error.kind is ErrorKind.TARGET_MISSING
    assert ("accounts_by_name", {"Base": BASE, "Name": evil}) in way.sent


def test_a_dry_run_shows_scripts_and_parameters(world: World, way: Endpoint) -> None:
    stage = on(world, way)
    report = run(stage, Verb.APPLY, holds=(stage.grant(),), dry_run=True)
    texts = {one.function: one.text for one in report.programs}
    assert texts.keys() == {"create_record", "grant_member"}
    assert f"# -Account 'CN=Ada Live,{PEOPLE}'" in texts["grant_member"]
    assert "Add-ADGroupMember" in texts["grant_member"]
    assert not {name for name, _ in way.sent} & texts.keys()


def test_a_record_that_is_there_already_is_no_error(world: World, stage: Stage, way: Endpoint) -> None:
    grant = stage.grant()
    stage.apply(grant)
    way.stands_in["records"] = lambda values: []
    way.stands_in["records_of_account"] = lambda values: []
    way.stands_in["memberships"] = lambda values: []
    report = stage.run(stage.order(Verb.APPLY, (grant,)))
    told = of(report, grant).units[0]
    assert told.error is None or told.error.kind is ErrorKind.TARGET_MISSING
    way.stands_in.clear()
    stage.leave(grant)


def test_a_pin_is_kept(world: World, way: Endpoint) -> None:
    stage = on(world, way)
    assert error_of(run(stage, Verb.APPLY, digests={"domain": "0" * 64})) is ErrorKind.REFUSED
    assert way.sent == []


def test_large_answers_come_in_pages(world: World, way: Endpoint) -> None:
    row = {"dn": "CN=x", "name": "x", "description": "d" * 300, "kind": 2, "protected": False, "writable": True}
    way.stands_in["groups"] = lambda values: [{"guid": f"guid-{number}", **row} for number in range(1050)]
    stage = on(world, way)
    pages: list[Any] = []
    report = stage.runs(stage.order(Verb.DISCOVER, page_size=100), pages.append, remember({}))
    assert report.error is None
    assert [len(page.resources) for page in pages] == [100] * 10 + [50]
    assert report.found == 1050


def test_memberships_end_by_themselves_where_the_forest_can(world: World) -> None:
    turn_on(world.server)
    time_to_live = TimeToLive(world.server).start()
    with endpoint(world.server, ldap={"port": time_to_live.port, "encryption": "none"}) as way:
        stage = on(world, way)
        grant, longer = stage.grant(seconds=300), stage.grant(seconds=900)
        stage.apply(grant)
        stage.apply(grant, longer)
        stage.leave(grant, longer)
    time_to_live.stop()
    given = {name: values["Seconds"] for name, values in way.sent if "Seconds" in values}
    assert 295 <= given["grant_member_until"] <= 300
    assert 890 <= given["renew_member_until"] <= 900
    assert world.records() == []
