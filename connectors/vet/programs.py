"""The program files of a provider: whether they can be read, and are those that the code declares."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from connectors.contract.errors import Misconfigured
from connectors.toolkit import aws
from connectors.toolkit.call_files import CallFile
from connectors.toolkit.events import EventFile
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.ldap_files import LdapFile
from connectors.toolkit.policy_files import PolicyFile
from connectors.toolkit.powershell_files import PowerShellFile
from connectors.toolkit.redis_files import CommandFile
from connectors.toolkit.shell_files import TAKES, ShellFile, unquoted
from connectors.toolkit.sql_files import SqlFile
from connectors.vet.code import declared_programs

# What is given can be taken, what is made can be removed, what is opened can be shut.
PAIRS = {"grant": "revoke", "create": "drop", "open": "shut"}


class Slotted(Protocol):
    """A program file with slots, of whatever kind."""

    @property
    def slots(self) -> frozenset[str]:
        """Return the names of its slots. Raises Misconfigured for a file that cannot be read."""


# A JSON file is known by the key that only its kind has.
JSON_KINDS: dict[str, Callable[[Path], Slotted]] = {
    "method": RequestFile,
    "command": CommandFile,
    "operation": CallFile,
    "Statement": PolicyFile,
    "ldap": LdapFile,
    "event_type": EventFile,
}


def complaints(folder: Path) -> list[str]:
    """Return what is wrong with the programs of a provider."""
    files = {path.stem: path for path in sorted((folder / "programs").glob("*")) if path.is_file()}
    declared = declared_programs(folder)
    wrong = [f"{folder}: the program '{name}' is declared, but there is no file." for name in declared.keys() - files]
    wrong += [f"{files[name]}: no code declares it." for name in files.keys() - declared.keys()]
    for name, path in files.items():
        wrong += _program(path, declared.get(name))
    wrong += [f"{folder}: '{name}' has no counterpart '{other}…'." for name, other in _alone(set(files))]
    return sorted(wrong)


def _program(path: Path, slots: frozenset[str] | None) -> list[str]:
    """Return what is wrong with one program."""
    if path.suffix == ".sql":
        return _slots(SqlFile(path), path, slots) or _sql(path)
    if path.suffix == ".sh":
        return _slots(ShellFile(path), path, slots) or _shell(ShellFile(path))
    if path.suffix == ".ps1":
        return _slots(PowerShellFile(path), path, slots)
    if path.suffix == ".json":
        file = _json(path)
        return [] if file is None else _slots(file, path, slots) or _more(file)
    return []


def _slots(file: Slotted, path: Path, slots: frozenset[str] | None) -> list[str]:
    """Return what is wrong with a file as a whole, and with its slots."""
    try:
        found = file.slots
    except Misconfigured as error:
        return [error.message]
    if slots is not None and found != slots:
        return [f"{path}: has the slots {sorted(found)}, but the code declares {sorted(slots)}."]
    return []


def _json(path: Path) -> Slotted | None:
    """Return a JSON file as the kind of program that it is; None for a document that is no program by itself."""
    text = path.read_text(encoding="utf-8")
    kind = next((kind for key, kind in JSON_KINDS.items() if f'"{key}":' in text), None)
    return None if kind is None else kind(path)


def _sql(path: Path) -> list[str]:
    """Return what else is wrong with an SQL program."""
    begins = path.read_text(encoding="utf-8").startswith("-- ")
    return [] if begins else [f"{path}: does not begin with a comment that says what it does."]


def _shell(file: ShellFile) -> list[str]:
    """Return what else is wrong with a shell program; whether a shell can read it is for the tests to say."""
    path, wrong = file.path, []
    if not file.text.startswith("#!/bin/sh\n# ") or not file.needs:
        wrong.append(f"{path}: does not begin with #!/bin/sh and a comment that says what it does and needs.")
    if "\nset -eu\n" not in file.text:
        wrong.append(f"{path}: does not stop at what fails or is not set (set -eu).")
    if re.search(r"\beval\b|`", file.text):
        wrong.append(f"{path}: makes commands of text.")
    unused = sorted(name for name in file.slots if not re.search(rf"\b{name}\b", TAKES.sub("", file.text)))
    wrong += [f"{path}: takes {name}, and does nothing with it." for name in unused]
    loose = unquoted(file.text, file.slots)
    return wrong + [f"{path}, line {line}: a value stands outside of quotes." for line in loose]


def _more(file: Slotted) -> list[str]:
    """Return what else is wrong with a JSON program."""
    return aws.complaints(file) if isinstance(file, CallFile) else []


def _alone(names: set[str]) -> list[tuple[str, str]]:
    """Return the programs that do something which no other undoes, by verb and first noun of their names."""
    alone = []
    for name in sorted(names):
        verb, _, rest = name.partition("_")
        noun = rest.partition("_")[0]
        if verb in PAIRS and not any(other.startswith(f"{PAIRS[verb]}_{noun}") for other in names):
            alone.append((name, f"{PAIRS[verb]}_{noun}"))
    return alone
