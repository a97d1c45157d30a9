"""Reads manifest.toml: a closed schema, where an unknown key is an error that names file and key."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import AttributePath, Field, Limit, Manifest, Permission, ResourceType

FILE = "manifest.toml"
FIELD_KINDS = ("text", "integer", "choice", "boolean", "json", "secret")
MULTILINE_KINDS = ("text", "json", "secret")
# login_for() needs this much for a name that is readable and unique.
LOGIN_MIN = 20
RISK_LEVELS = range(1, 10)
KINDS = ("system", "people")
TELLS = frozenset({"people", "groups", "shifts"})

Row = TypeVar("Row", AttributePath, Field, Limit, Permission, ResourceType, Manifest)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file. Raises Misconfigured when it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path}: {error}") from error


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a provider folder. Raises Misconfigured naming file and key."""
    path = folder / FILE
    data = read_toml(path)
    if "id" in data:
        raise Misconfigured(f"{path}: the key 'id' does not belong here: the id is the folder's name.")
    manifest = _build(Manifest, {"id": folder.name, **data}, str(path))
    _check_fields(manifest, path)
    _check_resource_types(manifest, path)
    _check_limits(manifest, path)
    _check_kind(manifest, path)
    for name in manifest.setup:
        if not (folder / name).is_file():
            raise Misconfigured(f"{path}: 'setup' names {name}, which is not there.")
    return manifest


def _build(kind: type[Row], table: Any, where: str) -> Row:
    """Make one dataclass of one table; its fields are the schema."""
    if not isinstance(table, dict):
        raise Misconfigured(f"{where}: a table is expected.")
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            raise Misconfigured(f"{where}: unknown key '{key}'.", fix=f"Known keys: {', '.join(hints)}.")
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.name not in table]
    if missing:
        raise Misconfigured(f"{where}: the key '{missing[0]}' is missing.")
    return kind(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    """Return `value` as the type that the dataclass declares."""
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise Misconfigured(f"{where}: a list is expected.")
        item = get_args(hint)[0]
        return tuple(_value(item, entry, f"{where}[{number}]") for number, entry in enumerate(value))
    if hint in (AttributePath, Field, Limit, Permission, ResourceType):
        return _build(hint, value, where)
    allowed = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    # bool is an int to Python, but not to the person who wrote the file.
    if type(value) not in allowed:
        raise Misconfigured(f"{where}: {value!r} is no {'/'.join(kind.__name__ for kind in allowed)}.")
    return value


def _check_fields(manifest: Manifest, path: Path) -> None:
    """Raise Misconfigured for fields that make no form."""
    _check_unique([field.name for field in manifest.fields], f"{path}: fields")
    for field in manifest.fields:
        where = f"{path}: field '{field.name}'"
        if not field.name.isidentifier():
            raise Misconfigured(f"{where}: the name must be an identifier.")
        if field.kind not in FIELD_KINDS:
            raise Misconfigured(f"{where}: kind '{field.kind}' is none of {', '.join(FIELD_KINDS)}.")
        if (field.kind == "choice") != bool(field.choices):
            raise Misconfigured(f"{where}: 'choices' belong to kind 'choice' and to no other.")
        if field.kind == "boolean" and field.default not in ("true", "false"):
            raise Misconfigured(f"{where}: the default of a boolean is 'true' or 'false'.")
        if field.multiline and field.kind not in MULTILINE_KINDS:
            raise Misconfigured(f"{where}: 'multiline' belongs to {', '.join(MULTILINE_KINDS)}.")
        if field.default and field.choices and field.default not in field.choices:
            raise Misconfigured(f"{where}: the default '{field.default}' is no choice.")
        if field.kind == "secret" and field.default:
            raise Misconfigured(f"{where}: a secret has no default.")
        if field.kind == "integer" and field.default and not field.default.lstrip("-").isdigit():
            raise Misconfigured(f"{where}: the default '{field.default}' is no integer.")


def _check_resource_types(manifest: Manifest, path: Path) -> None:
    """Raise Misconfigured for resource types nobody could ask for."""
    _check_unique([kind.id for kind in manifest.resource_types], f"{path}: resource_types")
    for kind in manifest.resource_types:
        where = f"{path}: resource type '{kind.id}'"
        if not kind.permissions and not kind.finds_permissions:
            raise Misconfigured(f"{where}: has no permissions.")
        _check_unique([permission.id for permission in kind.permissions], f"{where}: permissions")
        for permission in kind.permissions:
            if permission.risk_level not in RISK_LEVELS:
                raise Misconfigured(f"{where}: risk_level of '{permission.id}' is not 1 to 9.")


def _check_limits(manifest: Manifest, path: Path) -> None:
    """Raise Misconfigured for limits that limit nothing, and logins nobody could name."""
    known = {kind.id for kind in manifest.resource_types}
    for number, limit in enumerate(manifest.limits):
        where = f"{path}: limits[{number}]"
        if not limit.resource_types or not known.issuperset(limit.resource_types):
            raise Misconfigured(f"{where}: 'resource_types' names none, or one that is not declared.")
        if limit.at_most < 1 or not limit.words:
            raise Misconfigured(f"{where}: needs 'at_most' of 1 or more, and 'words'.")
    if manifest.login_max < LOGIN_MIN:
        raise Misconfigured(f"{path}: login_max is less than {LOGIN_MIN}.")


def _check_kind(manifest: Manifest, path: Path) -> None:
    """Raise Misconfigured for a directory that tells of nobody, and a system that claims to tell of people."""
    if manifest.kind not in KINDS:
        raise Misconfigured(f"{path}: kind '{manifest.kind}' is none of {', '.join(KINDS)}.")
    told = bool(manifest.tells or manifest.attributes or manifest.shift_type)
    if manifest.kind == "system" and told:
        raise Misconfigured(f"{path}: 'tells', 'attributes' and 'shift_type' belong to kind 'people'.")
    if manifest.kind == "people" and (not manifest.tells or not TELLS.issuperset(manifest.tells)):
        raise Misconfigured(f"{path}: 'tells' names at least one of {', '.join(sorted(TELLS))}, and nothing else.")
    if manifest.kind == "people" and manifest.resource_types:
        raise Misconfigured(f"{path}: there is nothing to ask for in a directory: it has no resource types.")
    if ("shifts" in manifest.tells) != bool(manifest.shift_type):
        raise Misconfigured(f"{path}: 'shift_type' belongs to what tells of shifts, and to nothing else.")


def _check_unique(names: list[str], where: str) -> None:
    """Raise Misconfigured when a name comes twice."""
    for name in names:
        if names.count(name) > 1:
            raise Misconfigured(f"{where}: '{name}' comes twice.")
