"""A connected simulated server, and policy of every kind over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.actor import system
from flows import actions
from flows.actions.applying import Outcome, apply_policy
from flows.text.export import export
from flows.text.folder import read_folder
from flows.text.plan import Plan, make_plan
from flows.text.present import present
from integrations import actions as systems
from tests.cast import Cast
from tests.simulated import Target
from tests.story import Story, flow, put_into, simulated_provider


@pytest.fixture
def story(db: None, cast: Cast) -> Iterator[Story]:
    """Engineers, approvers, and a server whose types come from the manifest."""
    with simulated_provider():
        put_into("engineers", cast.requester)
        put_into("approvers", cast.approver)
        secrets, config = {"password": "y"}, {"hostname": "x"}
        integration = systems.connect("Server", "simulated", config=config, secrets=secrets, actor=system())
        yield Story(cast, integration, Target())


class Repository:
    """A folder of policy, and what is done with it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def export(self, **more: Any) -> Any:
        return export(self.root, present(), **more)

    def plan(self, **more: Any) -> Plan:
        more.setdefault("actor", system())
        return make_plan(self.root, **more)

    def apply(self, **more: Any) -> Outcome:
        more.setdefault("actor", system())
        folder = read_folder(self.root, present(), prune=more.get("prune", False))
        return apply_policy(folder, **more)

    def write(self, file: str, text: str) -> Path:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def change(self, file: str, *pairs: tuple[str, str]) -> None:
        text = self.read(file)
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        self.write(file, text)

    def read(self, file: str) -> str:
        return (self.root / file).read_text()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty folder."""
    return Repository(tmp_path / "policy")


@pytest.fixture
def policy(story: Story) -> Story:
    """A scope, a bundle that uses it, and two flows: one gives both, the other gives databases."""
    actor = system()
    scope = actions.define_scope("Production", 'resource_tag["env"] = "prod"', actor=actor)
    databases = {"integration": str(story.integration.pk), "resource_type": "database", "permissions": ["READ_ONLY"]}
    within = {"kind": "access_scope", "access_scope": str(scope.pk)}
    kit = actions.define_bundle("Kit", [databases, within], description="For incidents", actor=actor)
    targets = [{"kind": "bundle", "bundle": str(kit.pk)}, within]
    flow(story.integration, "Incident", targets=targets)
    flow(story.integration)
    return story
