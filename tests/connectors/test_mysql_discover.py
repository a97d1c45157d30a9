"""Finding what can be asked for at MySQL and MariaDB."""

from __future__ import annotations

import json
from dataclasses import replace

from connectors.contract.errors import ErrorKind
from connectors.contract.orders import Page, Report, ResourceFact, Unit, Verb
from tests.connectors.mysql_world import MySQLWorld, name, of, pattern


def discover(shop: MySQLWorld, *types: str, size: int = 5000, resume: str = "") -> tuple[Report, list[Page]]:
    """Return what a sync finds, in pages."""
    pages: list[Page] = []
    order = replace(shop.order(Verb.DISCOVER), resource_types=types, page_size=size, resume=resume)
    report = shop.run(order, on_page=pages.append)
    assert report.error is None, report.error
    return report, pages


def found(pages: list[Page]) -> dict[str, ResourceFact]:
    """Return resources by source id."""
    return {one.source_id: one for page in pages for one in page.resources}


def test_the_server_s_own_databases_are_not_offered(shop: MySQLWorld) -> None:
    _, pages = discover(shop, "database")
    names = {one.name for one in found(pages).values()}
    assert shop.database in names
    assert not names & {"mysql", "sys", "latchkey", "information_schema", "performance_schema"}


def test_what_cannot_be_given_says_why(shop: MySQLWorld) -> None:
    shop.prepare("READ_ONLY")
    shop.sql("CREATE DATABASE bare")
    _, pages = discover(shop, "database")
    one, bare = found(pages)[json.dumps([shop.database])], found(pages)['["bare"]']
    assert set(one.refusals) == {"READ_WRITE", "ADMIN"}
    assert set(bare.refusals) == {"READ_ONLY", "READ_WRITE", "ADMIN"}
    assert "2_database.sql" in bare.refusals["READ_ONLY"]
    shop.sql("DROP DATABASE bare")


def test_wide_grants_of_the_connector_count_where_the_server_lets_them(shop: MySQLWorld) -> None:
    shop.sql("CREATE DATABASE wide_open", "CREATE DATABASE wide_shut")
    shop.sql("GRANT SELECT ON `wide%`.* TO latchkey WITH GRANT OPTION", "GRANT INSERT ON `wide\\_shut`.* TO latchkey")
    _, pages = discover(shop, "database")
    grants = [shop.grant(Unit("database", f'["{one}"]', "READ_ONLY")) for one in ("wide_open", "wide_shut")]
    report = shop.apply(*grants)
    for grant in grants:
        refused = "READ_ONLY" in found(pages)[grant.units[0].resource].refusals
        assert refused == (of(report, grant).units[0].error is not None)
    assert "READ_ONLY" in found(pages)['["wide_shut"]'].refusals
    shop.apply(gone=tuple(grants))
    shop.sql("DROP DATABASE wide_open", "DROP DATABASE wide_shut")
    shop.sql("REVOKE SELECT, GRANT OPTION ON `wide%`.* FROM latchkey", "REVOKE INSERT ON `wide\\_shut`.* FROM latchkey")


def test_tables_come_in_pages_and_a_sync_goes_on_where_it_stopped(shop: MySQLWorld) -> None:
    here = name(shop.database)
    odd = ["A", "a", "B_%", "ä", "z`z", "データ"]
    shop.sql(*(f"CREATE TABLE {here}.{name(one)} (a INT)" for one in odd), f"CREATE VIEW {here}.v AS SELECT 1 AS a")
    report, pages = discover(shop, "table", "database", size=2)
    everything = [one.source_id for page in pages for one in page.resources]
    assert len(everything) == len(set(everything)) == report.found
    assert {json.dumps([shop.database, one], ensure_ascii=False, separators=(",", ":")) for one in odd} <= set(
        everything
    )
    assert set(found(pages)[json.dumps([shop.database, "v"], separators=(",", ":"))].refusals) == {
        "READ_WRITE",
        "ADMIN",
    }
    for number, page in enumerate(pages):
        _, rest = discover(shop, "table", "database", size=2, resume=page.resume)
        assert [one.source_id for later in rest for one in later.resources] == everything[2 * (number + 1) :]


def test_a_word_to_go_on_from_that_makes_no_sense_is_refused(shop: MySQLWorld) -> None:
    report = shop.run(shop.order(Verb.DISCOVER, resume="not JSON"))
    assert report.error is not None
    assert report.error.kind is ErrorKind.MISCONFIGURED


def test_roles_that_lead_too_far_are_shown_and_refused(shop: MySQLWorld) -> None:
    here = pattern(shop.database)
    shop.sql(
        *(f"CREATE ROLE {one}" for one in ("fine", "mighty", "passing", "`inner`", "leads_on", "not_ours")),
        f"GRANT SELECT ON {here}.* TO fine",
        "GRANT SELECT ON *.* TO mighty",
        f"GRANT SELECT ON {here}.* TO passing WITH GRANT OPTION",
        "GRANT UPDATE ON mysql.* TO `inner`",
        "GRANT `inner` TO leads_on",
    )
    for role in ("fine", "mighty", "passing", "inner", "leads_on"):
        shop.server.set_up("3_role.sql", role=role)
    _, pages = discover(shop, "role")
    reasons = {one.name: one.refusals.get("MEMBER", "") for one in found(pages).values()}
    assert reasons["fine"] == ""
    assert "SELECT on the whole server" in reasons["mighty"]
    assert "may pass on" in reasons["passing"]
    assert "database mysql" in reasons["inner"]
    assert reasons["leads_on"].startswith("It leads to inner: ")
    assert "WITH ADMIN OPTION" in reasons["not_ours"]
    grant = shop.grant(*(Unit("role", json.dumps([one]), "MEMBER") for one in reasons))
    kinds = {
        json.loads(one.unit.resource)[0]: one.error.kind if one.error else None
        for one in of(shop.apply(grant), grant).units
    }
    assert kinds == {
        "fine": None,
        "mighty": ErrorKind.REFUSED,
        "passing": ErrorKind.REFUSED,
        "inner": ErrorKind.REFUSED,
        "leads_on": ErrorKind.REFUSED,
        "not_ours": ErrorKind.NOT_PERMITTED,
    }
    shop.apply(gone=(grant,))
    shop.sql("DROP ROLE fine, mighty, passing, `inner`, leads_on, not_ours")
