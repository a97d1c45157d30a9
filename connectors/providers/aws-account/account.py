"""The account that an order is about, and the identity under which the connector works in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.aws import Cloud, check_region

from . import programs
from .names import BOUNDARY, Place


@dataclass(frozen=True, slots=True)
class Account:
    """An account, open for one order. `tag_keys` and `offers_all` say which resources stand for more than one."""

    cloud: Cloud
    place: Place
    identity: str
    tag_keys: tuple[str, ...]
    offers_all: bool

    @property
    def boundary(self) -> str:
        """Return the ARN of the policy beyond which no user of ours can go."""
        return self.place.arn("iam", f"policy/{BOUNDARY}", region=False)


@contextmanager
def open_account(order: Order, run: Run) -> Iterator[Account]:
    """Find out who the connector is and where. Raises a TargetError."""
    config = order.config
    region = check_region(str(config.get("region", "")))
    with Cloud(run, region=region, profile=str(config.get("profile") or ""), dry_run=order.dry_run) as cloud:
        who = cloud.read(programs.IDENTITY)
        partition = str(who["Arn"]).split(":")[1]
        keys = tuple(filter(None, (key.strip() for key in str(config.get("tag_keys") or "").split(","))))
        if any("\0" in key or len(key) > 128 for key in keys):
            raise Misconfigured("A tag key has at most 128 characters.")
        place = Place(partition, str(who["Account"]), region)
        yield Account(cloud, place, str(who["Arn"]), keys, _is_on(config.get("offers_all")))


def _is_on(value: object) -> bool:
    """Return a boolean of the configuration, which may be written as text."""
    return value is True or str(value).lower() == "true"
