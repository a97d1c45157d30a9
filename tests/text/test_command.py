"""manage.py policy: what is printed, and the exit codes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import AuditEntry
from flows.management.commands.policy import Command
from flows.models import AccessFlow, FlowVersion
from integrations.models import Resource, ResourceType
from tests.story import Story
from tests.text.conftest import Repository


def run(verb: str, repository: Repository, *more: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("policy", verb, str(repository.root), *more, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_plan_reads_so(policy: Story, repository: Repository) -> None:
    assert run("export", repository) == (
        0,
        "made: bundles/kit.yaml\nmade: flows/databases.yaml\nmade: flows/incident.yaml\nmade: scopes/production.yaml\n"
        "4 made, 0 changed, 0 unchanged.\n",
    )
    assert run("plan", repository) == (0, "Policy is what the folder says.\n")
    repository.change(
        "flows/databases.yaml", ("duration: 1 h", "duration: 2 h"), ("mfa_required: false", "mfa_required: true")
    )
    (repository.root / "flows/incident.yaml").unlink()
    said = (
        "People in the group “engineers” may ask, for themselves, for READ_ONLY on any database of Server for at most"
    )
    rest = "someone in the group “approvers” approves."
    code, text = run("plan", repository)
    assert code == 2
    assert text == (
        "~ access flow Databases  (flows/databases.yaml)\n"
        "    At most: 2 h instead of 1 h.\n"
        "    A second factor is needed.\n"
        f"    was: {said} 1 h, with a justification; {rest}\n"
        f"    now: {said} 2 h, with a justification and a second factor; {rest}\n"
        "\n"
        "Look twice\n"
        "    Databases: A target on “database” selects nothing now.\n"
        "\n"
        "Without a file; it stays (--prune deletes it)\n"
        "    access flow Incident\n"
        "\n"
        "0 to make, 1 to change, 0 to delete.\n"
    )
    assert run("plan", repository)[1] == text


def test_a_plan_as_json_has_the_same(policy: Story, repository: Repository) -> None:
    kind = ResourceType.objects.get(integration=policy.integration, type="database")
    Resource.objects.create(integration=policy.integration, resource_type=kind, source_id="shop", name="shop")
    run("export", repository)
    (repository.root / "flows/incident.yaml").unlink()
    code, text = run("plan", repository, "--json", "--prune")
    assert code == 2
    told = json.loads(text)
    assert [(one["verb"], one["name"]) for one in told["changes"]] == [("delete", "Incident")]
    assert told["changes"][0]["sentence"]["after"] == ""
    loses, less = told["what_if"]
    assert loses == "1 person loses: Rita, rita@example.com"
    assert less.startswith("1 entitlement less: ")
    assert "on shop (" in less


def test_apply_says_what_it_does_and_does_it(policy: Story, repository: Repository) -> None:
    run("export", repository)
    repository.change("flows/databases.yaml", ("duration: 1 h", "duration: 2 h"))
    code, text = run("apply", repository, "--yes", "--as", policy.cast.admin.email)
    assert (code, text.splitlines()[-1]) == (0, "Applied.")
    assert AuditEntry.objects.get(action="policy.applied").actor_name == "Ada"
    assert run("apply", repository, "--yes")[1].splitlines()[-1] == "Nothing to do."
    assert FlowVersion.objects.filter(flow__name="Databases").count() == 2


def test_nobody_to_ask_means_no(policy: Story, repository: Repository) -> None:
    run("export", repository)
    repository.change("flows/databases.yaml", ("duration: 1 h", "duration: 2 h"))
    with pytest.raises(CommandError, match="say --yes"):
        run("apply", repository)
    assert AccessFlow.objects.get(name="Databases").versions.count() == 1


def test_who_is_nobody_may_nothing(policy: Story, repository: Repository) -> None:
    run("export", repository)
    with pytest.raises(CommandError, match="Nobody active has the address"):
        run("plan", repository, "--as", "x@y.z")


def test_an_error_is_one_and_never_two(
    policy: Story, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    def code(*argv: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            Command().run_from_argv(["manage.py", "policy", *argv])
        return ended.value.code

    repository.write("flows/a.yaml", "name: A\nnames: 1\n")
    assert code("plan", str(repository.root)) == 1
    told = capsys.readouterr().err
    assert "flows/a.yaml:2:1: There is no key “names” here. Did you mean “name”?" in told
    assert "Nothing was changed: 5 problems." in told
    assert code("plan") == 1
    assert code("plan", "--jsom", str(repository.root)) == 1
    assert code("fly", str(repository.root)) == 1
