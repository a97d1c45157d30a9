"""An AWS organization of its own for connectors.vet.live: moto's server, with Identity Center as slow as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.contract.orders import Person, Unit
from connectors.registry import PROVIDERS
from tests.aws.server import AWS, REGION, environment, running
from tests.live import aws_account

SETUP = PROVIDERS / "aws-organization" / "setup"
PORTAL = "https://d-1234567890.awsapps.com/start"
TAGS = [{"Key": "latchkey:grantable", "Value": "true"}]


class OrganizationLive:
    """An organization of units, accounts, permission sets and people."""

    def __init__(self, aws: AWS) -> None:
        self.aws = aws
        self.config: dict[str, Any] = {"region": REGION, "sso_region": REGION, "portal_url": PORTAL}
        self.secrets: dict[str, str] = {}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com", "ada.live"))
        self.sso: Any = aws.client("sso-admin")
        self.people: Any = aws.client("identitystore")
        found = self.sso.list_instances()["Instances"][0]
        self.instance, self.store = found["InstanceArn"], found["IdentityStoreId"]
        self.accounts: dict[str, str] = {}
        self.made: list[str] = []
        self._furnish()
        self.reader = self.permission_set("Reader", seconds=0.2)
        self.operator = self.permission_set("Operator")
        self.hidden = self.permission_set("Administrator", tags=[])
        self.user = self.make_user("ada", "ada.live@example.com")
        self.make_user("bob", "bob@example.com")
        self.units = (self.unit("production", self.reader), self.unit("tests", self.operator))

    def unit(self, account: str, permission_set: str) -> Unit:
        """Return a unit."""
        return Unit("account", self.accounts[account], permission_set)

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Say whether the assignment is there: nobody can sign in to moto's Identity Center."""
        return unit in self.assigned(self.user)

    def assigned(self, principal: str) -> list[Unit]:
        """Return what is assigned to a user directly, once for each time."""
        every = [
            self.sso.list_account_assignments(InstanceArn=self.instance, AccountId=account, PermissionSetArn=one)
            for account in self.accounts.values()
            for one in self.sso.list_permission_sets(InstanceArn=self.instance)["PermissionSets"]
        ]
        return [
            Unit("account", row["AccountId"], row["PermissionSetArn"])
            for answer in every
            for row in answer["AccountAssignments"]
            if row["PrincipalId"] == principal
        ]

    def snapshot(self) -> object:
        """Return every assignment, the people and the permission sets."""
        users = self.people.list_users(IdentityStoreId=self.store)["Users"]
        sets = self.sso.list_permission_sets(InstanceArn=self.instance)["PermissionSets"]
        found = [[user["UserId"], [repr(unit) for unit in self.assigned(user["UserId"])]] for user in users]
        return json.loads(json.dumps([found, sets], default=str))

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> None:
        """Open none: a session at AWS is not ended by the end of an assignment, and the README says so."""

    def give_standing(self, unit: Unit) -> bool:
        """Assign it by hand."""
        self.assign(unit, self.user)
        return True

    def take_standing(self, unit: Unit) -> None:
        """Take it by hand."""
        self.sso.delete_account_assignment(**self.assignment(unit, self.user))
        self.settle()

    def assign(self, unit: Unit, principal: str, kind: str = "USER") -> None:
        """Assign something by hand and wait until it is there."""
        self.sso.create_account_assignment(**self.assignment(unit, principal, kind))
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is under way."""
        for name in ("creation", "deletion"):
            look = getattr(self.sso, f"list_account_assignment_{name}_status")
            key = f"AccountAssignments{name.title()}Status"
            while look(InstanceArn=self.instance, Filter={"Status": "IN_PROGRESS"})[key]:
                pass

    def permission_set(self, name: str, tags: Any = None, duration: str = "PT1H", **say: Any) -> str:
        """Make a permission set that may be asked for, and whose assignments go as its description says."""
        made = self.sso.create_permission_set(
            InstanceArn=self.instance,
            Name=name,
            Description=json.dumps(say) if say else "plain",
            SessionDuration=duration,
            Tags=TAGS if tags is None else tags,
        )
        self.made.append(str(made["PermissionSet"]["PermissionSetArn"]))
        return self.made[-1]

    def unmake(self, *but: str) -> None:
        """Delete the permission sets that a test made, and what is assigned with them."""
        self.settle()
        for one in [one for one in self.made if one not in but]:
            # From here on it is quick.
            self.sso.update_permission_set(InstanceArn=self.instance, PermissionSetArn=one, Description="plain")
            for account in self.accounts.values():
                found = self.sso.list_account_assignments(
                    InstanceArn=self.instance, AccountId=account, PermissionSetArn=one
                )
                for row in found["AccountAssignments"]:
                    unit = Unit("account", account, one)
                    self.sso.delete_account_assignment(
                        **self.assignment(unit, row["PrincipalId"], row["PrincipalType"])
                    )
            self.sso.delete_permission_set(InstanceArn=self.instance, PermissionSetArn=one)
            self.made.remove(one)

    def make_user(self, name: str, *emails: str) -> str:
        """Make a user of Identity Center."""
        made = self.people.create_user(
            IdentityStoreId=self.store,
            UserName=name,
            DisplayName=name,
            Name={"GivenName": name, "FamilyName": name},
            Emails=[{"Value": email, "Type": "work", "Primary": True} for email in emails],
        )
        return str(made["UserId"])

    def assignment(self, unit: Unit, principal: str, kind: str = "USER") -> dict[str, str]:
        """Return the parts of an assignment as AWS's calls name them."""
        return {
            "InstanceArn": self.instance,
            "TargetId": unit.resource,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": unit.permission,
            "PrincipalType": kind,
            "PrincipalId": principal,
        }

    def _furnish(self) -> None:
        """Make the organization: Production, Sandbox/Old, and accounts in them and in the root."""
        org: Any = self.aws.client("organizations")
        org.create_organization(FeatureSet="ALL")
        root = org.list_roots()["Roots"][0]["Id"]
        self.parents = {"": root}
        for name, parent in (("Production", ""), ("Sandbox", ""), ("Old", "Sandbox")):
            made = org.create_organizational_unit(ParentId=self.parents[parent], Name=name)
            self.parents[name] = made["OrganizationalUnit"]["Id"]
        for name, parent in (("production", "Production"), ("tests", "Sandbox"), ("ancient", "Old"), ("audit", "")):
            status = org.create_account(
                AccountName=name, Email=f"{name}@example.com", Tags=[{"Key": "env", "Value": name}]
            )
            id_ = status["CreateAccountStatus"]["AccountId"]
            self.accounts[name] = id_
            org.move_account(AccountId=id_, SourceParentId=root, DestinationParentId=self.parents[parent])


def missing() -> str:
    """Return why there can be no AWS."""
    return aws_account.missing()


@contextmanager
def live() -> Iterator[OrganizationLive]:
    """Start an organization, and be a connector that has the rights of the set-up file and no others."""
    with running() as aws:
        found = OrganizationLive(aws)
        aws.make_connector(SETUP / "connector.json")
        with environment(aws.environment):
            yield found
