"""Exported: in a stable order, with what authors wrote kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.actor import system
from flows import actions
from flows.models import AccessFlow, Bundle
from flows.text.folder import file_name
from flows.text.problems import BadText
from tests.story import Story, flow
from tests.text.conftest import Repository

GOLDEN = Path(__file__).parent / "golden"
BY_HAND = """\
# Who reads databases.

name: "Databases"   # as everybody calls it
duration: 60 min    # one hour is enough
# The people.
requestors:
    any_of:
    - values: ['engineers']
      type: group
targets:
    # Only this server.
    - integration: Server
      resource_type: database
      permissions: [READ_ONLY]
approval:
    groups:
    # The approvers.
    - any_of:
      - {type: group, values: [approvers]}
    mode: any_of
"""


def test_the_files_are_these_and_their_order_is_fixed(policy: Story, repository: Repository) -> None:
    done = repository.export()
    files = {path.relative_to(repository.root).as_posix(): path.read_text() for path in repository.root.rglob("*.yaml")}
    assert sorted(files) == sorted(done.made)
    golden = {path.relative_to(GOLDEN).as_posix(): path.read_text() for path in GOLDEN.rglob("*.yaml")}
    assert files == golden


def test_exporting_again_touches_no_file(policy: Story, repository: Repository) -> None:
    repository.export()
    before = {path: path.stat().st_mtime_ns for path in repository.root.rglob("*.yaml")}
    done = repository.export()
    assert (done.made, done.changed, len(done.unchanged)) == ([], [], 4)
    assert {path: path.stat().st_mtime_ns for path in repository.root.rglob("*.yaml")} == before


def test_a_file_that_says_the_same_in_other_words_stays_as_it_is(story: Story, repository: Repository) -> None:
    flow(story.integration)
    repository.write("flows/by-hand.yml", BY_HAND)
    assert repository.plan().changes == []
    assert repository.export().unchanged == ["flows/by-hand.yml"]
    assert repository.read("flows/by-hand.yml") == BY_HAND


def test_only_what_differs_is_changed_and_comments_order_quotes_and_layout_stay(
    story: Story, repository: Repository
) -> None:
    flow(story.integration, columns={"grant_duration_minutes": 120, "mfa_required": True})
    repository.write("flows/by-hand.yml", BY_HAND)
    assert repository.export().changed == ["flows/by-hand.yml"]
    text = repository.read("flows/by-hand.yml")
    settings = """\
settings:
  justification_required: true
  approver_reason_required: false
  self_approval: false
  mfa_required: true
  break_glass: false
"""
    assert text == BY_HAND.replace("60 min", "2 h").replace("# one hour", "   # one hour") + settings
    assert repository.plan().changes == []


def test_comments_of_what_goes_away_stay_in_their_place(policy: Story, repository: Repository) -> None:
    repository.export()
    repository.change(
        "bundles/kit.yaml",
        ("targets:\n", "targets:\n  # first the databases\n"),
        ("  - scope: Production\n", "  # then production\n  - scope: Production # all of it\n# the end\n"),
    )
    kit = Bundle.objects.get()
    scope = {"kind": "access_scope", "access_scope": str(kit.targets.get(kind="access_scope").access_scope_id)}
    actions.define_bundle("Kit", [scope], bundle=kit, description="For incidents", actor=system())
    repository.export()
    assert repository.read("bundles/kit.yaml") == (
        "name: Kit\ndescription: For incidents\ntargets:\n  # first the databases\n"
        "  # then production\n  - scope: Production # all of it\n# the end\n"
    )


def test_files_of_what_is_gone_are_listed_and_deleted_only_when_told(policy: Story, repository: Repository) -> None:
    repository.export()
    actions.delete(AccessFlow.objects.get(name="Incident"), actor=system())
    assert repository.export().gone == ["flows/incident.yaml"]
    assert (repository.root / "flows/incident.yaml").exists()
    assert repository.export(prune=True).gone == ["flows/incident.yaml"]
    assert not (repository.root / "flows/incident.yaml").exists()


def test_nothing_is_written_over_a_file_that_cannot_be_read(policy: Story, repository: Repository) -> None:
    repository.write("flows/databases.yaml", "name: [")
    with pytest.raises(BadText, match=r"flows/databases\.yaml:1:8: This is no YAML"):
        repository.export()
    assert [path.name for path in repository.root.rglob("*.yaml")] == ["databases.yaml"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Databases", "databases.yaml"),
        ("../../etc/passwd", "etc-passwd.yaml"),
        ("Übersicht: Größe", "ubersicht-groe.yaml"),
        ("日本", "cf2abf0c.yaml"),
        ("nul", "nul-99e62427.yaml"),
        ("x" * 150, "x" * 60 + ".yaml"),
        ("taken", "taken-99341d56.yaml"),
    ],
)
def test_file_names_are_safe_everywhere(name: str, file: str) -> None:
    assert file_name(name, {"taken.yaml"}) == file


def test_things_whose_names_make_one_file_name_get_two(story: Story, repository: Repository) -> None:
    for name in ("A b", "a-b", "A/B"):
        flow(story.integration, name)
    made = repository.export().made
    assert len(set(made)) == 3
    assert repository.plan().changes == []
