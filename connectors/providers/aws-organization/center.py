"""Identity Center and the organization that an order is about, and who the person is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connectors.contract.errors import Misconfigured, NotPermitted, TargetMissing
from connectors.contract.orders import Order, Person
from connectors.contract.provider import Run
from connectors.toolkit.aws import Cloud, check_region
from connectors.toolkit.pace import Berths, Pace, PerKey

from . import programs

# What Identity Center takes from all of its administrators together; organizations has a limit of its own.
CALLS_A_SECOND = 20.0
IN_FLIGHT = 10
GRANTABLE = "latchkey:grantable"
HOUR = 3600
# Shared by all orders of this process about one Identity Center.
PACES = PerKey(lambda: Pace(CALLS_A_SECOND))
BERTHS = PerKey(lambda: Berths(IN_FLIGHT))


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A permission set. `session`: for how many seconds a sign-in with it lasts. `refusal`: why it cannot be given."""

    arn: str
    name: str
    session: int
    refusal: str
    risk_level: int = 5


@dataclass(slots=True)
class Center:
    """Identity Center, open for one order. `delegated`: the connector is not in the account that manages it."""

    cloud: Cloud
    berths: Berths
    config: dict[str, Any]
    identity: str
    account: str
    instance: str
    store: str
    known: dict[str, PermissionSet] = field(default_factory=dict)

    def permission_set(self, arn: str) -> PermissionSet:
        """Return a permission set, asked for once. Raises TargetMissing."""
        if arn not in self.known:
            found = self.cloud.read(programs.PERMISSION_SET, instance=self.instance, permission_set=arn)[
                "PermissionSet"
            ]
            session = seconds(str(found.get("SessionDuration") or "PT1H"))
            self.known[arn] = PermissionSet(arn, str(found["Name"]), session, self._refusal(arn, session))
        return self.known[arn]

    def portal(self) -> str:
        """Return the address of the access portal, without a slash at its end."""
        return str(self.config.get("portal_url", "")).rstrip("/")

    def excluded(self, name: str) -> frozenset[str]:
        """Return the ids in a field of the configuration."""
        return frozenset(str(self.config.get(name) or "").replace(",", " ").split())

    def longest(self) -> int:
        """Return for how many seconds a session may last at most; 0 where that does not matter."""
        return int(self.config.get("longest_session_hours") or 0) * HOUR

    def _refusal(self, arn: str, session: int) -> str:
        """Return why a permission set cannot be given, or nothing."""
        if self.longest() and session > self.longest():
            return f"Its sessions last {session / HOUR:g} hours; this integration allows {self.longest() / HOUR:g}."
        pages = self.cloud.pages(programs.PERMISSION_SET_TAGS, instance=self.instance, permission_set=arn)
        if not any(tag == {"Key": GRANTABLE, "Value": "true"} for page in pages for tag in page["Tags"]):
            return f"It does not bear the tag {GRANTABLE} = true."
        return ""


@contextmanager
def open_center(order: Order, run: Run) -> Iterator[Center]:
    """Find Identity Center. Raises a TargetError."""
    config = order.config
    region = check_region(str(config.get("sso_region", "")))
    profile, role = str(config.get("profile") or ""), str(config.get("management_role") or "")
    check_portal(str(config.get("portal_url", "")))
    pace, berths = PACES.of(region, profile, role), BERTHS.of(region, profile, role)
    with Cloud(run, region=region, profile=profile, dry_run=order.dry_run, pace=pace) as cloud:
        if role:
            cloud.become(programs.ASSUME_ROLE, role=role)
        who = cloud.read(programs.IDENTITY)
        instance, store = _instance(cloud)
        yield Center(cloud, berths, config, str(who["Arn"]), str(who["Account"]), instance, store)


def check_portal(address: str) -> None:
    """Raise Misconfigured for an address that people could not be sent to."""
    if not address.startswith("https://") or any(one.isspace() for one in address) or "#" in address:
        raise Misconfigured(
            f"{address!r} is no address of an access portal.", fix="For example https://d-1234567890.awsapps.com/start"
        )


def _instance(cloud: Cloud) -> tuple[str, str]:
    """Return the one Identity Center in this region and its store of users."""
    found = [one for page in cloud.pages(programs.INSTANCES) for one in page["Instances"]]
    if len(found) != 1:
        number = "no" if not found else "more than one"
        raise Misconfigured(
            f"There is {number} Identity Center in {cloud.region}.", fix="Name the region that it was set up in."
        )
    return str(found[0]["InstanceArn"]), str(found[0]["IdentityStoreId"])


def find_user(at: Center, person: Person) -> tuple[str, str]:
    """Return id and user name of the one user that is this person.

    By the attribute that the configuration names, as a user name; else by the person's e-mail addresses, exactly.
    Raises TargetMissing for none and Misconfigured for several: nobody is guessed.
    """
    attribute = str(at.config.get("username_attribute") or "")
    if attribute:
        ways = [(programs.USER_BY_NAME, value) for value in person.attributes.get(attribute, ())]
    else:
        emails = [alias for alias in person.aliases if "@" in alias]
        ways = [(program, one) for one in emails for program in (programs.USER_BY_EMAIL, programs.USER_BY_NAME)]
    found = set()
    for program, value in ways:
        try:
            found.add(str(at.cloud.read(program, store=at.store, value=value)["UserId"]))
        except TargetMissing:
            continue
    if len(found) > 1:
        raise Misconfigured(
            f"Identity Center has {len(found)} users that could be {person.name}.",
            fix="Let each e-mail address and user name be of one user only.",
        )
    for id_ in found:
        user = at.cloud.read(programs.USER, store=at.store, user=id_)
        names = {str(user["UserName"]), *(str(one.get("Value")) for one in user.get("Emails") or ())}
        if names & {value for _, value in ways}:
            return id_, str(user["UserName"])
        raise NotPermitted(f"Identity Center answered with another user than {person.name}.")
    what = f"the attribute {attribute}" if attribute else "an e-mail address"
    raise TargetMissing(
        f"Identity Center has no user for {person.name} by {what}.", fix="Provision the person to Identity Center."
    )


def seconds(duration: str) -> int:
    """Return an ISO 8601 duration as Identity Center writes them (PT8H, PT1H30M)."""
    total, number = 0, ""
    for one in duration.removeprefix("PT"):
        if one.isdigit():
            number += one
        else:
            total += int(number or 0) * {"H": HOUR, "M": 60, "S": 1}.get(one, 0)
            number = ""
    return total
