"""The program files of a provider: whether they can be read, and are those that the code declares."""

from __future__ import annotations

from pathlib import Path

from connectors.contract.errors import Misconfigured
from connectors.toolkit.events import EventFile
from connectors.toolkit.http_files import RequestFile
from connectors.toolkit.sql_files import SqlFile
from connectors.vet.code import declared_programs

# What is given can be taken, what is made can be removed, what is opened can be shut.
PAIRS = {"grant": "revoke", "create": "drop", "open": "shut"}


def complaints(folder: Path) -> list[str]:
    """Return what is wrong with the programs of a provider."""
    files = {path.stem: path for path in sorted((folder / "programs").glob("*")) if path.is_file()}
    declared = declared_programs(folder)
    wrong = [f"{folder}: the program '{name}' is declared, but there is no file." for name in declared.keys() - files]
    wrong += [f"{files[name]}: no code declares it." for name in files.keys() - declared.keys()]
    for name, path in files.items():
        if path.suffix == ".sql":
            wrong += _sql(path, declared.get(name))
        elif path.suffix == ".json" and '"method"' in path.read_text(encoding="utf-8"):
            wrong += _slots(RequestFile(path), declared.get(name))
        elif path.suffix == ".json" and '"event_type"' in path.read_text(encoding="utf-8"):
            wrong += _slots(EventFile(path), declared.get(name))
    wrong += [f"{folder}: '{name}' has no counterpart '{other}…'." for name, other in _alone(set(files))]
    return sorted(wrong)


def _sql(path: Path, slots: frozenset[str] | None) -> list[str]:
    """Return what is wrong with one SQL program."""
    file = SqlFile(path)
    try:
        found = file.slots
    except Misconfigured as error:
        return [error.message]
    wrong = []
    if slots is not None and found != slots:
        wrong.append(f"{path}: has the slots {sorted(found)}, but the code declares {sorted(slots)}.")
    if not file.text.startswith("-- "):
        wrong.append(f"{path}: does not begin with a comment that says what it does.")
    return wrong


def _slots(file: RequestFile | EventFile, slots: frozenset[str] | None) -> list[str]:
    """Return what is wrong with one HTTP request, or one event."""
    try:
        found = file.slots
    except Misconfigured as error:
        return [error.message]
    if slots is not None and found != slots:
        return [f"{file.path}: has the slots {sorted(found)}, but the code declares {sorted(slots)}."]
    return []


def _alone(names: set[str]) -> list[tuple[str, str]]:
    """Return the programs that do something which no other undoes, by verb and first noun of their names."""
    alone = []
    for name in sorted(names):
        verb, _, rest = name.partition("_")
        noun = rest.partition("_")[0]
        if verb in PAIRS and not any(other.startswith(f"{PAIRS[verb]}_{noun}") for other in names):
            alone.append((name, f"{PAIRS[verb]}_{noun}"))
    return alone
