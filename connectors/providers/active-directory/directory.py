"""The domain of an order, over LDAP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from connectors.contract.errors import Misconfigured, TargetMissing
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.ldap import Directory, Entry, Server
from connectors.toolkit.ldap_errors import ENTRY_EXISTS, NO_SUCH_ATTRIBUTE, VALUE_EXISTS
from connectors.toolkit.memberships import NO_END, Account, Group, Record, parse_records

from . import programs

# The name of the optional feature in CN=Optional Features (MS-ADTS, 3.1.1.9.2).
PAM_FEATURE = "cn=privileged access management feature,"
# userAccountControl, ACCOUNTDISABLE (MS-ADTS, 2.2.16).
DISABLED = 0x2
# The control for permissive changes (1.2.840.113556.1.4.1413) keeps Windows from saying so; Samba says it anyway.
THERE_ALREADY = (VALUE_EXISTS, ENTRY_EXISTS)
GONE_ALREADY = (NO_SUCH_ATTRIBUTE,)


class Domain:
    """A domain that was entered; see connectors.toolkit.memberships.Directory.

    `own_groups` are the SIDs of what the connector's account is in, also indirectly.
    """

    def __init__(self, directory: Directory, order: Order) -> None:
        """Ask the controller what it is. Raises Misconfigured where it is no Active Directory's."""
        self.line = directory
        root = next(iter(directory.rows(programs.ROOT)))
        naming, configuration = root.text("defaultNamingContext"), root.text("configurationNamingContext")
        if not naming or not configuration:
            raise Misconfigured("This is no Active Directory: it names no domain.", fix="Check host name and port.")
        self.base = str(order.config.get("base_dn") or naming)
        self.groups_base = str(order.config.get("groups_dn") or self.base)
        self.records = str(order.config.get("records_dn") or f"CN=Latchkey,{naming}")
        self.domain = ".".join(part[3:] for part in naming.split(",") if part[:3].upper() == "DC=")
        self.controller = root.text("dnsHostName")
        self.own_groups = tuple(sid_of(raw) for raw in root.attributes.get("tokengroups", ()))
        self.ends = _ends(directory, configuration)

    def clock(self) -> float:
        """Return the controller's time."""
        return moment(self.line.rows(programs.ROOT)[0].text("currentTime"))

    def accounts_by_address(self, address: str) -> list[Account]:
        """Return the accounts with this e-mail address or sign-in name."""
        rows = self.line.rows(programs.ACCOUNTS_BY_ADDRESS, base=self.base, address=address)
        return [account_of(row) for row in rows]

    def accounts_by_name(self, name: str) -> list[Account]:
        """Return the accounts with this account name."""
        return [account_of(row) for row in self.line.rows(programs.ACCOUNTS_BY_NAME, base=self.base, name=name)]

    def account(self, guid: str) -> Account | None:
        """Return an account."""
        rows = self.line.rows(programs.ACCOUNT, missing_is_empty=True, account=guid)
        return account_of(rows[0]) if rows else None

    def groups_of(self, account: Account) -> frozenset[str]:
        """Return what an account is a member of, asked from the account's side: groups may have any number."""
        rows = self.line.rows(programs.MEMBERSHIPS, base=self.base, account=account.dn, primary=account.primary)
        return frozenset(guid_of(row.raw("objectGUID")) for row in rows)

    def group(self, guid: str) -> Group | None:
        """Return a group."""
        rows = self.line.rows(programs.GROUP, missing_is_empty=True, group=guid)
        return group_of(rows[0]) if rows else None

    def groups(self, size: int) -> Iterator[list[Group]]:
        """Yield the groups that may be shown, at most `size` at a time."""
        for rows in self.line.stream(programs.GROUPS, size, base=self.groups_base):
            yield [group_of(row) for row in rows]

    def records_about(self, marker: str) -> list[Record]:
        """Return the records with this marker."""
        try:
            rows = self.line.rows(programs.RECORDS, records=self.records, marker=marker)
        except TargetMissing as error:
            raise Misconfigured(
                f"There is no container of records at {self.records}.",
                fix="Run the set-up file, or name the container.",
            ) from error
        # A directory compares without regard to case.
        return _records([row for row in rows if marker in row.texts("description")])

    def records_of(self, account: str) -> list[Record]:
        """Return the records about an account."""
        return _records(self.line.rows(programs.RECORDS_OF_ACCOUNT, records=self.records, account=account))

    def create_record(self, marker: str, record: Record) -> None:
        """Write a record down."""
        self.line.change(
            programs.CREATE_RECORD,
            already=(ENTRY_EXISTS,),
            records=self.records,
            name=record.name,
            marker=marker,
            account=record.account,
            facts=record.facts,
        )

    def change_record(self, record: Record) -> None:
        """Write down another end."""
        self.line.change(programs.CHANGE_RECORD, records=self.records, name=record.name, facts=record.facts)

    def drop_record(self, record: Record) -> None:
        """Delete a record."""
        try:
            self.line.change(programs.DROP_RECORD, records=self.records, name=record.name)
        except TargetMissing:
            return

    def give(self, group: str, account: Account, seconds: int, *, member: bool) -> None:
        """Make an account a member, or change its end."""
        if seconds == NO_END:
            program = programs.RENEW_MEMBER if member else programs.GRANT_MEMBER
            self.line.change(program, already=THERE_ALREADY, group=group, account=account.dn)
        else:
            program = programs.RENEW_MEMBER_UNTIL if member else programs.GRANT_MEMBER_UNTIL
            self.line.change(program, already=THERE_ALREADY, group=group, account=account.dn, seconds=seconds)

    def take(self, group: str, account: Account) -> None:
        """Take an account out. That it is not in there is told in several ways, so a refusal is looked into."""
        try:
            self.line.change(programs.REVOKE_MEMBER, already=GONE_ALREADY, group=group, account=account.dn)
        except TargetMissing:
            return
        except Misconfigured:
            if group in self.groups_of(account):
                raise


@contextmanager
def enter(order: Order, run: Run) -> Iterator[Domain]:
    """Sign in to the domain of an order. Raises a TargetError."""
    config = order.config
    server = Server(
        host=str(config.get("hostname", "")),
        port=int(config.get("port") or 636),
        encryption=str(config.get("encryption") or "ldaps"),
        user=str(config.get("username", "")),
        password=order.secrets["password"],
        # A boolean may have come as a word.
        verify=config.get("verify", True) not in (False, "false"),
        ca=str(config.get("ca") or ""),
    )
    if not server.host:
        raise Misconfigured("The domain controller has no host name.", fix="Enter one.")
    with Directory(server, run, dry_run=order.dry_run) as directory:
        yield Domain(directory, order)


def account_of(entry: Entry) -> Account:
    """Return an account as it was read."""
    sid = sid_of(entry.raw("objectSid"))
    return Account(
        guid=guid_of(entry.raw("objectGUID")),
        dn=entry.dn,
        name=entry.text("sAMAccountName"),
        sign_in=entry.text("userPrincipalName"),
        mail=entry.text("mail"),
        primary=f"{sid.rpartition('-')[0]}-{entry.text('primaryGroupID')}",
        disabled=bool(int(entry.text("userAccountControl") or 0) & DISABLED),
    )


def group_of(entry: Entry) -> Group:
    """Return a group as it was read; a constructed attribute says what we may write of it."""
    return Group(
        guid=guid_of(entry.raw("objectGUID")),
        dn=entry.dn,
        name=entry.text("cn"),
        description=entry.text("description"),
        kind=int(entry.text("groupType") or 0),
        protected=entry.text("adminCount") == "1",
        writable="member" in map(str.lower, entry.texts("allowedAttributesEffective")),
    )


def guid_of(raw: bytes) -> str:
    """Return an objectGUID as text. Raises Misconfigured where there is none: then nothing can be named."""
    if len(raw) != 16:
        raise Misconfigured("The directory shows no objectGUID.", fix="Let the connector's user read it.")
    return str(UUID(bytes_le=raw))


def sid_of(raw: bytes) -> str:
    """Return an objectSid as text (MS-DTYP, 2.4.2.2); nothing where there is none."""
    if len(raw) < 8 or len(raw) != 8 + 4 * raw[1]:
        return ""
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, len(raw), 4)]
    return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])


def moment(generalized: str) -> float:
    """Return a GeneralizedTime (20261127232803.0Z) in seconds since the epoch. Raises Misconfigured."""
    try:
        return datetime.strptime(generalized[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise Misconfigured("The controller does not tell its time.") from error


def _ends(directory: Directory, configuration: str) -> bool:
    """Say whether Privileged Access Management is on in the forest; what cannot be seen is not relied upon."""
    rows = directory.rows(programs.FEATURES, missing_is_empty=True, configuration=configuration)
    return any(name.lower().startswith(PAM_FEATURE) for row in rows for name in row.texts("msDS-EnabledFeature"))


def _records(rows: list[Entry]) -> list[Record]:
    """Return records as they were read."""
    return parse_records((row.text("cn"), row.text("adminDescription")) for row in rows)
