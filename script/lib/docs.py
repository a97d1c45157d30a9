"""Writes what is derived from the providers: a page for each in docs/providers/, and the README's table of quality.

    script/docs           writes them
    script/docs --check   says which are not as they would be written, and fails

A page is the manifest in words, then the provider's own README, which is written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from connectors.contract.manifest import Field, Manifest
from connectors.registry import BUILT_IN
from connectors.toolkit.program_files import ProgramFile
from connectors.vet.quality import RULES

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "providers"
BEGIN, END = "<!-- providers: written by script/docs -->", "<!-- end of providers -->"
WORDS = {"done": "●", "exempt": "○", "todo": "–"}


def level(id_: str) -> str:
    """Return how far a provider is by its quality file: the highest level below which nothing is left to do."""
    claims, reached = tomllib.loads((BUILT_IN.folder(id_) / "quality.toml").read_text()), "–"
    for name, rules in RULES.items():
        if any(claims.get(name, {}).get(rule, {}).get("status") not in ("done", "exempt") for rule in rules):
            break
        reached = name
    return reached


def claim(id_: str, rule: str) -> str:
    """Return the sign for one claim."""
    claims = tomllib.loads((BUILT_IN.folder(id_) / "quality.toml").read_text())
    found = next((rules[rule] for rules in claims.values() if rule in rules), {})
    return WORDS[found.get("status", "todo")]


def table() -> str:
    """Return the README's table."""
    lines = [
        "| provider | level | reads back | ends by itself | runs remote | leaves nothing behind |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for id_, manifest in sorted(BUILT_IN.manifests().items(), key=lambda one: one[1].name.lower()):
        cells = [claim(id_, rule) for rule in ("read_back", "ends_by_itself", "runs_remote", "leaves_nothing_behind")]
        name = f"[{manifest.name}](docs/providers/{id_}.md)"
        lines.append(f"| {name} | {level(id_)} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", "● done ○ cannot be done there (the provider's quality file says why) – not yet"])


def page(id_: str) -> str:
    """Return the page of a provider."""
    manifest = BUILT_IN.manifest(id_)
    own = (BUILT_IN.folder(id_) / "README.md").read_text(encoding="utf-8")
    body = own.partition("\n")[2].strip()
    parts = [
        f"# {manifest.name}",
        "<!-- The tables are written by script/docs; the rest is the provider's own README. -->",
        f"{manifest.description} Type `{id_}`, category {manifest.category}, quality {level(id_)}.",
        *_configuration(manifest),
        *_what(manifest),
        *_limits(manifest),
        *_setup(manifest),
        *_programs(id_),
        *_terraform(manifest),
        body,
    ]
    return "\n\n".join(parts) + "\n"


def _configuration(manifest: Manifest) -> Iterator[str]:
    if manifest.fields:
        rows = ["| field | kind | default | what it is |", "| --- | --- | --- | --- |"]
        rows += [f"| `{one.name}` | {_kind(one)} | {_code(one.default)} | {_cell(one)} |" for one in manifest.fields]
        yield "## Configuration"
        yield "\n".join(rows)


def _kind(field: Field) -> str:
    kind = "secret" if field.kind == "secret" else field.kind
    return kind if field.required else f"{kind}, optional"


def _code(text: str) -> str:
    return f"`{text}`" if text and "\n" not in text else ""


def _cell(field: Field) -> str:
    choices = f" One of {', '.join(f'`{one}`' for one in field.choices)}." if field.choices else ""
    return f"{field.label}. {field.help}{choices}".replace("\n", " ").replace("|", "\\|").strip()


def _what(manifest: Manifest) -> Iterator[str]:
    yield "## What can be asked for"
    if not manifest.resource_types:
        yield "What the target itself lists: its resource types and permissions show after the first sync."
        return
    rows = ["| resource type | permission | risk |", "| --- | --- | --- |"]
    for kind in manifest.resource_types:
        name = f"`{kind.id}`{' (optional)' if kind.optional else ''}"
        rows += [f"| {name} | `{one.id}` {one.name} | {one.risk_level} |" for one in kind.permissions]
    yield "\n".join(rows)


def _limits(manifest: Manifest) -> Iterator[str]:
    if manifest.limits:
        yield "## Limits"
        yield "\n".join(f"- {limit.words}" for limit in manifest.limits)


def _setup(manifest: Manifest) -> Iterator[str]:
    if manifest.setup:
        folder = BUILT_IN.folder(manifest.id).relative_to(ROOT)
        yield "## Set-up files"
        yield "\n".join(f"- [`{name}`](../../{folder}/{name})" for name in manifest.setup)


def _programs(id_: str) -> Iterator[str]:
    programs = BUILT_IN.programs(id_)
    if programs:
        folder = BUILT_IN.folder(id_).relative_to(ROOT)
        yield "## Functions"
        yield "Everything that a connector can run there; the owner of the environment may replace, pin or forbid each."
        lines = (_program(name, path, str(folder)) for name, path in programs.items())
        yield "\n".join(["| program | needs |", "| --- | --- |", *lines])


def _program(name: str, path: Path, folder: str) -> str:
    needs = ProgramFile(path).needs.replace("|", "\\|").strip('", ')
    return f"| [`{name}`](../../{folder}/programs/{path.name}) | {needs} |"


def _terraform(manifest: Manifest) -> Iterator[str]:
    yield "## As Terraform"
    yield "In the field names of the Terraform API; until that API is there, this is for reading."
    width = max((len(one.name) for one in manifest.plain_fields()), default=0)
    config = [f"    {one.name:<{width}} = {_example(one)}" for one in manifest.plain_fields() if one.required]
    secret = ", ".join(one.name for one in manifest.secret_fields())
    lines = [
        'resource "latchkey_integration" "example" {',
        f'  name = "My {manifest.name}"',
        f'  type = "{manifest.id}"',
        *(["  integration_config = {", *config, "  }"] if config else []),
        *([f"  # A secret with: {secret}.", '  secret_store = { vault = { path = "kv/example" } }'] if secret else []),
        "}",
    ]
    yield "```hcl\n" + "\n".join(lines) + "\n```"


def _example(field: Field) -> str:
    return '"' + (field.default or f"<{field.label.lower()}>").replace("\\", "\\\\").replace('"', '\\"') + '"'


def wanted() -> dict[Path, str]:
    """Return every file with the text that it should have."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    found = {PAGES / f"{id_}.md": page(id_) for id_ in BUILT_IN.manifests()}
    found[readme] = re.sub(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL
    )
    return found


def main(arguments: list[str]) -> int:
    """Write or compare."""
    parser = argparse.ArgumentParser(prog="script/docs", description="Writes what is derived from the providers.")
    parser.add_argument("--check", action="store_true", help="only say what is not as it should be")
    check = parser.parse_args(arguments).check
    PAGES.mkdir(parents=True, exist_ok=True)
    files = wanted()
    wrong = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    strange = sorted(set(PAGES.glob("*.md")) - files.keys())
    if check:
        for path in [*wrong, *strange]:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not as script/docs writes it.\n")
        return 1 if wrong or strange else 0
    for path in strange:
        path.unlink()
    for path in wrong:
        path.write_text(files[path], encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
