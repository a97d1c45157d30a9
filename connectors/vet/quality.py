"""quality.toml: what a provider claims about itself, and which of the claims code can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import Manifest
from connectors.manifests import read_toml

FILE = "quality.toml"
STATUSES = ("done", "todo", "exempt")
RULES = {
    "bronze": ("check_before_save", "idempotent", "typed_errors", "least_privilege_setup", "undo_by_hand"),
    "silver": ("paging", "dry_run", "rotation", "real_instance"),
    "gold": ("read_back", "drift", "ends_by_itself", "runs_remote", "leaves_nothing_behind"),
}
KEYS = ("status", "why")


def complaints(folder: Path, manifest: Manifest) -> list[str]:
    """Return what is wrong with the claims of a provider."""
    path = folder / FILE
    try:
        data = read_toml(path)
    except Misconfigured as error:
        return [error.message]
    wrong = [f"{path}: unknown key '{level}'." for level in data if level not in RULES]
    for level, rules in RULES.items():
        claims = data.get(level, {})
        wrong += [f"{path}: unknown rule '{level}.{rule}'." for rule in claims if rule not in rules]
        for rule in rules:
            wrong += _claim(f"{path}: {level}.{rule}", claims.get(rule))
    return wrong + [f"{path}: {words}" for words in _untrue(folder, manifest, data)]


def done(data: dict[str, Any], rule: str) -> bool:
    """Say whether a rule is claimed to be done."""
    claims = {name: claim for level in data.values() if isinstance(level, dict) for name, claim in level.items()}
    claim = claims.get(rule)
    return isinstance(claim, dict) and claim.get("status") == "done"


def _claim(where: str, claim: Any) -> list[str]:
    """Return what is wrong with the form of one claim."""
    if not isinstance(claim, dict):
        return [f"{where} is missing."]
    wrong = [f"{where}: unknown key '{key}'." for key in claim if key not in KEYS]
    if claim.get("status") not in STATUSES:
        wrong.append(f"{where}: the status is none of {', '.join(STATUSES)}.")
    if claim.get("status") != "done" and not claim.get("why"):
        wrong.append(f"{where}: says not why.")
    return wrong


def _untrue(folder: Path, manifest: Manifest, data: dict[str, Any]) -> list[str]:
    """Return the claims that the folder contradicts."""
    wrong = []
    if done(data, "least_privilege_setup") and not manifest.setup:
        wrong.append("least_privilege_setup is done, but the manifest names no set-up file.")
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    if done(data, "undo_by_hand") and "\n## Undo by hand\n" not in text:
        wrong.append("undo_by_hand is done, but README.md has no section 'Undo by hand'.")
    if done(data, "ends_by_itself") != manifest.ends_by_itself:
        wrong.append("ends_by_itself and the manifest's ends_by_itself do not agree.")
    if done(data, "real_instance") and not _has_tests(folder):
        wrong.append("real_instance is done, but there are no tests of this provider.")
    return wrong


def _has_tests(folder: Path) -> bool:
    """Say whether there are tests named after the provider, in the nearest tests/connectors above it."""
    pattern = f"test_{folder.name.replace('-', '_')}*.py"
    nearest = next((parent / "tests" / "connectors" for parent in folder.parents if (parent / "tests").is_dir()), None)
    return nearest is not None and any(nearest.glob(pattern))
