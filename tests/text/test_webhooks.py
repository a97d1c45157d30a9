"""Webhooks as text: written with the flows that ask them; their secrets come from the environment and never leave."""

from __future__ import annotations

import pytest

from flows.models import AccessFlow, Webhook
from flows.text.problems import BadText
from tests.story import Story
from tests.text.conftest import Repository

HOOK = """\
name: Change window   # asked first
url: https://changes.example.com/ask
body:
  who: "{{ requestor.email }}"
validators:
  - path: $.approved
    operator: is
    value: "true"
timeout: 5 s
secrets:
  "header:X-Api-Key": kept
"""
FLOW = """\
name: Checked
requestors:
  any_of:
    - {type: group, values: [engineers]}
targets:
  - integration: Server
    resource_type: database
    permissions: [READ_ONLY]
checks: [Change window]
approval:
  mode: any_of
  groups:
    - any_of:
        - {type: webhook, values: [Change window]}
duration: 1 h
"""
VARIABLE = "LATCHKEY_WEBHOOK_SECRET_CHANGE_WINDOW_HEADER_X_API_KEY"


@pytest.fixture
def written(story: Story, repository: Repository) -> Repository:
    repository.write("webhooks/window.yaml", HOOK)
    repository.write("flows/checked.yaml", FLOW)
    return repository


def test_a_secret_comes_from_the_environment_once(written: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadText, match=rf"webhooks/window\.yaml:10:1: .* set the environment variable {VARIABLE}"):
        written.apply()
    assert not Webhook.objects.exists()
    monkeypatch.setenv(VARIABLE, "sesame")
    assert [one.kind for one in written.apply().changes] == ["webhook", "flow"]
    monkeypatch.delenv(VARIABLE)
    assert written.plan().changes == []
    written.change("webhooks/window.yaml", ("5 s", "7 s"))
    assert written.apply().changes[0].lines == ("timeout: 7 s instead of 5 s",)
    hook = Webhook.objects.get()
    assert (hook.timeout_seconds, hook.secrets.count()) == (7, 1)
    flow = AccessFlow.objects.get()
    assert flow.current is not None
    assert flow.current.document["checks"] == [str(hook.pk)]
    assert "the webhook “Change window” has to say yes first" in flow.current.sentence


def test_exporting_tells_which_secrets_there_are_and_not_what(
    written: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "sesame")
    written.apply()
    assert written.export().unchanged == ["flows/checked.yaml", "webhooks/window.yaml"]
    for path in list(written.root.rglob("*.yaml")):
        path.unlink()
    written.export()
    texts = [path.read_text() for path in written.root.rglob("*.yaml")]
    assert not any("sesame" in text for text in texts)
    assert any("header:X-Api-Key: kept" in text for text in texts)
    assert written.plan().changes == []


def test_a_secret_goes_to_no_other_address(written: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sesame")
    written.apply()
    monkeypatch.delenv(VARIABLE)
    written.change("webhooks/window.yaml", ("changes.example.com", "elsewhere.example.com"))
    with pytest.raises(BadText, match=r"webhooks/window\.yaml:\d+:1: The address leads elsewhere"):
        written.apply()


def test_webhooks_are_deleted_after_what_asks_them(written: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sesame")
    written.apply()
    written.write("scopes/a.yaml", 'name: A\nquery: resource_name = "a"\n')
    for file in ("webhooks/window.yaml", "flows/checked.yaml"):
        (written.root / file).unlink()
    written.apply(prune=True)
    assert not Webhook.objects.exists()
