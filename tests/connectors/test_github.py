"""GitHub: what the common stories do not cover."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Desired, Ending, Grant, GrantReport, Order, Page, Person, Report, Unit, Verb
from connectors.contract.provider import remember
from connectors.contract.secret import Secret
from connectors.runners import local
from tests.connectors import github_servers
from tests.connectors.github_servers import Servers
from tests.connectors.github_site import FINE_GRAINED, Invitation, Repository, Site, Token

TOKEN = "github_pat_under_test"
LOGIN = "Octo-Ada"
ADA = Person("person", "Ada", ("octo-ada@example.org",), {"github_login": ("octo-ada",)})


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """GitHub, running."""
    if reason := github_servers.missing():
        pytest.skip(reason)
    with github_servers.serving(Site()) as running:
        yield running


@dataclass
class World:
    """An organization with a repository and a team, and a person who is a member."""

    servers: Servers
    site: Site = field(default_factory=Site)
    memory: dict[Unit, bool] = field(default_factory=dict)
    person: Person = ADA
    number: int = 0

    def __post_init__(self) -> None:
        self.servers.show(self.site)
        self.site.users |= {LOGIN: "User", "octo-ada-2": "User"}
        self.site.members[LOGIN] = "member"
        self.site.tokens[TOKEN] = Token("latchkey-bot")
        self.repository = self.site.add_repository("payments")
        self.team = self.site.add_team("platform")
        self.role = self.site.add_role("Auditors")

    def on(self, permission: str, repository: Repository | None = None) -> Unit:
        """Return a unit on a repository."""
        return Unit("repository", (repository or self.repository).node_id, permission)

    def in_team(self, permission: str = "MEMBER") -> Unit:
        """Return a unit on the team."""
        return Unit("team", self.team.node_id, permission)

    def grant(self, *units: Unit) -> Grant:
        """Return a new grant."""
        self.number += 1
        return Grant(f"grant-{self.number}", "", units, time.time() + 3600)

    def order(self, verb: Verb, holds: tuple[Grant, ...] = (), gone: tuple[Grant, ...] = (), **change: Any) -> Order:
        """Return an order."""
        endings = tuple(Ending(one.grant_id, "", one.units) for one in gone)
        config = {"organization": "acme", "api_address": self.servers.base, "login_attribute": "github_login"}
        desired = Desired(self.person, holds, endings) if verb not in (Verb.CHECK, Verb.DISCOVER) else None
        order = Order("order", 1, verb, "github", "integration", config, {"token": Secret(TOKEN)}, desired)
        return replace(order, **change)

    def run(self, order: Order, pages: list[Page] | None = None) -> Report:
        """Run an order."""
        on_page = (lambda page: None) if pages is None else pages.append
        return local.run(order, on_page=on_page, baseline=remember(self.memory))

    def apply(self, *holds: Grant, gone: tuple[Grant, ...] = ()) -> Report:
        """Run an apply that comes to its end."""
        report = self.run(self.order(Verb.APPLY, holds, gone))
        assert report.error is None, report.error
        return report

    def level(self) -> str | None:
        """Return the person's own role in the repository."""
        return self.repository.direct.get(LOGIN)


@pytest.fixture
def world(servers: Servers) -> Iterator[World]:
    """An organization of the test's own, which asks and answers as GitHub's descriptions say."""
    made = World(servers)
    yield made
    assert servers.violations == []


def of(report: Report, grant: Grant) -> GrantReport:
    """Return what a report says of a grant."""
    (found,) = [one for one in report.grants if one.grant_id == grant.grant_id]
    return found


def outcomes(report: Report, grant: Grant) -> list[str]:
    """Return the outcomes of a grant's units."""
    return [one.outcome.value for one in of(report, grant).units]


def failure(report: Report, grant: Grant) -> Any:
    """Return the error of a grant with one unit."""
    (unit,) = of(report, grant).units
    assert unit.error is not None
    return unit.error


def standing(report: Report) -> set[Unit]:
    """Return the standing units of a read-back."""
    assert report.read_back is not None
    return {one.unit for one in report.read_back.standing}


def ours(report: Report) -> set[tuple[Unit, str]]:
    """Return our units of a read-back, with their grants."""
    assert report.read_back is not None
    return {(one.unit, one.grant_id) for one in report.read_back.ours}


# Levels.


def test_a_lower_level_that_was_standing_comes_back_at_the_end(world: World) -> None:
    world.repository.direct[LOGIN] = "pull"
    grant = world.grant(world.on("PUSH"))
    given = world.apply(grant)
    assert (world.level(), standing(given)) == ("push", {world.on("PULL")})
    ended = world.apply(gone=(grant,))
    assert (world.level(), outcomes(ended, grant), ours(ended)) == ("pull", ["gone"], set())
    assert standing(ended) == {world.on("PULL")}


def test_a_higher_level_that_was_standing_is_not_touched(world: World) -> None:
    world.repository.direct[LOGIN] = "admin"
    grant = world.grant(world.on("PUSH"))
    assert outcomes(world.apply(grant), grant) == ["held"]
    assert outcomes(world.apply(gone=(grant,)), grant) == ["gone"]
    assert world.level() == "admin"


@pytest.mark.parametrize(("first", "then"), [("PULL", "ADMIN"), ("ADMIN", "PULL")])
def test_of_two_grants_the_higher_counts_and_the_rest_stays(world: World, first: str, then: str) -> None:
    one, two = world.grant(world.on(first)), world.grant(world.on(then))
    world.apply(one)
    world.apply(one, two)
    assert world.level() == "admin"
    ended = world.apply(two, gone=(one,))
    assert (world.level(), outcomes(ended, one), outcomes(ended, two)) == (then.lower(), ["gone"], ["held"])
    world.apply(gone=(one, two))
    assert world.level() is None


def test_what_a_team_gives_is_neither_taken_nor_taken_for_the_persons_own(world: World) -> None:
    world.team.members[LOGIN] = "member"
    world.repository.teams["platform"] = "push"
    world.repository.direct[LOGIN] = "pull"
    grant = world.grant(world.on("ADMIN"))
    given = world.apply(grant)
    assert standing(given) == {world.on("PULL"), world.on("PUSH")}
    world.apply(gone=(grant,))
    # The REST interface would have called it push.
    assert (world.level(), world.team.members) == ("pull", {LOGIN: "member"})


def test_a_level_below_the_organizations_own_is_there_anyway(world: World) -> None:
    world.site.base_role = "push"
    grant = world.grant(world.on("PULL"))
    report = world.apply(grant)
    assert outcomes(report, grant) == ["held"]
    assert "Cannot assign" in of(report, grant).warnings[0]
    assert outcomes(world.apply(gone=(grant,)), grant) == ["gone"]


def test_a_role_of_the_organizations_own_making_is_not_replaced(world: World) -> None:
    world.site.custom_roles = {"deployer"}
    world.repository.direct[LOGIN] = "deployer"
    grant = world.grant(world.on("PUSH"))
    report = world.apply(grant)
    assert failure(report, grant).kind is ErrorKind.REFUSED
    assert Unit("repository", world.repository.node_id, "deployer") in standing(report)
    world.apply(gone=(grant,))
    assert world.level() == "deployer"


def test_an_owner_of_the_organization_leaves_a_team_as_anybody_does(world: World) -> None:
    world.site.members[LOGIN] = "admin"
    grant = world.grant(world.in_team())
    world.apply(grant)
    assert LOGIN in world.team.members
    world.apply(gone=(grant,))
    assert world.team.members == {}
    assert world.site.members[LOGIN] == "admin"


def test_a_role_stays_when_ownership_that_was_given_with_it_ends(world: World) -> None:
    owner = world.grant(Unit("organization", "acme", "OWNER"))
    role = world.grant(world.on("PUSH"))
    world.apply(owner)
    assert outcomes(world.apply(owner, role), role) == ["held"]
    assert world.level() is None  # GitHub keeps none for an owner
    assert outcomes(world.apply(role, gone=(owner,)), role) == ["held"]
    assert (world.level(), world.site.members[LOGIN]) == ("push", "member")


def test_membership_in_a_team_below_is_not_membership_here(world: World) -> None:
    world.site.add_team("night-shift", parent="platform", members={LOGIN: "member"})
    grant = world.grant(world.in_team("MAINTAINER"))
    world.apply(grant)
    assert world.team.members == {LOGIN: "maintainer"}
    world.apply(gone=(grant,))
    assert world.team.members == {}


def test_a_role_that_a_team_gives_stays(world: World) -> None:
    world.team.members[LOGIN] = "member"
    world.role.teams.add("platform")
    grant = world.grant(Unit("organization_role", str(world.role.number), "ASSIGNED"))
    world.apply(grant)
    assert world.site.holders(world.role) == {LOGIN: "mixed"}
    world.apply(gone=(grant,))
    assert world.site.holders(world.role) == {LOGIN: "indirect"}


# Invitations.


def outside(world: World) -> Grant:
    """Make the person no member, and return a grant of theirs."""
    del world.site.members[LOGIN]
    return world.grant(world.on("PUSH"))


def test_an_outsider_is_invited_and_told_that_there_is_no_access_before_they_accept(world: World) -> None:
    grant = outside(world)
    report = world.apply(grant)
    told = of(report, grant)
    assert outcomes(report, grant) == ["held"]
    assert told.details["invitation"] == "https://github.com/acme/payments/invitations"
    assert "no access before they accept" in " ".join(told.warnings)
    assert not world.site.may(world.repository, LOGIN, "pull")
    world.site.accept(world.repository, LOGIN)
    accepted = of(world.apply(grant), grant)
    assert "invitation" not in accepted.details
    assert accepted.warnings == ()
    assert outcomes(world.apply(gone=(grant,)), grant) == ["gone"]
    assert world.level() is None


def test_an_invitation_that_nobody_accepted_is_withdrawn(world: World) -> None:
    grant = outside(world)
    world.apply(grant)
    assert outcomes(world.apply(gone=(grant,)), grant) == ["gone"]
    assert world.repository.invitations == []


def test_an_open_invitation_is_changed_with_what_is_wanted(world: World) -> None:
    grant = outside(world)
    more = world.grant(world.on("ADMIN"))
    world.apply(grant)
    world.apply(grant, more)
    assert [one.role for one in world.repository.invitations] == ["admin"]
    world.apply(grant, gone=(more,))
    assert [one.role for one in world.repository.invitations] == ["push"]


def test_an_invitation_that_expired_is_sent_anew(world: World) -> None:
    grant = outside(world)
    world.repository.invitations.append(Invitation(77, LOGIN, "push", expired=True))
    assert outcomes(world.apply(grant), grant) == ["held"]
    assert [one.expired for one in world.repository.invitations] == [False]


def test_an_invitation_by_somebody_else_is_left_alone(world: World) -> None:
    grant = outside(world)
    world.repository.invitations.append(Invitation(77, LOGIN, "push"))
    world.apply(grant)
    assert world.on("PUSH") in standing(world.apply(gone=(grant,)))
    assert [one.number for one in world.repository.invitations] == [77]


def test_an_invitation_is_found_on_a_later_page(world: World) -> None:
    grant = outside(world)
    for number in range(120):
        world.site.users[f"guest-{number}"] = "User"
        world.repository.invitations.append(Invitation(1000 + number, f"guest-{number}", "pull"))
    world.apply(grant)
    world.apply(gone=(grant,))
    assert len(world.repository.invitations) == 120


@pytest.mark.parametrize("invited", [False, True])
def test_nobody_is_made_a_member_of_the_organization(world: World, invited: bool) -> None:
    outside(world)
    world.site.invited = {LOGIN} if invited else set()
    units = (
        world.in_team(),
        Unit("organization_role", str(world.role.number), "ASSIGNED"),
        Unit("organization", "acme", "OWNER"),
    )
    for unit in units:
        grant = world.grant(unit)
        error = failure(world.apply(grant), grant)
        assert error.kind is ErrorKind.TARGET_MISSING
        assert "Invite Octo-Ada" in error.fix
    assert LOGIN not in world.site.members
    assert world.site.invited == ({LOGIN} if invited else set())


# The person.


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ((), ErrorKind.TARGET_MISSING, "Set the attribute github_login"),
        (("octo-ada", "octo-ada-2"), ErrorKind.MISCONFIGURED, "Leave one value"),
        (("nobody-here",), ErrorKind.TARGET_MISSING, "correct the attribute github_login"),
        (("acme",), ErrorKind.TARGET_MISSING, "correct the attribute github_login"),
        (("octo-ada/../../orgs",), ErrorKind.MISCONFIGURED, ""),
        (("octo-ada@example.org",), ErrorKind.MISCONFIGURED, ""),
    ],
)
def test_an_account_is_never_guessed(world: World, values: tuple[str, ...], kind: ErrorKind, words: str) -> None:
    before = world.site.snapshot()
    world.person = replace(world.person, attributes={"github_login": values})
    error = world.run(world.order(Verb.APPLY, (world.grant(world.on("PUSH")),))).error
    assert error is not None
    assert error.kind is kind
    assert words in error.fix
    assert world.site.snapshot() == before


@pytest.mark.parametrize("values", [(), ("nobody-here",)])
def test_an_end_is_not_proven_for_an_account_that_cannot_be_found(world: World, values: tuple[str, ...]) -> None:
    grant = world.grant(world.on("PUSH"))
    world.apply(grant)
    world.person = replace(world.person, attributes={"github_login": values})
    error = world.run(world.order(Verb.APPLY, (), (grant,))).error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED


def test_an_account_with_a_similar_name_is_another(world: World) -> None:
    world.site.members["octo-ada-2"] = "member"
    world.team.members["octo-ada-2"] = "member"
    grant = world.grant(world.in_team())
    world.apply(grant)
    world.apply(gone=(grant,))
    assert world.team.members == {"octo-ada-2": "member"}


# What others do meanwhile.


def test_what_others_raised_is_shown_and_stays(world: World) -> None:
    grant = world.grant(world.on("PULL"))
    world.apply(grant)
    world.repository.direct[LOGIN] = "admin"
    report = world.run(world.order(Verb.READ_BACK, (grant,)))
    assert (ours(report), standing(report)) == ({(world.on("PULL"), grant.grant_id)}, {world.on("ADMIN")})
    ended = world.apply(gone=(grant,))
    assert (outcomes(ended, grant), standing(ended)) == (["gone"], {world.on("ADMIN")})
    assert world.level() == "admin"


def test_a_clean_up_takes_nothing_and_remembers_nothing(world: World) -> None:
    grant = world.grant(world.on("PUSH"))
    world.apply(grant)
    world.apply(gone=(grant,))
    world.memory.clear()
    world.repository.direct[LOGIN] = "push"
    report = world.run(world.order(Verb.CLEAN_UP, (), (grant,)))
    assert (outcomes(report, grant), standing(report)) == (["gone"], {world.on("PUSH")})
    assert (world.level(), world.memory) == ("push", {})


def test_what_others_took_shows_as_missing_and_is_given_again(world: World) -> None:
    grant = world.grant(world.on("PUSH"))
    world.apply(grant)
    del world.repository.direct[LOGIN]
    assert ours(world.run(world.order(Verb.READ_BACK, (grant,)))) == set()
    world.apply(grant)
    assert world.level() == "push"


def test_a_repository_may_be_renamed_meanwhile(world: World) -> None:
    grant = world.grant(world.on("PUSH"))
    world.apply(grant)
    world.repository.name = "billing"
    world.site.add_repository("payments").direct[LOGIN] = "push"
    world.apply(gone=(grant,))
    assert world.level() is None
    assert [one.direct for one in world.site.repositories.values()] == [{}, {LOGIN: "push"}]


def test_what_was_deleted_is_gone(world: World) -> None:
    grant = world.grant(world.on("PUSH"), world.in_team())
    world.apply(grant)
    world.site.repositories.clear()
    world.site.teams.clear()
    assert outcomes(world.apply(gone=(grant,)), grant) == ["gone", "gone"]
    again = world.grant(world.on("PUSH"))
    assert failure(world.apply(again), again).kind is ErrorKind.TARGET_MISSING


@pytest.mark.parametrize("how", ["some repositories", "no owner", "no count"])
def test_what_the_token_does_not_see_is_not_proven_gone(world: World, how: str) -> None:
    grant = world.grant(world.on("PUSH"))
    world.apply(grant)
    token = world.site.tokens[TOKEN]
    if how == "some repositories":
        token.only = set()
    else:
        world.site.repositories.clear()
        world.site.members["octo-ada-2"] = "admin"
        world.site.members["latchkey-bot"] = "admin" if how == "no count" else "member"
        token.permissions -= {"organization_administration:read"} if how == "no count" else set()
    assert failure(world.apply(gone=(grant,)), grant).kind is ErrorKind.NOT_PERMITTED


def test_an_archived_repository_cannot_be_ended_and_says_what_to_do(world: World) -> None:
    grant = world.grant(world.on("PUSH"))
    world.apply(grant)
    world.repository.archived = True
    report = world.apply(gone=(grant,))
    assert failure(report, grant).fix == "Unarchive it for as long as this takes."
    assert ours(report) == {(world.on("PUSH"), grant.grant_id)}


# Errors.


@pytest.mark.parametrize(
    ("status", "headers", "kind", "words"),
    [
        (401, {}, ErrorKind.CREDENTIALS_REJECTED, "owner of the integration"),
        (403, {"Retry-After": "60"}, ErrorKind.UNREACHABLE, "wait 60 s"),
        (
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1900000000"},
            ErrorKind.UNREACHABLE,
            "2030-03-17 17:46:40 UTC",
        ),
        (429, {"Retry-After": "7"}, ErrorKind.UNREACHABLE, "wait 7 s"),
        (502, {}, ErrorKind.UNREACHABLE, "tried again"),
        (301, {"Location": "http://127.0.0.1:1/"}, ErrorKind.MISCONFIGURED, ""),
    ],
)
def test_what_github_says_becomes_an_instruction(
    world: World, status: int, headers: dict[str, str], kind: ErrorKind, words: str
) -> None:
    world.servers.ahead = [(status, headers, {"message": "So it is."})]
    error = world.run(world.order(Verb.APPLY, (world.grant(world.on("PUSH")),))).error
    assert error is not None
    assert (error.kind, "So it is." in error.message) == (kind, True)
    assert words in error.fix
    assert len(world.servers.asked) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("RATE_LIMITED", ErrorKind.UNREACHABLE),
        ("INSUFFICIENT_SCOPES", ErrorKind.NOT_PERMITTED),
        ("SOMETHING_NEW", ErrorKind.MISCONFIGURED),
    ],
)
def test_errors_of_the_other_interface_come_with_status_200(world: World, kind: str, expected: ErrorKind) -> None:
    account = {"login": LOGIN, "type": "User"}
    world.servers.ahead = [
        (200, {}, account),
        (200, {}, {"state": "active", "role": "member"}),
        (200, {}, {"data": None, "errors": [{"type": kind, "message": "No."}]}),
    ]
    error = world.run(world.order(Verb.READ_BACK, (world.grant(world.on("PUSH")),))).error
    assert error is not None
    assert error.kind is expected


@pytest.mark.parametrize("resource", ["", "R_kg/../x", "R_kg\n", 'R_"}]}', "x" * 201])
def test_a_source_id_that_is_none_fails_its_unit_alone(world: World, resource: str) -> None:
    bad = Unit("repository", resource, "PUSH")
    grant = world.grant(bad, world.on("PULL"))
    report = world.apply(grant)
    assert outcomes(report, grant)[1] == "held"
    assert outcomes(report, grant)[0] == "failed"


def test_a_refusal_of_one_thing_leaves_the_others_alone(world: World) -> None:
    world.site.tokens[TOKEN].permissions -= {"administration"}
    world.site.tokens[TOKEN].permissions |= {"administration:read"}
    grant = world.grant(world.on("PUSH"), world.in_team())
    report = world.apply(grant)
    assert outcomes(report, grant) == ["failed", "held"]
    error = of(report, grant).units[0].error
    assert error is not None
    assert (error.kind, error.fix) == (
        ErrorKind.NOT_PERMITTED,
        "It needs the repository permission Administration (write).",
    )


@pytest.mark.parametrize("permission", sorted(FINE_GRAINED))
def test_every_permission_of_the_set_up_is_needed(world: World, permission: str) -> None:
    everything = (
        world.on("PUSH"),
        world.in_team(),
        Unit("organization_role", str(world.role.number), "ASSIGNED"),
        Unit("organization", "acme", "OWNER"),
    )

    def whole() -> bool:
        checked = world.run(world.order(Verb.CHECK))
        fine = checked.error is None and all(one.level == "ok" for one in checked.findings)
        grant = world.grant(*everything)
        given = world.run(world.order(Verb.APPLY, (grant,)))
        return fine and given.error is None and outcomes(given, grant) == ["held"] * 4

    assert whole()
    world.apply(gone=(world.grant(*everything),))
    world.site.tokens[TOKEN].permissions.discard(permission)
    assert not whole()


def test_check_warns_of_a_classic_token_and_names_lacking_scopes(world: World) -> None:
    world.site.tokens[TOKEN].scopes = "repo, delete_repo"
    findings = {one.level: one.message for one in world.run(world.order(Verb.CHECK)).findings}
    assert findings["error"] == "The token lacks the scopes admin:org."
    assert "classic token" in findings["warning"]


def test_check_knows_no_organization_of_another_name(world: World) -> None:
    config = {"organization": "acmee", "api_address": world.servers.base}
    error = world.run(world.order(Verb.CHECK, config=config)).error
    assert error is not None
    assert error.kind is ErrorKind.TARGET_MISSING


def test_the_token_is_in_no_report(world: World) -> None:
    world.servers.ahead = [(500, {}, {"message": f"You sent Bearer {TOKEN}"})]
    report = world.run(world.order(Verb.APPLY, (world.grant(world.on("PUSH")),)))
    assert report.error is not None
    assert TOKEN not in repr(report)


def test_nothing_is_sent_after_the_lease(world: World) -> None:
    clock = iter([0.0, *[1.0] * 12, *[100.0] * 1000])
    order = world.order(Verb.APPLY, (world.grant(world.on("PUSH")),))
    report = local.run(order, on_page=lambda page: None, monotonic=lambda: next(clock))
    assert report.error is not None
    assert report.error.kind is ErrorKind.LEASE_LOST
    assert not [line for line in world.servers.asked if line.startswith("PUT")]


# Looking, and looking only.


def test_discovery_comes_in_pages_and_goes_on_where_it_broke_off(world: World) -> None:
    for number in range(7):
        world.site.add_repository(f"r{number}", archived=number == 3, topics=("pci",), private=number != 4)
    world.site.add_team("night-shift", parent="platform")
    types = ("organization", "organization_role", "team", "repository")
    pages: list[Page] = []
    whole = world.run(world.order(Verb.DISCOVER, page_size=3, resource_types=types), pages)
    assert whole.error is None
    facts = {one.name: one for page in pages for one in page.resources}
    assert whole.found == len(facts) == 1 + 1 + 2 + 8
    assert facts["r3"].refusals.keys() == {"PULL", "TRIAGE", "PUSH", "MAINTAIN", "ADMIN"}
    assert (facts["r4"].context["visibility"], facts["r4"].tags) == ("public", {"pci": "true"})
    assert facts["night-shift"].path == "acme/platform/night-shift"
    for at, page in enumerate(pages):
        rest: list[Page] = []
        world.run(world.order(Verb.DISCOVER, page_size=3, resource_types=types, resume=page.resume), rest)
        assert rest == pages[at + 1 :]


def test_a_dry_run_shows_every_request_and_remembers_nothing(world: World) -> None:
    grant = world.grant(world.on("PUSH"), world.in_team("MAINTAINER"))
    before = world.site.snapshot()
    report = world.run(world.order(Verb.APPLY, (grant,), dry_run=True))
    assert [one.text.splitlines()[0] for one in report.programs] == [
        "PUT /repos/acme/payments/collaborators/Octo-Ada",
        "PUT /orgs/acme/teams/platform/memberships/Octo-Ada",
    ]
    assert (world.site.snapshot(), world.memory) == (before, {})
