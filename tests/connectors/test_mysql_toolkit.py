"""What MySQL and MariaDB are sent: verifiers instead of passwords, names and values that stay what they are."""

from __future__ import annotations

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract.errors import Misconfigured
from connectors.engines.mysql.levels import matches, pattern, plain
from connectors.engines.mysql.offers import Offers
from connectors.toolkit.mysql import MySQLQuoting
from connectors.toolkit.mysql_passwords import caching_sha2, native, sha256_crypt
from tests.connectors.mysql_world import MySQLWorld
from tests.targets_mysql import MySQLServer

TEXT = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("password", "salt", "digest"),
    [
        ("Hello world!", "saltstring", "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        ("we have a short salt string but not a short password", "short", None),
    ],
)
def test_the_digest_is_that_of_the_standard(password: str, salt: str, digest: str | None) -> None:
    """SHA-crypt (https://www.akkadia.org/drepper/SHA-crypt.txt), as glibc's own crypt makes it."""
    made = sha256_crypt(password.encode(), salt.encode())
    if digest is not None:
        assert made == digest
    crypt = pytest.importorskip("crypt")
    assert crypt.crypt(password, f"$5${salt}") == f"$5${salt}${made}"


@given(TEXT, st.text(alphabet="abcXYZ019", min_size=1, max_size=16))
def test_every_password_has_the_digest_that_the_system_would_make(password: str, salt: str) -> None:
    crypt = pytest.importorskip("crypt")
    assert crypt.crypt(password, f"$5${salt}") == f"$5${salt}${sha256_crypt(password.encode(), salt.encode())}"


def test_the_verifiers_have_the_form_that_the_servers_keep() -> None:
    assert native("test") == "*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29"
    assert len(caching_sha2("test")) == 70
    assert caching_sha2("test") != caching_sha2("test")
    assert caching_sha2("test", salt="a" * 20).startswith("$A$005$aaaaaaaaaaaaaaaaaaaa")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=TEXT)
def test_a_value_and_a_name_come_back_as_they_went(mariadb_server: MySQLServer, text: str) -> None:
    with mariadb_server.connect() as connection, connection.cursor() as cursor:
        quoting = MySQLQuoting(connection)
        cursor.execute(
            f"SELECT {quoting.literal(text)} AS x, {quoting.literal(text)} IN {quoting.literal([text])} AS y"
        )
        assert cursor.fetchone() == {"x": text, "y": 1}
        if all(ord(character) < 0x10000 for character in text):  # no name on these servers has others
            cursor.execute(f"SELECT 1 AS {quoting.identifier('x' + text + 'x')}")
            assert cursor.fetchone() == {"x" + text + "x": 1}


def test_an_empty_list_is_in_nothing_and_a_name_that_is_too_long_is_none(mariadb_server: MySQLServer) -> None:
    with mariadb_server.connect() as connection:
        quoting = MySQLQuoting(connection)
        assert quoting.literal([]) == "(NULL)"
        assert (quoting.literal(None), quoting.literal(7)) == ("NULL", "7")
        with pytest.raises(Misconfigured):
            quoting.identifier("x" * 129)


@given(TEXT)
def test_a_pattern_means_its_database_and_no_other(database: str) -> None:
    assert plain(pattern(database)) == database
    assert matches(pattern(database), database)
    assert not matches(pattern(database), database + "x")
    assert not matches(pattern(f"{database}_"), f"{database}x")


@pytest.mark.parametrize(
    ("found", "database", "true"),
    [("shop%", "shop_1", True), ("shop_1", "shopx1", True), ("shop\\_1", "shopx1", False), ("%", "x", True),
     ("shop%", "Shop", False), ("a.c", "abc", False), ("a\\%", "ab", False), ("%\n", "x\n", True)],
)  # fmt: skip
def test_a_pattern_matches_as_the_server_would(found: str, database: str, true: bool) -> None:
    assert matches(found, database) == true


def test_what_can_be_passed_on_is_what_is_held_with_the_right_to() -> None:
    select = frozenset({"SELECT"})
    offers = Offers(
        {
            ("server",): frozenset({"INSERT"}),
            ("database", "shop"): frozenset({"SELECT", "GRANT OPTION"}),
            ("pattern", "sh%"): frozenset({"SELECT", "DELETE", "GRANT OPTION"}),
            ("pattern", "%"): frozenset({"UPDATE", "GRANT OPTION"}),
            ("table", "books", "t"): frozenset({"SELECT", "GRANT OPTION"}),
        }
    )
    assert offers.missing(select | {"INSERT"}, "shop") == frozenset()
    assert offers.missing(frozenset({"DELETE"}), "shop") == {"DELETE"}  # the exact one counts, and no other
    assert offers.missing(frozenset({"DELETE"}), "shed") == frozenset()
    assert offers.missing(select, "books") == select
    assert offers.missing(select, "books", "t") == frozenset()


def test_the_server_itself_takes_the_verifier(shop: MySQLWorld) -> None:
    grant = shop.grant()
    password = shop.password_of(shop.apply(grant), grant)
    with pytest.raises(pymysql.Error):
        shop.enter(grant, password + "x")
    shop.enter(grant, password).close()
