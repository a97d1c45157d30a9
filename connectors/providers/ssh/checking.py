"""Tries, before anybody depends on it, whether the connector can do its work on every server."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.errors import LeaseLost, TargetError
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.providers.ssh import programs
from connectors.providers.ssh.discovery import Facts, facts
from connectors.providers.ssh.servers import Fleet
from connectors.toolkit.ssh_keys import public_line

SET_UP = "Run setup/2_server.sh there."
# What sshd must make of a login lk_…, as `sshd -T` writes it.
RULES = {
    "trustedusercakeys": "/etc/latchkey/user_ca.pub",
    "revokedkeys": "/etc/latchkey/revoked_keys",
    "authorizedkeysfile": "none",
    "authorizedkeyscommand": "none",
    "authorizedprincipalsfile": "/etc/latchkey/principals/%u",
    "authorizedprincipalscommand": "none",
    "authenticationmethods": "publickey",
    "pubkeyauthentication": "yes",
}
CLOSING = ("allowusers", "allowgroups", "denyusers", "denygroups")
# From this many seconds on, clocks disagree so much that certificates begin or end at the wrong time.
CLOCK_SECONDS = 60.0
FEW_UIDS = 1000


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found, server by server. Raises a TargetError when the configuration itself is wrong."""
    with Fleet(order, run) as fleet:
        findings: list[Finding] = []
        names = list(fleet.settings.servers)
        for name in names:
            try:
                found = facts(fleet, name)
            except LeaseLost:
                raise
            except TargetError as error:
                findings.append(Finding("error", f"{name}: {error.message}", error.fix))
                continue
            findings += _server(fleet, name, found)
        return tuple(findings)


def _server(fleet: Fleet, name: str, found: Facts) -> Iterator[Finding]:
    """Say what one server is, and what it lacks."""
    yield Finding("ok", f"{name}: {found.version} answers, and the connector may run latchkey-run there.")
    lacking = [one.name for one in programs.ALL if fleet.run.admit(one).digest not in found.programs]
    if lacking:
        yield Finding(
            "error",
            f"{name} does not let the connector run {', '.join(lacking)} in the form that it has here.",
            f"{SET_UP} Programs of your own go into /etc/latchkey/programs.own.",
        )
    if public_line(fleet.settings.ca) not in found.trusted:
        yield Finding(
            "error", f"{name} does not trust the CA of this integration.", f"{SET_UP} Its public half is CA_KEY."
        )
    wrong = [f"{key} {value}" for key, value in RULES.items() if found.sshd.get(key) != value]
    if wrong:
        yield Finding("error", f"{name}: sshd does not have for logins lk_…: {', '.join(wrong)}.", SET_UP)
    closing = [key for key in CLOSING if key in found.sshd]
    if closing:
        yield Finding(
            "warning",
            f"{name}: sshd has {', '.join(closing)}, which may keep logins lk_… out.",
            "Let them in there.",
        )
    if fleet.settings.login_shell not in found.shells:
        yield Finding(
            "error", f"{name} does not have the login shell {fleet.settings.login_shell}.", "Choose one of /etc/shells."
        )
    yield from _numbers(fleet, name, found)


def _numbers(fleet: Fleet, name: str, found: Facts) -> Iterator[Finding]:
    """Say what is amiss with groups, clock and user ids."""
    unknown = sorted(set(fleet.settings.groups) - found.groups)
    if unknown:
        yield Finding(
            "warning",
            f"{name} does not let Latchkey give {', '.join(unknown)}, so it cannot be asked for there.",
            f"{SET_UP} GIVE_GROUPS names what may be given.",
        )
    if not found.sudo:
        yield Finding("ok", f"{name}: nobody can become root through Latchkey here (GIVE_SUDO).")
    if abs(found.clock_ahead) > CLOCK_SECONDS:
        yield Finding(
            "error",
            f"The clock of {name} differs from the connector's by {abs(found.clock_ahead):.0f} s: certificates begin"
            " and end by it.",
            "Set both by NTP.",
        )
    if found.uids < FEW_UIDS:
        yield Finding(
            "warning",
            f"{name} has {found.uids} user ids left for logins; each is used once.",
            "Raise the number in /etc/latchkey/last_uid.",
        )
