"""What every model keeps to."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Field, Model
from django.db.models.fields.related import RelatedField

from tests.architecture.source import APPS, FLOORS, every_file, imported, name_of

FLOOR = {name: len(FLOORS) - number for number, names in enumerate(FLOORS) for name in names}
OURS = [model for model in apps.get_models() if model._meta.app_config.name in FLOOR]
MODEL_FILES = [path for path in every_file() if "models" in {path.stem, path.parent.name}]


def reaches_up(holder: str, target: str) -> bool:
    """Whether a foreign key from a model of one app to a model of another goes against the floors."""
    return target in FLOOR and target != holder and FLOOR[target] >= FLOOR[holder]


def links(model: type[Model]) -> list[tuple[Field[object, object], str]]:
    """Return the model's own foreign keys with the app they lead to."""
    fields = [*model._meta.fields, *model._meta.many_to_many]
    return [
        (field, field.remote_field.model._meta.app_config.name)
        for field in fields
        if isinstance(field, RelatedField) and field.remote_field is not None
    ]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_foreign_keys_go_down_only(model: type[Model]) -> None:
    holder = model._meta.app_config.name
    assert [str(field) for field, target in links(model) if reaches_up(holder, target)] == []


def test_the_rule_tells_up_from_down() -> None:
    assert reaches_up("accounts", "integrations")
    assert reaches_up("flows", "access_requests")
    assert not reaches_up("access_requests", "accounts")
    assert not reaches_up("accounts", "accounts")
    assert len(OURS) > 20
    assert {model._meta.app_config.name for model in OURS} >= set(APPS)
    assert sum(len(links(model)) for model in OURS) > 20


def unexplained_indexes(text: str) -> list[int]:
    """Return the lines of indexes with no comment above them.

    A comment speaks for the indexes of one line each right below it, and for the list when it stands above that.
    """
    lines, wrong = [line.strip() for line in text.splitlines()], []
    for number, line in enumerate(lines):
        if "models.Index(" not in line:
            continue
        above = number - 1
        while line.endswith("),") and lines[above].startswith("models.Index(") and lines[above].endswith("),"):
            above -= 1
        if lines[above].endswith("indexes = ["):
            above -= 1
        inline = line.startswith("indexes = [") and line.count("models.Index(") == 1
        if not lines[number - 1 if inline else above].startswith("#"):
            wrong.append(number + 1)
    return wrong


@pytest.mark.parametrize("path", MODEL_FILES, ids=name_of)
def test_every_index_says_who_reads_by_it(path: Path) -> None:
    text = path.read_text()
    assert unexplained_indexes(text) == []
    assert "db_index=True" not in text, "an index of its own, in Meta, with its reader"


def test_an_unexplained_index_is_found() -> None:
    said = "# The page of one person.\nindexes = [models.Index(fields=['a'], name='a')]\n"
    assert unexplained_indexes(said) == []
    assert unexplained_indexes("x = 1\n" + said.splitlines()[1]) == [2]
    several = """
        indexes = [
            # The sweep.
            models.Index(fields=['a']),
            models.Index(
                fields=['b']
            ),
            {}
            models.Index(fields=['c']),
        ]
    """
    assert unexplained_indexes(several.format("# The page.")) == [5]
    assert unexplained_indexes(several.replace("{}\n", "")) == [5, 8]


WATCHERS = {"pre_save", "post_save", "pre_delete", "post_delete", "m2m_changed", "pre_init", "post_init"}


def test_no_news_by_signals_of_models() -> None:
    """News goes by the outbox: a signal is lost with the process, and nobody sees where it leads.

    The demo's is no news: it marks the audit entries of its invented past, whoever writes them.
    """
    wrong = [
        f"{name_of(path)}:{line}"
        for path in every_file()
        for line, name in imported(path)
        if name.rpartition(".")[2] in WATCHERS and name_of(path) != "demo/marking.py"
    ]
    assert wrong == []
