"""The server's side of a link with an instance of a remote connector: plain functions on rows, whatever carries it.

A link is one web socket, or one stretch of polling. An instance has one at a time: a newer one takes over. What is
true lies in the rows (tokens, leases, reports); the `Link` in memory only spares messages.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db import DataError, transaction
from django.utils import timezone

from audit.actions import Subject, record
from audit.actor import connector as acting
from connectors import VERSION
from connectors.contract.errors import ErrorReport, Misconfigured
from connectors.contract.orders import Report, Unit
from connectors.contract.wire import (
    WIRE,
    AskBaseline,
    Beat,
    Cancel,
    Goodbye,
    Heartbeat,
    Hello,
    Message,
    PageOf,
    ReportOf,
    Taken,
    TellBaseline,
    Welcome,
)
from integrations.actions import baseline, inventory, orders, running, tokens, trials
from integrations.actions.handing import Link, lost_work
from integrations.choices import OrderState, Transport
from integrations.events import cut_links
from integrations.models import ConnectorInstance, ConnectorToken, Order, SyncRun, Trial
from integrations.wire import senseless

log = logging.getLogger(__name__)
_IDENTITY, _KEY = re.compile(r"[0-9a-f]{16,64}", re.ASCII), re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME = re.compile(r"[0-9a-f]{16,32}", re.ASCII)
SLOTS_MAX, FUNCTIONS_MAX, PROVIDERS_MAX, WORDS_MAX, UNITS_MAX = 256, 5000, 500, 200, 20_000
# An epoch that no order reaches: of an order that is not there any more, every one is over.
EVERY_EPOCH = 2**31 - 1


class Unwelcome(Exception):
    """The instance is not, or no longer, let in over this link; `again` says whether coming back later may help."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        """`reason` says what to do; it goes into the connector's log."""
        super().__init__(reason)
        self.reason, self.again = reason, again


def join(token: ConnectorToken, hello: Hello, transport: Transport, name: str, *, at: datetime | None = None) -> Link:
    """Let an instance in, over a link of this name. Raises Unwelcome."""
    _understand(hello)
    moment, told = at or timezone.now(), _told(hello)
    with transaction.atomic():
        rows = ConnectorInstance.objects.select_for_update(of=("self",)).select_related("connector")
        before = rows.filter(connector=token.connector, identity=hello.instance).first()
        instance = before or ConnectorInstance(
            connector=token.connector, identity=hello.instance, started_at=moment, version=""
        )
        news = before is None or any(getattr(before, one) != told[one] for one in ("functions", "rules", "version"))
        for column, value in told.items():
            setattr(instance, column, value)
        instance.transport, instance.link = transport, name
        instance.last_seen_at, instance.stopped_at = moment, None
        instance.save()
        if before is not None:
            # Whatever link it had before notices that it is over.
            cut_links(token.connector_id)
        if news:
            _record_joining(instance, moment)
    return Link(token.pk, instance, name)


def _understand(hello: Hello) -> None:
    """Raise Unwelcome for who speaks another wire, or says what cannot be."""
    if not hello.wire or hello.wire[0] != WIRE[0]:
        theirs, ours = hello.wire[0] if hello.wire else 0, WIRE[0]
        older = "connector" if theirs < ours else "server"
        raise Unwelcome(
            f"The connector {hello.version[:40]} speaks version {theirs} of the wire and the server {VERSION} version "
            f"{ours}: upgrade the {older}.",
            again=False,
        )
    if not _IDENTITY.fullmatch(hello.instance) or not _KEY.fullmatch(hello.key):
        raise Unwelcome("Hello names no instance (16 to 64 hex digits) or no key (64 hex digits).", again=False)
    if len(hello.functions) > FUNCTIONS_MAX or len(hello.providers) > PROVIDERS_MAX:
        raise Unwelcome("Hello names more functions or providers than a connector has.", again=False)


def _told(hello: Hello) -> dict[str, object]:
    """Return what an instance says of itself as the columns that keep it."""
    surroundings = {key[:WORDS_MAX]: value[:WORDS_MAX] for key, value in list(hello.place.items())[:30]}
    where = [surroundings.get("host", ""), f"process {surroundings['process']}" if "process" in surroundings else ""]
    return {
        "version": hello.version[:40],
        "wire": ".".join(str(number) for number in hello.wire)[:20],
        "place": (", ".join(filter(None, where)) or hello.instance)[:200],
        "surroundings": surroundings,
        "public_key": hello.key,
        "providers": [one[:60] for one in hello.providers],
        "functions": {name[:WORDS_MAX]: digest[:64] for name, digest in hello.functions.items()},
        "rules": hello.rules[:64],
        "slots": max(0, min(hello.slots, SLOTS_MAX)),
        "working": [],
    }


def _record_joining(instance: ConnectorInstance, at: datetime) -> None:
    """Write into the trail who joined, and what it may do: every digest once, after that the digest of them all."""
    connector = instance.connector
    others = ConnectorInstance.objects.filter(connector=connector, functions=instance.functions)
    lines = [f"{name} {digest}" for name, digest in sorted(instance.functions.items())]
    details = {
        "instance": str(instance.pk),
        "place": instance.place,
        "version": instance.version,
        "rules": instance.rules,
        "functions_sha256": sha256("\n".join(lines).encode()).hexdigest(),
    }
    if not others.exclude(pk=instance.pk).exists():
        details["functions"] = json.dumps(lines)
    subject = Subject("connector", str(connector.pk), connector.name)
    actor = acting(str(instance.pk), str(instance))
    record("connector.instance_joined", actor=actor, subject=subject, details=details, at=at)


def welcome(link: Link, *, at: datetime | None = None) -> Welcome:
    """Return the answer to Hello."""
    now = (at or timezone.now()).timestamp()
    beat = float(settings.HEARTBEAT_SECONDS)
    return Welcome(link.instance.identity, VERSION, heartbeat_seconds=beat, now=now, latest=VERSION)


def is_name(text: str) -> bool:
    """Whether a link may be called so: what is random enough to be nobody else's."""
    return _NAME.fullmatch(text) is not None


def resume(token: ConnectorToken, identity: str, name: str) -> Link:
    """Return the link that an exchange belongs to. Raises Unwelcome: the instance has to say hello first."""
    rows = ConnectorInstance.objects.select_related("connector").filter(connector=token.connector, link=name)
    instance = rows.filter(identity=identity, transport=Transport.POLL).first() if name and identity else None
    if instance is None:
        raise Unwelcome("This link is not known, or over. Say hello.")
    return Link(token.pk, instance, name)


def stay(link: Link, *, at: datetime | None = None) -> None:
    """Raise Unwelcome when the link is over: token revoked or expired, connector deleted, a newer link took over."""
    if not tokens.still_holds(link.token_id, at=at):
        raise Unwelcome("The token does not hold any more. Give the connector a new one.")
    if not ConnectorInstance.objects.filter(pk=link.instance.pk, link=link.name).exists():
        raise Unwelcome("A newer link of this instance took over, or the connector is gone.")


def hear(link: Link, message: Message, *, at: datetime | None = None) -> list[Message]:
    """Do what a message asks, durably, and return what to answer. Raises Unwelcome."""
    moment = at or timezone.now()
    stay(link, at=moment)
    match message:
        case Heartbeat():
            return _beat(link, message, moment)
        case PageOf():
            return [_take_page(link, message, moment)]
        case AskBaseline():
            return [_tell_baseline(link, message, moment)]
        case ReportOf():
            return [_take_report(link, message.report, moment)]
        case Goodbye():
            ConnectorInstance.objects.filter(pk=link.instance.pk, link=link.name).update(stopped_at=moment, working=[])
    # What only a server says, or what was said already, asks for nothing.
    return []


def _beat(link: Link, message: Heartbeat, at: datetime) -> list[Message]:
    """Note that the instance is alive and at what; say what is over, and send again what it never got."""
    link.echo = message.echo
    working = {one for one in message.working[:SLOTS_MAX] if _key(one) is not None}
    rows = ConnectorInstance.objects.filter(pk=link.instance.pk)
    rows.update(last_seen_at=at, stopped_at=None, working=sorted(working))
    return [Beat(message.echo), *cancels(link, working), *lost_work(link, working, at=at)]


def cancels(link: Link, working: set[str]) -> list[Cancel]:
    """Return which of the orders that an instance works on are not its own any more."""
    known = {str(row.pk): row for row in Order.objects.filter(pk__in=working)} if working else {}
    over = [
        Cancel(one, row.epoch)
        for one, row in known.items()
        if row.state != OrderState.LEASED or row.leased_by_id != link.instance.pk
    ]
    missing = working - known.keys()
    if missing:
        tried = {str(pk) for pk in Trial.objects.filter(pk__in=missing).values_list("pk", flat=True)}
        over += [Cancel(one, EVERY_EPOCH) for one in missing - tried]
    return over


def _key(text: str) -> uuid.UUID | None:
    """Return the key that an order's id is; None for what is none, as we write them."""
    try:
        key = uuid.UUID(text)
    except ValueError:
        return None
    return key if str(key) == text else None


def _held(link: Link, order_id: str, epoch: int, at: datetime) -> Order | None:
    """Return, locked, the order that the instance holds under this lease; None when it does not, any more."""
    key = _key(order_id)
    rows = Order.objects.select_for_update(of=("self",)).select_related("integration")
    mine = rows.filter(leased_by=link.instance, epoch=epoch, state=OrderState.LEASED, lease_until__gt=at)
    return mine.filter(pk=key).first() if key is not None else None


def _take_page(link: Link, message: PageOf, at: datetime) -> Taken:
    """Keep one page of a sync, once."""
    refused = Taken(message.order_id, message.epoch, message.number, refused=True)
    order = None
    try:
        with transaction.atomic():
            order = _held(link, message.order_id, message.epoch, at)
            run = SyncRun.objects.select_for_update().filter(order=order, epoch=message.epoch).first()
            if order is None or run is None or message.number > run.pages + 1:
                return refused
            if message.number == run.pages + 1:
                inventory.stage(run, message.page)
    except (DataError, ValueError) as error:
        problem = error if isinstance(error, ValueError) else inventory.Unkeepable("what the database refuses.")
        if order is not None:
            orders.settle(running.hopeless(order, problem), instance=link.instance, at=at)
        return refused
    return Taken(message.order_id, message.epoch, message.number)


def _tell_baseline(link: Link, message: AskBaseline, at: datetime) -> Message:
    """Answer what is standing, from rows that are durable before the answer leaves."""
    with transaction.atomic():
        order = _held(link, message.order_id, message.epoch, at)
        if order is None or order.person_id is None:
            return Cancel(message.order_id, message.epoch)
        wanted = [unit for unit in message.wanted[:UNITS_MAX] if _fits(unit)]
        standing = baseline.standing(order.integration_id, order.person_id, message.present, wanted, at=at)
    return TellBaseline(message.order_id, message.epoch, message.question, tuple(sorted(standing, key=str)))


def _fits(unit: Unit) -> bool:
    return len(unit.resource_type) <= 60 and len(unit.resource) <= 700 and len(unit.permission) <= 200


def _take_report(link: Link, report: Report, at: datetime) -> Taken:
    """Take a final report, once; one that is repeated because its answer got lost is answered again."""
    link.sent.discard(report.order_id)
    key = _key(report.order_id)
    if key is None:
        return Taken(report.order_id, report.epoch, refused=True)
    if not Order.objects.filter(pk=key, leased_by=link.instance).exists():
        return Taken(report.order_id, report.epoch, refused=not trials.answer(report, instance=link.instance))
    problem = senseless(report)
    try:
        taken = orders.settle(_told_off(report, problem) if problem else report, instance=link.instance, at=at)
    except (DataError, ValueError, TypeError, KeyError, OverflowError) as error:
        log.error("order %s: its report cannot be taken in: %s", report.order_id, type(error).__name__)
        taken = orders.settle(_told_off(report, "it cannot be kept"), instance=link.instance, at=at)
    except Order.DoesNotExist:
        taken = False
    # Settled before, by this very lease: the answer was lost on its way.
    known = Order.objects.filter(pk=key, leased_by=link.instance, epoch=report.epoch, lease_until__isnull=True)
    return Taken(report.order_id, report.epoch, refused=not taken and not known.exists())


def _told_off(report: Report, problem: str) -> Report:
    """Return, in place of a report that makes no sense, one that says so."""
    words = f"The connector sent a report that makes no sense: {problem}."
    told = ErrorReport(Misconfigured.kind, words, "Upgrade the connector, and look into its log.")
    return Report(report.order_id, report.epoch, error=told)
