"""Takes access away: locks a login, takes what it was given, ends its sessions. The locked login stays until clean-up.

Every step is tried even if another failed, because each of them takes something away; what failed is told. Only a lost
lease stops at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from connectors.contract.errors import LeaseLost, TargetError, Unreachable
from connectors.contract.orders import Grant
from connectors.engines.holdings import Holdings, Thing, Wanted, explained, unexplained
from connectors.engines.mysql.connecting import default_role
from connectors.engines.mysql.levels import DEFINING, GROUPS, pattern
from connectors.engines.mysql.reading import MySQLLogin
from connectors.engines.mysql.server import Target
from connectors.engines.place import Ended

# How long a session may take to end after it was told to.
PATIENCE_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 0.05

Steps = list[Callable[[], None]]


def shut(at: Target, login: MySQLLogin) -> Ended:
    """Lock a login of ours: nobody signs in with it any more. Sessions that are open keep what they hold."""
    ended = Ended()
    if login.there and login.can_login:
        ended.attempt(partial(at.session.change, at.programs.shut_login, login=login.name))
    return ended


def end(at: Target, login: MySQLLogin) -> Ended:
    """End one login of ours; a second time finds nothing to do."""
    ended, session, programs = shut(at, login), at.session, at.programs
    if not login.there:
        return ended
    ended.warnings += _made(at, login)
    if login.holdings:
        ended.attempt(partial(session.change, programs.revoke_everything, login=login.name))
    ended.attempt(partial(_end_sessions, at, login, ended))
    return ended


def take_surplus(at: Target, grant: Grant, holdings: Holdings, wanted: list[Wanted], ended: Ended) -> None:
    """Take what no wanted unit accounts for: just that where a program does just that, else everything.

    What goes is taken out of `holdings` too, so that what is wanted of it is given again.
    """
    surplus = unexplained(holdings, wanted)
    kept = {thing for thing in holdings if thing not in surplus}
    steps = _steps(at, grant, surplus, explained(wanted), kept)
    if steps is None or not _done(steps):
        ended.attempt(partial(at.session.change, at.programs.revoke_everything, login=grant.login))
        kept = set()
    for thing in holdings.keys() - kept:
        holdings.pop(thing)


def _steps(at: Target, grant: Grant, surplus: Holdings, allowed: Holdings, kept: set[Thing]) -> Steps | None:
    """Return how to take just what is too much; None where no program does just that."""
    steps: Steps = []
    for thing, has in surplus.items():
        may = allowed.get(thing, frozenset())
        left = has - may
        if thing[0] == "role":
            steps.append(partial(_take_role, at, grant, thing[1], kept))
            continue
        for group, members in GROUPS.get(thing[0], {}).items():
            if members & left and not members & may:
                left -= members
                steps.append(partial(_take_group, at, grant.login, thing, group))
        if left:
            return None
    return steps


def _done(steps: Steps) -> bool:
    """Do some steps; say whether all went well."""
    try:
        for step in steps:
            step()
    except LeaseLost:
        raise
    except TargetError:
        return False  # the connector may not take what somebody else gave: everything goes, then
    return True


def _take_role(at: Target, grant: Grant, role: str, kept: set[Thing]) -> None:
    """Take one role; which one is active after signing in may have to be said anew."""
    at.session.change(at.programs.revoke_role, role=role, login=grant.login)
    wanted = default_role(grant, at.dialect.one_role)
    active = wanted if ("role", wanted) in kept else None
    at.session.change(at.programs.set_default_role, login=grant.login, role=active)


def _take_group(at: Target, login: str, thing: Thing, group: str) -> None:
    """Take one group of privileges on one thing."""
    if thing[0] == "database":
        at.session.change(at.programs.take_database[group], database=pattern(thing[1]), login=login)
    else:
        at.session.change(at.programs.take_table[group], database=thing[1], table=thing[2], login=login)


def _made(at: Target, login: MySQLLogin) -> list[str]:
    """Return warnings about what works with the rights of a login, if it can have made anything."""
    if not any(thing[0] == "role" or has & DEFINING for thing, has in login.holdings.items()):
        return []
    try:
        rows = at.session.rows(at.programs.defined_by, login=login.name)
    except LeaseLost:
        raise
    except TargetError as error:
        return [f"It could not be found out what was made by {login.name}: {error.message}"]
    return [
        f"The {row['kind']} {row['name']} in {row['database_name']} works with the rights of {login.name}, which end "
        "now: give it another definer. Until then the login stays, locked."
        for row in rows
    ]


def _end_sessions(at: Target, login: MySQLLogin, ended: Ended) -> None:
    """End the sessions of a login until none is left. Raises Unreachable when one does not end in time."""
    session, programs = at.session, at.programs
    seen: set[int] = set()
    patience = time.monotonic() + PATIENCE_SECONDS
    while found := {row["session"] for row in session.rows(programs.sessions, logins=login.name)}:
        seen |= found
        ended.sessions = len(seen)
        if time.monotonic() > patience:
            raise Unreachable(f"{len(found)} session(s) of {login.name} do not end.", fix="It is tried again.")
        session.change(programs.end_sessions, login=login.name)
        if session.dry_run:
            return
        time.sleep(LOOK_AGAIN_SECONDS)
