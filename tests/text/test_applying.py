"""Applied: all of it or nothing, once and not again, by who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from access_requests.models import AccessRequest
from accounts.models import User
from audit.actor import person
from audit.choices import Source
from audit.models import AuditEntry
from flows.actions import applying
from flows.models import AccessFlow, AccessScope, AppliedPolicy, Bundle, FlowVersion, Revision
from flows.text.problems import BadText
from tests.cast import Cast
from tests.story import Story, begin, flow, simulated_provider
from tests.text.conftest import Repository

FLOW = """\
name: New
requestors:
  any_of:
    - {type: group, values: [engineers]}
targets:
  - scope: Fresh
  - bundle: Fresh kit
approval:
  mode: any_of
  groups:
    - any_of:
        - {type: group, values: [approvers]}
duration: 90 min
"""
SCOPE = 'name: Fresh\nquery: resource_tag["env"] = "dev"\n'
BUNDLE = """\
name: Fresh kit
targets:
  - integration: Server
    resource_type: database
    permissions: [ADMIN]
    include:
      - name: [orders_dev]
      - tag: env
        values: [dev]
    exclude:
      - id: [secret_dev]
  - scope: Fresh
  - query: resource_name = "x"
"""


def written(repository: Repository) -> None:
    repository.write("flows/new.yaml", FLOW)
    repository.write("scopes/fresh.yaml", SCOPE)
    repository.write("bundles/kit.yml", BUNDLE)


def counts() -> tuple[int, int, int]:
    return FlowVersion.objects.count(), Revision.objects.count(), AuditEntry.objects.count()


def test_what_was_exported_is_applied_without_a_change(policy: Story, repository: Repository) -> None:
    repository.export()
    before = counts()[:2]
    assert repository.plan().changes == []
    done = repository.apply()
    assert (done.changes, done.adopted) == ([], 4)
    assert counts()[:2] == before


def test_new_things_are_made_in_the_order_in_which_they_refer(story: Story, repository: Repository) -> None:
    written(repository)
    done = repository.apply()
    assert [(one.verb, one.kind) for one in done.changes] == [("make", "scope"), ("make", "bundle"), ("make", "flow")]
    flow = AccessFlow.objects.get(name="New")
    assert flow.current is not None
    assert flow.current.number == 1
    assert flow.current.sentence == done.changes[2].says
    assert flow.current.document["duration_seconds"] == 5400
    kinds = {one["kind"] for one in flow.current.document["targets"]}
    assert kinds == {"bundle", "access_scope"}


def test_applying_twice_makes_nothing_more(story: Story, repository: Repository) -> None:
    written(repository)
    repository.apply()
    before = counts()
    assert repository.plan().changes == []
    done = repository.apply()
    assert (done.changes, done.adopted) == ([], 0)
    assert counts() == before


def test_a_plan_changes_nothing_and_says_what_applying_says(policy: Story, repository: Repository) -> None:
    repository.export()
    written(repository)
    repository.change("flows/databases.yaml", ("duration: 1 h", "duration: 2 h"))
    before = counts()
    plan = repository.plan()
    assert counts() == before
    assert not AccessScope.objects.filter(name="Fresh").exists()
    assert [one.told() for one in repository.apply().changes] == [one.told() for one in plan.changes]


def test_a_changed_scope_gives_every_flow_that_uses_it_one_version(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.change("scopes/production.yaml", ('"prod"', '"live"'))
    plan = repository.plan()
    told = {(one.kind, one.name): one for one in plan.changes}
    # The flow's own file says nothing new; what its names mean does.
    line = 'The scope “Production” selects resource_tag["env"] = "live" instead of resource_tag["env"] = "prod".'
    assert told["flow", "Incident"].lines == (line, line)
    repository.apply()
    incident = AccessFlow.objects.get(name="Incident")
    assert incident.versions.count() == 2
    assert incident.current is not None
    assert str(incident.current.document["targets"]).count("live") == 2
    assert "prod" not in str(incident.current.document["targets"])
    assert AccessFlow.objects.get(name="Databases").versions.count() == 1


def test_nothing_is_applied_when_anything_is_refused(story: Story, repository: Repository) -> None:
    written(repository)
    repository.change("flows/new.yaml", ("[approvers]", "[nobody there]"))
    before = counts()
    with pytest.raises(BadText, match=r"flows/new\.yaml:8:1: .*nobody could ever approve"):
        repository.apply()
    assert counts() == before
    assert not AccessScope.objects.exists()
    assert not AppliedPolicy.objects.exists()


def test_without_prune_nothing_is_deleted_and_with_it_what_refers_goes_first(
    policy: Story, repository: Repository
) -> None:
    repository.export()
    for file in ("flows/incident.yaml", "bundles/kit.yaml", "scopes/production.yaml"):
        (repository.root / file).unlink()
    plan = repository.plan()
    assert (plan.changes, plan.left) == ([], ["bundle Kit", "access flow Incident", "access scope Production"])
    assert {one.verb for one in repository.plan(prune=True).changes} == {"delete"}
    repository.apply(prune=True)
    assert [one.name for one in AccessFlow.objects.all()] == ["Databases"]
    assert not Bundle.objects.exists()
    assert not AccessScope.objects.exists()


def test_what_is_named_is_not_deleted(policy: Story, repository: Repository) -> None:
    repository.export()
    (repository.root / "scopes/production.yaml").unlink()
    with pytest.raises(BadText, match=r"bundles/kit\.yaml:\d+:\d+: There is no scope “Production”"):
        repository.plan(prune=True)


def test_an_empty_folder_deletes_nothing(policy: Story, repository: Repository) -> None:
    repository.root.mkdir()
    with pytest.raises(BadText, match="everything would be deleted"):
        repository.apply(prune=True)
    assert AccessFlow.objects.count() == 2


def test_only_who_writes_policy_applies_it(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.change("flows/databases.yaml", ("duration: 1 h", "duration: 2 h"))

    def by(user: User) -> None:
        repository.apply(actor=person(user, Source.COMMAND))

    for user in (policy.cast.requester, policy.cast.outsider):
        with pytest.raises(BadText, match=r"flows/databases\.yaml.*may not do this"):
            by(user)
    by(policy.cast.admin)
    entry = AuditEntry.objects.get(action="policy.applied")
    assert (entry.actor_name, entry.source) == ("Ada", "command")
    assert entry.details == {"make": [], "change": ["access flow Databases"], "delete": [], "kept": 4}


def test_what_was_not_planned_is_not_applied(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.change("flows/databases.yaml", ("duration: 1 h", "duration: 2 h"))
    with pytest.raises(BadText, match="changed since it was planned"):
        repository.apply(expected=lambda changes: False)
    assert FlowVersion.objects.filter(number=2).count() == 0


def test_a_flow_is_switched_off_by_its_file_even_if_nobody_could_approve_it(
    policy: Story, repository: Repository
) -> None:
    repository.export()
    policy.cast.approver.memberships.all().delete()
    repository.change("flows/databases.yaml", ("active: true", "active: false"))
    repository.apply()
    assert not AccessFlow.objects.get(name="Databases").active


def test_a_flow_that_requests_name_is_not_deleted_and_it_says_what_to_do(
    fresh_database: None, cast: Cast, repository: Repository
) -> None:
    with simulated_provider():
        told = begin(cast)
        flow(told.integration)
        flow(told.integration, "Other")
        told.ask("orders_prod")
        repository.export()
        asked = AccessRequest.objects.get().flow_name
        (repository.root / f"flows/{asked.lower()}.yaml").unlink()
        with pytest.raises(BadText, match=rf"access flow {asked} \(without a file\): .* Switch it off instead"):
            repository.apply(prune=True)
    assert AccessFlow.objects.count() == 2


def test_a_process_that_dies_in_the_middle_leaves_nothing(
    fresh_database: None, cast: Cast, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real commits: at each step that is written, the process ends; only the last one lets anything be seen."""
    with simulated_provider():
        begin(cast)
        written(repository)
        repository.change("bundles/kit.yml", ("integration: Server", "integration: Simulated server"))
        before = counts()
        for step in ("define_scope", "define_bundle", "define", "_remember", "_record"):
            with monkeypatch.context() as patch:
                patch.setattr(f"flows.actions.applying.{step}", dies_after(getattr(applying, step)))
                with pytest.raises(Death):
                    repository.apply()
            assert counts() == before
            assert not AppliedPolicy.objects.exists()
            assert not AccessScope.objects.exists()
        repository.apply()
        assert AccessFlow.objects.get().name == "New"


class Death(BaseException):
    """The end of a process, which no code of ours catches."""


def dies_after(step: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*args: Any, **more: Any) -> None:
        step(*args, **more)
        raise Death

    return dying
