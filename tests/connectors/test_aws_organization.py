"""What only Identity Center has: assignments that take time or fail, people found by e-mail, sessions that go on."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Desired, Ending, Grant, Person, Report, Unit, UnitOutcome, Verb
from connectors.vet.stories import Stage, of
from tests.aws.server import environment
from tests.aws.stage import failed_as, outcomes, pages_of, setup_actions, stage, tried, try_apply
from tests.connectors.aws_fixtures import organization as organization  # noqa: PLC0414
from tests.live.aws_organization import PORTAL, SETUP, OrganizationLive

_numbers = itertools.count(1)


@pytest.fixture
def on(organization: OrganizationLive) -> Iterator[Stage]:
    """A stage with a person of its own, who has a user in Identity Center."""
    number = next(_numbers)
    email = f"person{number}@example.com"
    organization.user = organization.make_user(f"person{number}", email)
    organization.person = Person(f"person-{number}", f"Person {number}", (email, f"person{number}"))
    kept = list(organization.made)
    yield stage("aws-organization", organization)
    organization.unmake(*kept)


def about(on: Stage, person: Person, *holds: Grant, gone: tuple[Grant, ...] = (), **config: Any) -> Report:
    """Apply for another person, or with another configuration."""
    endings = tuple(Ending(one.grant_id, one.login, one.units) for one in gone)
    order = on.order(Verb.APPLY, holds, desired=Desired(person, holds, endings), config={**on.live.config, **config})
    return tried(on, order)


def test_what_takes_long_goes_on_under_the_next_lease(on: Stage, organization: OrganizationLive) -> None:
    slow = organization.permission_set(f"Slow{next(_numbers)}", seconds=2.0)
    grant = on.grant(organization.unit("production", slow))
    first = try_apply(on, grant, lease_seconds=1.2)
    assert first.error is not None
    assert first.error.kind is ErrorKind.LEASE_LOST
    assert organization.assigned(organization.user) == []
    on.apply(grant)
    assert organization.assigned(organization.user) == list(grant.units)
    ending = try_apply(on, gone=(grant,), lease_seconds=1.2)
    assert ending.error is not None
    assert ending.error.kind is ErrorKind.LEASE_LOST
    on.apply(gone=(grant,))
    assert organization.assigned(organization.user) == []


def test_what_somebody_else_has_begun_is_waited_for(on: Stage, organization: OrganizationLive) -> None:
    slow = organization.permission_set(f"Slow{next(_numbers)}", seconds=1.0)
    unit = organization.unit("tests", slow)
    organization.sso.create_account_assignment(**organization.assignment(unit, organization.user))
    grant = on.grant(unit)
    on.apply(grant)
    assert organization.assigned(organization.user) == [unit]
    on.leave(grant)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("Received a 404 status error: not supported", ErrorKind.MISCONFIGURED), ("Throttled.", ErrorKind.UNREACHABLE)],
)
def test_what_identity_center_cannot_do_fails_by_itself_with_its_reason(
    on: Stage, organization: OrganizationLive, reason: str, kind: ErrorKind
) -> None:
    bad = organization.permission_set(f"Bad{next(_numbers)}", seconds=0.2, fails=reason)
    failing, good = organization.unit("production", bad), organization.unit("tests", organization.operator)
    grant = on.grant(failing, good)
    report = try_apply(on, grant)
    assert failed_as(report, grant, failing) is kind
    assert reason in str(outcomes(report, grant)[failing].error)
    assert outcomes(report, grant)[good].outcome is UnitOutcome.HELD
    on.leave(grant)


def test_what_cannot_be_taken_is_told_and_still_found(on: Stage, organization: OrganizationLive) -> None:
    sticky = organization.permission_set(f"Sticky{next(_numbers)}", fails="no", creates=False)
    unit = organization.unit("production", sticky)
    grant = on.grant(unit)
    on.apply(grant)
    report = try_apply(on, gone=(grant,))
    assert failed_as(report, grant, unit) is ErrorKind.MISCONFIGURED
    assert report.read_back is not None
    assert [(one.unit, one.grant_id) for one in report.read_back.ours] == [(unit, grant.grant_id)]
    organization.made.remove(sticky)  # it cannot be deleted either


def test_many_orders_at_once_keep_to_what_identity_center_takes(on: Stage, organization: OrganizationLive) -> None:
    slow = [organization.permission_set(f"Slow{next(_numbers)}", seconds=1.0) for _ in range(2)]
    units = [organization.unit(account, one) for account in organization.accounts for one in slow]
    orders: list[tuple[Person, Grant]] = []
    for number in (next(_numbers) for _ in range(4)):
        email = f"crowd{number}@example.com"
        organization.make_user(f"crowd{number}", email)
        orders.append((Person(f"crowd-{number}", f"Crowd {number}", (email,)), on.grant(*units)))
    reports: dict[str, Report] = {}

    def work(person: Person, grant: Grant) -> None:
        reports[grant.grant_id] = about(on, person, grant)

    threads = [threading.Thread(target=work, args=order) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(units) * len(orders) > 30
    for _, grant in orders:
        bad = [one for one in of(reports[grant.grant_id], grant).units if one.outcome is not UnitOutcome.HELD]
        assert bad == []


def test_nobody_is_guessed(on: Stage, organization: OrganizationLive) -> None:
    unit = organization.unit("tests", organization.operator)
    grant = on.grant(unit)
    before = organization.snapshot()
    for aliases in (
        (),
        ("ada",),
        ("ada.live@example.co",),
        ("ada.live@example.com.evil",),
        ("x' or '1'='1@example.com",),
    ):
        report = about(on, Person("nobody", "Nobody", aliases), grant)
        assert failed_as(report, grant, unit) is ErrorKind.TARGET_MISSING, aliases
        over = about(on, Person("nobody", "Nobody", aliases), gone=(grant,))
        assert outcomes(over, grant)[unit].outcome is UnitOutcome.GONE
    both = ("ada.live@example.com", "bob@example.com")
    report = about(on, Person("two", "Two", both), grant)
    assert failed_as(report, grant, unit) is ErrorKind.MISCONFIGURED
    over = about(on, Person("two", "Two", both), gone=(grant,))
    assert outcomes(over, grant)[unit].outcome is UnitOutcome.FAILED
    assert organization.snapshot() == before


def test_a_user_can_be_found_by_the_attribute_that_holds_its_name(on: Stage, organization: OrganizationLive) -> None:
    unit = organization.unit("tests", organization.operator)
    grant = on.grant(unit)
    name = organization.person.aliases[1]
    person = Person("by-name", "By Name", (), {"login": (name,)})
    assert failed_as(about(on, person, grant), grant, unit) is ErrorKind.TARGET_MISSING
    report = about(on, person, grant, username_attribute="login")
    assert outcomes(report, grant)[unit].outcome is UnitOutcome.HELD
    about(on, person, gone=(grant,), username_attribute="login")
    assert organization.assigned(organization.user) == []


def test_what_comes_through_a_group_is_standing_and_stays(on: Stage, organization: OrganizationLive) -> None:
    unit = organization.unit("production", organization.operator)
    group = organization.people.create_group(IdentityStoreId=organization.store, DisplayName=f"g{next(_numbers)}")
    member = {"UserId": organization.user}
    organization.people.create_group_membership(
        IdentityStoreId=organization.store, GroupId=group["GroupId"], MemberId=member
    )
    organization.assign(unit, group["GroupId"], "GROUP")
    grant = on.grant(unit)
    report = on.apply(grant)
    assert report.read_back is not None
    assert [one.unit for one in report.read_back.standing] == [unit]
    assert [one.unit for one in report.read_back.ours] == [unit]
    after = on.apply(gone=(grant,))
    assert after.read_back is not None
    assert [one.unit for one in after.read_back.standing] == [unit]
    assert organization.assigned(organization.user) == []


def test_what_the_person_had_before_stays_and_is_told(on: Stage, organization: OrganizationLive) -> None:
    unit = organization.unit("tests", organization.operator)
    organization.assign(unit, organization.user)
    grant = on.grant(unit)
    on.apply(grant)
    report = on.apply(gone=(grant,))
    assert any("so it stays" in words for words in of(report, grant).warnings)
    assert organization.assigned(organization.user) == [unit]
    organization.take_standing(unit)


def test_what_was_taken_by_hand_is_given_again(on: Stage, organization: OrganizationLive) -> None:
    unit = organization.unit("tests", organization.operator)
    grant = on.grant(unit)
    on.apply(grant)
    organization.take_standing(unit)
    told = on.run(on.order(Verb.READ_BACK, (grant,))).read_back
    assert told is not None
    assert told.ours == ()
    on.apply(grant)
    assert organization.assigned(organization.user) == [unit]
    on.leave(grant)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"excluded_accounts": "{production}, 1"}, "excluded"),
        ({"excluded_units": "ou-none {Production}"}, "organizational unit that is excluded"),
        ({"longest_session_hours": 2}, "sessions last 8 hours"),
    ],
)
def test_what_the_integration_leaves_out_cannot_be_given(
    on: Stage, organization: OrganizationLive, config: dict[str, Any], words: str
) -> None:
    long = organization.permission_set(f"Long{next(_numbers)}", duration="PT8H")
    names = {**organization.accounts, **organization.parents}
    config = {key: value.format(**names) if isinstance(value, str) else value for key, value in config.items()}
    unit = organization.unit("production", long)
    grant = on.grant(unit)
    report = about(on, organization.person, grant, **config)
    assert failed_as(report, grant, unit) is ErrorKind.REFUSED
    assert words in str(outcomes(report, grant)[unit].error)
    assert organization.assigned(organization.user) == []


def test_an_account_deep_in_an_excluded_unit_is_neither_found_nor_given(
    on: Stage, organization: OrganizationLive
) -> None:
    excluded = {"excluded_units": organization.parents["Sandbox"]}
    found = {one.name for page in pages_of(on, config={**on.live.config, **excluded}) for one in page.resources}
    assert "production" in found
    assert not {"tests", "ancient"} & found
    unit = organization.unit("ancient", organization.operator)
    grant = on.grant(unit)
    assert failed_as(about(on, organization.person, grant, **excluded), grant, unit) is ErrorKind.REFUSED


def test_a_permission_set_without_the_tag_is_refused_by_us_and_by_aws(
    on: Stage, organization: OrganizationLive
) -> None:
    unit = organization.unit("tests", organization.hidden)
    grant = on.grant(unit)
    assert failed_as(try_apply(on, grant), grant, unit) is ErrorKind.REFUSED
    variables = organization.aws.environment
    keys = {
        "AccessKeyId": variables["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": variables["AWS_SECRET_ACCESS_KEY"],
        "SessionToken": variables["AWS_SESSION_TOKEN"],
    }
    thief: Any = organization.aws.client("sso-admin", keys)
    for call in (
        lambda: thief.create_account_assignment(**organization.assignment(unit, organization.user)),
        lambda: thief.create_permission_set(InstanceArn=organization.instance, Name="Mine"),
        lambda: thief.attach_managed_policy_to_permission_set(
            InstanceArn=organization.instance,
            PermissionSetArn=organization.operator,
            ManagedPolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        lambda: thief.put_inline_policy_to_permission_set(
            InstanceArn=organization.instance, PermissionSetArn=organization.operator, InlinePolicy="{}"
        ),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


@pytest.mark.parametrize(
    "unit",
    [
        Unit("account", "123", "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111"),
        Unit("account", "12345678901x", "arn:aws:sso:::permissionSet/ssoins-1111111111111111/ps-1111111111111111"),
        Unit("account", "123456789012", "Administrator"),
        Unit("group", "123456789012", "x"),
    ],
    ids=repr,
)
def test_a_unit_that_is_none_is_refused(on: Stage, unit: Unit) -> None:
    grant = on.grant(unit)
    assert failed_as(try_apply(on, grant), grant, unit) is ErrorKind.MISCONFIGURED


def test_accounts_are_found_with_their_units_tags_and_refusals(on: Stage, organization: OrganizationLive) -> None:
    facts = {one.name: one for page in pages_of(on) for one in page.resources}
    old = facts["ancient"]
    assert old.source_id == organization.accounts["ancient"]
    assert old.path == f"Sandbox/Old/ancient ({old.source_id})"
    assert old.tags == {"env": "ancient"}
    assert old.context == {"email": "ancient@example.com", "unit": "Sandbox/Old"}
    assert facts["audit"].context["unit"] == "the root"
    assert list(old.refusals) == [organization.hidden]


def test_a_sync_goes_on_after_any_of_its_pages(on: Stage) -> None:
    whole = pages_of(on, page_size=2)
    assert len(whole) > 2
    for number in (0, len(whole) // 2, len(whole) - 1):
        rest = pages_of(on, page_size=2, resume=whole[number].resume)
        expected = [one.source_id for page in whole[number + 1 :] for one in page.resources]
        assert [one.source_id for page in rest for one in page.resources] == expected


def test_the_permissions_are_the_permission_sets_that_there_are(on: Stage, organization: OrganizationLive) -> None:
    risky = organization.permission_set(f"Risky{next(_numbers)}")
    organization.sso.attach_managed_policy_to_permission_set(
        InstanceArn=organization.instance,
        PermissionSetArn=risky,
        ManagedPolicyArn="arn:aws:iam::aws:policy/AdministratorAccess",
    )
    (kind,) = on.run(on.order(Verb.DISCOVER)).resource_types
    risks = {one.permission: one.risk_level for one in kind.permissions}
    assert risks[risky] == 9
    assert risks[organization.reader] == 5
    assert {one.name for one in kind.permissions} >= {"Reader", "Operator", "Administrator"}


def test_the_details_lead_to_the_portal_and_say_nothing_secret(on: Stage, organization: OrganizationLive) -> None:
    grant = on.grant(organization.unit("production", organization.reader))
    details, sealed = on.shown(on.apply(grant), grant)
    account = organization.accounts["production"]
    assert details["uri"] == f"{PORTAL}/#/console?account_id={account}&role_name=Reader"
    assert f"[profile Reader-{account}]\nsso_start_url = {PORTAL}\n" in details["profile"]
    assert details["command"] == f"aws sso login --profile Reader-{account}"
    assert sealed == {}
    on.leave(grant)


def test_that_sessions_go_on_is_told_with_their_length(on: Stage, organization: OrganizationLive) -> None:
    long = organization.permission_set(f"Long{next(_numbers)}", duration="PT1H30M")
    grant = on.grant(organization.unit("production", long))
    on.apply(grant)
    report = on.apply(gone=(grant,))
    assert any("up to 1.5 h more" in words for words in of(report, grant).warnings)
    assert not of(on.apply(gone=(grant,)), grant).warnings


def test_check_says_what_can_be_asked_for_and_how_long_sessions_last(on: Stage, organization: OrganizationLive) -> None:
    organization.permission_set(f"Longest{next(_numbers)}", duration="PT12H")
    findings = on.run(on.order(Verb.CHECK)).findings
    assert {one.level for one in findings} <= {"ok", "warning"}
    assert any("Reader" in one.message for one in findings)
    assert any("up to 12 h" in one.message and one.level == "warning" for one in findings)


@pytest.mark.parametrize(
    "portal", ["http://d-1.awsapps.com/start", "javascript:alert(1)", "https://x/ start", "https://x/#/y", ""]
)
def test_an_address_people_could_not_be_sent_to_is_misconfigured(on: Stage, portal: str) -> None:
    report = tried(on, on.order(Verb.CHECK, config={**on.live.config, "portal_url": portal}))
    assert report.error is not None
    assert report.error.kind is ErrorKind.MISCONFIGURED


def test_the_connector_takes_on_the_management_role(on: Stage, organization: OrganizationLive) -> None:
    iam: Any = organization.aws.client("iam")
    manager = iam.get_role(RoleName="latchkey-connector")["Role"]["Arn"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    weak = iam.create_role(RoleName="weak", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": manager}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="weak", PolicyName="x", PolicyDocument=policy)
    before = dict(organization.aws.environment)
    organization.aws.become(weak)
    try:
        with environment(organization.aws.environment):
            unit = organization.unit("tests", organization.operator)
            grant = on.grant(unit)
            refused = try_apply(on, grant)
            assert refused.error is not None
            assert refused.error.kind is ErrorKind.NOT_PERMITTED
            report = about(on, organization.person, grant, management_role=manager)
            assert outcomes(report, grant)[unit].outcome is UnitOutcome.HELD
            about(on, organization.person, gone=(grant,), management_role=manager)
    finally:
        organization.aws.environment = before
    assert organization.assigned(organization.user) == []


def test_the_set_up_allows_just_what_the_programs_say_they_need() -> None:
    needs = {
        found
        for path in SETUP.parent.joinpath("programs").glob("*.json")
        for found in re.findall(r"\b[a-z]+:[A-Z][A-Za-z]+", json.loads(path.read_text()).get("needs", ""))
    }
    allowed = setup_actions((SETUP / "connector.json").read_text())
    # Nobody needs a permission for the one; the other is for who has a management role.
    assert needs - allowed == {"sts:GetCallerIdentity", "sts:AssumeRole"}
    assert allowed - needs == set()


def test_a_dry_run_says_which_assignment_it_would_make(on: Stage, organization: OrganizationLive) -> None:
    grant = on.grant(organization.unit("tests", organization.operator))
    began = time.monotonic()
    report = try_apply(on, grant, dry_run=True)
    assert [one.function for one in report.programs] == ["grant_assignment"]
    assert organization.operator in report.programs[0].text
    assert time.monotonic() - began < 20
    assert organization.assigned(organization.user) == []
    assert replace(grant) == grant
