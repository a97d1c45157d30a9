"""What there is to ask for. Everything is shown; what cannot be granted is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from connectors.contract.errors import Misconfigured, NotPermitted
from connectors.contract.orders import Order, Page, ResourceFact
from connectors.contract.provider import Run
from connectors.toolkit import bookmarks
from connectors.toolkit.bookmarks import Bookmark

from . import programs
from .account import Account, open_account
from .kinds import ATTACH, KINDS, Kind
from .names import ROOT, tag_id
from .wanting import admits_account, closed_group, closed_role

# AWS takes no more, or no fewer, in one call.
SIZES = {"dynamodb-table": (1, 100), "secret": (1, 100), "ec2-instance": (5, 1000), "tags": (1, 100)}
SIZE = (1, 1000)
RISK_OF_ALL, RISK_OF_TAG = 7, 5
SEVERAL = "* "


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield the inventory, a page at a time; no more than a page of AWS's is ever held."""
    types = [id_ for id_ in KINDS if not order.resource_types or id_ in order.resource_types]
    # Of each type first what stands for more than one.
    parts = [part for id_ in types for part in (SEVERAL + id_, id_)]
    start = bookmarks.read(order.resume, parts)
    with open_account(order, run) as at:
        for part in parts[parts.index(start.part) if start is not None else 0 :]:
            here = start if start is not None and start.part == part else Bookmark(part)
            pages = _several if part.startswith(SEVERAL) else _pages
            yield from pages(at, KINDS[part.removeprefix(SEVERAL)], here, order.page_size)


def _pages(at: Account, kind: Kind, here: Bookmark, size: int) -> Iterator[Page]:
    """Yield the resources of one type."""
    slots: dict[str, Any] = {}
    if "size" in kind.looks.slots:
        least, most = SIZES.get(kind.id, SIZE)
        slots["size"] = min(most, max(least, size))
    if "region" in kind.looks.slots:
        slots["region"] = at.place.region
    answers = at.cloud.pages(kind.looks, begin=here.token, **slots)
    for rows, resume in bookmarks.pieces(answers, kind.looks.page[1], ROWS[kind.id], here, size):
        yield Page(tuple(_facts(at, kind, rows)), resume=resume)


def _several(at: Account, kind: Kind, here: Bookmark, size: int) -> Iterator[Page]:
    """Yield the resources that stand for more than one, where the integration offers them."""
    facts = []
    if at.offers_all and kind.dynamic:
        name = f"Every {kind.id} in {at.place.region}"
        facts.append(ResourceFact(kind.id, kind.arn(at.place, "*"), name, f"* {name}", risk_level=RISK_OF_ALL))
    for key in at.tag_keys if kind.tags else ():
        values = {value for page in at.cloud.pages(programs.TAG_VALUES, key=key) for value in page["TagValues"]}
        for value in sorted(values):
            name, tags = f"{key} = {value}", {key: value}
            facts.append(ResourceFact(kind.id, tag_id(key, value), name, f"* {name}", tags, risk_level=RISK_OF_TAG))
    for few, resume in bookmarks.pieces([{"facts": facts}], "more", lambda answer: answer["facts"], here, size):
        yield Page(tuple(few), resume=resume)


def _facts(at: Account, kind: Kind, rows: list[Any]) -> Iterator[ResourceFact]:
    """Yield the facts about some resources of one page."""
    names = [NAMES[kind.id](row) for row in rows]
    arns = [_arn(at, kind, row, name) for row, name in zip(rows, names, strict=True)]
    tags = _tags(at, kind, rows, arns)
    for row, name, arn in zip(rows, names, arns, strict=True):
        if kind.id == "iam-policy" and row["Path"].startswith(ROOT):
            continue  # made for one grant
        refusal = _refusal(at, kind, row, arn)
        yield ResourceFact(
            kind.id,
            arn,
            name,
            name,
            tags=tags.get(arn, {}),
            context=_context(kind, row),
            refusals=dict.fromkeys(kind.policies or (ATTACH,), refusal) if refusal else {},
        )


def _arn(at: Account, kind: Kind, row: Any, name: str) -> str:
    """Return the ARN of a resource, as AWS says it or as it is made."""
    if isinstance(row, dict):
        for key in ("Arn", "ARN", "TopicArn", "repositoryArn"):
            if row.get(key):
                return str(row[key])
        if kind.id == "ec2-instance":
            return kind.arn(at.place, str(row["InstanceId"]))
    return kind.arn(at.place, name)


def _tags(at: Account, kind: Kind, rows: list[Any], arns: list[str]) -> dict[str, dict[str, str]]:
    """Return the tags of some resources by ARN."""
    if kind.id in ("secret", "ec2-instance"):
        return {arn: _plain(row.get("Tags", ())) for arn, row in zip(arns, rows, strict=True)}
    found: dict[str, dict[str, str]] = {}
    if not kind.regional:
        return found
    most = SIZES["tags"][1]
    for first in range(0, len(arns), most):
        answer = at.cloud.read(programs.TAGS_OF, arns=arns[first : first + most])
        found |= {one["ResourceARN"]: _plain(one["Tags"]) for one in answer["ResourceTagMappingList"]}
    return found


def _plain(tags: Any) -> dict[str, str]:
    """Return a list of keys and values as a mapping."""
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags}


def _refusal(at: Account, kind: Kind, row: Any, arn: str) -> str:
    """Return why a resource cannot be asked for, or nothing."""
    if kind.id == "iam-group":
        return closed_group(arn.partition(":group")[2])
    if kind.id == "iam-role":
        # Only GetRole says which tags a role has, and most are refused before that.
        return closed_role(at, _role(at, row) if admits_account(at, row) else row)
    try:
        kind.name_in(at.place, arn)
    except Misconfigured as error:
        return error.message
    return ""


def _role(at: Account, row: Any) -> Any:
    """Return a role with its tags."""
    try:
        return at.cloud.read(programs.ROLE, role=row["RoleName"])["Role"]
    except NotPermitted:
        return row


def _context(kind: Kind, row: Any) -> dict[str, str]:
    """Return what else is worth showing."""
    match kind.id:
        case "ec2-instance":
            return {"type": str(row.get("InstanceType", "")), "state": str(row.get("State", {}).get("Name", ""))}
        case "iam-role" | "iam-policy" | "secret" if row.get("Description"):
            return {"description": str(row["Description"])}
    return {}


def _instances(answer: dict[str, Any]) -> list[Any]:
    """Return the instances on a page that are not gone."""
    found = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
    return [one for one in found if one.get("State", {}).get("Name") != "terminated"]


def _instance_name(row: Any) -> str:
    """Return what an instance is called."""
    return _plain(row.get("Tags", ())).get("Name") or str(row["InstanceId"])


ROWS: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "iam-role": lambda answer: list(answer["Roles"]),
    "iam-group": lambda answer: list(answer["Groups"]),
    "iam-policy": lambda answer: list(answer["Policies"]),
    "s3-bucket": lambda answer: list(answer["Buckets"]),
    "dynamodb-table": lambda answer: list(answer["TableNames"]),
    "secret": lambda answer: list(answer["SecretList"]),
    "sns-topic": lambda answer: list(answer["Topics"]),
    "sqs-queue": lambda answer: list(answer.get("QueueUrls", ())),
    "ec2-instance": _instances,
    "ecr-repository": lambda answer: list(answer["repositories"]),
}
NAMES: dict[str, Callable[[Any], str]] = {
    "iam-role": lambda row: str(row["RoleName"]),
    "iam-group": lambda row: str(row["GroupName"]),
    "iam-policy": lambda row: str(row["PolicyName"]),
    "s3-bucket": lambda row: str(row["Name"]),
    "dynamodb-table": str,
    "secret": lambda row: str(row["Name"]),
    "sns-topic": lambda row: str(row["TopicArn"]).rpartition(":")[2],
    "sqs-queue": lambda row: str(row).rpartition("/")[2],
    "ec2-instance": _instance_name,
    "ecr-repository": lambda row: str(row["repositoryName"]),
}
