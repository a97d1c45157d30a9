"""The resource types: what their ARNs look like, and which policy gives which permission."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Unit
from connectors.toolkit.call_files import CallFile
from connectors.toolkit.policy_files import PolicyFile

from . import programs
from .names import TAG, Place

ATTACH = "ATTACH"
LEVELS = ("READ_ONLY", "READ_WRITE", "ADMIN")
KEY_READ, KEY_WRITE = programs.ALLOW_KEY_READ, programs.ALLOW_KEY_WRITE


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type. `rest` is what stands in an ARN after the account, `name` what the last part of it may be.

    `parts` are what a policy names of a resource besides itself, as an ending of its ARN. `tags`: its policies can go
    by a tag. `keys`: which policy on its encryption key a permission needs with it. `looks` lists one page of it.
    """

    id: str
    service: str
    rest: str
    name: str
    policies: dict[str, PolicyFile]
    looks: CallFile
    regional: bool = True
    parts: str = ""
    tags: bool = False
    keys: dict[str, PolicyFile] = field(default_factory=dict)

    def arn(self, place: Place, name: str) -> str:
        """Return the ARN of one resource, or with * of all."""
        if self.id == "s3-bucket":
            return f"arn:{place.partition}:s3:::{name}"
        return place.arn(self.service, self.rest + name, region=self.regional)

    def name_in(self, place: Place, arn: str) -> str:
        """Return the name in an ARN, or * where it means all. Raises Misconfigured when it is none of this account."""
        before = self.arn(place, "")
        name = arn.removeprefix(before)
        if arn.startswith(before) and (re.fullmatch(self.name, name) or (name == "*" and self.dynamic)):
            return name
        # AWS's own policies are in no account.
        aws = f"arn:{place.partition}:iam::aws:policy/"
        if self.id == "iam-policy" and arn.startswith(aws) and re.fullmatch(self.name, arn.removeprefix(aws)):
            return arn.removeprefix(aws)
        where = f"{place.account}, {place.region}" if self.regional else place.account
        raise Misconfigured(f"{arn!r} is no {self.id} of this account ({where}).")

    @property
    def dynamic(self) -> bool:
        """Say whether all of the type can be asked for as one."""
        return self.regional


_IAM_NAME = r"(?:[!-~]+/)?[A-Za-z0-9+=,.@_-]{1,128}"
_P = programs

KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        Kind("iam-role", "iam", "role/", _IAM_NAME, {ATTACH: _P.ALLOW_ROLE_ATTACH}, _P.ROLES, regional=False),
        Kind("iam-group", "iam", "group/", _IAM_NAME, {}, _P.GROUPS, regional=False),
        Kind("iam-policy", "iam", "policy/", _IAM_NAME, {}, _P.POLICIES, regional=False),
        Kind(
            "s3-bucket",
            "s3",
            "",
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            {
                "READ_ONLY": _P.ALLOW_BUCKET_READ_ONLY,
                "READ_WRITE": _P.ALLOW_BUCKET_READ_WRITE,
                "ADMIN": _P.ALLOW_BUCKET_ADMIN,
            },
            _P.BUCKETS,
            parts="/*",
            keys={"READ_ONLY": KEY_READ, "READ_WRITE": KEY_WRITE, "ADMIN": KEY_WRITE},
        ),
        Kind(
            "dynamodb-table",
            "dynamodb",
            "table/",
            r"[A-Za-z0-9_.-]{3,255}",
            {
                "READ_ONLY": _P.ALLOW_TABLE_READ_ONLY,
                "READ_WRITE": _P.ALLOW_TABLE_READ_WRITE,
                "ADMIN": _P.ALLOW_TABLE_ADMIN,
            },
            _P.TABLES,
            parts="/index/*",
            tags=True,
        ),
        Kind(
            "secret",
            "secretsmanager",
            "secret:",
            r"[A-Za-z0-9/_+=.@-]{1,512}",
            {
                "READ_ONLY": _P.ALLOW_SECRET_READ_ONLY,
                "READ_WRITE": _P.ALLOW_SECRET_READ_WRITE,
                "ADMIN": _P.ALLOW_SECRET_ADMIN,
            },
            _P.SECRETS,
            tags=True,
            keys={"READ_ONLY": KEY_READ, "READ_WRITE": KEY_WRITE, "ADMIN": KEY_WRITE},
        ),
        Kind(
            "sns-topic",
            "sns",
            "",
            r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?",
            {
                "READ_ONLY": _P.ALLOW_TOPIC_READ_ONLY,
                "READ_WRITE": _P.ALLOW_TOPIC_READ_WRITE,
                "ADMIN": _P.ALLOW_TOPIC_ADMIN,
            },
            _P.TOPICS,
            keys={"READ_WRITE": KEY_WRITE, "ADMIN": KEY_WRITE},
        ),
        Kind(
            "sqs-queue",
            "sqs",
            "",
            r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?",
            {
                "READ_ONLY": _P.ALLOW_QUEUE_READ_ONLY,
                "READ_WRITE": _P.ALLOW_QUEUE_READ_WRITE,
                "ADMIN": _P.ALLOW_QUEUE_ADMIN,
            },
            _P.QUEUES,
            tags=True,
            keys={"READ_WRITE": KEY_WRITE, "ADMIN": KEY_WRITE},
        ),
        Kind(
            "ec2-instance",
            "ec2",
            "instance/",
            r"i-[0-9a-f]{8,17}",
            {"CONNECT": _P.ALLOW_INSTANCE_CONNECT, "MANAGE": _P.ALLOW_INSTANCE_MANAGE},
            _P.INSTANCES,
            tags=True,
        ),
        Kind(
            "ecr-repository",
            "ecr",
            "repository/",
            r"[a-z0-9][a-z0-9._/-]{1,255}",
            {
                "READ_ONLY": _P.ALLOW_REPOSITORY_READ_ONLY,
                "READ_WRITE": _P.ALLOW_REPOSITORY_READ_WRITE,
                "ADMIN": _P.ALLOW_REPOSITORY_ADMIN,
            },
            _P.REPOSITORIES,
            tags=True,
        ),
    )
}


def kind_of(unit: Unit) -> Kind:
    """Return the type of a unit. Raises Misconfigured for a type or permission that there is not."""
    kind = KINDS.get(unit.resource_type)
    permissions = {ATTACH} if kind is not None and not kind.policies else set(kind.policies) if kind else set()
    if kind is None or unit.permission not in permissions:
        raise Misconfigured(f"AWS accounts have no permission {unit.permission} on a {unit.resource_type}.")
    return kind


def is_tag(unit: Unit) -> bool:
    """Say whether a unit names whatever bears a tag."""
    return unit.resource.startswith(TAG)
