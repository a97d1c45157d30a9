"""The documentation's example is read, applied, and says what it says."""

from __future__ import annotations

import re
from pathlib import Path

from flows.actions.applying import secret_variable
from flows.models import AccessFlow
from flows.text.loading import load
from flows.text.nodes import Book
from flows.text.shapes import FLOW, WEBHOOK
from tests.story import Story
from tests.text.conftest import Repository

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "policy-as-text.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```yaml\n(.*?)```", TEXT, re.DOTALL))


def test_the_example_is_applied_and_exporting_leaves_it_as_it_is(story: Story, repository: Repository) -> None:
    assert len(EXAMPLES) == 3
    for file, text in EXAMPLES.items():
        repository.write(file, text)
    assert repository.plan().changes
    repository.apply()
    assert len(repository.export().unchanged) == 3
    flow = AccessFlow.objects.get()
    assert flow.current is not None
    assert "Monday to Friday from 08:00 to 18:00 (Europe/Berlin)" in flow.current.sentence


def test_the_example_has_every_key() -> None:
    book = Book()
    said = load(EXAMPLES["flows/databases.yaml"].encode(), "f")
    form = FLOW.read(said, (), book)
    assert book.problems == []
    assert set(said) == set(form) - {"checks", "space"}
    assert set(said["settings"]) == set(form["settings"])


def test_the_webhook_is_read_and_its_variables_are_those() -> None:
    (text,) = re.findall(r"## A webhook\n\n```yaml\n(.*?)```", TEXT, re.DOTALL)
    book = Book()
    form = WEBHOOK.read(load(text.encode(), "w"), (), book)
    assert book.problems == []
    for name in form["secrets"]:
        assert secret_variable(form["name"], name) in TEXT
