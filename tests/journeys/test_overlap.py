"""Overlap and standing access on a real PostgreSQL server, through the real orders; its catalogs are read by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.utils import timezone
from hypothesis import given, seed, settings
from psycopg import sql

from access_requests.models import AccessGroup
from accounts.models import User
from flows.models import AccessFlow
from tests.cast import Cast, person
from tests.drift.overlap import Must, World, watched
from tests.drift.overlap_steps import COMMON, MORE_SECONDS, play, steps
from tests.journeys.conftest import Servers
from tests.journeys.real import CONNECTOR, connect
from tests.story import allow_extensions, put_into
from tests.targets import PostgresServer

NAMES = ("overlap_shop", "overlap_stock", "overlap_ghost")
# An order that gives or ends one login has about so many.
STATEMENTS = 40

# What a role has: whether it may log in, until when, of which prepared roles it is a member, who gave that, how many
# privileges it has otherwise, and how many sessions.
READ = r"""
SELECT r.rolname, r.rolcanlogin, coalesce(r.rolvaliduntil, 'infinity')::text,
       coalesce((SELECT jsonb_agg(jsonb_build_array(g.rolname, m.grantor::regrole::text))
                 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid), '[]'),
       (SELECT count(*) FROM pg_shdepend d WHERE d.refobjid = r.oid AND d.refclassid = 'pg_authid'::regclass
                                             AND d.deptype IN ('a', 'o')),
       (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid)
FROM pg_roles r WHERE r.rolname LIKE 'lk\_%%' OR r.rolname = ANY (%s)
"""


@dataclass
class Role:
    """One role, as the catalogs tell."""

    may_log_in: bool
    until: datetime
    names: dict[str, str]
    beside: int

    @property
    def shut(self) -> bool:
        """Whether it has nothing and lets nobody in."""
        return not (self.may_log_in or self.names or self.beside)


@dataclass
class Shop:
    """The server: two databases that can be asked for, and a third whose roles were dropped after it was listed."""

    server: PostgresServer
    admin: psycopg.Connection[Any]
    names: tuple[str, str, str] = NAMES
    permission: str = "READ_ONLY"
    prepared: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Learn what the prepared roles are called, as an admin would: by their comments."""
        found = self.admin.execute(
            "SELECT oid::regrole::text, shobj_description(oid, 'pg_authid') FROM pg_roles"
            " WHERE shobj_description(oid, 'pg_authid') LIKE 'latchkey level=READ_ONLY database=overlap%'"
        ).fetchall()
        self.prepared = {comment.rpartition("=")[2]: role for role, comment in found}

    def own(self, who: User) -> str:
        """Return the name of somebody's own role."""
        return who.name.lower()

    def roles(self) -> dict[str, Role]:
        """Read every role that is ours or somebody's own."""
        names = {role: name for name, role in self.prepared.items()}
        rows = self.admin.execute(READ, [["rita", "finn"]]).fetchall()
        return {
            name: Role(
                may,
                datetime.max.replace(tzinfo=UTC) if until == "infinity" else datetime.fromisoformat(until),
                {names[role]: grantor for role, grantor in members},
                beside + sessions,
            )
            for name, may, until, members, beside, sessions in rows
        }

    def clear(self) -> None:
        """Drop what was made."""
        for name in self.roles():
            self._do("DROP ROLE {}", name)
        for name in ("rita", "finn"):
            self._do("CREATE ROLE {} LOGIN", name)
            # The connector could change these, too: that it does not is its own doing.
            self._do("GRANT {} TO {} WITH ADMIN OPTION", name, CONNECTOR)

    def is_standing(self, who: User, name: str) -> bool:
        """Whether what is given by hand is standing: always, for grants have logins of their own."""
        return True

    def put(self, who: User, name: str) -> None:
        """Grant a prepared role to somebody's own role."""
        self._do("GRANT {} TO {} GRANTED BY {}", self.prepared[name], self.own(who), CONNECTOR)

    def take(self, who: User, name: str) -> None:
        """Revoke it again."""
        self._do("REVOKE {} FROM {} GRANTED BY {}", self.prepared[name], self.own(who), CONNECTOR)

    def snatch(self, who: User, name: str) -> None:
        """Revoke what the connector gave to a login of a grant."""
        for login, role in self._logins(who).items():
            if role.names.get(name) == CONNECTOR:
                self._do("REVOKE {} FROM {} GRANTED BY {}", self.prepared[name], login, CONNECTOR)

    def slip(self, who: User, name: str) -> None:
        """Grant a role to a login of a grant that lets people in."""
        for login, role in self._logins(who).items():
            if role.may_log_in and name not in role.names:
                self._do("GRANT {} TO {}", self.prepared[name], login)

    def unslip(self) -> None:
        """Revoke whatever was slipped to logins of grants."""
        for login, role in self.roles().items():
            for name, grantor in role.names.items():
                if login.startswith("lk_") and grantor != CONNECTOR:
                    self._do("REVOKE {} FROM {}", self.prepared[name], login)

    def check(self, who: User, must: Must) -> None:
        """Each live grant's login has what it must; what is over is shut; somebody's own role is as hands left it."""
        roles = self.roles()
        assert set(roles[self.own(who)].names) == must.standing
        assert roles[self.own(who)].may_log_in
        known = set(AccessGroup.objects.values_list("login", flat=True))
        assert {name for name in roles if name.startswith("lk_")} <= known
        for group in must.over:
            assert group.login not in roles or roles[group.login].shut, "what is proven to be over is there"
        for group, certain in must.certain.items():
            role = roles.get(group.login)
            if certain:
                assert role is not None
                assert role.may_log_in
                assert certain <= set(role.names)
        for group, possible in must.possible.items():
            if group.login in roles:
                given = {name for name, by in roles[group.login].names.items() if by == CONNECTOR}
                assert given <= possible
        self._ends(must, roles)

    def _ends(self, must: Must, roles: dict[str, Role]) -> None:
        """At rest the server's own end of a login lies behind that of its grant, and not far."""
        if must.certain is must.possible:
            for group, certain in must.certain.items():
                ends_at = group.request.ends_at
                assert ends_at is not None
                late = (roles[group.login].until - ends_at).total_seconds() if certain else 0.0
                assert 0 <= late <= 3600

    def _logins(self, who: User) -> dict[str, Role]:
        mine = set(AccessGroup.objects.filter(request__grantee=who).values_list("login", flat=True))
        return {name: role for name, role in self.roles().items() if name in mine}

    def _do(self, statement: str, *names: str) -> None:
        self.admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


@pytest.fixture
def world(servers: Servers, db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two engineers with roles of their own, and a server that is asked in every way."""
    server = servers.get(16)
    with suppress(psycopg.errors.DuplicateObject):
        server.make_connector()
    told = connect(cast, server, *NAMES)
    told.now = timezone.now()
    told.work()
    put_into("engineers", second := person("Finn"))
    allow_extensions(AccessFlow.objects.get(), 5, MORE_SECONDS)
    with server.connect() as admin:
        shop = Shop(server, admin)
        lost = shop.prepared.pop(NAMES[2])
        server.run_sql(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(lost)), NAMES[2])
        shop._do("DROP ROLE {}", lost)
        with watched(World(told, shop, (cast.requester, second), own_clock=True), monkeypatch) as ready:
            yield ready
        for name in (*shop.roles(),):
            shop._do("DROP ROLE {}", name)
        for name in NAMES:
            shop._do("DROP DATABASE {} WITH (FORCE)", name)


def stories(world: World, number: int, chapters: int) -> None:
    """Play so many stories of so many chapters."""

    @seed(int(os.environ["LATCHKEY_TEST_SEED"]))
    @settings(max_examples=number, **COMMON)
    @given(story=steps(NAMES, STATEMENTS, chapters))
    def run(story: list[Any]) -> None:
        play(world, story)

    run()


REPORT_TAKEN_IN_AFTER_THE_END = [
    ("breaks", 0, "killed"),
    ("ask", 0, NAMES[:1], 1, False),
    ("wakes",),
]


def test_access_whose_report_is_taken_in_after_its_end_is_ended_by_the_next_sweep(world: World) -> None:
    play(world, REPORT_TAKEN_IN_AFTER_THE_END)


# The line breaks once, after the login was made, while its only unit is given.
LINE_BROKEN = [
    ("ask", 0, NAMES[:2], 1, False),
    ("breaks", 25, "broken"),
    ("hand_back", 0),
    ("ask", 0, NAMES[:1], 1, False),
    ("wakes",),
    ("hand_back", 0),
    ("breaks", 0, "down"),
    ("ask", 0, NAMES[:1], 1, False),
    ("later", 1),
    ("later", 1),
]


def test_a_line_that_breaks_while_a_unit_is_given_is_tried_again(world: World) -> None:
    play(world, LINE_BROKEN)


def test_a_server_holds_what_lives_and_what_was_standing(world: World) -> None:
    stories(world, 4, 2)


@pytest.mark.full
def test_a_server_holds_it_through_many_longer_stories(world: World) -> None:
    stories(world, 100, 5)
