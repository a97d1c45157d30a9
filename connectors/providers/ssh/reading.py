"""Reads from the servers what a person has there: on logins that we made, and on the person's own accounts."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError, Unreachable
from connectors.contract.orders import Desired, Grant, Unit
from connectors.providers.ssh import programs
from connectors.providers.ssh.names import DAY, SUDO_GROUP, source_id, unit_of
from connectors.providers.ssh.servers import Fleet
from connectors.toolkit.ssh_keys import Certificate, certificate

# The day on which shut_login.sh lets an account end.
SHUT = 1
# Accounts below are the system's own.
FIRST_UID = 1000
ROOT_GROUPS = {SUDO_GROUP, "sudo", "wheel", "admin"}


@dataclass(slots=True)
class Account:
    """An account on a server, as it is now. `expires` is a day counted from 1970; None is never."""

    server: str
    name: str
    uid: int
    expires: int | None
    shell: str
    grant_id: str = ""
    groups: set[str] = field(default_factory=set)
    certificates: list[Certificate] = field(default_factory=list)
    revoked: list[Certificate] = field(default_factory=list)
    sessions: int = 0
    # Whether sshd takes certificates for it. A person's own account needs none.
    listed: bool = True

    @property
    def shut(self) -> bool:
        """Say whether it was shut for good."""
        return self.expires == SHUT

    def may_enter(self, now: float) -> bool:
        """Say whether the account lets anybody in."""
        expired = self.expires is not None and self.expires * DAY <= now
        return self.listed and not expired and not self.shell.endswith(("/nologin", "/false"))

    def usable(self, now: float) -> bool:
        """Say whether the grantee can get in: not once every certificate has ended by itself."""
        ended = self.certificates and all(one.ends_at <= now for one in self.certificates)
        return self.may_enter(now) and not ended

    def over(self, now: float) -> bool:
        """Say whether nothing is left of the access."""
        return self.shut and not (self.listed or self.extra or self.sessions or self.live(now))

    def live(self, now: float) -> list[Certificate]:
        """Return the certificates that are neither revoked nor over."""
        return [one for one in self.certificates if one.ends_at > now]

    @property
    def extra(self) -> set[str]:
        """Return the groups beside the account's own."""
        return self.groups - {self.name}


@dataclass(slots=True)
class ServerState:
    """What was read from one server in one go. `allowed` are the groups that it lets us give."""

    read_at: float
    ours: dict[str, Account] = field(default_factory=dict)
    others: dict[str, Account] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)
    # The own account that we put into a group, and whether it still is in it.
    members: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def held(self, grant: Grant) -> Account | None:
        """Return the login of a grant."""
        login = self.ours.get(grant.login)
        return login if login is not None and login.grant_id == grant.grant_id else None


State = dict[str, ServerState]


def read(fleet: Fleet, servers: list[str], marker: str, names: list[str]) -> State:
    """Read everything about one person on these servers; what fails is in `fleet.errors`."""
    state: State = {}
    for server in servers:
        try:
            text = fleet.host(server).read(programs.ACCOUNTS, MARKER=marker, NAMES=names)
            state[server] = parsed(text, server, marker)
        except LeaseLost:
            raise
        except TargetError as error:
            fleet.errors[server] = error
    return state


def parsed(text: str, server: str, marker: str) -> ServerState:
    """Return what accounts.sh wrote. Raises Unreachable when it is not whole, Misconfigured when it is nonsense."""
    lines = [line.split("\t") for line in text.split("\n")]
    if lines[-2:] != [["end"], [""]]:
        raise Unreachable(f"The answer of {server} broke off.", fix="It is tried again.")
    try:
        return _parsed(lines, server, marker)
    except (ValueError, KeyError) as error:
        raise Misconfigured(f"The answer of {server} is not understood ({type(error).__name__}).") from error


def _parsed(lines: list[list[str]], server: str, marker: str) -> ServerState:
    """Return what these lines say."""
    state = ServerState(read_at=0.0)
    for line in lines:
        match line:
            case ["now", seconds]:
                state.read_at = float(seconds)
            case ["allowed", group]:
                state.allowed.add(group)
            case ["member", group, name, has]:
                state.members[group] = name, has == "yes"
            case ["account", name, uid, expires, shell, *comment]:
                day = int(expires) if expires.lstrip("-").isdigit() else None
                _add(state, Account(server, name, int(uid), day, shell), "\t".join(comment), marker)
            case [what, name, *told]:
                _tell(state.ours.get(name) or state.others[name], what, told)
            case ["end"] | [""]:
                continue
            case _:
                raise Misconfigured(f"The answer of {server} is not understood.")
    return state


def _add(state: ServerState, account: Account, comment: str, marker: str) -> None:
    """Add an account, to ours if it bears the marker."""
    if comment.startswith(marker):
        account.grant_id, account.listed = comment.removeprefix(marker), False
        state.ours[account.name] = account
    else:
        state.others[account.name] = account


def _tell(account: Account, what: str, told: list[str]) -> None:
    """Add to an account what one line says about it."""
    match what, told:
        case "principal", []:
            account.listed = True
        case "group", [group]:
            account.groups.add(group)
        case "certificate", [state, text]:
            found = certificate(text)
            if account.name in found.principals:  # another one opens nothing here
                (account.revoked if state == "revoked" else account.certificates).append(found)
        case "sessions", [count]:
            account.sessions = int(count)
        case _:
            raise Misconfigured(f"The answer of {account.server} is not understood.")


def own_accounts(state: ServerState, names: list[str]) -> list[Account]:
    """Return the person's own accounts on a server: of these names, and of a person, not of the system."""
    found = [state.others[name] for name in names if name in state.others]
    return [one for one in found if one.uid >= FIRST_UID and not one.name.startswith("lk_")]


def standing_units(account: Account, now: float) -> list[Unit]:
    """Return what a person's own account has on a server, but for the groups that may be given."""
    units = []
    if account.may_enter(now):
        units.append(Unit("server", source_id(account.server), "LOGIN"))
        if account.groups & ROOT_GROUPS:
            units.append(Unit("server", source_id(account.server), "SUDO"))
    return units


def left(login: Account, now: float) -> list[Unit]:
    """Return what is still there of a login that should be over."""
    units = [unit_of(login.server, group) for group in sorted(login.extra)]
    if login.may_enter(now) or login.live(now):
        units.append(Unit("server", source_id(login.server), "LOGIN"))
    if login.sessions:
        units.append(Unit("server", source_id(login.server), "SESSION"))
    return units


def to_end(state: ServerState, desired: Desired) -> list[Account]:
    """Return our logins on a server that the person should not have."""
    kept = {login.name for grant in desired.holds if (login := state.held(grant)) is not None}
    return [login for name, login in state.ours.items() if name not in kept]
