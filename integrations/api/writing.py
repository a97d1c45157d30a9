"""Bodies about integrations into actions, and what actions refuse into answers that name the field."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError
from rest_framework.exceptions import ValidationError

from accounts.models import Group, User
from accounts.rest.errors import Conflict
from audit.actor import Actor
from connectors.contract.errors import TargetError
from connectors.contract.manifest import Manifest
from integrations import actions
from integrations.api.mapping import LIFETIMES
from integrations.api.stores import BUILT_IN, FIELDS, Part, reference_wanted
from integrations.models import Connector, Integration
from integrations.queries import catalogue

DAYS_MAX = 36_500


def uuids(values: list[str]) -> list[uuid.UUID]:
    """Return the values that are ids."""
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return found


@contextmanager
def refusals(config: str = "integration_config") -> Iterator[None]:
    """Turn what actions raise into answers; `config` is the contract's name of the configuration."""
    try:
        yield
    except actions.BadConfig as problem:
        raise ValidationError({f"{config}.{name}": [text] for name, text in problem.problems.items()}) from problem
    except actions.BadName as problem:
        raise ValidationError({"name": [str(problem)]}) from problem
    except actions.StillNeeded as problem:
        raise Conflict(str(problem)) from problem
    except TargetError as problem:
        raise Conflict(f"{problem.message} {problem.fix}".strip()) from problem
    except IntegrityError as error:
        raise Conflict("Something else has this name, or was changed at the same moment.", code="taken") from error


def connect(body: Part, *, actor: Actor) -> Integration:
    """Connect what the body says. Raises ValidationError, Conflict, NotAllowed."""
    manifest = catalogue().get(body["type"])
    if manifest is None:
        raise ValidationError(
            {"type": [f"There is no type “{body['type']}”; there are {', '.join(sorted(catalogue()))}."]}
        )
    _free_name(body["name"], None)
    more = _change(body, manifest, None)
    with refusals():
        return actions.connect(body["name"], manifest.id, secrets=_secrets(body, manifest), actor=actor, **more)


def change(row: Integration, body: Part, *, actor: Actor) -> None:
    """Make an integration as the body says; nothing happens where it is so. Raises as `connect`."""
    manifest = catalogue().get(row.type)
    if manifest is None:
        raise Conflict(f"This server has no provider “{row.type}” any more, so nothing can be changed.")
    _free_name(body["name"], row)
    more, secrets = _change(body, manifest, row), _secrets(body, manifest)
    connector = more.pop("connector")
    more["settings"] |= {"connector": connector} if connector else {}
    if _is_so(row, body["name"], more) and not secrets:
        return
    with refusals():
        actions.edit(row, name=body["name"], secrets=secrets, actor=actor, **more)


def _free_name(name: str, row: Integration | None) -> None:
    if Integration.objects.filter(name=name).exclude(pk__in=[row.pk] if row else []).exists():
        raise ValidationError({"name": [f"Another integration is called “{name}”."]})


def _change(body: Part, manifest: Manifest, row: Integration | None) -> Part:
    """Return what connect and edit are given alike."""
    config, settings = _config(body["integration_config"], manifest)
    settings |= {
        "enabled_types": _types(body, manifest),
        "custom_access_details": body.get("custom_access_details") or "",
        **_tag(body),
    }
    hours = (body.get("latchkey") or {}).get("reconcile_hours")
    settings |= {} if hours is None else {"reconcile_hours": hours}
    owners, told = _owners(body)
    settings["as_written"] = told | {"config": sorted(body["integration_config"])} | _source_of_tag(body) | _store(body)
    where = reference_wanted(body.get("secret_store_config") or {})
    return {
        "config": config,
        "settings": settings,
        "owners": owners,
        "kept": actions.Kept(*where) if where else None,
        "connector": _connector(body, row),
    }


def _config(told: Part, manifest: Manifest) -> tuple[Part, Part]:
    """Return the provider's own configuration, and the settings of ours that are among it."""
    secret = {one.name for one in manifest.secret_fields()}
    problems = {
        f"integration_config.{name}": ["This is a secret: give it in secret_store_config."]
        for name in told
        if name in secret
    }
    settings: Part = {}
    for name, (column, usual) in LIFETIMES.items():
        value = told.get(name)
        if value in (None, ""):
            settings[column] = usual
        elif str(value).isascii() and str(value).isdigit() and int(value) <= DAYS_MAX:
            settings[column] = int(value)
        else:
            problems[f"integration_config.{name}"] = [f"A number of days, at most {DAYS_MAX}."]
    if problems:
        raise ValidationError(problems)
    return {name: value for name, value in told.items() if name not in LIFETIMES}, settings


def _types(body: Part, manifest: Manifest) -> list[str]:
    wanted = list(body.get("connected_resource_types") or ())
    there = [one.id for one in manifest.resource_types]
    if wrong := sorted(set(wanted) - set(there)):
        text = f"There is no resource type {', '.join(wrong)}; there are {', '.join(there)}."
        raise ValidationError({"connected_resource_types": [text]})
    return wanted


def _connector(body: Part, row: Integration | None) -> Connector | None:
    told = body.get("connector_id")
    if not told:
        return row.connector if row else None
    found = Connector.objects.filter(pk__in=uuids([told])).first()
    if found is None:
        raise ValidationError({"connector_id": [f"There is no connector “{told}”."]})
    return found


def _tag(body: Part) -> Part:
    told = body.get("owners_mapping")
    if not told:
        return {"owner_tag_key": "", "owner_tag_type": "group"}
    return {"owner_tag_key": told["key_name"], "owner_tag_type": told["attribute_type"]}


def _source_of_tag(body: Part) -> Part:
    told = body.get("owners_mapping") or {}
    source = _source(told, "owners_mapping")
    return {"mapping_source": source} if source else {}


def _source(told: Part, path: str) -> str:
    """Return the id of the integration that something comes from; nothing where none is said."""
    reference = told.get("source_integration_reference")
    if not reference:
        return ""
    rows = Integration.objects.filter(pk__in=uuids([reference])) or Integration.objects.filter(name=reference)
    found = rows.first()
    if found is None:
        text = f"There is no integration “{reference}”."
        raise ValidationError({f"{path}.source_integration_reference": [text]})
    return str(found.pk)


def _store(body: Part) -> Part:
    told = {
        name: dict(value) for name, value in (body.get("secret_store_config") or {}).items() if value and name in FIELDS
    }
    return {"secret_store_config": told} if told else {}


def _secrets(body: Part, manifest: Manifest) -> dict[str, str]:
    """Return the values for the built-in store."""
    told = ((body.get("secret_store_config") or {}).get(BUILT_IN) or {}).get("parameters", {})
    there = [one.name for one in manifest.secret_fields()]
    if wrong := sorted(set(told) - set(there)):
        text = f"There is no secret {', '.join(wrong)}; there are {', '.join(there) or 'none'}."
        raise ValidationError({"secret_store_config.apono.parameters": [text]})
    return dict(told)


def _owners(body: Part) -> tuple[list[User | Group], Part]:
    """Return the owners, and how they were told."""
    told, users = body.get("owner"), (body.get("latchkey") or {}).get("owner_users", ())
    found: list[User | Group] = [_person(one, "latchkey.owner_users", "") for one in users]
    if not told:
        return found, {}
    source, path = _source(told, "owner"), "owner.attribute_value"
    if told["attribute_type"] not in ("user", "group"):
        text = (
            "The owner of an integration is a user or a group; of a resource it can be an attribute (owners_mapping)."
        )
        raise ValidationError({"owner.attribute_type": [text]})
    look = _person if told["attribute_type"] == "user" else _group
    found += [look(one, path, source) for one in told["attribute_value"]]
    keys = sorted({f"user:{one.pk}" if isinstance(one, User) else f"group:{one.pk}" for one in found})
    written = {"attribute_type": told["attribute_type"], "attribute_value": list(told["attribute_value"])}
    return found, {"owner": written | {"keys": keys} | ({"source": source} if source else {})}


def _person(told: str, path: str, source: str) -> User:
    rows = User.objects.filter(email=told.strip().lower()) or User.objects.filter(pk__in=uuids([told]))
    found: User = _found(rows, told, path, source, "person")
    return found


def _group(told: str, path: str, source: str) -> Group:
    rows = Group.objects.filter(name=told) or Group.objects.filter(pk__in=uuids([told]))
    found: Group = _found(rows, told, path, source, "group")
    return found


def _found(rows: Any, told: str, path: str, source: str, noun: str) -> Any:
    row = (rows.filter(origins__integration=source) if source else rows).first()
    if row is None:
        whence = " from that integration" if source else ""
        raise ValidationError({path: [f"There is no {noun} “{told}”{whence}."]})
    return row


def _is_so(row: Integration, name: str, more: Part) -> bool:
    """Whether an integration is so already, so that nothing need be checked anew."""
    try:
        clean = actions.clean_config(catalogue()[row.type], more["config"])
    except actions.BadConfig:
        return False
    kept = more["kept"]
    stored = {(one.store, one.reference) for one in row.secrets.all()}
    owners = [one.user or one.group for one in row.owners.all()]
    return (
        (row.name, row.config) == (name, clean)
        and all(getattr(row, column) == value for column, value in more["settings"].items())
        and owners == list(dict.fromkeys(more["owners"]))
        and (kept is None or stored == {(kept.store, kept.reference)})
    )
