"""Our own source, read without being imported."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Top floor first. A package on one floor may import those below it.
# The demo stands on top of everything and is imported by nobody; it serves the checkout and is not in the wheel. Nor is
# the command line imported by anybody, and it imports nothing of ours: a contract of its own says so.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("demo", "latchkey_cli"),
    ("config",),
    ("access_requests",),
    ("flows",),
    ("integrations",),
    ("accounts",),
    ("audit", "connectors"),
)
PACKAGES = tuple(name for floor in FLOORS for name in floor)
IN_WHEEL = tuple(name for name in PACKAGES if name != "demo")
APPS = ("access_requests", "flows", "integrations", "accounts", "audit")


def folder(package: str, root: Path = ROOT) -> Path:
    """Return where a package lies."""
    return root / "requests" / package if package == "access_requests" else root / package


def files(package: str, root: Path = ROOT) -> Iterator[Path]:
    """Return the Python files of a package, without migrations, which Django writes."""
    for path in sorted(folder(package, root).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def every_file(root: Path = ROOT) -> Iterator[Path]:
    """Return the Python files of all packages."""
    for package in PACKAGES:
        yield from files(package, root)


def tree(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Return line and full name of everything a file imports, also inside functions; `from a import b` gives a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def name_of(path: Path, root: Path = ROOT) -> str:
    """Return a file's path as people say it."""
    return str(path.relative_to(root))
