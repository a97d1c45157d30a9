"""Drift: what became otherwise since text was applied last is shown, until text says it too."""

from __future__ import annotations

from audit.actor import system
from flows import actions
from flows.models import AccessFlow, AccessScope
from tests.story import Story, flow
from tests.text.conftest import Repository


def drift(repository: Repository) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.name, one.lines) for one in repository.plan().drift]


def edit(name: str, query: str) -> None:
    actions.define_scope(name, query, scope=AccessScope.objects.get(name=name), actor=system())


def test_before_anything_was_applied_there_is_no_drift(policy: Story, repository: Repository) -> None:
    repository.export()
    edit("Production", 'resource_tag["env"] = "live"')
    assert drift(repository) == []


def test_what_was_changed_made_and_deleted_elsewhere_is_shown(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.apply()
    assert drift(repository) == []
    edit("Production", 'resource_tag["env"] = "live"')
    flow(policy.integration, "Elsewhere")
    actions.delete(AccessFlow.objects.get(name="Databases"), actor=system())
    assert sorted(drift(repository)) == [
        ("Databases", ("It was deleted.",)),
        ("Elsewhere", ("It was made elsewhere.",)),
        ("Production", ('query: resource_tag["env"] = "live" instead of resource_tag["env"] = "prod"',)),
    ]


def test_applying_undoes_drift(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.apply()
    edit("Production", 'resource_tag["env"] = "live"')
    repository.apply()
    assert AccessScope.objects.get().query == 'resource_tag["env"] = "prod"'
    assert drift(repository) == []


def test_exporting_drift_takes_it_over(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.apply()
    edit("Production", 'resource_tag["env"] = "live"')
    repository.export()
    assert drift(repository) == []
    done = repository.apply()
    assert (done.changes, done.adopted) == ([], 1)
