"""Makes a new provider with its tests: a folder that passes `connectors.vet` before a line of it is written."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from connectors.registry import PROVIDERS

TEMPLATE = Path(__file__).resolve().parent / "template"
FILES = ("manifest.toml", "__init__.py", "provider.py", "quality.toml", "README.md", "logo.svg")
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def scaffold(id_: str, providers: Path, tests: Path) -> list[Path]:
    """Write a provider's folder below `providers` and its tests into `tests`; return the files.

    Raises ValueError for an id that is none, FileExistsError rather than touch what is there.
    """
    if not ID.fullmatch(id_):
        raise ValueError(f"{id_!r} is no id: small letters, digits and single hyphens, a letter first.")
    folder = providers / id_
    test = tests / f"test_{id_.replace('-', '_')}.py"
    for path in (folder, test):
        if path.exists():
            raise FileExistsError(f"{path} is there already.")
    folder.mkdir(parents=True)
    tests.mkdir(parents=True, exist_ok=True)
    written = {folder / name: name for name in FILES} | {test: "test.py"}
    for path, name in written.items():
        template = Template((TEMPLATE / f"{name}.txt").read_text(encoding="utf-8"))
        path.write_text(template.substitute(id=id_, **_place(folder)), encoding="utf-8")
    return list(written)


def _place(folder: Path) -> dict[str, str]:
    """Return how the tests name the folder: by the product's own when it is there, else by its path."""
    if folder.parent == PROVIDERS:
        return {"imports": "", "registry": "PROVIDERS, Registry", "folder": f'PROVIDERS / "{folder.name}"'}
    return {"imports": "from pathlib import Path\n\n", "registry": "Registry", "folder": f"Path({str(folder)!r})"}
