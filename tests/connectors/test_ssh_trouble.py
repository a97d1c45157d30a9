"""What goes wrong at real servers, each with its typed error; and what the connector's keys do not open."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract.errors import ErrorKind, TargetError
from connectors.contract.orders import Grant, Page, Person, Report, UnitOutcome, Verb
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.providers.ssh import programs
from connectors.runners import local
from connectors.toolkit.shell_files import ShellFile
from connectors.toolkit.ssh import Address, Host, KnownHosts
from connectors.toolkit.ssh_keys import certificate, new_key, openssh, private_key, public_line, sign
from tests import hosts
from tests.connectors.ssh_world import (
    INTEGRATION,
    Servers,
    Shown,
    enters,
    group_on,
    login_on,
    of,
    outcomes,
    own_key,
    servers,
    ssh,
    sudo_on,
    way_in,
)
from tests.targets import free_port

HELD, GONE, FAILED = UnitOutcome.HELD, UnitOutcome.GONE, UnitOutcome.FAILED


@pytest.fixture(scope="module")
def running() -> Iterator[Servers]:
    if reason := hosts.missing():
        pytest.skip(reason)
    with servers("web", "db") as made:
        yield made


@pytest.fixture
def two(running: Servers) -> Servers:
    """Two servers, and a person nobody has heard of."""
    return Servers(running.hosts, running.made)


def kind(report: Report) -> ErrorKind | None:
    """Return the kind of error of a whole report."""
    return report.error.kind if report.error else None


def reason(report: Report, grant: Grant) -> tuple[ErrorKind, str]:
    """Return why the first unit failed."""
    error = of(report, grant).units[0].error
    assert error is not None
    return error.kind, f"{error.message} {error.fix}"


def opened(two: Servers) -> Host:
    """Return the connector's own connection to the first server."""
    run = Run(alive=lambda: None, seal=lambda details, grant_id="": "")
    address = Address("127.0.0.1", two.one.port, "latchkey")
    key = private_key(Secret(two.made.connector), "It")
    return Host(address, key, KnownHosts(two.one.known_hosts), run, dry_run=False)


# At the door.


def test_a_host_key_that_is_not_known_is_not_spoken_to(two: Servers) -> None:
    before = len(two.one.log)
    two.config = {"known_hosts": ""}
    report = two.apply(two.grant())
    assert report.error is not None
    assert (report.error.kind, "ssh-keyscan" in report.error.fix) == (ErrorKind.MISCONFIGURED, True)
    assert "Connection from" not in two.one.log[before:]


def test_a_host_that_shows_another_key_gets_nothing(two: Servers) -> None:
    other = public_line(new_key())
    two.config = {"known_hosts": f"[127.0.0.1]:{two.one.port} {other}\n"}
    before = len(two.one.log)
    report = two.apply(two.grant())
    assert report.error is not None and report.error.kind is ErrorKind.MISCONFIGURED
    assert "another host key" in report.error.message
    assert "publickey" not in two.one.log[before:]


def test_a_key_that_the_server_does_not_take_is_rejected_credentials(two: Servers) -> None:
    stranger = Secret(openssh(new_key()))
    secrets = {"base64_private_key": stranger, "ca_private_key": Secret(two.made.ca)}
    report = two.apply(two.grant(), secrets=secrets)
    assert kind(report) is ErrorKind.CREDENTIALS_REJECTED


def test_a_name_that_nobody_knows_is_unreachable(two: Servers) -> None:
    line = two.one.known_hosts.split(maxsplit=1)[1]
    entry = {"name": "web", "host": "nowhere.invalid"}
    two.config = {"servers": json.dumps([entry]), "known_hosts": f"nowhere.invalid {line}"}
    assert kind(two.apply(two.grant())) is ErrorKind.UNREACHABLE


def test_a_server_without_the_set_up_says_what_to_run(two: Servers) -> None:
    two.one.run("mv", "/usr/local/sbin/latchkey-run", "/usr/local/sbin/aside")
    try:
        report = two.apply(two.grant())
    finally:
        two.one.run("mv", "/usr/local/sbin/aside", "/usr/local/sbin/latchkey-run")
    assert report.error is not None and report.error.kind is ErrorKind.NOT_PERMITTED
    assert "setup/2_server.sh" in report.error.fix


def test_a_ca_that_the_server_does_not_trust_gives_no_login(two: Servers) -> None:
    secrets = {"base64_private_key": Secret(two.made.connector), "ca_private_key": Secret(openssh(new_key()))}
    grant = two.grant()
    report = two.apply(grant, secrets=secrets)
    assert reason(report, grant)[0] is ErrorKind.MISCONFIGURED
    assert "user_ca.pub" in reason(report, grant)[1]
    assert two.one.run("getent", "shadow", grant.login).stdout.split(":")[7] == "1"
    two.end(grant)


def test_a_second_ca_may_be_trusted_beside_the_first_and_both_are_revoked(two: Servers) -> None:
    grant, shown = two.give()
    old, new = two.made, hosts.keys()
    two.one.set_up(old, CA_KEY=f"{old.ca_public}\n{new.ca_public}")
    try:
        second = Servers(two.hosts, replace(old, ca=new.ca))
        other, others = second.give()
        assert (enters(two.one, shown), enters(two.one, others)) == (True, True)
        # With either CA in the integration, what the other one signed is revoked as well.
        second.apply(gone=(other,))
        replace(two, made=second.made).apply(gone=(grant,))
        said = two.one.run("ssh-keygen", "-Q", "-l", "-f", "/etc/latchkey/revoked_keys").stdout
        assert said.count("# CA key") == 2
        assert (enters(two.one, shown), enters(two.one, others)) == (False, False)
        two.end(grant)
        second.end(other)
    finally:
        two.one.set_up(old)


# What the server allows.


def test_a_group_that_the_server_does_not_let_be_given_is_refused_and_no_login_is_made(two: Servers) -> None:
    grant = two.grant(group_on(two.one, group="shadow"))
    report = two.apply(grant)
    assert reason(report, grant)[0] is ErrorKind.NOT_PERMITTED
    assert "GIVE_GROUPS" in reason(report, grant)[1]
    assert two.one.run("getent", "passwd", grant.login, check=False).stdout == ""


def test_a_group_that_the_integration_does_not_offer_is_refused(two: Servers) -> None:
    two.config = {"user_groups": "docker"}
    grant = two.grant(group_on(two.one), login_on(two.one))
    report = two.apply(grant)
    assert outcomes(report, grant) == [FAILED, HELD]
    assert "does not offer" in reason(report, grant)[1]
    two.end(grant)


def test_a_server_may_keep_root_to_itself(two: Servers) -> None:
    two.one.set_up(two.made, GIVE_SUDO="no")
    try:
        grant = two.grant(sudo_on(two.one))
        assert reason(two.apply(grant), grant)[0] is ErrorKind.NOT_PERMITTED
        pages: list[Page] = []
        two.run(two.order(Verb.DISCOVER), pages.append)
        found = {one.name: one.refusals for page in pages for one in page.resources if one.resource_type == "server"}
        assert "SUDO" in found["web"] and found["db"] == {}
    finally:
        two.one.set_up(two.made, GIVE_SUDO="yes")


def test_a_shell_that_the_server_does_not_have_is_said(two: Servers) -> None:
    two.config = {"login_shell": "/bin/fish"}
    grant = two.grant()
    kind_, words = reason(two.apply(grant), grant)
    assert (kind_, "/etc/shells" in words) == (ErrorKind.MISCONFIGURED, True)
    two.end(grant)


def test_without_the_revocation_list_no_login_opens_and_no_end_is_proven(two: Servers) -> None:
    grant, shown = two.give()
    aside, place = "/etc/latchkey/aside", "/etc/latchkey/revoked_keys"
    two.one.run("mv", place, aside)
    try:
        assert not enters(two.one, shown)
        report = two.apply(gone=(grant,))
        assert report.error is not None and report.error.kind is ErrorKind.MISCONFIGURED
    finally:
        two.one.run("mv", aside, place)
    two.end(grant)


def test_revoking_many_at_once_loses_none(two: Servers) -> None:
    people = [Servers(two.hosts[:1], two.made) for _ in range(4)]
    given = [one.give() for one in people]
    threads = [
        threading.Thread(target=one.apply, kwargs={"gone": (grant,)})
        for one, (grant, _) in zip(people, given, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    revoked = two.one.run("ssh-keygen", "-Q", "-l", "-f", "/etc/latchkey/revoked_keys").stdout
    for one, (grant, _) in zip(people, given, strict=True):
        folder = f"/etc/latchkey/certificates/{grant.login}"
        (name,) = two.one.run("ls", folder).stdout.split()
        assert f"serial: {name.removesuffix('.pub')}\n" in revoked
        one.end(grant)


# What the connector's keys do not open.


def test_the_connectors_key_opens_no_shell_and_no_other_command(two: Servers) -> None:
    own = Shown("latchkey", two.made.connector, "")
    for words in (["id"], ["sudo", "-n", "id"], ["sh", "-c", "id"], []):
        done = ssh(two.one, own, *words, given="id\n")
        assert (done.returncode, done.stdout) == (76, ""), done
    with way_in(two.one, own, "-T", "-N", "-L", f"{free_port()}:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes") as go:
        before = len(two.one.log)
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(go, capture_output=True, timeout=2, check=False)
    with way_in(two.one, own, "-W", "127.0.0.1:22") as go:
        done = subprocess.run(go, capture_output=True, text=True, timeout=20, check=False)
        assert "administratively prohibited" in done.stderr
    assert "Accepted publickey for latchkey" in two.one.log[before:]


def test_a_program_that_is_not_on_the_servers_list_is_refused_until_its_owner_adds_it(
    two: Servers, tmp_path: Path
) -> None:
    path = tmp_path / "mine.sh"
    path.write_text("#!/bin/sh\n# Mine.\n# takes: WORD\nprintf '%s' \"$WORD\"\n")
    mine, own = ShellFile(path, "WORD"), "/etc/latchkey/programs.own"
    with opened(two) as host:
        with pytest.raises(TargetError) as caught:
            host.read(mine, WORD="x")
        assert caught.value.kind is ErrorKind.REFUSED
        two.one.run("sh", "-c", f"echo '{mine.digest}  mine.sh' >{own}")
        try:
            words = "a 'b' \"c\" $(id) `id` \\ \n\n ü\n"
            assert host.read(mine, WORD=words) == words
        finally:
            two.one.run("rm", own)


def test_the_programs_touch_no_account_that_latchkey_did_not_make(two: Servers) -> None:
    grant, shown = two.give()
    marker = f"latchkey integration={INTEGRATION} person={two.person.person_id} grant={grant.grant_id}"
    before = two.one.accounts()
    with opened(two) as host:
        for program in (programs.SHUT_LOGIN, programs.DROP_LOGIN, programs.END_SESSIONS):
            for login in ("root", "latchkey", "lk_", "lk_x\nroot", "lk_../x", "lk_x;id", "-lk_x", ""):
                with pytest.raises(TargetError):
                    host.change(program, LOGIN=login, MARKER=marker)
            with pytest.raises(TargetError) as caught:
                host.change(program, LOGIN=grant.login, MARKER=marker + "0")
            assert caught.value.kind is ErrorKind.REFUSED
        for group in ("root", "sudo", "deploy\nroot", "", "deploy root", "--help"):
            with pytest.raises(TargetError):
                host.change(programs.GRANT_GROUP, LOGIN=grant.login, MARKER=marker, GROUP=group)
        for account, group in (("root", "deploy"), ("0", "deploy"), ("../x", "deploy"), ("nobody", "shadow"), ("", "")):
            for program in (programs.GRANT_OWN_GROUP, programs.REVOKE_OWN_GROUP):
                with pytest.raises(TargetError):
                    host.change(program, ACCOUNT=account, GROUP=group, MARKER=marker)
        for serial in ("", "../x", "1\n2", "-1"):
            with pytest.raises(TargetError):
                host.change(programs.ADMIT_CERTIFICATE, LOGIN=grant.login, MARKER=marker, SERIAL=serial, CERTIFICATE="")
            with pytest.raises(TargetError):
                host.change(programs.REVOKE_CERTIFICATES, LOGIN=grant.login, MARKER=marker, SERIALS=[serial])
    assert two.one.accounts() == before
    assert enters(two.one, shown)
    two.end(grant)


def test_values_that_look_like_commands_stay_values(two: Servers) -> None:
    evil = ("$(touch /etc/owned)", "`touch /etc/owned`", "; touch /etc/owned", "'", '"', "\\", "-x", "0", "*", "%s%n")
    person = Person(two.person.person_id, "Ada", evil, {"unix": evil})
    for config in ({}, {"account_attribute": "unix"}):
        grant = two.grant(group_on(two.one, "OWN_ACCOUNT"), login_on(two.one))
        world = replace(two, person=person, config=config)
        assert outcomes(world.apply(grant), grant) == [FAILED, HELD]
        world.end(grant)
    with opened(two) as host:
        told = host.read(programs.ACCOUNTS, MARKER="$(touch /etc/owned)\\ '\"", NAMES=list(evil))
        assert [line for line in told.splitlines() if line.startswith("account")] == []
        marker = f"$(touch /etc/owned) 'x' \\n grant={time.time_ns()}"
        host.change(programs.CREATE_LOGIN, LOGIN="lk_evil", MARKER=marker)
        assert "account\tlk_evil\t" in host.read(programs.ACCOUNTS, MARKER=marker, NAMES=[])
        host.change(programs.DROP_LOGIN, LOGIN="lk_evil", MARKER=marker)
        for marker in ("a:b", "a\nroot2:x:0:0::/:/bin/sh"):
            with pytest.raises(TargetError):
                host.change(programs.CREATE_LOGIN, LOGIN="lk_evil", MARKER=marker)
    assert two.one.run("ls", "/etc/owned", check=False).stdout == ""
    assert "lk_evil" not in two.one.run("cat", "/etc/passwd").stdout + two.one.run("cat", "/etc/group").stdout


def test_servers_may_be_called_anything(two: Servers) -> None:
    name = "wéb \"one\"; $(id) ['x']"
    host = replace(two.one, name=name)
    world = Servers([host], two.made)
    grant, shown = world.give(login_on(host), group_on(host))
    assert enters(host, shown)
    world.end(grant)


def test_the_ca_opens_no_account_but_a_login_that_is_open(two: Servers) -> None:
    name, (own_private, own_public) = two.person.aliases[1], own_key()
    two.one.add_account(name, own_public)
    grant, _ = two.give()
    key, ca = new_key(), private_key(Secret(two.made.ca), "It")
    two.apply(gone=(grant,))
    for login in ("root", "latchkey", name, grant.login):
        made = sign(
            ca, public_line(key), principal=login, key_id="x", valid_after=0, ends_at=time.time() + 60, extensions=()
        )
        assert not enters(two.one, Shown(login, openssh(key), made.line)), login
    assert enters(two.one, Shown(name, own_private, "")), "whoever has their own key is not touched"
    two.end(grant)
    two.one.run("userdel", "-r", name, check=False)


def test_a_server_cannot_make_the_ca_sign_for_a_key_of_its_own(two: Servers) -> None:
    grant, shown = two.give(login_on(two.one), login_on(two.hosts[1]), seconds=100)
    stranger = Servers(two.hosts, two.made)
    other, others = stranger.give(login_on(two.one))
    mine, rogue = new_key(), new_key()
    marker = f"latchkey integration={INTEGRATION} person={two.person.person_id} grant={grant.grant_id}"
    planted = sign(
        rogue,
        public_line(mine),
        principal=grant.login,
        key_id=marker,
        valid_after=time.time() + 5,
        ends_at=grant.ends_at,
        extensions=(),
    )
    folder = f"/etc/latchkey/certificates/{grant.login}"
    # Root on the first server plants a certificate of its own, and one that our CA signed for another grant.
    two.one.run("sh", "-c", f"cat >{folder}/{planted.serial}.pub", input=planted.line + "\n")
    two.one.run("sh", "-c", f"cat >{folder}/1.pub", input=others.certificate + "\n")
    longer = replace(grant, ends_at=grant.ends_at + 5000)
    told = of(two.apply(longer), longer)
    new = certificate(told.details["certificate"])
    assert new.public_key == certificate(shown.certificate).public_key
    assert enters(two.hosts[1], replace(shown, certificate=new.line))
    two.end(grant)
    stranger.end(other)


def test_a_server_that_talks_nonsense_fails_its_own_units_only(two: Servers) -> None:
    for nonsense in (
        "printf 'account\\tx\\ty\\nend\\n'",
        "printf 'group\\tx\\ty\\nend\\n'",
        "head -c 9000000 /dev/zero",
    ):
        two.one.run("mv", "/usr/local/sbin/latchkey-run", "/usr/local/sbin/aside")
        two.one.run("sh", "-c", "cat >/usr/local/sbin/latchkey-run", input=f"#!/bin/sh\n{nonsense}\n")
        two.one.run("chmod", "755", "/usr/local/sbin/latchkey-run")
        grant = two.grant(login_on(two.one), login_on(two.hosts[1]))
        try:
            report = two.apply(grant)
        finally:
            two.one.run("mv", "-f", "/usr/local/sbin/aside", "/usr/local/sbin/latchkey-run")
        assert outcomes(report, grant) == [FAILED, HELD]
        assert reason(report, grant)[0] in (ErrorKind.MISCONFIGURED, ErrorKind.UNREACHABLE)
        two.end(grant)


# Leases, and what breaks in between.


def test_no_program_outlives_the_lease(two: Servers) -> None:
    grant = two.grant()
    # Somebody holds the lock, so create_login waits.
    holder = threading.Thread(target=two.one.run, args=("flock", "/run/latchkey.lock", "sleep", "8"))
    holder.start()
    time.sleep(0.3)
    began = time.monotonic()
    report = two.apply(grant, lease_seconds=4.0)
    took = time.monotonic() - began
    assert kind(report) in (ErrorKind.LEASE_LOST, None)
    assert took < 4.0
    time.sleep(max(0.0, 4.5 - took))
    assert two.one.run("pgrep", "-f", "latchkey-run|Makes the account", check=False).stdout == ""
    assert two.one.run("getent", "passwd", grant.login, check=False).stdout == ""
    holder.join()


def test_a_connection_that_breaks_is_unreachable_and_made_good(two: Servers) -> None:
    grant = two.grant()
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        if looks == 8:
            two.one.stop()
        return time.monotonic()

    report = local.run(two.order(Verb.APPLY, (grant,)), on_page=lambda page: None, monotonic=clock)
    two.one.start()
    assert looks >= 8
    assert kind(report) is ErrorKind.UNREACHABLE or outcomes(report, grant) == [FAILED]
    assert outcomes(two.apply(grant), grant) == [HELD]
    two.end(grant)


# What is said.


def test_no_secret_is_in_a_report_a_dry_run_or_a_log(two: Servers, caplog: pytest.LogCaptureFixture) -> None:
    grant = two.grant(sudo_on(two.one), group_on(two.hosts[1]))
    dry = two.apply(grant, dry_run=True)
    names = [one.function for one in dry.programs]
    assert names.count("create_login") == 2 and "grant_group" in names
    assert f"LOGIN={grant.login}\n" in dry.programs[0].text
    assert two.one.run("getent", "passwd", grant.login, check=False).stdout == ""
    report = two.apply(grant)
    shown = two.shown(report, grant)
    told = f"{dry}{report}{caplog.text}{two.one.log}"
    for secret in (two.made.connector, two.made.ca, shown.private_key):
        for line in secret.strip().splitlines()[1:-1]:
            assert line not in told
    two.end(grant)


def test_check_finds_nothing_wrong_with_a_server_that_was_set_up(two: Servers) -> None:
    report = two.run(two.order(Verb.CHECK))
    assert report.error is None
    assert [one for one in report.findings if one.level != "ok"] == []
    assert len(report.findings) == 2


@pytest.mark.parametrize(
    ("breaks", "level", "words"),
    [
        ("sed -i 1d /etc/latchkey/programs", "error", "does not let the connector run accounts"),
        (
            "ssh-keygen -q -t ed25519 -N '' -f /tmp/ca && cp /tmp/ca.pub /etc/latchkey/user_ca.pub",
            "error",
            "trust the CA",
        ),
        (
            "sed -i /RevokedKeys/d /etc/ssh/sshd_config.d/latchkey.conf",
            "error",
            "revokedkeys /etc/latchkey/revoked_keys",
        ),
        ("sed -i '1i DenyUsers lk_*' /etc/ssh/sshd_config.d/latchkey.conf", "warning", "denyusers"),
        ("sed -i /bash/d /etc/shells", "error", "login shell"),
        ("echo 70100 >/etc/latchkey/last_uid", "warning", "user ids left"),
    ],
)
def test_check_says_what_a_server_lacks(two: Servers, breaks: str, level: str, words: str) -> None:
    files = "/etc/latchkey/programs /etc/latchkey/user_ca.pub /etc/latchkey/last_uid /etc/shells"
    files += " /etc/ssh/sshd_config.d/latchkey.conf"
    two.one.run("sh", "-c", f"tar -C / -cf /tmp/saved.tar {files}")
    try:
        two.one.run("sh", "-c", breaks)
        report = two.run(two.order(Verb.CHECK))
    finally:
        two.one.run("sh", "-c", "tar -C / -xf /tmp/saved.tar; rm -f /tmp/ca /tmp/ca.pub")
    assert [one for one in report.findings if one.level == level and words in one.message], report.findings


def test_check_says_which_server_is_down_and_goes_on_with_the_others(two: Servers) -> None:
    two.one.stop()
    try:
        report = two.run(two.order(Verb.CHECK))
    finally:
        two.one.start()
    assert [(one.level, one.message.partition(":")[0]) for one in report.findings] == [("error", "web"), ("ok", "db")]


def test_discover_yields_what_it_can_and_says_that_it_is_not_whole(two: Servers) -> None:
    pages: list[Page] = []
    two.one.stop()
    try:
        report = two.run(two.order(Verb.DISCOVER), pages.append)
    finally:
        two.one.start()
    assert kind(report) is ErrorKind.UNREACHABLE
    assert {one.source_id for page in pages for one in page.resources} == {'["db"]', '["db","deploy"]'}


def test_a_sync_goes_on_after_the_last_server_that_is_whole(two: Servers) -> None:
    pages: list[Page] = []
    assert two.run(two.order(Verb.DISCOVER, page_size=1), pages.append).error is None
    told = [(one.resources[0].source_id, one.resume) for one in pages]
    assert told == [('["web"]', ""), ('["web","deploy"]', "web"), ('["db"]', "web"), ('["db","deploy"]', "db")]
    pages.clear()
    assert two.run(two.order(Verb.DISCOVER, resume="web"), pages.append).error is None
    assert [one.source_id for page in pages for one in page.resources] == ['["db"]', '["db","deploy"]']


def test_a_sync_never_goes_on_behind_a_server_that_was_missed(two: Servers) -> None:
    pages: list[Page] = []
    two.one.stop()
    try:
        two.run(two.order(Verb.DISCOVER), pages.append)
    finally:
        two.one.start()
    assert [page.resume for page in pages] == [""]


def test_an_ending_that_does_not_say_where_it_was_is_asked_for_everywhere(two: Servers) -> None:
    grant, shown = two.give(login_on(two.hosts[1]))
    order = two.order(Verb.APPLY, (), (replace(grant, units=()),))
    two.one.stop()
    try:
        report = two.run(order)
    finally:
        two.one.start()
    assert not enters(two.hosts[1], shown)
    assert report.read_back is not None
    assert {one.grant_id for one in report.read_back.ours} == {grant.grant_id}, "one server was not asked"
    again = two.run(order).read_back
    assert again is not None and again.ours == ()
    two.end(grant)


def test_discover_shows_tags_and_only_the_groups_that_are_offered(two: Servers) -> None:
    entry = {"name": "web", "host": "127.0.0.1", "port": two.one.port, "tags": {"team": "shop"}}
    two.config = {"servers": [entry], "user_groups": "docker"}
    pages: list[Page] = []
    report = two.run(two.order(Verb.DISCOVER, page_size=1), pages.append)
    assert report.error is None
    (web,) = [one for page in pages for one in page.resources]
    assert (web.source_id, web.tags, web.context["port"]) == ('["web"]', {"team": "shop"}, str(two.one.port))


def test_the_set_up_may_run_again_and_keeps_what_there_is(two: Servers) -> None:
    grant, shown = two.give()
    before = two.one.accounts()
    two.one.set_up()
    assert two.one.accounts() == before
    assert enters(two.one, shown)
    two.end(grant)
    assert not enters(two.one, shown)


def test_the_set_up_takes_no_account_of_somebody_else_for_the_connectors(two: Servers) -> None:
    done = two.one.run(
        "sh",
        "-s",
        input=(hosts.SETUP / "2_server.sh").read_text(),
        env={"PATH": os.environ["PATH"], "CONNECTOR": "root"},
        check=False,
    )
    assert done.returncode == 1 and "was not made for Latchkey" in done.stderr
    assert "Match User root" not in (two.one.folder / "etc/ssh/sshd_config.d/latchkey.conf").read_text()
