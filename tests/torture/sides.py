"""What the two targets themselves answer, in the words in which grants are written; no platform is asked."""

from __future__ import annotations

from dataclasses import dataclass

from tests.journeys.real import logins
from tests.remote.ledger import Ledger
from tests.targets import PostgresServer

# The databases that the prepared roles open, of everybody who is a member; the roles say so in their comments.
MEMBERS = r"""
SELECT login.rolname, substring(d.description FROM '^latchkey level=[A-Z_]+ database=(.*)$')
FROM pg_auth_members m JOIN pg_roles login ON login.oid = m.member AND login.rolname LIKE 'lk\_%'
JOIN pg_shdescription d ON d.objoid = m.roleid AND d.classoid = 'pg_authid'::regclass
WHERE starts_with(d.description, 'latchkey level=')
"""


@dataclass(frozen=True)
class Answer:
    """What is there: logins that may sign in, databases by login, databases by grant in the ledger."""

    opened: frozenset[str]
    members: frozenset[tuple[str, str]]
    held: frozenset[tuple[str, str]]

    def of(self, kind: str, name: str) -> set[str]:
        """Return the databases that a grant really opens: at PostgreSQL by its login, in the ledger by its id."""
        if kind == "ledger":
            return {database for grant, database in self.held if grant == name}
        return {database for login, database in self.members if login == name and login in self.opened}

    def any_of(self, kind: str, name: str) -> bool:
        """Say whether anything of a grant is left, be it a login that may sign in and has nothing."""
        if kind == "ledger":
            return any(grant == name for grant, _ in self.held)
        return name in self.opened or any(login == name for login, _ in self.members)

    def names(self, kind: str) -> set[str]:
        """Return whatever bears a name of ours."""
        if kind == "ledger":
            return {grant for grant, _ in self.held}
        return set(self.opened) | {login for login, _ in self.members}


def ask(server: PostgresServer, ledger: Ledger) -> Answer:
    """Ask both. Raises psycopg.Error while PostgreSQL is away."""
    opened = frozenset(name for name, may in logins(server).items() if may)
    members = frozenset((str(login), str(database)) for login, database in server.run_sql(MEMBERS))
    return Answer(opened, members, frozenset(ledger.held()))
