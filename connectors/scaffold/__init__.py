"""Makes a new provider with its tests: a folder that passes `connectors.vet` before a line of it is written."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from connectors.registry import PROVIDERS
from connectors.scaffold.likeness import liken

TEMPLATE = Path(__file__).resolve().parent / "template"
FILES = ("manifest.toml", "__init__.py", "provider.py", "quality.toml", "README.md", "logo.svg")
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def scaffold(id_: str, providers: Path, tests: Path, like: Path | None = None) -> list[Path]:
    """Write a provider's folder below `providers`, its tests into `tests`, its live file into live/ beside them.

    `like` is the folder of a provider that the new one is made after; without one it refuses everything. Returns the
    files, the tests last. Raises ValueError for an id that is none, FileExistsError rather than touch what is there,
    Misconfigured for a likeness that is no provider.
    """
    if not ID.fullmatch(id_):
        raise ValueError(f"{id_!r} is no id: small letters, digits and single hyphens, a letter first.")
    folder, name = providers / id_, id_.replace("-", "_")
    live, test = tests.parent / "live" / f"{name}.py", tests / f"test_{name}.py"
    for path in (folder, live, test):
        if path.exists():
            raise FileExistsError(f"{path} is there already.")
    texts = {folder / one: _filled(f"{one}.txt", id_, folder) for one in FILES}
    texts |= {live: _filled("live.py.txt", id_, folder), test: _filled("test.py.txt", id_, folder)}
    if like is not None:
        texts = liken(like, id_, providers)
        texts |= {live: _live(like, id_, folder), test: _filled("test_like.py.txt", id_, folder)}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)


def _filled(template: str, id_: str, folder: Path) -> str:
    """Return a template with its places filled."""
    text = (TEMPLATE / template).read_text(encoding="utf-8")
    return Template(text).substitute(id=id_, **_place(folder))


def _live(like: Path, id_: str, folder: Path) -> str:
    """Return the live file: the likeness's own, where there is one, so that the copy can be proved as it is."""
    own = PROVIDERS.parent.parent / "tests" / "live" / f"{like.name.replace('-', '_')}.py"
    return own.read_text(encoding="utf-8") if own.is_file() else _filled("live.py.txt", id_, folder)


def _place(folder: Path) -> dict[str, str]:
    """Return how the tests name the folder: by the product's own when it is there, else by its path."""
    if folder.parent == PROVIDERS:
        return {"imports": "", "registry": "PROVIDERS, Registry", "folder": f'PROVIDERS / "{folder.name}"'}
    return {"imports": "from pathlib import Path\n\n", "registry": "Registry", "folder": f"Path({str(folder)!r})"}
