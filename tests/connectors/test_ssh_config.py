"""The configuration of servers: what is taken, and what is refused with the reason."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Grant, Person, Unit
from connectors.contract.secret import Secret
from connectors.providers.ssh.names import check_login, expiry, own_names, parse_unit, person_marker
from connectors.providers.ssh.servers import servers, settings
from connectors.toolkit.ssh import Address, KnownHosts
from connectors.toolkit.ssh_keys import certificate, new_key, openssh, private_key, public_line, sign
from tests.connectors.ssh_world import Servers
from tests.hosts import Keys

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIEqsFg+S4QNMGCCdRutieV4fKdcLuCC9BVUyx74nP8n"


def entry(**change: Any) -> list[dict[str, Any]]:
    """Return a list with one server."""
    return [{"name": "web", "host": "web.example.com", **change}]


def test_a_server_needs_a_name_and_a_host_only() -> None:
    (web,) = servers(json.dumps(entry()), "latchkey").values()
    assert (web.name, web.address, web.tags) == ("web", Address("web.example.com", 22, "latchkey"), {})


def test_port_user_and_tags_may_be_said_and_addresses_may_be_numbers() -> None:
    (web,) = servers(entry(host="fe80::1", port="2222", user="ops", tags={"a": 1, "b": "x"}), "latchkey").values()
    assert (web.address, web.tags) == (Address("fe80::1", 2222, "ops"), {"a": "1", "b": "x"})
    assert web.address.known_as == "[fe80::1]:2222"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "no JSON"),
        ("{}", "a JSON list"),
        (None, "a JSON list"),
        ([], "at least one"),
        (["web"], "Server 1"),
        ([*entry(), {"host": "h"}], "Server 2 of the list: it has no name"),
        (entry(name="  "), "no name"),
        (entry(name="a\nb"), "no name"),
        (entry(host=""), "''"),
        (entry(host="-oProxyCommand=x"), "is not a host"),
        (entry(host="a b"), "is not a host"),
        (entry(host="a;reboot"), "is not a host"),
        (entry(host="user@host"), "is not a host"),
        (entry(host=["h"]), "is not a host"),
        (entry(port=0), "no port"),
        (entry(port=65536), "no port"),
        (entry(port=True), "no port"),
        (entry(port="22x"), "no port"),
        (entry(user="-l"), "is not a user name"),
        (entry(user="a b"), "is not a user name"),
        (entry(tags=[]), "tags"),
        (entry(tags={"a": {}}), "tags"),
        (entry(password="x"), "nothing else"),
        (entry() + entry(host="other"), "comes twice"),
        (entry() + entry(name="other"), "comes twice"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_with_the_place(given: Any, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        servers(given, "latchkey")


@pytest.mark.parametrize(
    "config",
    [
        {"user": "a b"},
        {"user_groups": "deploy,a b"},
        {"user_groups": "-x"},
        {"login_shell": "bash"},
        {"login_shell": "/bin/sh -c x"},
        {"key_file_name": "~/a b"},
        {"key_file_name": "$(reboot)"},
    ],
)
def test_settings_that_a_shell_would_read_otherwise_are_refused(config: dict[str, str]) -> None:
    made = Servers([], keys())
    made.config = {"servers": entry(), "known_hosts": "", **config}
    with pytest.raises(Misconfigured):
        settings(made.order("check"))  # type: ignore[arg-type]


def keys() -> Keys:
    """Return two key pairs."""
    one, two = new_key(), new_key()
    return Keys(openssh(one), public_line(one), openssh(two), public_line(two))


# Host keys.


def test_a_host_is_known_by_name_and_port_in_the_clear_or_hashed() -> None:
    hashed = paramiko.HostKeys.hash_host("[hidden]:2022")
    known = KnownHosts(f"# one\n\nweb,10.0.0.1 {KEY}\n[db]:2222 {KEY} comment\n{hashed} {KEY}\n")
    for address in (
        Address("web", 22, "x"),
        Address("10.0.0.1", 22, "x"),
        Address("db", 2222, "x"),
        Address("hidden", 2022, "x"),
    ):
        assert known.lines(address) == [f"{address.known_as} {KEY}"]


@pytest.mark.parametrize("address", [Address("web", 23, "x"), Address("web2", 22, "x"), Address("eb", 22, "x")])
def test_a_host_that_is_not_known_is_not_trusted(address: Address) -> None:
    with pytest.raises(Misconfigured, match="No host key"):
        KnownHosts(f"web {KEY}").of(address)


@pytest.mark.parametrize(
    "line", ["web", "web ssh-ed25519", f"web {KEY[:-8]}", f"@revoked web {KEY}", f"@cert-authority * {KEY}", "web x y"]
)
def test_a_line_that_is_not_understood_is_not_passed_over(line: str) -> None:
    with pytest.raises(Misconfigured, match="Line 2"):
        KnownHosts(f"db {KEY}\n{line}\n").of(Address("db", 22, "x"))


# Keys.


@pytest.mark.parametrize(
    "key", [new_key(), ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)]
)
def test_keys_are_read_as_files_and_as_their_base64(key: Any) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in (openssh(key), pem):
        for given in (text, text.strip(), base64.b64encode(text.encode()).decode(), text.replace("\n", "\r\n")):
            assert public_line(private_key(Secret(given), "It")) == public_line(key)


def test_keys_that_cannot_be_used_are_refused_without_a_word_of_them() -> None:
    locked = new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    old = dsa.generate_private_key(1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in ("canary", "Y2FuYXJ5", locked, old, openssh(new_key())[:80], ""):
        with pytest.raises(Misconfigured) as caught:
            private_key(Secret(text), "The key")
        shown = f"{caught.value.message} {caught.value.fix} {caught.value.__cause__}"
        assert "canary" not in shown
        assert not any(line in shown for line in text.splitlines()[1:-1])


def test_a_certificate_says_whose_it_is_and_for_how_long() -> None:
    ca, key = new_key(), new_key()
    made = sign(
        ca,
        public_line(key),
        principal="lk_ada",
        key_id="grant",
        valid_after=1000.5,
        ends_at=2000,
        extensions=("permit-pty",),
    )
    assert certificate(made.line) == made
    assert (made.valid_after, made.ends_at, made.public_key) == (1000, 2000.0, public_line(key))
    assert 0 < made.serial <= 2**63
    forever = sign(ca, public_line(key), principal="lk_ada", key_id="g", valid_after=0, ends_at=math.inf, extensions=())
    assert forever.ends_at == math.inf
    load_ssh_private_key(openssh(key).encode(), None)


@pytest.mark.parametrize("line", ["", "x", KEY])
def test_what_is_no_certificate_is_refused(line: str) -> None:
    with pytest.raises(Misconfigured):
        certificate(line)


# Names.


@pytest.mark.parametrize(
    "unit",
    [
        Unit("server", '["web"]', "MEMBER"),
        Unit("group", '["web"]', "MEMBER"),
        Unit("group", '["web","a b"]', "MEMBER"),
        Unit("group", '["web","-x"]', "MEMBER"),
        Unit("group", '["web","../x"]', "OWN_ACCOUNT"),
        Unit("group", '["web","a\\nb"]', "MEMBER"),
        Unit("group", '["web","$(id)"]', "MEMBER"),
        Unit("server", '["web",""]', "LOGIN"),
        Unit("server", '{"a":1}', "LOGIN"),
        Unit("server", "web", "LOGIN"),
        Unit("host", '["web"]', "LOGIN"),
    ],
)
def test_a_unit_that_is_none_of_ours_is_refused(unit: Unit) -> None:
    with pytest.raises(Misconfigured):
        parse_unit(unit)


@pytest.mark.parametrize(
    "login", ["", "root", "lk_", "lk_A", "lk_a b", "lk_a\nb", "lk_$(id)", "lk_" + "a" * 30, "-lk_a"]
)
def test_a_login_that_no_server_would_make_is_refused(login: str) -> None:
    with pytest.raises(Misconfigured):
        check_login(Grant("g", login, (), 0.0))


@pytest.mark.parametrize("id_", ["", "a b", "a:b", "a,b", "a=b", "a\nb"])
def test_an_id_that_would_make_a_marker_ambiguous_is_refused(id_: str) -> None:
    with pytest.raises(Misconfigured):
        person_marker("integration", Person(id_, "Ada"))


def test_own_accounts_are_called_like_the_address_or_what_is_before_the_at_sign() -> None:
    person = Person("p", "Ada Lovelace", ("Ada.L@example.com",), {"unix": ("ada1", "a b", "-x", "a:b", "a/b", "")})
    assert own_names(person, "") == ["Ada.L", "Ada.L@example.com", "ada.l", "ada.l@example.com"]
    assert own_names(person, "unix") == ["ada1"]
    assert own_names(person, "other") == []


def test_an_account_ends_on_a_day_that_lies_behind_the_grants_end() -> None:
    assert expiry(math.inf) == -1
    for seconds in (0, 86399, 86400, 1795822976):
        assert seconds < (expiry(seconds) - 1) * 86400 <= seconds + 2 * 86400
