"""What the stories do not tell of RabbitMQ: that a name opens nothing else, what others changed, what goes wrong."""

from __future__ import annotations

import base64
import itertools
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import amqp
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Desired, GrantReport, Person, Report, Unit, UnitOutcome, Verb
from connectors.contract.secret import Secret
from connectors.providers.rabbitmq import names
from connectors.providers.rabbitmq.broker import hashed
from connectors.runners.local import run
from connectors.toolkit.logins import mark
from tests.connectors import rabbit_world
from tests.connectors.rabbit_world import RabbitServer, RabbitWorld, credentials, may, shared
from tests.targets import free_port

_numbers = itertools.count(1)
NASTY = (
    "a|b",
    ".*",
    "jobs.(fifo)",
    "back\\slash",
    "größe ü",
    "100%/2f",
    "quote\"'",
    "a\tb",
    "^$",
    "[a-z]+",
    " ",
)


@pytest.fixture(scope="module")
def server() -> RabbitServer:
    """The broker of this process."""
    if reason := rabbit_world.missing():
        pytest.skip(reason)
    return shared()


@pytest.fixture
def world(server: RabbitServer) -> Iterator[RabbitWorld]:
    """A vhost of one's own."""
    vhost = f"shop{next(_numbers)}"
    server.make(vhost, queues=("jobs", "jobs2", "mail"), exchanges=("orders", "jobs"))
    yield RabbitWorld(server, vhost)
    server.admin("DELETE", f"/vhosts/{quote(vhost, safe='')}")


def told(report: Report, grant_id: str) -> GrantReport:
    """Return what a report says of a grant."""
    assert report.error is None, report.error
    return next(one for one in report.grants if one.grant_id == grant_id)


def outcomes(report: Report, grant_id: str) -> list[UnitOutcome]:
    """Return what became of a grant's units."""
    return [one.outcome for one in told(report, grant_id).units]


# Names.


@given(st.frozensets(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1), min_size=1))
def test_an_expression_matches_its_names_and_no_other(wanted: frozenset[str]) -> None:
    expression = names.Names(wanted).expression()
    assert names.parse_expression(expression) == names.Names(wanted)
    # \z of the broker's regular expressions is \Z here.
    pattern = re.compile(expression.removesuffix(r"\z") + r"\Z")
    for name in wanted:
        assert pattern.search(name)
        for other in (name + "\n", name + "x", "x" + name, name[:-1], name * 2):
            assert bool(pattern.search(other)) is (other in wanted)


@pytest.mark.parametrize("expression", ["^jobs", r"\A(?:jobs)", r"\A(?:jo.s)\z", "jobs", ".+", r"\A(?:b|a)\z"])
def test_an_expression_that_is_not_ours_is_kept_as_it_is(expression: str) -> None:
    assert names.parse_expression(expression) == names.Names(other=expression)


@pytest.mark.parametrize(
    "unit",
    [
        Unit("queue", '["shop"]', "READ"),
        Unit("queue", '["shop","jobs"]', "HOLD"),
        Unit("vhost", "shop", "READ"),
        Unit("vhost", '["a\\u0000b"]', "READ"),
        Unit("tag", '["root"]', "HOLD"),
        Unit("binding", '["shop"]', "READ"),
    ],
)
def test_a_unit_that_makes_no_sense_fails_alone(world: RabbitWorld, unit: Unit) -> None:
    grant = world.grant(world.unit("READ", "jobs"), unit)
    report = world.apply(grant)
    assert outcomes(report, grant.grant_id) == [UnitOutcome.HELD, UnitOutcome.FAILED]
    error = told(report, grant.grant_id).units[1].error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE] * 2


def test_names_full_of_signs_open_what_they_name_and_nothing_else(world: RabbitWorld) -> None:
    world.server.make(world.vhost, queues=(*NASTY, "a", "b", "jobs.xfifoy", "z"))
    grant = world.grant(*(world.unit("READ", name) for name in NASTY))
    report = world.apply(grant)
    assert [one for one in told(report, grant.grant_id).units if one.outcome is not UnitOutcome.HELD] == []
    with world.signed_in(grant, report) as connection:
        for name in NASTY:
            assert may(lambda channel, name=name: channel.basic_get(name), connection), name
        for name in ("a", "b", "jobs", "jobs2", "jobs.xfifoy", "z"):
            assert not may(lambda channel, name=name: channel.basic_get(name), connection), name
    assert world.discover("queue")
    world.end(grant)


def test_the_least_is_given(world: RabbitWorld) -> None:
    grant = world.grant(world.unit("READ", "jobs"))
    report = world.apply(grant)
    here = quote(world.vhost, safe="")
    assert world.server.admin("GET", f"/users/{grant.login}/permissions") == [
        {"user": grant.login, "vhost": world.vhost, "configure": "^$", "write": "^$", "read": r"\A(?:jobs)\z"}
    ]
    with world.signed_in(grant, report) as connection:
        assert may(lambda channel: channel.basic_get("jobs"), connection)
        assert not may(lambda channel: channel.basic_get("mail"), connection)
        assert not may(lambda channel: channel.queue_delete("jobs"), connection)
        assert not may(lambda channel: channel.queue_bind("jobs", "orders", "#"), connection)
        assert not may(lambda channel: channel.exchange_declare("new", "topic"), connection)
        channel = connection.channel()
        with pytest.raises(amqp.AccessRefused):
            channel.basic_publish_confirm(amqp.Message("x"), "orders", "x")
    who = (grant.login, credentials(report, grant)["password"])
    with pytest.raises(requests.HTTPError, match="401"):
        world.server.admin("GET", f"/queues/{here}", who=who)
    with pytest.raises(amqp.NotAllowed):
        world.server.amqp("/", *who)
    world.end(grant)


def test_units_of_one_vhost_become_one_permission(world: RabbitWorld) -> None:
    grant = world.grant(
        world.unit("READ", "jobs"), world.unit("READ", "mail"), world.unit("WRITE", "orders", kind="exchange")
    )
    report = world.apply(grant)
    (row,) = world.server.admin("GET", f"/users/{grant.login}/permissions")
    assert (row["configure"], row["write"], row["read"]) == ("^$", r"\A(?:orders)\z", r"\A(?:jobs|mail)\z")
    assert report.read_back is not None
    assert {one.unit for one in report.read_back.ours} == set(grant.units)
    world.end(grant)


def test_a_queue_that_is_gone_fails_its_unit_only(world: RabbitWorld) -> None:
    grant = world.grant(world.unit("READ", "nowhere"), world.unit("READ", "jobs"))
    report = world.apply(grant)
    assert outcomes(report, grant.grant_id) == [UnitOutcome.FAILED, UnitOutcome.HELD]
    error = told(report, grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.TARGET_MISSING
    world.end(grant)


def test_no_user_is_made_for_nothing(world: RabbitWorld) -> None:
    grant = world.grant(world.unit("READ", "nowhere"))
    report = world.apply(grant)
    assert outcomes(report, grant.grant_id) == [UnitOutcome.FAILED]
    assert not told(report, grant.grant_id).sealed_credentials
    assert grant.login not in users(world)


def users(world: RabbitWorld) -> dict[str, list[str]]:
    """Return the tags of every user."""
    return {one["name"]: one["tags"] for one in world.server.admin("GET", "/users")}


# Who is who.


def test_the_broker_never_sees_the_password_and_the_marker_is_a_tag(world: RabbitWorld) -> None:
    grant = world.grant(Unit("tag", '["management"]', "HOLD"))
    report = world.apply(grant)
    assert sorted(users(world)[grant.login]) == sorted(
        ["management", mark(world.integration, world.person, grant.grant_id)]
    )
    password = credentials(report, grant)["password"]
    assert password not in repr(report)
    kept = world.server.admin("GET", f"/users/{grant.login}")["password_hash"]
    assert len(base64.b64decode(kept)) == 36
    logs = [path.read_text(errors="replace") for path in (world.server.folder / "log").glob("*.log")]
    assert logs
    assert not any(password in log for log in logs)
    world.end(grant)


def test_a_password_is_hashed_with_a_salt_of_its_own() -> None:
    assert hashed("same") != hashed("same")


@pytest.mark.parametrize(
    "tags", ["", "management", "latchkey/other/person/grant", "latchkey/integration-1/p/g,latchkey/x/y/z"]
)
def test_a_user_that_is_not_ours_is_neither_taken_over_nor_removed(world: RabbitWorld, tags: str) -> None:
    login = f"taken{next(_numbers)}"
    world.server.admin("PUT", f"/users/{login}", {"password": "theirs", "tags": tags})
    before = world.server.admin("GET", f"/users/{login}")
    grant = world.grant(login=login)
    report = world.apply(grant)
    error = told(report, grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.REFUSED
    ended = world.end(grant)
    assert outcomes(ended, grant.grant_id) == [UnitOutcome.GONE]
    assert "did not make" in told(ended, grant.grant_id).warnings[0]
    assert world.server.admin("GET", f"/users/{login}") == before
    world.server.admin("DELETE", f"/users/{login}")


def test_a_leftover_with_our_marker_is_ended_and_told(world: RabbitWorld) -> None:
    lost, grant = world.grant(), world.grant()
    world.apply(lost)
    report = world.apply(grant)
    assert lost.login not in users(world)
    assert "was ended" in told(report, lost.grant_id).warnings[0]
    world.end(grant)


def test_people_and_integrations_do_not_touch_each_other(world: RabbitWorld) -> None:
    others = (replace(world, person=Person("someone-else", "x")), replace(world, integration="integration-2"))
    grants = [other.grant() for other in others]
    for other, grant in zip(others, grants, strict=True):
        other.apply(grant)
    mine = world.grant()
    world.apply(mine)
    world.end(mine)
    assert {grant.login for grant in grants} <= users(world).keys()
    for other, grant in zip(others, grants, strict=True):
        other.end(grant)


def test_ids_of_any_characters_make_a_marker(world: RabbitWorld) -> None:
    odd = replace(world, person=Person("a,b/c d|é", "x"), integration="in,te/gration")
    grant = odd.grant()
    report = odd.apply(grant)
    assert outcomes(report, grant.grant_id) == [UnitOutcome.HELD]
    assert outcomes(odd.end(grant), grant.grant_id) == [UnitOutcome.GONE]


def test_a_marker_that_is_too_long_for_a_tag_is_refused_before_anything_is_made(world: RabbitWorld) -> None:
    long = replace(world, person=Person("p" * 250, "x"))
    grant = long.grant()
    error = told(long.apply(grant), grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.MISCONFIGURED
    assert grant.login not in users(world)


def test_the_persons_own_user_is_standing_with_what_it_holds(world: RabbitWorld) -> None:
    here = quote(world.vhost, safe="")
    login = f"grace{next(_numbers)}"
    world.server.admin("PUT", f"/users/{login}", {"password": "own", "tags": "monitoring"})
    world.server.admin("PUT", f"/permissions/{here}/{login}", {"configure": "", "write": "^jobs", "read": ".*"})
    person = replace(world, person=Person(f"p{login}", "Grace", (f"{login.upper()}@example.org",)))
    report = person.do(Verb.READ_BACK)
    assert report.read_back is not None
    vhost = names.source_id(world.vhost)
    assert {one.unit for one in report.read_back.standing} == {
        Unit("vhost", vhost, "READ"),
        Unit("vhost", vhost, "WRITE ^jobs"),
        Unit("tag", '["monitoring"]', "HOLD"),
    }
    world.server.admin("DELETE", f"/users/{login}")


# What others change.


def test_what_others_added_shows_and_is_taken(world: RabbitWorld) -> None:
    here, grant = quote(world.vhost, safe=""), world.grant(world.unit("READ", "jobs"))
    given = world.apply(grant)
    marker = mark(world.integration, world.person, grant.grant_id)
    user = world.server.admin("GET", f"/users/{grant.login}")
    world.server.admin(
        "PUT",
        f"/users/{grant.login}",
        {"password_hash": user["password_hash"], "tags": f"{marker},administrator"},
    )
    world.server.admin("PUT", f"/permissions/{here}/{grant.login}", {"configure": ".*", "write": "", "read": "^j"})
    world.server.admin("PUT", f"/permissions/%2F/{grant.login}", {"configure": "", "write": "", "read": ".*"})
    seen = world.do(Verb.READ_BACK, (grant,)).read_back
    assert seen is not None
    vhost = names.source_id(world.vhost)
    assert {one.unit for one in seen.ours} == {
        Unit("tag", '["administrator"]', "HOLD"),
        Unit("vhost", vhost, "CONFIGURE"),
        Unit("vhost", vhost, "READ ^j"),
        Unit("vhost", '["/"]', "READ"),
    }
    again = world.apply(replace(grant, wants_credentials=False))
    assert again.read_back is not None
    assert [one.unit for one in again.read_back.ours] == list(grant.units)
    assert users(world)[grant.login] == [marker]
    with world.signed_in(grant, given) as connection:  # the password is what it was
        assert may(lambda channel: channel.basic_get("jobs"), connection)
    world.end(grant)


def test_a_user_that_others_removed_is_made_again_with_a_warning(world: RabbitWorld) -> None:
    grant = world.grant()
    world.apply(grant)
    world.server.admin("DELETE", f"/users/{grant.login}")
    seen = world.do(Verb.READ_BACK, (grant,))
    assert outcomes(seen, grant.grant_id) == [UnitOutcome.FAILED]
    again = world.apply(replace(grant, wants_credentials=False))
    assert outcomes(again, grant.grant_id) == [UnitOutcome.HELD]
    assert "new password" in told(again, grant.grant_id).warnings[0]
    assert not told(again, grant.grant_id).sealed_credentials
    world.end(grant)


def test_a_connection_of_a_user_that_is_gone_is_closed_too(world: RabbitWorld) -> None:
    grant = world.grant(world.unit("READ", "jobs"))
    report = world.apply(grant)
    with world.signed_in(grant, report) as connection:
        ended = world.end(grant)
        assert told(ended, grant.grant_id).sessions_ended == 1
        with pytest.raises((amqp.AMQPError, OSError)):
            connection.channel()
    assert ended.read_back is not None
    assert ended.read_back.live_sessions == 0


# Rules.


def test_the_tag_administrator_is_refused_unless_it_is_offered(world: RabbitWorld) -> None:
    unit = Unit("tag", '["administrator"]', "HOLD")
    grant = world.grant(unit)
    error = told(world.apply(grant), grant.grant_id).units[0].error
    assert error is not None
    assert error.kind is ErrorKind.REFUSED
    facts = {fact.name: fact for page in world.discover("tag") for fact in page.resources}
    assert facts["administrator"].refusals.keys() == {"HOLD"}
    assert not facts["management"].refusals
    offering = replace(world, config={"offer_administrator": "true"})
    assert outcomes(offering.apply(grant), grant.grant_id) == [UnitOutcome.HELD]
    facts = {fact.name: fact for page in offering.discover("tag") for fact in page.resources}
    assert not facts["administrator"].refusals
    # Withdrawn while it is held: nobody is thrown out, and the end takes it.
    assert outcomes(world.apply(replace(grant, wants_credentials=False)), grant.grant_id) == [UnitOutcome.HELD]
    assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE]


def test_pages_are_of_the_size_that_was_asked_for_and_hold_everything(world: RabbitWorld) -> None:
    many = tuple(f"q{number}" for number in range(23))
    world.server.make(world.vhost, queues=many)
    pages = world.discover("queue", page_size=7)
    assert all(len(page.resources) <= 7 for page in pages)
    found = [fact.name for page in pages for fact in page.resources if fact.context["vhost"] == world.vhost]
    assert sorted(found) == sorted(["jobs", "jobs2", "mail", *many])
    exchanges = {fact.source_id: fact for page in world.discover("exchange") for fact in page.resources}
    assert exchanges[names.source_id(world.vhost, "amq.default")].refusals.keys() == {"READ", "CONFIGURE"}


def test_the_default_exchange_can_be_published_to_by_its_name_in_permissions(world: RabbitWorld) -> None:
    grant = world.grant(world.unit("WRITE", "amq.default", kind="exchange"))
    report = world.apply(grant)
    with world.signed_in(grant, report) as connection:
        connection.channel().basic_publish_confirm(amqp.Message("x"), "", "jobs")
    world.end(grant)


# What goes wrong.


def kind(report: Report) -> ErrorKind | None:
    """Return the kind of error of a report."""
    return report.error.kind if report.error else None


def test_a_wrong_password_is_rejected_credentials(world: RabbitWorld) -> None:
    report = replace(world, password="canary-wrong").do(Verb.CHECK)
    assert kind(report) is ErrorKind.CREDENTIALS_REJECTED
    assert "canary" not in repr(report)


@pytest.mark.parametrize("tags", ["management", "monitoring"])
def test_a_connector_without_the_tag_administrator_is_told_so(world: RabbitWorld, tags: str) -> None:
    login = f"weak{next(_numbers)}"
    world.server.admin("PUT", f"/users/{login}", {"password": "pässword", "tags": tags})
    weak = replace(world, password="pässword", config={"username": login})
    report = weak.do(Verb.CHECK)
    assert report.error is None
    assert [one.level for one in report.findings][-1] == "error"
    assert "administrator" in report.findings[-1].message
    refused = weak.apply(weak.grant())
    assert kind(refused) is ErrorKind.NOT_PERMITTED
    world.server.admin("DELETE", f"/users/{login}")


def test_check_says_what_is_too_much(world: RabbitWorld) -> None:
    here = quote(world.vhost, safe="")
    clean = world.do(Verb.CHECK)
    assert [one.level for one in clean.findings if "not encrypted" not in one.message] == ["ok"] * 3
    world.server.admin("PUT", f"/permissions/{here}/latchkey", {"configure": "", "write": "", "read": ".*"})
    world.server.admin("PUT", "/users/guest", {"password": "guest", "tags": "management"})
    try:
        warnings = [one.message for one in world.do(Verb.CHECK).findings if one.level == "warning"]
    finally:
        world.server.admin("DELETE", "/users/guest")
        world.server.admin("DELETE", f"/permissions/{here}/latchkey")
    assert any("guest" in one for one in warnings)
    assert any("does not need" in one for one in warnings)


def test_check_leaves_nothing_and_removes_what_an_earlier_one_left(world: RabbitWorld) -> None:
    before = users(world)
    marker = f"latchkey/{world.integration}/!/probe"
    world.server.admin("PUT", "/users/latchkey_probe_old", {"password": "x", "tags": marker})
    assert world.do(Verb.CHECK).error is None
    assert users(world) == before


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"url": ""}, ErrorKind.MISCONFIGURED),
        ({"url": "mq.example.org"}, ErrorKind.MISCONFIGURED),
        ({"username": ""}, ErrorKind.MISCONFIGURED),
        ({"ca_file": "/nowhere/ca.pem"}, ErrorKind.MISCONFIGURED),
        ({"url": "http://nowhere.invalid:15672"}, ErrorKind.UNREACHABLE),
    ],
)
def test_a_configuration_that_cannot_work_is_told(
    world: RabbitWorld, config: dict[str, str], expected: ErrorKind
) -> None:
    assert kind(replace(world, config=config).do(Verb.CHECK)) is expected


def test_a_closed_port_is_unreachable(world: RabbitWorld) -> None:
    elsewhere = replace(world, config={"url": f"http://127.0.0.1:{free_port()}"})
    assert kind(elsewhere.apply(elsewhere.grant())) is ErrorKind.UNREACHABLE


def test_a_lease_that_is_over_changes_nothing_more(world: RabbitWorld) -> None:
    grant, before = world.grant(), users(world)
    report = world.apply(grant, lease_seconds=0.0)
    assert kind(report) is ErrorKind.LEASE_LOST
    assert users(world) == before


def test_a_dry_run_shows_requests_without_secrets(world: RabbitWorld) -> None:
    grant = world.grant(world.unit("READ", "jobs"))
    report = world.apply(grant, dry_run=True)
    texts = {one.function: one.text for one in report.programs}
    assert texts.keys() == {"create_login", "grant_permissions"}
    assert '"password_hash": "(secret)"' in texts["create_login"]
    assert r"\\A(?:jobs)\\z" in texts["grant_permissions"]
    world.apply(grant)
    shown = [one.function for one in world.end(grant, dry_run=True).programs]
    assert shown == ["drop_login", "end_connections"]
    assert grant.login in users(world)
    world.end(grant)


def test_details_are_ready_to_use_and_hold_no_secret(world: RabbitWorld) -> None:
    ready = replace(world, config={"amqp_url": f"amqp://127.0.0.1:{world.server.amqp_port}"})
    grant = ready.grant(
        ready.unit("READ", "jobs"), Unit("tag", '["management"]', "HOLD"), login=f"o'neil {time.time()}"
    )
    report = ready.apply(grant)
    details = told(report, grant.grant_id).details
    password = credentials(report, grant)["password"]
    assert password not in repr(details)
    assert details["uri"].startswith("amqp://o%27neil%20")
    assert details["vhosts"] == [ready.vhost]
    assert "curl --user 'o'\"'\"'neil " in details["command"]
    assert ready.server.admin("GET", "/whoami", who=(details["username"], password))["name"] == grant.login
    ready.end(grant)


def test_clean_up_is_done_also_when_the_end_never_ran(world: RabbitWorld) -> None:
    grant = world.grant()
    world.apply(grant)
    for _ in range(2):
        report = world.do(Verb.CLEAN_UP, (), (grant,))
        assert outcomes(report, grant.grant_id) == [UnitOutcome.GONE]
    assert grant.login not in users(world)


def test_an_ending_knows_its_user_by_the_marker_when_the_name_was_lost(world: RabbitWorld) -> None:
    grant = world.grant()
    world.apply(grant)
    renamed = replace(grant, login="some-other-name")
    assert outcomes(world.end(renamed), grant.grant_id) == [UnitOutcome.GONE]
    assert grant.login not in users(world)


def test_the_connectors_password_is_in_no_report(world: RabbitWorld) -> None:
    secret = Secret(world.password)
    grant = world.grant()
    assert secret.reveal() not in repr([world.apply(grant), world.end(grant), world.do(Verb.CHECK)])


@pytest.mark.full
def test_a_broker_that_goes_away_and_comes_back(server: RabbitServer) -> None:
    own = RabbitServer()
    try:
        own.start().set_up().make("shop", queues=("jobs",))
        world = RabbitWorld(own, "shop")
        grant = world.grant(world.unit("READ", "jobs"))
        report = world.apply(grant)
        own.stop_gently()
        ended = world.end(grant)
        assert kind(ended) is ErrorKind.UNREACHABLE
        assert ended.read_back is None
        own.start()
        with world.signed_in(grant, report) as connection:
            assert may(lambda channel: channel.basic_get("jobs"), connection)
        assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE]
    finally:
        own.remove()


def test_a_service_that_never_answers_costs_no_more_than_the_lease(world: RabbitWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = replace(world, config={"url": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        begun = time.monotonic()
        report = mute.do(Verb.CHECK, lease_seconds=2.0)
    assert kind(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("at", range(1, 25))
def test_a_lease_lost_anywhere_is_made_good_by_the_next_order(world: RabbitWorld, at: int) -> None:
    asked = 0

    def clock() -> float:
        nonlocal asked
        asked += 1
        return 0.0 if asked <= at else 1000.0

    grant = world.grant(world.unit("READ", "jobs"), world.unit("WRITE", "orders", kind="exchange"))
    order = world.order(Verb.APPLY, Desired(world.person, (grant,)))
    lost = run(order, on_page=lambda page: None, monotonic=clock)
    assert lost.error is None or lost.error.kind is ErrorKind.LEASE_LOST
    report = world.apply(grant)
    assert outcomes(report, grant.grant_id) == [UnitOutcome.HELD] * 2
    with world.signed_in(grant, report) as connection:
        assert may(lambda channel: channel.basic_get("jobs"), connection)
    assert outcomes(world.end(grant), grant.grant_id) == [UnitOutcome.GONE] * 2
