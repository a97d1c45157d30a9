"""Many operations in one request, each a transaction of its own: what one does stands, whatever becomes of others.

An operation that names another by its bulkId waits for it; what waits for each other in a circle is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scim2_models import InvalidSyntaxException, InvalidValueException, PayloadTooLargeException

from accounts.scim import people
from accounts.scim.reading import Body, named, whole_number
from accounts.scim.resources import BULK_OPERATIONS
from accounts.scim.searching import KINDS
from accounts.scim.serving import Ask, Reply, answer, told

RESPONSE = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REFERENCE = re.compile(r"bulkId:([^\"'\]\s/]{1,200})")


@dataclass(slots=True)
class _Run:
    """How far a bulk has come. `made` is what each bulkId became: an id, or None for what failed."""

    fail_on: int
    asked: frozenset[str]
    made: dict[str, str | None] = field(default_factory=dict)
    errors: int = 0

    @property
    def over(self) -> bool:
        """Whether too much has failed to go on."""
        return bool(self.fail_on) and self.errors >= self.fail_on


def perform(ask: Ask) -> Reply:
    """Do all that the body asks for, in an order in which references can be resolved. Raises what the body deserves."""
    operations = named(ask.body, "Operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntaxException(detail="Operations lists one or more operations.")
    if len(operations) > BULK_OPERATIONS:
        raise PayloadTooLargeException(detail=f"A bulk has at most {BULK_OPERATIONS} operations.")
    fail_on = max(0, whole_number(named(ask.body, "failOnErrors"), "failOnErrors", 0))
    ids = [pk for one in operations if isinstance(one, dict) and isinstance(pk := named(one, "bulkId"), str)]
    if len(ids) != len(set(ids)):
        raise InvalidValueException(detail="A bulkId is used once.")
    run = _Run(fail_on, frozenset(ids))
    results: dict[int, dict[str, Any]] = {}
    for number in _in_order(operations, run):
        results[number] = _one(operations[number], ask, run)
        if run.over:
            break
    return Reply(200, {"schemas": [RESPONSE], "Operations": [results[number] for number in sorted(results)]})


def _in_order(operations: list[Any], run: _Run) -> Iterator[int]:
    """Yield each operation once all it refers to is done; what is left over refers to itself, and comes last."""
    waiting = [(number, _references(one) & run.asked - {_id(one)}) for number, one in enumerate(operations)]
    while waiting:
        left = []
        for number, needs in waiting:
            if needs <= run.made.keys():
                yield number
            else:
                left.append((number, needs))
        if len(left) == len(waiting):
            yield from (number for number, _ in left)
            return
        waiting = left


def _id(operation: Any) -> str:
    pk = named(operation, "bulkId") if isinstance(operation, dict) else None
    return pk if isinstance(pk, str) else ""


def _references(value: Any) -> frozenset[str]:
    """Return every bulkId that is named in a value; the depth of what arrives is bounded."""
    if isinstance(value, str):
        return frozenset(_REFERENCE.findall(value)) if "bulkId:" in value else frozenset()
    if isinstance(value, dict):
        return frozenset().union(*map(_references, value.values()))
    return frozenset().union(*map(_references, value)) if isinstance(value, list) else frozenset()


def _one(operation: Any, ask: Ask, run: _Run) -> dict[str, Any]:
    """Do one operation and return its result."""
    reply = told(lambda: _perform(operation, ask, run))
    method, pk = (named(operation, name) if isinstance(operation, dict) else None for name in ("method", "bulkId"))
    result: dict[str, Any] = {"status": str(reply.status)}
    if isinstance(method, str):
        result["method"] = method[:10]
    location = reply.headers.get("Location") or _address(operation)
    if isinstance(pk, str):
        result["bulkId"] = pk[:200]
        run.made[pk] = location.rpartition("/")[2] if reply.status < 400 else None
    if location and not (reply.status >= 400 and method == "POST"):
        result["location"] = location
    if "ETag" in reply.headers:
        result["version"] = reply.headers["ETag"]
    if reply.status >= 400:
        run.errors += 1
        result["response"] = reply.body
    return result


def _perform(operation: Any, ask: Ask, run: _Run) -> Reply:
    """Check what an operation is, and do it. Raises InvalidSyntaxException, InvalidValueException."""
    if not isinstance(operation, dict):
        raise InvalidSyntaxException(detail="An operation is an object.")
    method, path = named(operation, "method"), named(operation, "path")
    if not isinstance(method, str) or method.upper() not in _METHODS or not isinstance(path, str):
        raise InvalidSyntaxException(detail="An operation has a method (POST, PUT, PATCH, DELETE) and a path.")
    parts = tuple(part for part in _resolved(path, run).split("?")[0].split("/") if part)
    if not parts or parts[0] not in KINDS or ".search" in parts:
        raise InvalidValueException(detail="A bulk changes Users and Groups, and nothing else.")
    if method.upper() == "POST" and not _id(operation):
        raise InvalidValueException(detail="A POST in a bulk has a bulkId.")
    data = named(operation, "data")
    if not isinstance(data, dict) and method.upper() != "DELETE":
        raise InvalidSyntaxException(detail="An operation has data.")
    body: Body = _resolved(data, run) if isinstance(data, dict) else {}
    version = named(operation, "version")
    match = version if isinstance(version, str) else ""
    return answer(Ask(method.upper(), parts, ask.actor, body=body, if_match=match, quiet=True, at=ask.at))


def _resolved(value: Any, run: _Run) -> Any:
    """Return a value with the ids that references became. Raises InvalidValueException for one that became none."""
    if isinstance(value, str) and "bulkId:" in value:
        return _REFERENCE.sub(lambda found: _became(found.group(1), run), value)
    if isinstance(value, dict):
        return {name: _resolved(inner, run) for name, inner in value.items()}
    return [_resolved(inner, run) for inner in value] if isinstance(value, list) else value


def _became(bulk_id: str, run: _Run) -> str:
    pk = run.made.get(bulk_id)
    if pk is None:
        why = "failed" if bulk_id in run.made else "is not in this bulk, or waits for this one"
        raise InvalidValueException(detail=f"bulkId:{bulk_id} {why}.")
    return pk


def _address(operation: Any) -> str:
    """Return the address of what an operation is about, where it names it."""
    path = named(operation, "path") if isinstance(operation, dict) else None
    parts = [part for part in path.split("/") if part] if isinstance(path, str) else []
    return people.address_of(*parts) if len(parts) == 2 and parts[0] in KINDS else ""
