"""Choosing by hand: a short list with numbers, and a word to narrow it. It needs nothing of a terminal but lines."""

from __future__ import annotations

from collections.abc import Callable

from latchkey_cli import terminal
from latchkey_cli.client import Client
from latchkey_cli.output import Row, say
from latchkey_cli.problems import NotYours, Usage
from latchkey_cli.wishes import Wish

SHOWN = 12
Fetch = Callable[[str], list[Row]]
Words = Callable[[Row], str]


def pick(title: str, fetch: Fetch, words: Words, *, many: bool = False) -> list[Row]:
    """Return what was chosen, one or `many`. What there is only one of is chosen without a question."""
    rows = fetch("")
    if not rows:
        raise NotYours(f"{title}: there is nothing that an access flow gives you.", then="latchkey why-not NAME")
    if len(rows) == 1:
        say(f"{title}: {words(rows[0])}")
        return rows
    while True:
        _list(title, rows, words)
        answer = terminal.ask("Numbers, or a word to narrow:" if many else "A number, or a word to narrow:")
        numbers = _numbers(answer)
        chosen = [rows[one - 1] for one in numbers if 0 < one <= min(len(rows), SHOWN)]
        if numbers and len(chosen) == len(numbers) and (many or len(chosen) == 1):
            return chosen
        if numbers:
            say("There is no such number here." if many or len(numbers) == 1 else "Choose one of them.")
            continue
        found = fetch(answer)
        if not found:
            say(f"Nothing here has “{answer}” in its name.")
        rows = found or fetch("")


def _list(title: str, rows: list[Row], words: Words) -> None:
    say(f"{title}:", style="bold")
    for number, row in enumerate(rows[:SHOWN], 1):
        say(f"  {number:2}  {words(row)}")
    if len(rows) > SHOWN:
        say("      … and more: type a word of it to narrow.")


def _numbers(answer: str) -> list[int]:
    parts = answer.replace(",", " ").split()
    return [int(one) for one in parts] if parts and all(one.isascii() and one.isdigit() for one in parts) else []


def by_hand(client: Client, wish: Wish) -> Wish:
    """Let somebody choose integration, resource type, resources and permissions, and return the wish with them."""

    def fetch(kind: str) -> Fetch:
        return lambda text: client.every(f"inventory/{kind}", wish.where() | {"search": text[:200]}, most=SHOWN + 1)

    def local(kind: str) -> Fetch:
        # The list of permissions is short and is searched here: there the server's search is about resources.
        rows = client.every(f"inventory/{kind}", wish.where(), most=1000)
        return lambda text: [row for row in rows if text.lower() in str(row.get("name", "")).lower()]

    if not wish.integrations:
        wish.integrations = _ids(pick("Integration", fetch("integrations"), _integration))
    if not wish.types:
        wish.types = _ids(pick("Resource type", fetch("resource-types"), _name))
    if not wish.resources:
        wish.resources = _ids(pick("Resources", fetch("resources"), _resource, many=True))
    if not wish.permissions:
        wish.permissions = _ids(pick("Permissions", local("permissions"), _name, many=True))
    return wish


def _ids(rows: list[Row]) -> list[str]:
    return [str(row["id"]) for row in rows]


def _name(row: Row) -> str:
    return str(row.get("name", ""))


def _integration(row: Row) -> str:
    return f"{row.get('name', '')} ({row.get('type_display_name', '')})"


def _resource(row: Row) -> str:
    return str(row.get("path") or row.get("name", ""))


def fill_in(wish: Wish, field: Row) -> None:
    """Ask for one field of a flow."""
    key, label = str(field["key"]), str(field.get("label", ""))
    choices = [str(one) for one in field.get("choices", ())]
    if choices:
        rows = [{"name": one} for one in choices]
        wish.answers[key] = str(pick(label, lambda text: [r for r in rows if text in r["name"]], _name)[0]["name"])
        return
    looks = f" (looks like {field['pattern']})" if field.get("pattern") else ""
    wish.answers[key] = terminal.ask(f"{label}{looks}:")


def answers_of(given: list[str]) -> dict[str, str]:
    """Return "key=value" options as answers. Raises Usage."""
    pairs = [one.partition("=") for one in given]
    if any(not mark or not key for key, mark, _ in pairs):
        raise Usage("A field is given as --field key=value.")
    return {key: value for key, _, value in pairs}
