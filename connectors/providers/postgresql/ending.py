"""Takes access away: shuts a login, takes what it was given, ends its sessions, keeps what its owner made.

The shut login stays until `clean_up`. Every step is tried even if another failed, because each of them takes something
away; what failed is told. Only a lost lease stops at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial

from connectors.contract.errors import (
    LeaseLost,
    Misconfigured,
    NotPermitted,
    TargetError,
    Unreachable,
)
from connectors.engines.holdings import Holdings, Thing
from connectors.engines.place import Ended
from connectors.providers.postgresql import programs
from connectors.providers.postgresql.discovery import PREPARE, prepared_roles
from connectors.providers.postgresql.names import Prepared
from connectors.providers.postgresql.reading import PostgreSQLLogin
from connectors.providers.postgresql.server import Target
from connectors.toolkit.sql_files import SqlFile

# How long a session may take to end after it was told to.
PATIENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.02
# From this many tables on, one statement for the whole schema is tried first.
MANY = 20


def shut(at: Target, login: PostgreSQLLogin) -> Ended:
    """Let nobody sign in with a login of ours any more. Sessions that are open keep what they hold."""
    ended = Ended()
    if not login.shut:
        ended.attempt(lambda: at.home.change(programs.SHUT_LOGIN, login=login.name))
    return ended


def end(at: Target, login: PostgreSQLLogin) -> Ended:
    """End one login of ours; a second time finds nothing to do."""
    ended = shut(at, login)
    take(at, login.name, login.holdings, ended)
    ended.attempt(lambda: _end_sessions(at, login, ended))
    for database in sorted(login.owns):
        try:
            keep(at, login, database)
        except LeaseLost:
            raise
        except TargetError as error:
            ended.warnings.append(
                f"{login.name} owns things in {database or 'the server'} that could not be handed over: {error.message}"
                " The login is shut and stays."
            )
    return ended


def take(at: Target, login: str, holdings: Holdings, ended: Ended) -> None:
    """Take these holdings from a login of ours."""
    left = dict(holdings)
    for place in _crowded(holdings):
        try:
            at.sessions.on(place[0]).change(programs.REVOKE_SCHEMA_CONTENT, schema=place[1], login=login)
        except LeaseLost:
            raise
        except TargetError:
            continue  # the connector knows nothing of some table there: one by one, then
        left = {t: has for t, has in left.items() if t[0] not in ("table", "sequence") or t[1:3] != place}
    for thing in left:
        ended.attempt(partial(_take_one, at, login, thing))


def _crowded(holdings: Holdings) -> Iterable[tuple[str, ...]]:
    """Return the schemas in which a login holds many tables."""
    places = [thing[1:3] for thing in holdings if thing[0] == "table"]
    return sorted({place for place in places if places.count(place) > MANY})


def _take_one(at: Target, login: str, thing: Thing) -> None:
    """Take one piece from a login."""
    match thing:
        case ("role", role):
            at.home.change(programs.REVOKE_ROLE, role=role, login=login)
        case ("database", database):
            at.home.change(programs.REVOKE_DATABASE, database=database, login=login)
        case ("schema", database, schema):
            at.sessions.on(database).change(programs.REVOKE_SCHEMA, schema=schema, login=login)
        case ("table", database, schema, table):
            at.sessions.on(database).change(programs.REVOKE_TABLE, schema=schema, table=table, login=login)
        case ("sequence", database, schema, sequence):
            at.sessions.on(database).change(programs.REVOKE_SEQUENCE, schema=schema, sequence=sequence, login=login)
        case _:
            raise NotPermitted(
                f"{login} has something in {thing[1]} that the connector did not give: {thing[-1]}.",
                fix="Look at it in the database, and revoke it there.",
            )


def _end_sessions(at: Target, login: PostgreSQLLogin, ended: Ended) -> None:
    """End the sessions of a login until none is left. Raises Unreachable when one does not end in time."""
    program = _fitting(at, programs.END_SESSIONS, programs.END_SESSIONS_UNTIL_15, programs.END_SESSIONS_AS_SUPERUSER)
    seen: set[int] = set()
    patience = time.monotonic() + PATIENCE_SECONDS
    while pids := {row["pid"] for row in at.home.rows(programs.SESSIONS, logins=[login.name])}:
        seen |= pids
        ended.sessions = len(seen)
        if time.monotonic() > patience:
            raise Unreachable(f"{len(pids)} session(s) of {login.name} do not end.", fix="It is tried again.")
        at.home.change(program, login=login.name)
        if at.sessions.dry_run:
            return
        time.sleep(LOOK_AGAIN_SECONDS)


def keep(at: Target, login: PostgreSQLLogin, database: str) -> None:
    """Give what a login owns in a database to the keeper that is prepared there. Raises a TargetError.

    Nobody else will do: a view or a SECURITY DEFINER function works with its owner's privileges, and the keeper is the
    only role that has none, so that what somebody made during a grant opens nothing after it.
    """
    if not login.owns[database]:
        raise Misconfigured(f"The database {database!r} allows no connections.")
    role = prepared_roles(at).get(Prepared(database, "KEEPER"))
    if role is None:
        where = repr(database) if database else "the server itself"
        raise Misconfigured(f"No keeper is prepared in {where}.", fix=f"To do: {PREPARE}, or reassign it by hand.")
    program = _fitting(at, programs.HAND_OVER, programs.HAND_OVER_UNTIL_15, programs.HAND_OVER_AS_SUPERUSER)
    at.sessions.on(database).change(program, login=login.name, keeper=role["role"])


def remove(at: Target, login: PostgreSQLLogin) -> None:
    """Drop a login of ours that has ended; what it owns is kept. Raises a TargetError, and then the login stays."""
    for database in sorted(login.owns):
        keep(at, login, database)
    names = [login.name]
    places = at.home.rows(programs.PLACES, logins=names)
    owned = [row["database"] or "the server" for row in places if row["owns"]]
    if owned and not at.sessions.dry_run:
        raise Misconfigured(f"{login.name} still owns things in {', '.join(owned)}, so it is not dropped.")
    databases = {at.database, *(row["database"] for row in places if row["database"])}
    program = _fitting(at, programs.DROP_OWNED, programs.DROP_OWNED_UNTIL_15, programs.DROP_OWNED_AS_SUPERUSER)
    for database in sorted(databases):
        at.sessions.on(database).change(program, login=login.name)
    at.home.change(programs.DROP_LOGIN, login=login.name)


def _fitting(at: Target, program: SqlFile, until_15: SqlFile, as_superuser: SqlFile) -> SqlFile:
    """Return the program for this server and this connector: joining a role is spelled in three ways."""
    if at.is_superuser:
        return as_superuser
    return program if at.options_on_membership else until_15
