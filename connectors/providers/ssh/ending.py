"""Takes access away: revokes the certificates, shuts the login, takes its groups, ends its sessions, keeps its files.

The revocation list comes first: sshd asks it at the last moment of signing in, so that nobody slips through while the
rest is done. Every step is tried even if another failed, because each of them takes something away; what failed is
told. Only a lost lease stops at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.providers.ssh import programs
from connectors.providers.ssh.names import grant_marker
from connectors.providers.ssh.reading import Account
from connectors.providers.ssh.servers import Fleet
from connectors.toolkit.ssh_keys import Certificate


@dataclass(slots=True)
class Ended:
    """What became of ending one login on one server."""

    sessions: int = 0
    errors: list[TargetError] = field(default_factory=list)

    def attempt(self, step: Callable[[], object]) -> None:
        """Do one step; remember its error. What is missing cannot be taken away any more."""
        try:
            step()
        except TargetMissing:
            return
        except LeaseLost:
            raise
        except TargetError as error:
            self.errors.append(error)


def end(fleet: Fleet, login: Account, person_marker: str, now: float) -> Ended:
    """End one login of ours; a second time finds nothing to do."""
    ended = Ended(sessions=login.sessions)
    if login.over(now):
        return ended
    host, marker = fleet.host(login.server), grant_marker(person_marker, login.grant_id)
    if login.certificates:
        ended.attempt(lambda: revoke(fleet, login, marker, login.certificates))
    if not login.shut or login.listed:
        ended.attempt(lambda: host.change(programs.SHUT_LOGIN, LOGIN=login.name, MARKER=marker))
    for group in sorted(login.extra):
        ended.attempt(partial(host.change, programs.REVOKE_GROUP, LOGIN=login.name, MARKER=marker, GROUP=group))
    # Also where nobody was seen: one may have come in since.
    ended.attempt(lambda: host.change(programs.END_SESSIONS, LOGIN=login.name, MARKER=marker))
    return ended


def revoke(fleet: Fleet, login: Account, marker: str, certificates: list[Certificate]) -> None:
    """Put certificates of a login on the revocation list of its server. Raises a TargetError."""
    serials = [str(one.serial) for one in certificates]
    fleet.host(login.server).change(programs.REVOKE_CERTIFICATES, LOGIN=login.name, MARKER=marker, SERIALS=serials)


def drop(fleet: Fleet, server: str, name: str, marker: str) -> None:
    """Remove a login that has ended, or what was left of one; its files are kept. Raises a TargetError."""
    fleet.host(server).change(programs.DROP_LOGIN, LOGIN=name, MARKER=marker)
