"""Access to real servers over SSH: given, used, ended, refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Found, Unit, UnitOutcome, Verb
from connectors.providers.ssh import giving
from tests import hosts
from tests.connectors.ssh_world import (
    Servers,
    enters,
    group_on,
    login_on,
    of,
    outcomes,
    says,
    servers,
    signed_in,
    ssh,
    sudo_on,
)

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


def test_a_certificate_opens_its_login_and_no_more_once_the_grant_is_over(two: Servers) -> None:
    grant, shown = two.give()
    assert ssh(two.one, shown, "id -un").stdout.strip() == grant.login
    two.apply(gone=(grant,))
    assert not enters(two.one, shown)
    two.end(grant)


def test_a_revoked_certificate_is_refused_by_the_revocation_list_even_if_the_account_is_opened_again(
    two: Servers,
) -> None:
    grant, shown = two.give()
    other, others = two.give()
    two.apply(other, gone=(grant,))
    two.one.run("usermod", "-p", "*", "-s", "/bin/bash", grant.login)
    two.one.run("chage", "-E", "-1", grant.login)
    two.one.run("sh", "-c", f"echo {grant.login} >/etc/latchkey/principals/{grant.login}")
    before = len(two.one.log)
    assert not enters(two.one, shown)
    assert re.search(r"revoked by file /etc/latchkey/revoked_keys", two.one.log[before:])
    assert enters(two.one, others)
    two.end(grant, other)


def test_a_certificate_ends_by_itself_with_the_whole_platform_off(two: Servers) -> None:
    grant, shown = two.give(seconds=4)
    assert enters(two.one, shown)
    time.sleep(max(0.0, grant.ends_at + 1.5 - time.time()))
    before = len(two.one.log)
    assert not enters(two.one, shown)
    assert "Certificate invalid: expired" in two.one.log[before:]
    report = two.run(two.order(Verb.READ_BACK, (grant,)))
    assert outcomes(report, grant) == [FAILED]
    assert report.read_back is not None and report.read_back.ours == ()
    two.end(grant)


def test_only_sudo_makes_root(two: Servers) -> None:
    plain, shown = two.give()
    assert ssh(two.one, shown, "sudo -n id -u").returncode != 0
    root, roots = two.give(sudo_on(two.one))
    assert ssh(two.one, roots, "sudo -n id -u").stdout.strip() == "0"
    assert ssh(two.one, shown, "sudo -n id -u").returncode != 0
    two.end(plain, root)


def test_only_the_group_is_given_and_on_its_server_only(two: Servers) -> None:
    grant, shown = two.give(group_on(two.hosts[1]))
    assert ssh(two.hosts[1], shown, "id -Gn").stdout.split() == [grant.login, "deploy"]
    assert not enters(two.one, shown)
    two.end(grant)


def test_one_certificate_is_good_on_all_servers_of_the_grant(two: Servers) -> None:
    grant, shown = two.give(login_on(two.one), sudo_on(two.hosts[1]))
    assert [enters(host, shown) for host in two.hosts] == [True, True]
    assert ssh(two.one, shown, "sudo -n true").returncode != 0
    report = two.end(grant)
    assert [enters(host, shown) for host in two.hosts] == [False, False]
    assert outcomes(report, grant) == [GONE, GONE]


def test_the_command_and_the_details_are_complete_and_hold_no_secret(two: Servers) -> None:
    two.config = {"key_file_name": "~/keys/prod"}
    grant = two.grant(login_on(two.one), group_on(two.hosts[1]))
    told = of(two.apply(grant), grant)
    port = two.one.port
    assert told.details["command"] == (
        "ssh -i ~/keys/prod -o CertificateFile=~/keys/prod-cert.pub -o IdentitiesOnly=yes"
        f" -p {port} {grant.login}@127.0.0.1"
    )
    assert told.details["uri"] == f"ssh://{grant.login}@127.0.0.1:{port}"
    assert len(told.details["commands"]) == 2
    assert told.details["known_hosts"] == (two.one.known_hosts + two.hosts[1].known_hosts).strip()
    assert "PRIVATE" not in repr(told)
    two.end(grant)


def test_an_open_session_is_cut_with_what_it_started_as_root(two: Servers) -> None:
    grant, shown = two.give(sudo_on(two.one))
    with signed_in(two.one, shown) as shell:
        assert says(shell, "echo here") == "here"
        says(shell, "sudo -n sleep 4711 & sleep 4712 & echo started")
        time.sleep(0.3)
        report = two.apply(gone=(grant,))
        assert says(shell, "echo here") == ""
    assert of(report, grant).sessions_ended == 1
    assert two.one.run("pgrep", "-f", "sleep 471[12]", check=False).stdout == ""
    two.end(grant)


def test_a_process_that_starts_itself_again_and_again_does_not_survive_the_end(two: Servers) -> None:
    grant, shown = two.give()
    script = "trap '' HUP TERM INT; f() { sleep 0.02; f & }; f & f & f & wait"
    with signed_in(two.one, shown) as shell:
        says(shell, f'setsid sh -c "{script}" >/dev/null 2>&1 & echo started')
        time.sleep(0.3)
        assert outcomes(two.apply(gone=(grant,)), grant) == [GONE]
    uid = two.one.run("id", "-u", grant.login).stdout.strip()
    assert two.one.run("pgrep", "-U", uid, check=False).stdout == ""
    two.end(grant)


def test_the_session_of_another_grant_goes_on(two: Servers) -> None:
    first, _ = two.give()
    second, shown = two.give()
    with signed_in(two.one, shown) as shell:
        assert says(shell, "echo here") == "here"
        two.apply(second, gone=(first,))
        assert says(shell, "echo here") == "here"
    two.end(first, second)


def test_a_key_that_a_grantee_leaves_behind_opens_nothing(two: Servers) -> None:
    grant, shown = two.give()
    public = ssh(two.one, shown, "mkdir -p .ssh && cat >.ssh/authorized_keys", given=hosts.keys().connector_public)
    assert public.returncode == 0
    assert not enters(two.one, replace(shown, certificate=""))
    two.end(grant)


def test_files_and_crontabs_of_a_grantee_are_kept_and_nobody_gets_them(two: Servers) -> None:
    grant, shown = two.give()
    assert ssh(two.one, shown, "echo precious >it; touch /tmp/mine").returncode == 0
    crontabs = "/var/spool/cron/crontabs"
    two.one.run("sh", "-c", f"mkdir -p {crontabs} && install -o {grant.login} /dev/null {crontabs}/{grant.login}")
    uid = two.one.run("id", "-u", grant.login).stdout.strip()
    two.end(grant)
    kept = f"/home/latchkey/.kept/{grant.login}"
    assert two.one.run("cat", f"{kept}/it").stdout == "precious\n"
    assert two.one.run("ls", f"{kept}.later").stdout == "crontab\n"
    assert two.one.run("stat", "-c", "%a %u", "/home/latchkey/.kept").stdout == "700 0\n"
    assert two.one.run("ls", "-A", crontabs).stdout == ""
    next_grant, _ = two.give()
    assert int(two.one.run("id", "-u", next_grant.login).stdout) > int(uid)
    assert two.one.run("id", "-g", next_grant.login).stdout == two.one.run("id", "-u", next_grant.login).stdout
    two.end(next_grant)


def test_a_longer_grant_gets_a_new_certificate_for_the_key_that_the_grantee_has(two: Servers) -> None:
    grant, shown = two.give(seconds=100)
    longer = replace(grant, ends_at=grant.ends_at + 5000)
    told = of(two.apply(longer), longer)
    assert told.sealed_credentials == ""
    assert told.details["certificate"] != shown.certificate
    assert enters(two.one, shown), "the old one is good until its own end"
    assert enters(two.one, replace(shown, certificate=told.details["certificate"]))
    again = of(two.apply(longer), longer)
    assert again.details["certificate"] == told.details["certificate"]
    assert again.warnings == ()
    shorter = replace(grant, ends_at=grant.ends_at + 2000)
    last = of(two.apply(shorter), shorter)
    assert not enters(two.one, replace(shown, certificate=told.details["certificate"]))
    assert enters(two.one, replace(shown, certificate=last.details["certificate"]))
    two.end(grant)


def test_of_certificates_from_the_same_second_the_one_that_fits_stays(
    two: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(giving, "time", SimpleNamespace(time=lambda: now))
    grant, _ = two.give(seconds=100)
    # Which of them has the higher serial is chance: so several.
    for more in range(1000, 7000, 1000):
        longer = replace(grant, ends_at=grant.ends_at + more)
        told = of(two.apply(longer), longer)
        again = of(two.apply(longer), longer)
        assert again.details["certificate"] == told.details["certificate"]
        assert again.warnings == ()
    two.end(grant)


def test_an_end_that_moves_by_less_than_a_lease_costs_nobody_their_certificate(two: Servers) -> None:
    grant, shown = two.give()
    sooner = replace(grant, ends_at=grant.ends_at - 65)
    assert of(two.apply(sooner), sooner).details["certificate"] == shown.certificate
    assert enters(two.one, shown)
    two.end(grant)


def test_a_grant_without_an_end_has_a_certificate_without_an_end(two: Servers) -> None:
    grant, shown = two.give(seconds=float("inf"))
    assert enters(two.one, shown)
    assert two.one.run("getent", "shadow", grant.login).stdout.split(":")[7] == ""
    two.end(grant)
    assert not enters(two.one, shown)


def test_a_reset_makes_the_old_certificate_worthless_and_leaves_the_session(two: Servers) -> None:
    grant, old = two.give()
    with signed_in(two.one, old) as shell:
        report = two.run(two.order(Verb.RESET_CREDENTIALS, (replace(grant, wants_credentials=True),)))
        new = two.shown(report, grant)
        assert says(shell, "echo here") == "here"
    assert (enters(two.one, old), enters(two.one, new)) == (False, True)
    assert of(two.apply(grant), grant).details["certificate"] == new.certificate
    two.end(grant)


def test_one_server_that_is_down_fails_its_own_units_only(two: Servers) -> None:
    web, db = two.hosts
    grant = two.grant(login_on(web), login_on(db))
    db.stop()
    try:
        report = two.apply(grant)
        assert outcomes(report, grant) == [HELD, FAILED]
        error = of(report, grant).units[1].error
        assert error is not None and error.kind is ErrorKind.UNREACHABLE
        shown = two.shown(report, grant)
        assert enters(web, shown)
    finally:
        db.start()
    held = replace(grant, wants_credentials=False)
    assert outcomes(two.apply(held), grant) == [HELD, HELD]
    assert enters(db, shown), "the same certificate opens what came later"
    two.end(grant)


def test_an_end_is_not_proven_while_a_server_cannot_be_asked(two: Servers) -> None:
    web, db = two.hosts
    grant, shown = two.give(login_on(web), login_on(db))
    db.stop()
    try:
        report = two.apply(gone=(grant,))
        assert outcomes(report, grant) == [GONE, FAILED]
        assert report.read_back is not None
        assert report.read_back.ours == (Found(login_on(db), grant.login, grant.grant_id),)
        assert not enters(web, shown)
    finally:
        db.start()
    assert enters(db, shown)
    two.end(grant)
    assert not enters(db, shown)


def test_no_server_at_all_is_an_error_of_the_whole_order(two: Servers) -> None:
    two.one.stop()
    try:
        report = two.apply(two.grant())
    finally:
        two.one.start()
    assert report.error is not None and report.error.kind is ErrorKind.UNREACHABLE


def test_an_end_on_a_server_that_left_the_list_is_never_called_proven(two: Servers) -> None:
    grant, shown = two.give(login_on(two.hosts[0]), login_on(two.hosts[1]))
    report = replace(two, hosts=two.hosts[:1]).apply(gone=(grant,))
    assert outcomes(report, grant) == [GONE, FAILED]
    assert report.read_back is not None
    assert {one.grant_id for one in report.read_back.ours} == {grant.grant_id}
    assert enters(two.hosts[1], shown)
    two.end(grant)


def test_a_login_of_ours_that_nobody_knows_is_ended(two: Servers) -> None:
    lost, shown = two.give()
    report = two.apply(gone=(replace(two.grant(), login="lk_never_was"),))
    assert not enters(two.one, shown)
    assert [one.grant_id for one in report.grants if one.warnings] == [lost.grant_id]
    two.end(lost)


def test_logins_of_other_people_and_integrations_are_left_alone(two: Servers) -> None:
    grant, shown = two.give()
    stranger = Servers(two.hosts, two.made)
    stranger.apply(gone=(grant,))
    stranger.run(stranger.order(Verb.CLEAN_UP, (), (grant,)))
    two.apply(gone=(grant,), integration_id="integration-2")
    assert enters(two.one, shown)
    two.end(grant)


def test_an_account_that_bears_the_name_already_is_not_taken_over(two: Servers) -> None:
    grant = two.grant()
    two.one.run("useradd", "-c", "somebody", grant.login)
    try:
        report = two.apply(grant)
        assert outcomes(report, grant) == [FAILED]
        error = of(report, grant).units[0].error
        assert error is not None and error.kind is ErrorKind.REFUSED
        ended = two.apply(gone=(grant,))
        assert outcomes(ended, grant) == [GONE]
        assert "did not make" in of(ended, grant).warnings[0]
        two.run(two.order(Verb.CLEAN_UP, (), (grant,)))
        assert "somebody" in two.one.run("getent", "passwd", grant.login).stdout
    finally:
        two.one.run("userdel", grant.login)


def test_a_group_that_others_gave_shows_and_is_taken_with_the_sessions_that_have_it(two: Servers) -> None:
    grant, shown = two.give()
    two.one.run("gpasswd", "-a", grant.login, "adm")
    with signed_in(two.one, shown) as shell:
        assert "adm" in says(shell, "id -Gn")
        seen = two.run(two.order(Verb.READ_BACK, (grant,))).read_back
        assert seen is not None
        assert Unit("group", '["web","adm"]', "MEMBER") in {one.unit for one in seen.ours}
        assert "adm" in of(two.apply(grant), grant).warnings[0]
        assert says(shell, "id -Gn") == ""
    assert "adm" not in ssh(two.one, shown, "id -Gn").stdout
    two.end(grant)


def test_access_that_vanished_is_seen_and_made_whole(two: Servers) -> None:
    grant, shown = two.give(group_on(two.one))
    for undo in (
        ("gpasswd", "-d", grant.login, "deploy"),
        ("chage", "-E", "1", grant.login),
        ("rm", f"/etc/latchkey/principals/{grant.login}"),
        ("usermod", "-s", "/usr/sbin/nologin", grant.login),
    ):
        two.one.run(*undo)
        assert outcomes(two.run(two.order(Verb.READ_BACK, (grant,))), grant) == [FAILED], undo
        assert outcomes(two.apply(grant), grant) == [HELD], undo
        assert "deploy" in ssh(two.one, shown, "id -Gn").stdout, undo
    two.end(grant)


def test_an_account_that_was_removed_by_hand_is_made_again_and_the_admin_is_told(two: Servers) -> None:
    grant, _ = two.give()
    two.one.run("userdel", grant.login)
    two.one.run("rm", "-r", f"/etc/latchkey/certificates/{grant.login}")
    report = two.apply(grant)
    assert outcomes(report, grant) == [HELD]
    assert "reset the credentials" in of(report, grant).warnings[0]
    shown = two.shown(two.run(two.order(Verb.RESET_CREDENTIALS, (replace(grant, wants_credentials=True),))), grant)
    assert enters(two.one, shown)
    two.end(grant)


def test_a_person_without_any_grant_holds_nothing(two: Servers) -> None:
    report = two.run(two.order(Verb.READ_BACK))
    assert report.error is None and report.read_back is not None
    assert (report.read_back.ours, report.read_back.standing, report.grants) == ((), (), ())


def test_everything_is_done_twice_without_a_difference(two: Servers) -> None:
    before = [host.accounts() for host in two.hosts]
    grant, _ = two.give(sudo_on(two.one), group_on(two.hosts[1]))
    held = [host.accounts() for host in two.hosts]
    two.apply(grant)
    assert [host.accounts() for host in two.hosts] == held
    for _ in range(2):
        two.apply(gone=(grant,))
    for _ in range(2):
        report = two.run(two.order(Verb.CLEAN_UP, (), (grant,)))
        assert outcomes(report, grant) == [GONE, GONE]
    assert [host.accounts() for host in two.hosts] == before


def test_what_was_replaced_before_a_crash_is_revoked_after_it(two: Servers) -> None:
    grant = two.grant()
    first = two.shown(two.apply(grant), grant)
    second = two.shown(two.apply(grant), grant)  # the report was lost, so it is asked for again
    assert (enters(two.one, first), enters(two.one, second)) == (False, True)
    two.end(grant)
