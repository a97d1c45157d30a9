"""The domain of an order, through PowerShell on one of its controllers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.errors import Misconfigured, TargetMissing
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.memberships import NO_END, Account, Group, Record, parse_records
from connectors.toolkit.powershell import Host, Server
from connectors.toolkit.powershell_errors import OBJECT_EXISTS

from . import programs

PORTS = {True: 5986, False: 5985}


class Domain:
    """A domain that was entered; see connectors.toolkit.memberships.Directory.

    `own_groups` are the SIDs of what the connector's account is in, also indirectly.
    """

    def __init__(self, host: Host, order: Order) -> None:
        """Ask the controller what it is."""
        self.host = host
        (told,) = host.rows(programs.DOMAIN)
        self.base = str(order.config.get("base_dn") or told["naming"])
        self.groups_base = str(order.config.get("groups_dn") or self.base)
        self.records = str(order.config.get("records_dn") or f"CN=Latchkey,{told['naming']}")
        self.domain = str(told["domain"])
        self.controller = str(told["controller"])
        self.own_groups = tuple(map(str, told["own_groups"]))
        self.ends = bool(told["ends"])

    def clock(self) -> float:
        """Return the controller's time."""
        return float(self.host.rows(programs.DOMAIN)[0]["now"])

    def accounts_by_address(self, address: str) -> list[Account]:
        """Return the accounts with this e-mail address or sign-in name."""
        rows = self.host.rows(programs.ACCOUNTS_BY_ADDRESS, base=self.base, address=address)
        return [_account(row) for row in rows]

    def accounts_by_name(self, name: str) -> list[Account]:
        """Return the accounts with this account name."""
        return [_account(row) for row in self.host.rows(programs.ACCOUNTS_BY_NAME, base=self.base, name=name)]

    def account(self, guid: str) -> Account | None:
        """Return an account."""
        rows = self.host.rows(programs.ACCOUNT, account=guid)
        return _account(rows[0]) if rows else None

    def groups_of(self, account: Account) -> frozenset[str]:
        """Return what an account is a member of, asked from the account's side: groups may have any number."""
        rows = self.host.rows(programs.MEMBERSHIPS, base=self.base, account=account.dn, primary=account.primary)
        return frozenset(str(row["guid"]) for row in rows)

    def group(self, guid: str) -> Group | None:
        """Return a group."""
        rows = self.host.rows(programs.GROUP, group=guid)
        return Group(**rows[0]) if rows else None

    def groups(self, size: int) -> Iterator[list[Group]]:
        """Yield the groups that may be shown, at most `size` at a time."""
        for rows in self.host.stream(programs.GROUPS, size, base=self.groups_base):
            yield [Group(**row) for row in rows]

    def records_about(self, marker: str) -> list[Record]:
        """Return the records with this marker."""
        try:
            rows = self.host.rows(programs.RECORDS, records=self.records, marker=marker)
        except TargetMissing as error:
            raise Misconfigured(
                f"There is no container of records at {self.records}.",
                fix="Run the set-up file, or name the container.",
            ) from error
        # A directory compares without regard to case.
        return _records([row for row in rows if marker in row["markers"]])

    def records_of(self, account: str) -> list[Record]:
        """Return the records about an account."""
        return _records(self.host.rows(programs.RECORDS_OF_ACCOUNT, records=self.records, account=account))

    def create_record(self, marker: str, record: Record) -> None:
        """Write a record down."""
        self.host.change(
            programs.CREATE_RECORD,
            already=(OBJECT_EXISTS,),
            records=self.records,
            name=record.name,
            marker=marker,
            account=record.account,
            facts=record.facts,
        )

    def change_record(self, record: Record) -> None:
        """Write down another end."""
        self.host.change(programs.CHANGE_RECORD, records=self.records, name=record.name, facts=record.facts)

    def drop_record(self, record: Record) -> None:
        """Delete a record."""
        self.host.change(programs.DROP_RECORD, records=self.records, name=record.name)

    def give(self, group: str, account: Account, seconds: int, *, member: bool) -> None:
        """Make an account a member, or change its end."""
        if seconds == NO_END:
            program = programs.RENEW_MEMBER if member else programs.GRANT_MEMBER
            self.host.change(program, group=group, account=account.dn)
        else:
            program = programs.RENEW_MEMBER_UNTIL if member else programs.GRANT_MEMBER_UNTIL
            self.host.change(program, group=group, account=account.dn, seconds=seconds)

    def take(self, group: str, account: Account) -> None:
        """Take an account out."""
        try:
            self.host.change(programs.REVOKE_MEMBER, group=group, account=account.dn)
        except TargetMissing:
            return


@contextmanager
def enter(order: Order, run: Run) -> Iterator[Domain]:
    """Sign in to the controller of an order. Raises a TargetError."""
    config = order.config
    ssl = config.get("ssl", True) not in (False, "false")
    server = Server(
        host=str(config.get("hostname", "")),
        port=int(config.get("port") or PORTS[ssl]),
        ssl=ssl,
        user=str(config.get("username", "")),
        password=order.secrets["password"],
        authentication=str(config.get("authentication") or "negotiate"),
        verify=config.get("verify", True) not in (False, "false"),
        ca=str(config.get("ca") or ""),
        configuration=str(config.get("configuration") or "Microsoft.PowerShell"),
    )
    if not server.host:
        raise Misconfigured("The domain controller has no host name.", fix="Enter one.")
    with Host(server, run, dry_run=order.dry_run) as host:
        yield Domain(host, order)


def _account(row: dict[str, Any]) -> Account:
    """Return an account as it was read."""
    texts = {name: str(row[name]) for name in ("guid", "dn", "name", "sign_in", "mail", "primary")}
    return Account(**texts, disabled=not row["enabled"])


def _records(rows: list[dict[str, Any]]) -> list[Record]:
    """Return records as they were read."""
    return parse_records((str(row["name"]), str(row["facts"])) for row in rows)
