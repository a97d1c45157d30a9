"""What a provider's Python may not do: reach a target in any other way than through a toolkit.

Its Python is what is in its folder, and the engines (connectors/engines) that it stands on.

Text cannot become a program, because the only way to a server leads through files that are declared by constant names,
and a provider cannot import a driver, a socket or a subprocess to go another way.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

# What a provider may import besides its own folder.
ALLOWED = re.compile(
    r"connectors\.(contract|engines|toolkit|manifests)(\.\w+)*|__future__|base64|collections(\.abc)?|contextlib"
    r"|dataclasses|datetime|enum|functools|hashlib|hmac|itertools|json|math|pathlib|re|secrets|shlex|string|time|types|typing"
    r"|urllib\.parse|uuid|zoneinfo"
)
ENGINES = Path(__file__).resolve().parents[1] / "engines"
ENGINE = re.compile(r"connectors\.engines\.(\w+)")
PEOPLE_VERBS = ("check", "people")
VERBS = ("check", "resource_types", "discover", "apply", "read_back", "reset_credentials", "rotate", "clean_up")
PARAMETERS = ["self", "order", "run"]
TYPED = {
    "Unreachable",
    "CredentialsRejected",
    "NotPermitted",
    "TargetMissing",
    "Misconfigured",
    "Refused",
    "LeaseLost",
}
FORBIDDEN = {"execute", "executemany", "eval", "exec", "__import__", "import_module"}
# Calls of a session and of Programs: their first argument names a program.
RUNNERS = {"rows", "stream", "change"}
SQL = re.compile(
    r"\s*(SELECT\s|INSERT INTO|UPDATE\s|DELETE FROM|CREATE\s|ALTER\s|DROP\s|GRANT\s|REVOKE\s|WITH\s|SET\s|TRUNCATE\s"
    r"|REASSIGN\s|COMMENT ON)"
)


def complaints(folder: Path, verbs: tuple[str, ...] = VERBS) -> list[str]:
    """Return what the code of a provider does that it must not, by file and line."""
    wrong: list[str] = []
    trees: dict[Path, ast.Module] = {}
    for path in sources(folder):
        try:
            trees[path] = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            wrong.append(f"{path}, line {error.lineno}: {error.msg}.")
            continue
        for node in ast.walk(trees[path]):
            wrong += [f"{path}, line {getattr(node, 'lineno', 0)}: {words}" for words in _node(node, folder)]
    provider = trees.get(folder / "provider.py")
    if provider is not None:
        wrong += [f"{folder / 'provider.py'}: {words}" for words in _verbs(provider, trees.values(), verbs)]
    return wrong


def sources(folder: Path) -> list[Path]:
    """Return the Python files of a provider: those in its folder, then those of the engines it stands on."""
    found = sorted(folder.rglob("*.py"))
    for path in found:  # grows while it is read: an engine may stand on another
        for name in sorted(set(ENGINE.findall(path.read_text(encoding="utf-8")))):
            own = [ENGINES / f"{name}.py", *sorted((ENGINES / name).rglob("*.py"))]
            found += [other for other in own if other.is_file() and other not in found]
    return found


def declared_programs(folder: Path) -> dict[str, frozenset[str]]:
    """Return the programs that the code declares, with their slots."""
    found = {}
    for path in sources(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in ("program", "_program") and node.args:
                names = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                if len(names) == len(node.args):
                    found[names[0]] = frozenset(names[1:])
    return found


def _node(node: ast.AST, folder: Path) -> Iterator[str]:
    """Yield what is wrong with one node."""
    if isinstance(node, ast.Import):
        yield from (f"imports {name.name}." for name in node.names if not _may_import(name.name, folder))
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        names = [f"{node.module}.{name.name}" for name in node.names]
        if not _may_import(node.module or "", folder) and not all(_may_import(name, folder) for name in names):
            yield f"imports {node.module}."
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        name = _called(node.exc)
        if isinstance(node.exc.func, ast.Name) and name[:1].isupper() and name not in TYPED:
            yield f"raises {name}, which is no typed error."
    elif isinstance(node, ast.JoinedStr | ast.BinOp) and SQL.match(_beginning(node)):
        yield "puts a statement together from text."


def _call(node: ast.Call) -> Iterator[str]:
    """Yield what is wrong with one call."""
    name = _called(node)
    if name in FORBIDDEN:
        yield f"calls {name}()."
    if name == "format" and isinstance(node.func, ast.Attribute) and SQL.match(_beginning(node.func.value)):
        yield "puts a statement together from text."
    if name in RUNNERS and isinstance(node.func, ast.Attribute) and node.args:
        program = node.args[0]
        if not isinstance(program, ast.Name | ast.Attribute | ast.Subscript):
            yield f"gives {name}() something else than a declared program."
    constant = all(isinstance(arg, ast.Constant) and isinstance(arg.value, str) for arg in node.args)
    if name in ("program", "_program") and not constant:
        yield "declares a program by something else than constant names."


def _verbs(provider: ast.Module, all_: Iterable[ast.Module], verbs: tuple[str, ...]) -> Iterator[str]:
    """Yield the verbs that a provider lacks, or has in another shape; an engine may be the one that has them."""
    classes = [node for tree in all_ for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = [{f.name: f for f in ast.walk(kind) if isinstance(f, ast.FunctionDef)} for kind in classes]
    best = max(methods, key=lambda found: len(found.keys() & set(verbs)), default={})
    for verb in verbs:
        if verb not in best:
            yield f"the verb {verb} is missing."
        elif [arg.arg for arg in best[verb].args.args] != PARAMETERS:
            yield f"the verb {verb} does not take {', '.join(PARAMETERS)}."
    targets = [target for node in provider.body if isinstance(node, ast.Assign) for target in node.targets]
    if not any(isinstance(target, ast.Name) and target.id == "PROVIDER" for target in targets):
        yield "PROVIDER is not defined."


def _may_import(name: str, folder: Path) -> bool:
    """Say whether a provider may import a module: no Django, no driver, no other provider."""
    own = f"connectors.providers.{folder.name.replace('-', '_')}"
    return bool(ALLOWED.fullmatch(name)) or name == own or name.startswith(f"{own}.")


def _called(node: ast.Call) -> str:
    """Return the name that is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _beginning(node: ast.AST) -> str:
    """Return the constant text that an expression begins with."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return _beginning(node.values[0]) if node.values else ""
    return _beginning(node.left) if isinstance(node, ast.BinOp) else ""
