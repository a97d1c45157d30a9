"""How a directory's people are taken over: its settings, and what goes with it when it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

import accounts.actions
from accounts.actions import require
from accounts.models import Group
from audit.actions import Subject, record
from audit.actor import Actor, system
from connectors.contract.manifest import Manifest
from connectors.registry import BUILT_IN
from integrations.actions.people import paths
from integrations.choices import OrderVerb
from integrations.models import Directory, DirectoryAttribute, Integration, Origin

# Condition types that are no attributes: an attribute of such a name could never be asked for.
RESERVED = frozenset({"user", "group", "manager"})
COLUMNS = ("share_percent", "creates_people", "sync_minutes", "whole_hours")


class BadSettings(ValueError):
    """Settings that cannot be; `problems` says per field what is wrong."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Keep the problems by field."""
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def tells_people(type_: str) -> bool:
    """Whether integrations of a type tell of people instead of giving access."""
    known = BUILT_IN.manifests().get(type_)
    return known is not None and known.kind == "people"


def sync_verb(integration: Integration) -> str:
    """Return the verb of a sync of it."""
    return OrderVerb.PEOPLE if tells_people(integration.type) else OrderVerb.DISCOVER


def actor_of(integration: Integration) -> Actor:
    """Return who does what a directory's word brings about: the platform, and the trail names the directory."""
    return system(integration.name)


def begin_directory(integration: Integration, manifest: Manifest, *, at: datetime) -> None:
    """Write the settings a directory begins with, as its manifest says them. In the caller's transaction."""
    if manifest.kind != "people":
        return
    row = Directory.objects.create(integration=integration, creates_people="people" in manifest.tells)
    DirectoryAttribute.objects.bulk_create(
        DirectoryAttribute(directory=row, path=one.path, type=one.type) for one in manifest.attributes
    )


def edit_directory(
    directory: Directory,
    *,
    settings: Mapping[str, Any],
    attributes: Iterable[tuple[str, str]],
    actor: Actor,
    at: datetime,
) -> None:
    """Change the settings and the attributes (path, type); the next sync tells everybody. Raises BadSettings."""
    require(actor, "integrations.change_integration")
    require(actor, "accounts.change_user")
    wanted = list(dict.fromkeys(attributes))
    _check_attributes(wanted)
    with transaction.atomic():
        row = Directory.objects.select_for_update(of=("self",)).select_related("integration").get(pk=directory.pk)
        before = shown(row)
        _store(row, settings, wanted)
        after = shown(row)
        if before != after:
            details = {"before": before, "after": after}
            record("directory.edited", actor=actor, subject=subject_of(row.integration), details=details, at=at)


def _store(row: Directory, settings: Mapping[str, Any], attributes: list[tuple[str, str]]) -> None:
    """Write settings and attributes. Raises BadSettings."""
    for column in COLUMNS:
        setattr(row, column, settings[column])
    try:
        row.clean_fields()
    except ValidationError as error:
        raise BadSettings({name: " ".join(words) for name, words in error.message_dict.items()}) from error
    # What is mapped otherwise is seen only in records that are told anew.
    row.cursor = ""
    row.save()
    row.attributes.all().delete()
    DirectoryAttribute.objects.bulk_create(
        DirectoryAttribute(directory=row, path=path, type=kind) for path, kind in attributes
    )


def shown(row: Directory) -> dict[str, Any]:
    """Return the settings as the trail keeps them."""
    attributes = [f"{one.path} → {one.type}" for one in row.attributes.all()]
    return {**{column: getattr(row, column) for column in COLUMNS}, "attributes": attributes}


def subject_of(integration: Integration) -> Subject:
    """Return the snapshot that an audit entry keeps."""
    return Subject("integration", str(integration.pk), integration.name)


def release(integration: Integration) -> None:
    """Let go of what a directory told, before its row goes: its groups become ours, its attributes go.

    Nobody is disabled: that somebody is in no directory any more is no word that they left.
    """
    actor = actor_of(integration)
    for group in Group.objects.filter(origins__integration=integration):
        accounts.actions.keep_told_group(group, actor=actor)
    mine = Origin.objects.filter(integration=integration, attribute__isnull=False)
    others = Origin.objects.exclude(integration=integration).filter(attribute__isnull=False).values("attribute")
    for origin in mine.exclude(attribute__in=others).select_related("attribute__user"):
        if (told := origin.attribute) is not None:
            pair = (told.type, told.value)
            accounts.actions.change_attributes(told.user, added=(), removed=[pair], actor=actor)


def _check_attributes(wanted: list[tuple[str, str]]) -> None:
    """Raise BadSettings for a path or a type that cannot be."""
    for path, kind in wanted:
        if problem := paths.problem(path):
            raise BadSettings({"attributes": f"{path}: {problem}"})
        if not kind or len(kind) > 100 or kind in RESERVED or not kind.replace("_", "").replace("-", "").isalnum():
            words = "a type is letters, digits, _ and -, and none of user, group, manager."
            raise BadSettings({"attributes": f"{kind or path}: {words}"})
