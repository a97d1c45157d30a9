"""Connectors: renamed, and deleted when nothing runs through them."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.actions import require
from audit.actions import Subject, record
from audit.actor import Actor
from integrations.actions.deleting import StillNeeded
from integrations.actions.running import EMBEDDED
from integrations.events import cut_links
from integrations.models import Connector

NAME_MAX = 100


class BadName(ValueError):
    """A name that a connector cannot have; the message says why."""


def is_embedded(connector: Connector) -> bool:
    """Whether it is the connector in this server, which is there again after each start."""
    return connector.name == EMBEDDED


def rename_connector(connector: Connector, name: str, *, actor: Actor, at: datetime | None = None) -> None:
    """Give a connector another name. Raises BadName."""
    require(actor, "integrations.change_connector")
    wanted = name.strip()
    if not wanted or len(wanted) > NAME_MAX:
        raise BadName("A name has 1 to 100 characters.")
    if is_embedded(connector):
        raise BadName("The connector in this server is found by its name, so it keeps it.")
    try:
        with transaction.atomic():
            row = Connector.objects.select_for_update().get(pk=connector.pk)
            before, row.name = row.name, wanted
            if before == wanted:
                return
            row.save(update_fields=["name"])
            record("connector.renamed", actor=actor, subject=_subject(row), details={"from": before}, at=at)
    except IntegrityError as error:
        raise BadName("Another connector has this name. Choose a different one.") from error
    connector.name = wanted


def delete_connector(connector: Connector, *, actor: Actor, at: datetime | None = None) -> None:
    """Delete a connector with the record of its instances. Raises StillNeeded while integrations run through it."""
    require(actor, "integrations.delete_connector")
    try:
        with transaction.atomic():
            row = Connector.objects.select_for_update().get(pk=connector.pk)
            record("connector.deleted", actor=actor, subject=_subject(row), at=at or timezone.now())
            cut_links(row.pk)
            row.delete()
    except ProtectedError as error:
        raise StillNeeded(sorted({str(one) for one in error.protected_objects})) from error


def _subject(connector: Connector) -> Subject:
    return Subject("connector", str(connector.pk), connector.name)
