"""Somebody in front of a terminal: choosing from lists, answering questions, and words in every shell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.models import AccessFlow
from latchkey_cli import terminal
from latchkey_cli.command import COMMANDS
from latchkey_cli.problems import Code
from tests.architecture.source import ROOT
from tests.command_line.calling import Terminal, plain
from tests.command_line.conftest import Place
from tests.story import amend

DOCS = ROOT / "docs" / "command-line.md"


@pytest.fixture
def sat_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is somebody to ask."""
    monkeypatch.setattr(terminal, "is_interactive", lambda: True)


@pytest.mark.usefixtures("sat_down")
def test_somebody_chooses_from_lists_and_is_asked_for_what_is_missing(place: Place) -> None:
    amend(AccessFlow.objects.get(), settings={"ticket_pattern": "INC-[0-9]{1,8}"})
    # Both databases are shown; a word narrows, a word that fits nothing does not, a number that is not there neither.
    typed = ["nothing-like-it", "9", "prod", "1", "2h", "INC-7", "the shop is slow", "1h", "y"]
    said = place.rita.try_("request", typed="\n".join(typed) + "\n")
    shown = plain(said.err)
    assert said.code == 0, said
    assert "Integration: Simulated server (Simulated)" in shown, "what there is only one of is not asked"
    assert "Nothing here has “nothing-like-it” in its name." in shown
    assert "At most 1h." in shown
    assert "Ticket (looks like INC-[0-9]{1,8}):" in shown
    assert "By the access flow Databases, for 1h: Read only on server/orders_prod" in shown
    assert "It takes one approval: In the group approvers: Abel" in shown
    (made,) = place.rita.data("requests")
    assert (made["justification"], made["custom_fields"]) == ("the shop is slow", {"ticket": "INC-7"})
    assert [one["resource_name"] for one in made["access_units_summary"]] == ["orders_prod"]


@pytest.mark.full
@pytest.mark.usefixtures("sat_down")
def test_who_says_no_at_the_end_asks_for_nothing(place: Place) -> None:
    words = ("request", "-R", "orders_dev", "-j", "why")
    said = place.rita.try_(*words, typed="\nmaybe\nn\n")
    assert (said.code, "Nothing was asked." in said.err) == (0, True), said
    assert place.rita.try_(*words, typed="1h\n").code == 2, "the answers end in the middle"
    assert place.rita.data("requests") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_completes(tmp_path: Path, shell: str) -> None:
    rita = Terminal(tmp_path, {"_LATCHKEY_COMPLETE": f"source_{shell}"})
    assert "latchkey" in rita.try_().out
    words = {"COMP_WORDS": "latchkey re", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "latchkey re"}
    rita.env = {"_LATCHKEY_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args", **words}
    found = rita.try_().out
    assert {"requests", "reject", "reset", "revoke"} <= set(re.findall(r"[a-z-]+", found)), found


def test_the_document_has_every_command_and_every_exit_code() -> None:
    text = DOCS.read_text()
    for name in (*COMMANDS, "tokens list", "tokens make", "tokens extend", "tokens revoke"):
        assert f"`latchkey {name}" in text, name
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)}
    assert codes == {int(code) for code in Code}
    for variable in ("LATCHKEY_URL", "LATCHKEY_TOKEN", "LATCHKEY_PROFILE", "LATCHKEY_OUTPUT", "NO_COLOR"):
        assert variable in text


def test_without_colours_nothing_but_text_is_printed(tmp_path: Path) -> None:
    rita = Terminal(tmp_path, {"NO_COLOR": "1", "FORCE_COLOR": "1"})
    assert "\x1b[3" not in rita.try_("whoami").err
    del rita.env["NO_COLOR"]
    assert "\x1b[31m" in rita.try_("whoami").err
