"""What server and connector say to each other, and how it is written: JSON objects, one dataclass each, versioned.

A connector says hello once, then either side speaks when it has something to say. The same messages travel over a web
socket or, where that is blocked, as lists over plain HTTP. Unknown keys are passed over and keys that are missing take
their defaults, so that two versions one minor apart understand each other; a message of an unknown kind is passed over.

A secret never travels in an order: `secrets` holds what the server sealed to the instance's own key, and `references`
what the connector reads from a store by itself.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from connectors.contract.orders import Desired, Order, Page, Report, SecretReference, Unit, Verb

# The wire's own version: a different first number is refused, a higher second one only adds.
WIRE = (1, 0)
SUBPROTOCOL = "latchkey.connector.1"
MESSAGE_MAX, NUMBER_MAX = 8 * 2**20, 2**53
# Where the two speak, and how long the server lets an exchange over plain HTTP wait.
LINK_PATH, EXCHANGE_PATH = "/connector/v1/link", "/connector/v1/exchange"
WAIT_MAX = 25.0

Row = TypeVar("Row")
_AS_IT_IS = frozenset({str, int, bool, NoneType})


class BadMessage(ValueError):
    """What was received is no message of this wire; the words say what is wrong, and never hold a value of it."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message of an instance. `key` is the X25519 public key (hex) that secrets are to be sealed to.

    `instance` is a random id (hex) that lives as long as the process, so that one that comes back is known again.
    `functions` says what this connector may do: digest by "provider/program"; `rules` is the digest of its owner's
    rules, empty without any. `place` describes where it runs; `slots` is how many orders it takes at once.
    """

    instance: str
    version: str
    key: str
    wire: tuple[int, ...] = WIRE
    slots: int = 8
    place: dict[str, str] = field(default_factory=dict)
    providers: tuple[str, ...] = ()
    functions: dict[str, str] = field(default_factory=dict)
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The server's answer to Hello. `now` is the server's clock, in seconds since the epoch, for what is shown only."""

    instance: str
    version: str
    wire: tuple[int, ...] = WIRE
    heartbeat_seconds: float = 10.0
    now: float = 0.0
    latest: str = ""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last message of either side, with the reason. `again`: coming back later may help."""

    reason: str
    again: bool = True


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Said by an instance at each beat: how many orders it could take now, and the ids of those it works on.

    `echo` is the instance's own clock (contract: never goes back), and means nothing to the server but to be sent back.
    What is leased to the instance and not among `working` never reached it, and is sent again.
    """

    free: int
    working: tuple[str, ...] = ()
    echo: float = 0.0


@dataclass(frozen=True, slots=True)
class Beat:
    """The server's answer to a heartbeat, with its `echo`."""

    echo: float = 0.0


@dataclass(frozen=True, slots=True)
class Ready:
    """Said by an instance when it could take so many more orders: the server sends none that nobody asked for.

    Over plain HTTP, `Heartbeat.free` of the same exchange says it instead. `echo` is as in Heartbeat.
    """

    more: int
    echo: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """One order for an instance. What `Order.secrets` would hold is in `sealed`, hex by field.

    Each is sealed to the instance's key in the context `sealing_context(order_id, epoch, field)`. The lease of
    `order.lease_seconds` counts from `since`: the latest `echo` that the server had heard before it gave the lease. So
    the time on the way is lost to the instance, never gained, and no clock is compared with another.
    """

    order: WireOrder
    sealed: dict[str, str] = field(default_factory=dict)
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class WireOrder:
    """An order without its secrets."""

    order_id: str
    epoch: int
    verb: Verb
    provider: str
    integration_id: str
    config: dict[str, Any]
    desired: Desired | None = None
    seal_to: str = ""
    lease_seconds: float = 60.0
    resource_types: tuple[str, ...] = ()
    dry_run: bool = False
    page_size: int = 5000
    digests: dict[str, str] = field(default_factory=dict)
    references: dict[str, SecretReference] = field(default_factory=dict)
    resume: str = ""
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """An order of this epoch or an earlier one is not wanted any more: stop before the next statement."""

    order_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class PageOf:
    """One page of what a sync finds. `number` counts from 1; the instance waits for Taken before it sends another."""

    order_id: str
    epoch: int
    number: int
    page: Page


@dataclass(frozen=True, slots=True)
class AskBaseline:
    """Asks what is standing (contract.provider.Baseline). `question` tells answers apart."""

    order_id: str
    epoch: int
    question: int
    present: tuple[Unit, ...]
    wanted: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class TellBaseline:
    """The server's answer, durable before it is sent."""

    order_id: str
    epoch: int
    question: int
    standing: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class ReportOf:
    """The final report of an order; repeated until it is taken."""

    report: Report


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has a page (`number`) or, with 0, the final report: durable before it is sent.

    `refused`: the order is not this instance's any more; it stops, and forgets it.
    """

    order_id: str
    epoch: int
    number: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one side says over plain HTTP: a list of messages, each as its text would be parsed.

    `instance` and `link` (random, hex; as long as the polling goes on) say who asks; `wait` is how many seconds the
    server may wait for something to answer, at most WAIT_MAX.
    """

    messages: tuple[dict[str, Any], ...] = ()
    instance: str = ""
    link: str = ""
    wait: float = 0.0


Message = (
    Hello
    | Welcome
    | Goodbye
    | Heartbeat
    | Beat
    | Ready
    | Work
    | Cancel
    | PageOf
    | AskBaseline
    | TellBaseline
    | ReportOf
    | Taken
)
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Message)}


def sealing_context(order_id: str, epoch: int, name: str) -> bytes:
    """Return what a secret that travels with an order is bound to: this order, this lease, this field."""
    return json.dumps(["order secret", order_id, epoch, name]).encode()


def write(message: Message) -> str:
    """Return a message as text. Raises TypeError and ValueError for what JSON has not."""
    return json.dumps(as_object(message), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read(text: str | bytes) -> Message | None:
    """Return the message in `text`; None for a kind that this version does not know. Raises BadMessage."""
    return understood(_parsed(text))


def write_exchange(texts: Iterable[str], instance: str = "", link: str = "", wait: float = 0.0) -> bytes:
    """Return an exchange of messages, each written already, as the body of a request or an answer."""
    about = json.dumps({"instance": instance, "link": link, "wait": wait})
    return f'{about[:-1]},"messages":[{",".join(texts)}]}}'.encode()


def read_exchange(body: str | bytes) -> Exchange:
    """Return the exchange in a body. Raises BadMessage."""
    return build(Exchange, _parsed(body))


def as_object(message: Message) -> dict[str, Any]:
    """Return a message as it stands in an exchange."""
    return {"is": type(message).__name__, **plain(message)}


def understood(data: Any) -> Message | None:
    """Return the message that parsed JSON holds; None for a kind that is not known. Raises BadMessage."""
    if not isinstance(data, dict) or not isinstance(data.get("is"), str):
        raise BadMessage('A message is a JSON object that says in "is" what it is.')
    kind = KINDS.get(data["is"])
    return None if kind is None else cast(Message, build(kind, data))


def _parsed(text: str | bytes) -> Any:
    """Return what JSON text holds, when it can be kept by every database. Raises BadMessage."""
    if len(text) > MESSAGE_MAX:
        raise BadMessage(f"A message has at most {MESSAGE_MAX // 2**20} MB.")
    try:
        text = text.decode() if isinstance(text, bytes) else text
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadMessage("A message is a JSON object.") from error
    if "\\u" in text:  # only an escape can bring these in, and nearly no message has one
        _refuse_unkeepable(data)
    return data


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON.")


def _refuse_unkeepable(data: Any) -> None:
    """Raise BadMessage for a text, at any depth, with a NUL or half a character: no database keeps one."""
    left = [data]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and ("\0" in one or any("\ud800" <= char <= "\udfff" for char in one)):
            raise BadMessage("A text has a character that cannot be kept.")


def plain(value: Any) -> Any:  # noqa: PLR0911  # a line for each kind of value
    """Return a dataclass as what JSON can hold. Infinity, which JSON has not, is the text "inf"."""
    if type(value) in _AS_IT_IS:  # first, for nearly all of a page is that
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name, _, _ in _fields(type(value))}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} does not travel.")


def build(kind: type[Row], data: Any, where: str = "") -> Row:
    """Return `data` as a dataclass of `kind`; what it does not know is passed over. Raises BadMessage."""
    where = where or kind.__name__
    if not isinstance(data, dict):
        raise BadMessage(f"{where}: an object is expected.")
    given = {}
    for name, hint, required in _fields(cast(Any, kind)):
        if name in data:
            given[name] = _value(hint, data[name], f"{where}.{name}")
        elif required:
            raise BadMessage(f"{where}.{name} is missing.")
    return kind(**given)


@cache
def _fields(kind: type[Any]) -> tuple[tuple[str, Any, bool], ...]:
    """Return of each field of a dataclass its name, its type, and whether it has no default."""
    hints, missing = get_type_hints(kind), dataclasses.MISSING
    return tuple(
        (one.name, hints[one.name], one.default is missing and one.default_factory is missing)
        for one in dataclasses.fields(kind)
    )


def _value(hint: Any, value: Any, where: str) -> Any:
    """Return a value as the type that a dataclass declares."""
    # Text first, for nearly all of a page is.
    if (hint is str and type(value) is str) or hint is Any:
        return value
    origin = get_origin(hint)
    if origin in (UnionType, Union):
        if value is None and NoneType in get_args(hint):
            return None
        return _value(next(one for one in get_args(hint) if one is not NoneType), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise BadMessage(f"{where}: a list is expected.")
        return tuple(_value(get_args(hint)[0], one, where) for one in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise BadMessage(f"{where}: an object is expected.")
        return {key: _value(get_args(hint)[1], one, where) for key, one in value.items()}
    return _single(hint, value, where)


def _single(hint: Any, value: Any, where: str) -> Any:
    """Return a value that is no list and no mapping."""
    if dataclasses.is_dataclass(hint):
        return build(cast(type[Any], hint), value, where)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        try:
            return hint(value)
        except ValueError as error:
            raise BadMessage(f"{where}: not one of {', '.join(hint)}.") from error
    if hint is float and value in ("inf", "-inf"):
        return float(value)
    wanted = (int, float) if hint is float else (hint,)
    if type(value) not in wanted:  # bool is an int to Python, but not to the other side
        raise BadMessage(f"{where}: {hint.__name__} is expected.")
    if type(value) is int and abs(value) > NUMBER_MAX:
        raise BadMessage(f"{where}: too large a number.")
    return float(value) if hint is float else value


def to_wire(order: Order) -> WireOrder:
    """Return an order without its secrets."""
    return WireOrder(**{one.name: getattr(order, one.name) for one in dataclasses.fields(WireOrder)})


def from_wire(order: WireOrder, secrets: dict[str, Any], lease_seconds: float) -> Order:
    """Return the order to run, with its secrets, and what is left of its lease."""
    given = {one.name: getattr(order, one.name) for one in dataclasses.fields(WireOrder)}
    return Order(**{**given, "secrets": secrets, "lease_seconds": lease_seconds})
