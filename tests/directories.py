"""A prepared domain for tests: people, groups, and behind each group something that only its members can see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ldap3

from connectors.contract.orders import Unit
from connectors.registry import PROVIDERS
from tests.targets_samba import BASE, Samba

SETUP = PROVIDERS / "active-directory" / "setup"
CONNECTOR, PASSWORD = "latchkey", "Connector-Pass-1!"
PEOPLE, GROUPS, OTHERS, VAULT = (f"{name},{BASE}" for name in ("OU=People", "OU=Shop", "OU=Others", "CN=Vault"))
RECORDS = f"CN=Latchkey,{BASE}"
# What the world has when it is made: groups that the connector may write, and one that it may not.
READY, CLOSED = ("Shop Readers", "Shop Writers"), "Payroll"


@dataclass
class World:
    """A domain controller with a connector that may write the members of the groups in OU=Shop."""

    server: Samba
    guids: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make people, groups and what is behind them, and run the set-up file as an admin would."""
        for place in (PEOPLE, GROUPS, OTHERS):
            self.server.add(place, objectClass="organizationalUnit")
        self.server.add(VAULT, objectClass="container", nTSecurityDescriptor="O:DAG:DAD:P(A;;GA;;;DA)(A;;LCRP;;;AU)")
        self.person("Ada Live", "ada.live", "Ada-Pass-1!", mail="ada.live@example.com")
        for name in READY:
            self.group(name)
        self.group(CLOSED, OTHERS)
        self.set_up(GROUPS)

    def set_up(self, *places: str) -> None:
        """Run the set-up file."""
        self.server.script(SETUP / "1_samba.sh", PLACES="\n".join(places), PASSWORD=PASSWORD, ACCOUNT=CONNECTOR)

    def person(self, name: str, account: str, password: str, **attributes: str) -> str:
        """Make somebody's account and return its DN."""
        dn = f"CN={name},{PEOPLE}"
        self.server.user(dn, account, password, userPrincipalName=f"{account}@jit.test", **attributes)
        return dn

    def group(self, name: str, place: str = GROUPS, dn: str = "") -> Unit:
        """Make a group, and an object in the vault that only its members can see."""
        dn = dn or f"CN={name},{place}"
        self.server.add(dn, objectClass="group", sAMAccountName=name)
        self.guids[name] = self.server.value(dn, "objectGUID")
        sid = self.server.value(dn, "objectSid")
        self.server.add(
            f"CN={self.guids[name]},{VAULT}",
            objectClass="container",
            nTSecurityDescriptor=f"O:DAG:DAD:P(A;;GA;;;DA)(A;;RPLCLO;;;{sid})",
        )
        return self.unit(name)

    def many(self, number: int, place: str, name: str = "many") -> None:
        """Make many groups in one go, called by a name and a number."""
        named = "dn: CN={0} {1},{2}\nobjectClass: group\nsAMAccountName: {0}-{1}\n"
        entries = [named.format(name, at, place) for at in range(number)]
        self.server.relaxed("ldbadd", "\n".join(entries))

    def unit(self, name: str) -> Unit:
        """Return membership in a group."""
        return Unit("group", self.guids[name], "MEMBER")

    def config(self, **change: Any) -> dict[str, Any]:
        """Return the configuration of an integration."""
        return {
            "hostname": self.server.host,
            "port": self.server.ldaps_port,
            "encryption": "ldaps",
            "verify": True,
            "ca": self.server.ca,
            "username": f"{CONNECTOR}@jit.test",
            **change,
        }

    def sees(self, user: str, password: str, unit: Unit) -> bool:
        """Say whether somebody who signs in now can see what is behind a group."""
        server = ldap3.Server(self.server.host, port=self.server.ldaps_port, use_ssl=True, get_info=ldap3.NONE)
        with ldap3.Connection(server, user, password, auto_bind=True, check_names=False) as connection:
            connection.search(f"CN={unit.resource},{VAULT}", "(objectClass=container)", ldap3.BASE)
            return bool(connection.entries)

    def join(self, name: str, unit: Unit) -> None:
        """Make somebody a member by hand."""
        self.server.modify(f"<GUID={unit.resource}>", "add", "member", f"CN={name},{PEOPLE}")

    def leave(self, name: str, unit: Unit) -> None:
        """Take somebody out by hand."""
        self.server.modify(f"<GUID={unit.resource}>", "delete", "member", f"CN={name},{PEOPLE}")

    def members(self, unit: Unit) -> list[str]:
        """Return the members of a group."""
        lines = self.server.search(f"<GUID={unit.resource}>", "member", scope="base")
        return sorted(line.removeprefix("member: ") for line in lines if line.startswith("member: "))

    def records(self) -> list[str]:
        """Return our records, with all that they say."""
        return self.server.search(RECORDS, "description", "adminDescription", scope="one")

    def snapshot(self) -> object:
        """Return the members of every group, and all records."""
        members = self.server.search(BASE, "member", filter="(objectCategory=group)")
        return sorted(members), self.records()
