"""Proves a provider folder: manifest closed, files and parameters match, programs parse, quality claims hold."""

from __future__ import annotations

from pathlib import Path

from connectors.contract.errors import Misconfigured
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
    wrong += code.complaints(folder)
    try:
        wrong += programs.complaints(folder)
    except SyntaxError:
        return wrong  # told above, by file and line
    wrong += quality.complaints(folder, manifest)
    return wrong + _logo(folder / "logo.svg")


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
