"""Tries, before anybody depends on it, whether the connector can do its work here, and what would undo it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote

from connectors.contract.errors import CredentialsRejected, Misconfigured, TargetError
from connectors.contract.orders import Finding, Order
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.redis import nodes, programs
from connectors.providers.redis.nodes import Settings
from connectors.toolkit.redis_commands import Link
from connectors.toolkit.scram import new_password

OLDEST = 7
LATELY_SECONDS = 3600.0
CLEANING_SECONDS = 5.0
RESTART = {
    "acl_file": "Users are kept in the server's ACL file: they outlive a restart, and what has ended stays ended.",
    "configuration_file": "Users are kept in redis.conf: they outlive a restart, and what has ended stays ended.",
}
SET_UP = "Run setup/1_connector.sh on this server."


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with nodes.open_links(order, run) as (found, links):
        findings: list[Finding] = []
        for link in links:
            findings += _node(order, run, found, link)
        findings += _offer(found)
        return tuple(findings)


def _node(order: Order, run: Run, found: Settings, link: Link) -> Iterator[Finding]:
    """Say what one node is, what the connector may do there, and try it."""
    info = nodes.info(link)
    yield from _way_in(link, info)
    yield from _topology(found, link, info)
    users = nodes.users(link)
    yield from _everybody(link, users.get("default", ""))
    yield from _connector(link)
    _drop_probes(order, link, users)
    if not order.dry_run:
        yield from _try(order, run, found, link)
    yield from _refused(link)


def _way_in(link: Link, info: dict[str, str]) -> Iterator[Finding]:
    """Say what answered and how. Raises Misconfigured for a server that is too old."""
    name, version = ("Valkey", info.get("valkey_version")) if "valkey_version" in info else ("Redis", None)
    version = version or info.get("redis_version", "")
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        raise Misconfigured(f"{link.server.address} is {name} {version}.", fix=f"Version {OLDEST} is the oldest.")
    yield Finding("ok", f"{name} {version} answers at {link.server.address}; the connector is {link.server.user}.")
    if not link.server.tls:
        yield Finding(
            "warning",
            f"The connection to {link.server.address} is not encrypted.",
            "Turn on TLS at the server and choose it here; people who connect should do the same.",
        )


def _topology(found: Settings, link: Link, info: dict[str, str]) -> Iterator[Finding]:
    """Say which nodes there seem to be that nobody listed: users are not copied from node to node."""
    replicas, others = int(info.get("connected_slaves", "0") or 0), len(found.servers) - 1
    fix = "List every node under 'Other nodes': each has users of its own."
    if info.get("cluster_enabled") == "1" and not others:
        yield Finding("error", f"{link.server.address} is part of a cluster, and no other node is listed.", fix)
    elif replicas > others:
        yield Finding("warning", f"{link.server.address} has {replicas} replica(s), and {others} are listed.", fix)
    elif info.get("role") == "slave" and not others:
        yield Finding("warning", f"{link.server.address} is a replica, and no other node is listed.", fix)


def _everybody(link: Link, line: str) -> Iterator[Finding]:
    """Say what people may do who give no name and no password."""
    words = line.split()
    if "on" in words and "nopass" in words:
        yield Finding(
            "warning",
            f"Whoever reaches {link.server.address} is its user 'default', without a password: {line}",
            "Turn it off (ACL SETUSER default off) or give it a password, once those who rely on it have a user.",
        )


def _connector(link: Link) -> Iterator[Finding]:
    """Say whether the connector's user may do more than it should."""
    user = nodes.user(link, link.server.user)
    if user is None:
        return
    sets = (user.root, *user.sets)
    if any(one.keys or one.channels or "+@all" in one.commands.split() for one in sets):
        yield Finding("warning", f"The user {user.name} may do more than the connector needs.", SET_UP)
    else:
        yield Finding(
            "ok",
            f"The user {user.name} has no keys and no channels. Whoever has its password can make users, and so do"
            " everything: guard it like an admin's.",
        )


def _try(order: Order, run: Run, found: Settings, link: Link) -> Iterator[Finding]:
    """Make a login that may do nothing, sign in with a wrong and the right password, and remove it whatever happens."""
    name, password = f"latchkey_probe_{secrets.token_hex(8)}", new_password()
    hashed = Secret(hashlib.sha256(password.encode()).hexdigest())
    try:
        link.change(programs.CREATE_LOGIN, login=name, marker=_probe_marker(order))
        link.change(programs.OPEN_LOGIN, login=name, password_hash=hashed)
        wrong, right = _enters(run, link, name, new_password()), _enters(run, link, name, password)
        link.change(programs.SHUT_LOGIN, login=name, marker=_probe_marker(order))
        nodes.sessions(link)
        link.change(programs.END_SESSIONS, login=name)
    finally:
        _drop_probe(run, link, name)
    if right and not wrong:
        yield Finding("ok", f"A login was made at {link.server.address}, could sign in, and is gone again.")
    else:
        yield Finding("error", f"{link.server.address} did not tell the right password of a login from a wrong one.")
    yield _restart(found, link)


def _restart(found: Settings, link: Link) -> Finding:
    """Try to keep the users, and say what a restart means."""
    if found.persistence not in RESTART:
        return Finding(
            "warning",
            f"Users of {link.server.address} live in memory: a restart removes logins that people use, and brings back"
            " ended ones if somebody else saved the users meanwhile. The next order about the person puts it right.",
            "Give the server an ACL file (the setting aclfile) and choose acl_file.",
        )
    program = programs.SAVE_ACL_FILE if found.persistence == "acl_file" else programs.REWRITE_CONFIGURATION
    try:
        link.change(program)
    except Misconfigured as error:
        return Finding("error", error.message, "Choose another place where the server keeps its users, or set it up.")
    return Finding("ok", RESTART[found.persistence])


def _refused(link: Link) -> Iterator[Finding]:
    """Say which commands of the connector the server has refused lately, and how often our logins were turned away."""
    turned_away = 0
    for answer in link.ask(programs.REFUSALS):
        entry = dict(zip(answer[::2], answer[1::2], strict=True))
        if float(entry["age-seconds"]) > LATELY_SECONDS:
            continue
        if entry["username"] == link.server.user and entry["reason"] == "command":
            yield Finding("warning", f"The server refused the connector {entry['object']!r} within the hour.", SET_UP)
        turned_away += int(entry["count"]) if str(entry["username"]).startswith("lk_") else 0
    if turned_away:
        yield Finding("ok", f"Within the hour, logins of grants were refused {turned_away} time(s): see ACL LOG.")


def _offer(found: Settings) -> Iterator[Finding]:
    """Say what can be asked for."""
    number = len(found.key_patterns) + len(found.channel_patterns)
    if number:
        yield Finding("ok", f"Beside the whole server, {number} pattern(s) can be asked for.")
    else:
        yield Finding(
            "warning",
            "No pattern is listed, so only the whole server can be asked for.",
            "List key patterns and channel patterns in the configuration.",
        )


def _enters(run: Run, link: Link, login: str, password: str) -> bool:
    """Say whether a login can sign in with a password."""
    with Link(replace(link.server, user=login, password=Secret(password)), run) as other:
        try:
            other.sign_in()
        except CredentialsRejected:
            return False
    return True


def _probe_marker(order: Order) -> str:
    """Return the marker of a probe: no person's id is written with an exclamation mark."""
    return f"latchkey/{quote(order.integration_id, safe='')}/!/probe"


def _drop_probes(order: Order, link: Link, users: dict[str, str]) -> None:
    """Remove what an earlier check left behind."""
    for name, line in users.items():
        if f"(~{_probe_marker(order)} " in line:
            link.change(programs.DROP_LOGIN, login=name)


def _drop_probe(run: Run, link: Link, name: str) -> None:
    """Remove the probe, on a connection of its own and also after the lease: nobody else knows this name.

    If even that fails, the next check finds the probe by its marker; it may do nothing and its password is forgotten.
    """
    unleashed = replace(run, alive=lambda: None, remaining=lambda: CLEANING_SECONDS)
    with suppress(TargetError), Link(link.server, unleashed) as other:
        other.change(programs.DROP_LOGIN, login=name)
