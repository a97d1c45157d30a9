"""Makes a provider after another one: its folder with the new id, what is not yet true of it set back to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from connectors.manifests import read_manifest

# What a copy claims for the same reason as its original: code compares it with the manifest.
KEPT = "ends_by_itself"
DONE = re.compile(r'^(\w+) = \{ status = "done".*\}$')


def liken(like: Path, id_: str, providers: Path) -> dict[Path, str]:
    """Return the files of a provider `id_` made after the folder `like`: where each goes, and its text.

    Raises Misconfigured when `like` is no provider.
    """
    name = read_manifest(like).name
    files = {}
    for path in sorted(like.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8")
            files[providers / id_ / path.relative_to(like)] = _changed(path, text, like.name, id_)
    for told, old, new in (
        ("manifest.toml", f'name = "{name}"', f'name = "{id_}"'),
        ("README.md", f"# {name}", f"# {id_}"),
        ("logo.svg", f'aria-label="{name}"', f'aria-label="{id_}"'),
    ):
        path = providers / id_ / told
        files[path] = files[path].replace(old, new, 1)
    return files


def _changed(path: Path, text: str, old: str, id_: str) -> str:
    """Return the text of one file as it is in the copy."""
    if path.name == "quality.toml":
        return "".join(_todo(text, old, id_))
    return _relative(text, f"connectors.providers.{old.replace('-', '_')}") if path.suffix == ".py" else text


def _todo(text: str, old: str, id_: str) -> Iterator[str]:
    """Yield the claims: what was tried on another target was not tried on this one."""
    level = ""
    for line in text.splitlines(keepends=True):
        level = line.strip() if line.startswith("[") else level
        found = DONE.match(line.rstrip())
        if found and level in ("[silver]", "[gold]") and found[1] != KEPT:
            yield f'{found[1]} = {{ status = "todo", why = "as in {old}; not tried on {id_} yet" }}\n'
        else:
            yield line


def _relative(text: str, own: str) -> str:
    """Return Python that imports from its own folder whatever that is called: those imports come last."""
    lines = text.splitlines(keepends=True)
    imports = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    mine = [one for one in imports if isinstance(one, ast.ImportFrom) and _inside(one.module, own)]
    if not mine:
        return text
    moved = []
    for node in mine:
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        part = "".join(lines[first:last])
        moved.append(part.replace(f"from {own}", "from .", 1).replace("from ..", "from .", 1))
        lines[first:last] = [""] * (last - first)
    after = max(node.end_lineno or 0 for node in imports)
    # What is taken from the folder itself comes before what is in it, as the linter sorts.
    lines[after:after] = ["\n", *sorted(moved, key=lambda part: (not part.startswith("from . "), part))]
    return re.sub(r"\n{4,}", "\n\n\n", "".join(lines))


def _inside(module: str | None, own: str) -> bool:
    """Say whether a module is the folder itself, or in it."""
    return module is not None and (module == own or module.startswith(f"{own}."))
