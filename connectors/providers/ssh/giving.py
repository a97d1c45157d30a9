"""Gives access: one login per grant and server, its groups, and one certificate that is good on all of them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from connectors.contract.errors import LeaseLost, Refused, TargetError
from connectors.contract.orders import Grant, Unit
from connectors.contract.secret import Secret
from connectors.providers.ssh import programs
from connectors.providers.ssh.ending import revoke
from connectors.providers.ssh.names import NEVER, check_login, expiry, grant_marker
from connectors.providers.ssh.reading import SHUT, Account, ServerState, State
from connectors.providers.ssh.servers import Fleet
from connectors.providers.ssh.wanting import Wanted
from connectors.toolkit.shell_files import ShellFile, Value
from connectors.toolkit.ssh_keys import Certificate, new_key, openssh, public_line, sign

# A certificate is good from a little before it was made, for servers whose clock is behind.
SKEW_SECONDS = 300.0
# A certificate may end so much later than the grant, which is ended by then: the end is only known for sure once the
# grant is active. Ending it sooner would cost the grantee the certificate they hold.
SLACK_SECONDS = 600.0
EXTENSIONS = ("permit-pty",)
FORWARDING = ("permit-port-forwarding", "permit-agent-forwarding")
# What a dry run shows for what is made only when it runs.
TO_BE_MADE = "(made when it runs)"
NO_SHELL = "/usr/sbin/nologin"


@dataclass(slots=True)
class Given:
    """What became of one grant. `opened` are the servers on which nobody could get in before this run."""

    errors: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    private_key: Secret | None = None
    certificate: Certificate | None = None
    opened: set[str] = field(default_factory=set)


def give(fleet: Fleet, state: State, grant: Grant, wanted: list[Wanted], person_marker: str) -> Given:
    """Make the logins of a grant hold its units and nothing else; a unit that fails leaves the others alone."""
    given = Given({one.unit: one.error for one in wanted if one.error is not None})
    parts: dict[str, list[Wanted]] = {}
    for one in wanted:
        if one.place is not None and not one.place.own and one.place.server in state:
            parts.setdefault(one.place.server, []).append(one)
    parts = {server: part for server, part in parts.items() if any(one.error is None for one in part)}
    if not parts:
        return given  # no login is made for nothing
    marker = grant_marker(person_marker, grant.grant_id)
    try:
        check_login(grant)
        decide(fleet, state, grant, marker, given)
    except TargetError as error:
        given.errors |= {one.unit: error for part in parts.values() for one in part}
        return given
    for server, part in parts.items():
        try:
            _Giving(fleet, grant, marker, given, state[server], server).give(part)
        except LeaseLost:
            raise
        except TargetError as error:
            given.errors |= {one.unit: error for one in part}
    return given


def decide(fleet: Fleet, state: State, grant: Grant, marker: str, given: Given) -> None:
    """Find or make the certificate that the grant should have; nothing is sent."""
    known = newest(fleet, state, grant, marker)
    if grant.wants_credentials:
        key = new_key()
        given.private_key = Secret(openssh(key))
        given.certificate = _signed(fleet, grant, marker, public_line(key))
    elif known is None:
        given.warnings.append(f"The certificate of {grant.login} is not known any more: reset the credentials.")
    elif _fits(known, grant.ends_at):
        given.certificate = known
    else:
        # For the same key: who holds it needs only the new certificate, which is no secret.
        given.certificate = _signed(fleet, grant, marker, known.public_key)
        given.warnings.append(f"{grant.login} has a new certificate, because the end of the grant was moved.")


def newest(fleet: Fleet, state: State, grant: Grant, marker: str) -> Certificate | None:
    """Return the newest certificate that our CA signed for a grant and that no server has revoked.

    It is read from the servers, where somebody may have become root: what another CA signed, or ours for another grant,
    is no reason to sign anything for its key.
    """
    signer = public_line(fleet.settings.ca)
    logins = [login for one in state.values() if (login := one.held(grant)) is not None]
    revoked = {one.serial for login in logins for one in login.revoked}
    found = [
        one
        for login in logins
        for one in login.certificates
        if (one.signer, one.key_id, one.principals) == (signer, marker, (grant.login,)) and one.serial not in revoked
    ]
    # Of two from the same second the one that ends with the grant was signed last; a serial says nothing of time.
    return max(found, key=lambda one: (one.valid_after, _fits(one, grant.ends_at), one.serial), default=None)


def renew(fleet: Fleet, login: Account, grant: Grant, marker: str, certificate: Certificate) -> None:
    """Make a certificate the one that counts on a server: written down there, and those that it replaces revoked."""
    if certificate.serial not in {one.serial for one in login.certificates}:
        fleet.host(login.server).change(
            programs.ADMIT_CERTIFICATE,
            LOGIN=grant.login,
            MARKER=marker,
            SERIAL=TO_BE_MADE if fleet.dry_run else str(certificate.serial),
            CERTIFICATE=TO_BE_MADE if fleet.dry_run else certificate.line,
        )
    stale = [one for one in login.certificates if one.serial != certificate.serial and not _harmless(one, certificate)]
    if stale:
        revoke(fleet, login, marker, stale)


def _fits(certificate: Certificate, ends_at: float) -> bool:
    """Say whether a certificate ends when the grant does, or so shortly after that it need not be replaced."""
    return certificate.ends_at == ends_at or -1.0 < certificate.ends_at - ends_at < SLACK_SECONDS


def _harmless(old: Certificate, new: Certificate) -> bool:
    """Say whether an older certificate opens nothing that the new one does not: same key, no later end."""
    return old.public_key == new.public_key and old.ends_at <= new.ends_at


def _signed(fleet: Fleet, grant: Grant, marker: str, public_key: str) -> Certificate:
    """Return a new certificate whose validity is the grant."""
    return sign(
        fleet.settings.ca,
        public_key,
        principal=grant.login,
        key_id=marker,
        valid_after=time.time() - SKEW_SECONDS,
        ends_at=grant.ends_at if math.isinf(grant.ends_at) else math.ceil(grant.ends_at),
        extensions=EXTENSIONS + (FORWARDING if fleet.settings.port_forwarding else ()),
    )


@dataclass(frozen=True, slots=True)
class _Giving:
    """One grant on one server, under way."""

    fleet: Fleet
    grant: Grant
    marker: str
    given: Given
    state: ServerState
    server: str

    def give(self, part: list[Wanted]) -> None:
        """Give the units that are on this server. Raises a TargetError that is all of theirs."""
        login = self.state.held(self.grant) or self._create()
        self._take_surplus(login, part)
        if self.given.certificate is not None:
            renew(self.fleet, login, self.grant, self.marker, self.given.certificate)
        self._open(login)
        for one in part:
            if one.error is not None or one.place is None or one.place.group in ("", *login.groups):
                continue
            try:
                self._change(programs.GRANT_GROUP, GROUP=one.place.group)
            except LeaseLost:
                raise
            except TargetError as error:
                self.given.errors[one.unit] = error

    def _change(self, program: ShellFile, **values: Value) -> None:
        """Run a program on the login of this grant."""
        self.fleet.host(self.server).change(program, LOGIN=self.grant.login, MARKER=self.marker, **values)

    def _create(self) -> Account:
        """Make the login, shut. Raises Refused when there is one of that name already."""
        if self.grant.login in self.state.ours or self.grant.login in self.state.others:
            raise Refused(
                f"{self.server} has an account {self.grant.login!r} that was not made for this grant."
                " It is not taken over.",
                fix="Remove that account by hand, or ask again: a new grant gets a new name.",
            )
        self._change(programs.CREATE_LOGIN)
        return Account(
            self.server, self.grant.login, 0, SHUT, NO_SHELL, self.grant.grant_id, {self.grant.login}, listed=False
        )

    def _open(self, login: Account) -> None:
        """Let the grantee in until the day after the grant's end."""
        enters, expires = login.may_enter(self.state.read_at), expiry(self.grant.ends_at)
        if not enters:
            self.given.opened.add(self.server)
        if not enters or (NEVER if login.expires is None else login.expires) != expires:
            self._change(programs.OPEN_LOGIN, LOGIN_SHELL=self.fleet.settings.login_shell, EXPIRES=expires)

    def _take_surplus(self, login: Account, part: list[Wanted]) -> None:
        """Take groups that the grant does not have, and the sessions that have them with it."""
        surplus = sorted(login.extra - {one.place.group for one in part if one.place is not None})
        for group in surplus:
            self._change(programs.REVOKE_GROUP, GROUP=group)
        if surplus:
            self._change(programs.END_SESSIONS)
            words = f"{login.name} was in {', '.join(surplus)} on {self.server}, which the grant does not have"
            self.given.warnings.append(f"{words}: taken away.")
