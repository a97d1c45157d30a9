"""What goes wrong at MySQL and MariaDB, and what the connector's account cannot do."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from connectors.contract.errors import CredentialsRejected, ErrorKind
from connectors.contract.orders import Finding, Order, Report, UnitOutcome, Verb
from connectors.contract.secret import Secret
from tests.connectors.mysql_world import MySQLWorld, of, pattern
from tests.targets import free_port
from tests.targets_mysql import CONNECTOR, running


def kind_of(report: Report) -> ErrorKind | None:
    """Return the kind of the error in a report."""
    return report.error.kind if report.error else None


def check(shop: MySQLWorld, **config: Any) -> tuple[Finding, ...]:
    """Return what a check finds."""
    report = shop.run(shop.order(Verb.CHECK, config={**shop.config, **config}))
    assert report.error is None, report.error
    return report.findings


# What somebody with the connector's password may try in vain.
IN_VAIN = (
    "ALTER USER root@localhost IDENTIFIED BY 'mine'",
    "CREATE USER mine",
    "CREATE ROLE mine",
    "DROP USER ada",
    "RENAME USER ada TO eve",
    "SET PASSWORD FOR ada = 'mine'",
    "GRANT ALL ON *.* TO latchkey",
    "GRANT SELECT ON mysql.* TO latchkey",
    "GRANT SELECT ON other.* TO ada",
    "GRANT TRIGGER ON {here}.* TO ada",
    "SELECT * FROM mysql.user",
    "SELECT * FROM mysql.global_priv",
    "SELECT * FROM mysql.db",
    "SELECT * FROM other.t",
    "SHOW GRANTS FOR ada",
    "SHOW CREATE USER ada",
    "KILL {victim}",
    "SET GLOBAL event_scheduler = OFF",
    "DELETE FROM latchkey.logins",
    "INSERT INTO latchkey.logins VALUES ('ada', 'x', 'x', 'x', NULL)",
    "UPDATE latchkey.setup SET looked_at = 1",
    "DROP PROCEDURE latchkey.shut_login",
    "CREATE PROCEDURE latchkey.mine() SELECT 1",
    "ALTER EVENT latchkey.end_what_is_due DISABLE",
    "CALL latchkey.shut_login('ada')",
    "CALL latchkey.set_password('ada', '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29')",
    "CALL latchkey.drop_login('root')",
    "CALL latchkey.open_login('latchkey_keeper', NULL)",
    "CALL latchkey.end_sessions('root')",
    "CALL latchkey.revoke_everything('ada')",
    "CALL latchkey.set_default_role('ada', NULL)",
    "CALL latchkey.defined_by('root')",
    "CALL latchkey.create_login('ada', '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29', 'x', 'x', 'x', NULL)",
    "CALL latchkey.create_login('x''@''%'' IDENTIFIED BY ''', '', 'x', 'x', 'x', NULL)",
)


def test_whoever_has_the_connector_s_password_can_touch_nothing_that_is_not_ours(shop: MySQLWorld) -> None:
    shop.sql("CREATE USER ada", "CREATE DATABASE other", "CREATE TABLE other.t (a INT)")
    before = shop.snapshot()
    with (
        shop.server.connect() as other,
        other.cursor() as asking,
        shop.server.connect(user=CONNECTOR, password=shop.password) as session,
        session.cursor() as cursor,
    ):
        asking.execute("SELECT CONNECTION_ID() AS id")
        victim = (asking.fetchone() or {})["id"]
        for statement in IN_VAIN:
            with pytest.raises(pymysql.Error):
                cursor.execute(statement.format(here=pattern(shop.database), victim=victim))
                pytest.fail(f"it was let do: {statement}")
        other.ping(reconnect=False)
    assert shop.snapshot() == before
    shop.sql("DROP USER ada", "DROP DATABASE other")


@pytest.mark.parametrize("level", ["READ_ONLY", "READ_WRITE", "ADMIN"])
def test_the_connector_can_pass_on_what_its_level_says_and_no_more(shop: MySQLWorld, level: str) -> None:
    shop.prepare(level)
    levels = ["READ_ONLY", "READ_WRITE", "ADMIN"]
    grants = [shop.grant(shop.unit(one)) for one in levels]
    report = shop.apply(*grants)
    held = [of(report, grant).units[0].outcome is UnitOutcome.HELD for grant in grants]
    assert held == [levels.index(one) <= levels.index(level) for one in levels]


LACKING = {
    "EXECUTE ON latchkey.*": "EXECUTE on latchkey",
    "SELECT ON latchkey.*": "The database latchkey is not there, or may not be used",
}


@pytest.mark.parametrize("lacking", LACKING)
def test_a_privilege_that_is_missing_is_named(shop: MySQLWorld, lacking: str) -> None:
    grant = shop.grant()
    shop.sql(f"REVOKE {lacking} FROM {CONNECTOR}@'%'")
    report = shop.run(shop.order(Verb.APPLY, grant))
    shop.sql(f"GRANT {lacking} TO {CONNECTOR}@'%'")
    error = report.error or of(report, grant).units[0].error
    assert error is not None
    assert LACKING[lacking] in error.message
    assert error.fix


def test_without_show_databases_a_database_that_is_not_prepared_is_not_seen(shop: MySQLWorld) -> None:
    shop.sql("CREATE DATABASE unprepared")

    def seen() -> set[str]:
        found: set[str] = set()
        order = shop.order(Verb.DISCOVER)
        report = shop.run(order, on_page=lambda page: found.update(one.name for one in page.resources))
        assert report.error is None
        return found

    assert "unprepared" in seen()
    shop.sql(f"REVOKE SHOW DATABASES ON *.* FROM {CONNECTOR}@'%'")
    found = seen()
    shop.sql(f"GRANT SHOW DATABASES ON *.* TO {CONNECTOR}@'%'", "DROP DATABASE unprepared")
    assert shop.database in found
    assert "unprepared" not in found


def test_a_wrong_password_is_credentials_rejected(shop: MySQLWorld) -> None:
    report = shop.run(shop.order(Verb.CHECK, secrets={"password": Secret("not-it-at-all")}))
    assert kind_of(report) is ErrorKind.CREDENTIALS_REJECTED
    assert "not-it-at-all" not in repr(report)


def test_a_locked_connector_is_credentials_rejected(shop: MySQLWorld) -> None:
    shop.sql(f"ALTER USER {CONNECTOR} ACCOUNT LOCK")
    report = shop.run(shop.order(Verb.CHECK))
    shop.sql(f"ALTER USER {CONNECTOR} ACCOUNT UNLOCK")
    assert kind_of(report) is ErrorKind.CREDENTIALS_REJECTED


@pytest.mark.parametrize("change", [{"port": "0"}, {"hostname": "no-such-host.invalid"}])
def test_a_server_that_is_not_there_is_unreachable(shop: MySQLWorld, change: dict[str, str]) -> None:
    config = {**shop.config, "port": free_port(), **change}
    assert kind_of(shop.run(shop.order(Verb.CHECK, config=config))) is ErrorKind.UNREACHABLE


@pytest.mark.parametrize(
    "change",
    [
        {"hostname": ""},
        {"username": ""},
        {"port": "x"},
        {"encryption": "somehow"},
        {"encryption": "verify-full", "authority": "no certificate"},
        {"hostname": "a\0b"},
    ],
)
def test_a_configuration_that_cannot_work_says_so(shop: MySQLWorld, change: dict[str, str]) -> None:
    report = shop.run(shop.order(Verb.CHECK, config={**shop.config, **change}))
    assert kind_of(report) is ErrorKind.MISCONFIGURED


def test_the_other_kind_of_server_is_refused(shop: MySQLWorld) -> None:
    other = "mysql" if shop.server.kind == "mariadb" else "mariadb"
    report = shop.run(shop.order(Verb.CHECK, provider=other))
    assert kind_of(report) is ErrorKind.MISCONFIGURED
    assert report.error is not None
    assert "Choose" in report.error.fix


def test_a_server_that_is_not_set_up_is_told_by_check_and_fails_an_order(own_shop: MySQLWorld) -> None:
    own_shop.sql("DROP DATABASE latchkey")
    assert [one.level for one in check(own_shop)][-1] == "error"
    report = own_shop.run(own_shop.order(Verb.APPLY, own_shop.grant()))
    assert kind_of(report) is ErrorKind.MISCONFIGURED
    assert report.error is not None
    assert "1_connector.sql" in report.error.fix


def test_check_finds_nothing_wrong_and_leaves_nothing_behind(shop: MySQLWorld) -> None:
    before = shop.snapshot()
    findings = check(shop)
    assert [one.message for one in findings if one.level == "error"] == []
    assert any("asks new logins for their passwords" in one.message for one in findings)
    assert any(shop.database in one.message for one in findings)
    assert not any("more than the connector needs" in one.message for one in findings)
    assert shop.snapshot() == before


def test_a_probe_that_a_crash_left_is_removed_by_the_next_check(shop: MySQLWorld) -> None:
    before = shop.snapshot()
    verifier = "*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29"
    if shop.server.kind == "mysql":
        verifier = "$A$005$" + "a" * 63
    shop.sql(f"CALL latchkey.create_login('lk_probe_1', '{verifier}', 'integration-1', 'probe', 'probe', NULL)")
    check(shop)
    assert shop.snapshot() == before


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("GRANT CREATE USER ON *.* TO latchkey", "CREATE USER"),
        ("GRANT SELECT ON mysql.* TO latchkey", "mysql"),
        ("GRANT ALL ON *.* TO latchkey", "SUPER"),
    ],
)
def test_check_says_when_the_connector_has_more_than_it_needs(own_shop: MySQLWorld, more: str, words: str) -> None:
    own_shop.sql(more)
    found = [one for one in check(own_shop) if "more than the connector needs" in one.message]
    assert len(found) == 1
    assert words in found[0].message


def test_check_says_when_access_would_not_end_by_itself(own_shop: MySQLWorld) -> None:
    def warnings() -> list[str]:
        return [one.message for one in check(own_shop) if one.level == "warning"]

    assert not any("by itself" in words for words in warnings())
    own_shop.sql("SET GLOBAL event_scheduler = OFF")
    assert any("scheduler is off" in words for words in warnings())
    own_shop.sql("SET GLOBAL event_scheduler = ON", "ALTER EVENT latchkey.end_what_is_due DISABLE")
    own_shop.sql("UPDATE latchkey.setup SET looked_at = looked_at - 100")
    assert any("has not run for" in words for words in warnings())


def test_check_says_when_anybody_is_let_in_without_a_name(own_shop: MySQLWorld) -> None:
    own_shop.sql("CREATE USER ''@localhost")
    assert any("without a name from localhost" in one.message for one in check(own_shop))


@pytest.mark.parametrize(
    ("answer", "words"), [(None, "wrong password"), (CredentialsRejected("No."), "did not let a new login in")]
)
def test_check_sees_what_the_right_and_the_wrong_password_are_worth(
    shop: MySQLWorld, monkeypatch: pytest.MonkeyPatch, answer: CredentialsRejected | None, words: str
) -> None:
    # As behind a proxy that lets everybody in, or nobody.
    monkeypatch.setattr("connectors.engines.mysql.checking._enters", lambda *arguments: answer)
    (found,) = [one for one in check(shop) if one.level == "error"]
    assert words in found.message


def test_no_statement_outlives_the_lease(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    # A grant waits for whoever holds the grant tables.
    with shop.server.connect() as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLES mysql.db READ")
        began = time.monotonic()
        other = shop.grant()
        report = shop.run(shop.order(Verb.APPLY, replace(grant, wants_credentials=False), other, lease_seconds=4))
        took = time.monotonic() - began
        cursor.execute("UNLOCK TABLES")
    assert took < 6
    assert report.error is not None or of(report, other).units[0].outcome is UnitOutcome.FAILED
    time.sleep(1)
    report = shop.apply(replace(grant, wants_credentials=False))
    assert shop.may(grant, password, "SELECT * FROM orders")


@contextmanager
def silent_server() -> Iterator[int]:
    """Listen, and say nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_server_that_says_nothing_costs_no_more_than_the_lease(shop: MySQLWorld) -> None:
    with silent_server() as port:
        began = time.monotonic()
        report = shop.run(shop.order(Verb.CHECK, config={**shop.config, "port": port}, lease_seconds=3))
        assert time.monotonic() - began < 5
    assert kind_of(report) in (ErrorKind.UNREACHABLE, ErrorKind.LEASE_LOST)


class Tunnel:
    """Passes bytes on until it is told to stop, and then keeps the lines open."""

    def __init__(self, port: int) -> None:
        self.stopped = threading.Event()
        self._target = port
        self._server = socket.socket()
        self._server.bind(("127.0.0.1", 0))
        self._server.listen()
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            other = socket.create_connection(("127.0.0.1", self._target))
            for pair in ((line, other), (other, line)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):  # one side hung up
            while data := source.recv(65536):
                if not self.stopped.is_set():
                    to.sendall(data)

    def close(self) -> None:
        self._server.close()


def test_a_network_that_goes_silent_in_the_middle_ends_with_the_lease(shop: MySQLWorld) -> None:
    tunnel = Tunnel(shop.server.port)
    grant = shop.grant()
    threading.Timer(0.3, tunnel.stopped.set).start()
    began, report = time.monotonic(), None
    while time.monotonic() - began < 20:
        order: Order = shop.order(Verb.APPLY, grant, config={**shop.config, "port": tunnel.port}, lease_seconds=3)
        report = shop.run(order)
        if report.error is not None:
            break
    tunnel.close()
    assert report is not None
    assert kind_of(report) in (ErrorKind.LEASE_LOST, ErrorKind.UNREACHABLE)
    assert time.monotonic() - began < 12


def _certificates(folder: Path) -> None:
    """Make an authority and a certificate for 127.0.0.1."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=db")
    (folder / "names").write_text(
        "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n"
    )
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-out", "server.pem", "-extfile", "names")  # fmt: skip
    for path in folder.iterdir():
        path.chmod(0o644)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    # The server's own user reads them, so every folder of ours on the way is open to it.
    for place in (folder, *(one for one in folder.parents if Path(tempfile.gettempdir()) in one.parents)):
        place.chmod(0o755)
    _certificates(folder)
    return folder


def test_encryption_is_as_strict_as_it_was_chosen(certificates: Path) -> None:
    options = [f"--ssl-cert={certificates / 'server.pem'}", f"--ssl-key={certificates / 'server.key'}"]
    with running("mariadb", *options) as server:
        server.make_connector()
        shop = MySQLWorld(server, "shop")
        shop.create()
        authority = (certificates / "ca.pem").read_text()
        for config in ({"encryption": "require"}, {"encryption": "verify-full", "authority": authority}):
            assert not any("not encrypted" in one.message for one in check(shop, **config))
        assert any("not encrypted" in one.message for one in check(shop, encryption="disable"))
        for wrong in ({"authority": ""}, {"authority": authority, "hostname": "localhost"}):
            config = {**shop.config, "encryption": "verify-full", **wrong}
            report = shop.run(shop.order(Verb.CHECK, config=config))
            assert kind_of(report) is ErrorKind.MISCONFIGURED, report.error
            assert report.error is not None
            assert "certificate" in report.error.message.lower() + report.error.fix
        shop.sql(f"ALTER USER {CONNECTOR} REQUIRE SSL")
        report = shop.run(shop.order(Verb.CHECK, config={**shop.config, "encryption": "disable"}))
        assert kind_of(report) is ErrorKind.CREDENTIALS_REJECTED


def test_a_server_without_encryption_is_not_used_where_it_was_asked_for(mariadb_server: Any) -> None:
    shop = MySQLWorld(mariadb_server, "x")
    for encryption in ("require", "verify-full"):
        report = shop.run(shop.order(Verb.CHECK, config={**shop.config, "encryption": encryption}))
        assert kind_of(report) is ErrorKind.MISCONFIGURED
        assert report.error is not None
        assert "encrypt" in report.error.message
