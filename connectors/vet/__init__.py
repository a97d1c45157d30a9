"""Proves a provider folder: manifest closed, files and parameters match, programs parse, quality claims hold."""

from __future__ import annotations

from pathlib import Path

from connectors.contract.errors import Misconfigured
from connectors.contract.manifest import Manifest
from connectors.manifests import read_manifest
from connectors.vet import code, programs, quality

FILES = ("__init__.py", "provider.py", "README.md", "logo.svg")


def vet(folder: Path) -> list[str]:
    """Return everything that is wrong with a provider folder; nothing means it is fit to be used."""
    wrong = [f"{folder / name} is missing." for name in FILES if not (folder / name).is_file()]
    try:
        manifest = read_manifest(folder)
    except Misconfigured as error:
        return [*wrong, error.message]
    wrong += code.complaints(folder, code.PEOPLE_VERBS if manifest.kind == "people" else code.VERBS)
    try:
        wrong += programs.complaints(folder)
    except SyntaxError:
        return wrong  # told above, by file and line
    wrong += quality.complaints(folder, manifest)
    return [*wrong, *_drains(folder, manifest), *_logo(folder / "logo.svg")]


def _drains(folder: Path, manifest: Manifest) -> list[str]:
    """Return what contradicts that a provider drains. That it really does is told on a live target."""
    if not manifest.drains:
        return []
    wrong = []
    if not manifest.has_logins:
        words = "without a login per grant (has_logins) a session that may go on cannot be told from any other."
        wrong.append(f"{folder / 'manifest.toml'}: 'drains': {words}")
    if not any("drain_until" in path.read_text(encoding="utf-8") for path in code.sources(folder)):
        wrong.append(f"{folder / 'manifest.toml'}: 'drains', but nothing in the code reads Ending.drain_until.")
    return wrong


def _logo(path: Path) -> list[str]:
    """Return what is wrong with a logo: it is shown inside our pages, so it may not run or fetch anything."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    if not text.lstrip().startswith("<svg"):
        return [f"{path} is no SVG drawing."]
    return [
        f"{path} contains '{bad}'." for bad in ("<script", "http:", "https:", "href", "<style", " on") if bad in text
    ]
