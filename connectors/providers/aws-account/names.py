"""How things are called: paths that mark what is ours, ARNs, and the resources that stand for more than one.

A source id is an ARN: `arn:aws:s3:::shop`. Two more kinds can be asked for where the integration offers them: all of a
type (`arn:aws:s3:::*`), and all of a type that bear a tag (`tag:["env","prod"]`). They mean what fits at each moment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Desired, Person

ROOT = "/latchkey/"
BOUNDARY = "latchkey-boundary"
# A role that may be asked for bears this tag; its boundary lets our users assume no other.
GRANTABLE = "latchkey:grantable"
# What our inline policy is called.
POLICY = "latchkey"
ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
USER_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")
TAG = "tag:"
# AWS knows no policy without a last moment; this one is as good as none.
NEVER = "9999-12-31T23:59:59Z"
LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Place:
    """An account in a region, as its ARNs name it."""

    partition: str
    account: str
    region: str

    def arn(self, service: str, rest: str, *, region: bool = True) -> str:
        """Return an ARN in this account; the services of the whole world have no region in theirs."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account}:{rest}"


@dataclass(frozen=True, slots=True)
class Marker:
    """Whose something is: it is the path of what we make, which nobody of ours can change, and tags say it again."""

    integration: str
    person: str
    grant: str = ""

    @property
    def path(self) -> str:
        """Return the path below which everything of this person, or of this grant, lies."""
        ids = [self.integration, self.person, *([self.grant] if self.grant else [])]
        for id_ in ids:
            if not ID.fullmatch(id_):
                raise Misconfigured(f"The id {id_!r} cannot be part of a path.")
        return ROOT + "".join(f"{id_}/" for id_ in ids)

    def of(self, grant_id: str) -> Marker:
        """Return the marker of one grant of this person."""
        return Marker(self.integration, self.person, grant_id)

    def grant_in(self, path: str) -> str:
        """Return the grant id in a path below this one."""
        return path.removeprefix(self.path).strip("/")


def person_marker(integration_id: str, person: Person) -> Marker:
    """Return the marker of one person in one integration."""
    return Marker(integration_id, person.person_id)


def tag_id(key: str, value: str) -> str:
    """Return the source id of whatever bears a tag."""
    return TAG + json.dumps([key, value], ensure_ascii=False, separators=(",", ":"))


def tag_of(source_id: str) -> tuple[str, str]:
    """Return the tag in a source id. Raises Misconfigured when it is none."""
    try:
        found = json.loads(source_id.removeprefix(TAG))
    except ValueError as error:
        raise Misconfigured(f"{source_id!r} is no source id.") from error
    if not (isinstance(found, list) and len(found) == 2 and all(isinstance(one, str) for one in found) and found[0]):
        raise Misconfigured(f"{source_id!r} is no source id of a tag.")
    return found[0], found[1]


def timestamp(seconds: float) -> str:
    """Return a moment as policies write it: whole seconds, none later than asked for."""
    if seconds >= LAST_SECOND:
        return NEVER
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def own_names(desired: Desired) -> list[str]:
    """Return what an IAM user of the person's own may be called: name and aliases, exactly, where IAM can have them."""
    names = {desired.person.name, *desired.person.aliases}
    return sorted(name for name in names if USER_NAME.fullmatch(name))
