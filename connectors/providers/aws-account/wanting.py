"""Resolves units: which policies and attachments each is made of, and whether it can be given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, Refused, TargetError, TargetMissing
from connectors.contract.orders import Grant, Unit
from connectors.manifests import read_manifest

from . import programs
from .account import Account
from .kinds import KEY_READ, KEY_WRITE, Kind, is_tag, kind_of
from .names import GRANTABLE, ROOT, tag_of
from .policies import Allow, Piece, compose, pieces

LIMIT = read_manifest(programs.FOLDER).limits[0]
# What the policies on keys allow: enough to tell a statement on some key from any other.
KEY_ACTIONS = frozenset(
    tuple(sorted(one["Action"])) for file in (KEY_READ, KEY_WRITE) for one in file.document["Statement"]
)
REMEDY = "See Set-up in the README of this integration."


@dataclass(frozen=True, slots=True)
class Wanted:
    """One unit, resolved. `attached`: the ARN of a policy or group that the user is to have. `error`: why it cannot."""

    unit: Unit
    allows: tuple[Allow, ...] = ()
    attached: str = ""
    error: TargetError | None = None
    pieces: frozenset[Piece] = field(default_factory=frozenset)

    def held(self, attached: Iterable[str], has: frozenset[Piece]) -> bool:
        """Say whether a user with these attachments and pieces holds the unit."""
        if not self.attached and not self.pieces:
            return False
        return (not self.attached or self.attached in set(attached)) and self.pieces <= has


def resolve(at: Account, grant: Grant, *, look: bool) -> list[Wanted]:
    """Return the units of a grant; with `look`, ask the target about each. Raises Misconfigured for too many."""
    named = {unit.resource for unit in grant.units if unit.resource_type in LIMIT.resource_types}
    if look and len(named) > LIMIT.at_most:
        raise Misconfigured(LIMIT.words)
    keys = cache(lambda key: _customer_key(at, key))
    return [_resolve(at, grant.login, unit, keys if look else None) for unit in grant.units]


def _resolve(at: Account, login: str, unit: Unit, keys: Callable[[str], str] | None) -> Wanted:
    """Return one unit, resolved, or with the error why not."""
    try:
        kind = kind_of(unit)
        if not kind.policies:
            name = kind.name_in(at.place, unit.resource)
            refuse(_closed(kind, name))
            return Wanted(unit, attached=unit.resource)
        allow = _allow(at, kind, unit)
        with_key = _key(at, kind, unit, keys) if keys is not None else ()
        found = pieces(compose(at, login, allow, float("inf")), 0.0)
        return Wanted(unit, (allow, *with_key), pieces=found)
    except LeaseLost:
        raise
    except TargetError as error:
        return Wanted(unit, error=error)


def _allow(at: Account, kind: Kind, unit: Unit) -> Allow:
    """Return what a unit allows. Raises Refused for what the integration does not offer."""
    file = kind.policies[unit.permission]
    tags: tuple[tuple[str, str], ...] = ()
    if is_tag(unit):
        tags = (tag_of(unit.resource),)
        if not kind.tags or tags[0][0] not in at.tag_keys:
            raise Refused(f"This integration offers no {kind.id} by the tag {tags[0][0]!r}.")
        arn = kind.arn(at.place, "*")
    else:
        arn = unit.resource
        if kind.name_in(at.place, arn) == "*" and not at.offers_all:
            raise Refused(f"This integration does not offer every {kind.id} as one.")
    return Allow(file, (arn,), (arn + kind.parts,) if kind.parts else (), tags)


def _key(at: Account, kind: Kind, unit: Unit, keys: Callable[[str], str]) -> tuple[Allow, ...]:
    """Look at the resource, and return what its own encryption key needs. Raises TargetMissing when it is not there."""
    name = "*" if is_tag(unit) else kind.name_in(at.place, unit.resource)
    if name == "*":
        return ()  # which keys those are changes with what fits
    named = LOOKS[kind.id](at, name, unit.resource)
    file = kind.keys.get(unit.permission)
    key = keys(named) if named and file is not None else ""
    if not key or file is None:
        return ()
    domain = "amazonaws.com.cn" if at.place.partition == "aws-cn" else "amazonaws.com"
    return (Allow(file, (key,), via=f"{kind.service}.{at.place.region}.{domain}"),)


def _customer_key(at: Account, key: str) -> str:
    """Return the ARN of a key if it is the customer's; a key of AWS's own needs no grant."""
    found = at.cloud.read(programs.KEY, key=key)["KeyMetadata"]
    return str(found["Arn"]) if found.get("KeyManager") == "CUSTOMER" else ""


def refuse(reason: str) -> None:
    """Raise Refused if there is a reason."""
    if reason:
        raise Refused(reason, fix=REMEDY)


def closed_role(at: Account, role: dict[str, Any]) -> str:
    """Return why a role cannot be asked for, or nothing. `role` is as GetRole has it."""
    if not admits_account(at, role):
        return "Its trust policy does not let this account's users in."
    if {"Key": GRANTABLE, "Value": "true"} not in role.get("Tags", []):
        return f"It does not bear the tag {GRANTABLE} = true."
    return ""


def admits_account(at: Account, role: dict[str, Any]) -> bool:
    """Say whether the trust policy of a role leaves it to this account who may assume it."""
    document = role.get("AssumeRolePolicyDocument")
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    for one in statements if isinstance(statements, list) else [statements]:
        actions, principal = one.get("Action", []), one.get("Principal", {})
        who = principal.get("AWS", []) if isinstance(principal, dict) else principal
        names = {at.place.account, at.place.arn("iam", "root", region=False), "*"}
        if one.get("Effect") == "Allow" and "sts:AssumeRole" in _several(actions) and names & set(_several(who)):
            return True
    return False


def closed_group(path: str) -> str:
    """Return why a group cannot be asked for, or nothing."""
    return "" if path.startswith(ROOT) else f"It is not below the path {ROOT}, so the connector puts nobody into it."


def _closed(kind: Kind, name: str) -> str:
    """Return why a group or policy cannot be asked for, or nothing."""
    if kind.id == "iam-group":
        return closed_group(f"/{name}")
    return "It was made by Latchkey for one grant." if f"/{name}".startswith(ROOT) else ""


def _several(value: Any) -> list[str]:
    """Return what may be one or a list as a list."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _look_at_role(at: Account, name: str, arn: str) -> str:
    """Look whether a role is there and may be asked for."""
    role = at.cloud.read(programs.ROLE, role=name.rpartition("/")[2])["Role"]
    if role["Arn"] != arn:
        raise TargetMissing(f"There is no role {arn}.")
    refuse(closed_role(at, role))
    return ""


def _look_at_bucket(at: Account, name: str, arn: str) -> str:
    """Return the key of a bucket."""
    try:
        found = at.cloud.read(programs.BUCKET_ENCRYPTION, bucket=name)
    except TargetMissing as error:
        if "ServerSideEncryptionConfigurationNotFoundError" in error.message:
            return ""
        raise
    rules = found.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    ways = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    return next((str(way["KMSMasterKeyID"]) for way in ways if way.get("KMSMasterKeyID")), "")


def _look_at_table(at: Account, name: str, arn: str) -> str:
    """Look whether a table is there. DynamoDB uses its key by itself."""
    at.cloud.read(programs.TABLE, table=name)
    return ""


def _look_at_secret(at: Account, name: str, arn: str) -> str:
    """Return the key of a secret."""
    return str(at.cloud.read(programs.SECRET, secret=arn).get("KmsKeyId") or "")


def _look_at_topic(at: Account, name: str, arn: str) -> str:
    """Return the key of a topic."""
    return str(at.cloud.read(programs.TOPIC, topic=arn).get("Attributes", {}).get("KmsMasterKeyId") or "")


def _look_at_queue(at: Account, name: str, arn: str) -> str:
    """Return the key of a queue."""
    address = at.cloud.read(programs.QUEUE_ADDRESS, queue=name)["QueueUrl"]
    return str(at.cloud.read(programs.QUEUE, address=address).get("Attributes", {}).get("KmsMasterKeyId") or "")


def _look_at_instance(at: Account, name: str, arn: str) -> str:
    """Look whether an instance is there."""
    if not at.cloud.read(programs.INSTANCE, instance=name).get("Reservations"):
        raise TargetMissing(f"There is no instance {name}.")
    return ""


def _look_at_repository(at: Account, name: str, arn: str) -> str:
    """Look whether a repository is there."""
    at.cloud.read(programs.REPOSITORY, repository=name)
    return ""


# Each says whether a resource is there, and returns the name of its own encryption key, if it has one.
LOOKS: dict[str, Callable[[Account, str, str], str]] = {
    "iam-role": _look_at_role,
    "s3-bucket": _look_at_bucket,
    "dynamodb-table": _look_at_table,
    "secret": _look_at_secret,
    "sns-topic": _look_at_topic,
    "sqs-queue": _look_at_queue,
    "ec2-instance": _look_at_instance,
    "ecr-repository": _look_at_repository,
}
