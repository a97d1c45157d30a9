"""Image, Compose, systemd, CloudFormation, Terraform: each read by its own tool, and each true to the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.runners import command
from tests.architecture.source import ROOT

DEPLOY = ROOT / "deploy"
TEMPLATES = sorted((DEPLOY / "cloudformation").glob("*.yaml"))
MODULES = sorted(path.parent for path in (DEPLOY / "terraform").glob("*/main.tf"))
SETTINGS = re.compile(r"LATCHKEY_[A-Z_]+")


def files() -> list[Path]:
    """Return every file below deploy/."""
    return sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def test_every_setting_that_is_given_is_one_that_a_connector_reads() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "connectors").rglob("*.py"))
    known = set(SETTINGS.findall(code)) | {"LATCHKEY_IMAGE", "LATCHKEY_TARGET_SECRET_"}
    for path in files():
        given = set(SETTINGS.findall(path.read_text()))
        unknown = {name for name in given if name not in known and f"{name}_FILE" not in known}
        assert {name for name in unknown if name.removesuffix("_FILE") not in known} == set(), path


def test_images_are_named_without_a_registry() -> None:
    found = [
        name for path in files() for name in re.findall(r"^(?:FROM|image:)\s+(\S+)", path.read_text(), re.MULTILINE)
    ]
    assert len(found) >= 3
    assert not [name for name in found if "/" in name]


# The image.


def test_the_image_copies_what_is_there_and_runs_what_exists() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    assert "connectors.runners.command" in text
    assert callable(command.main)
    assert re.search(r"^USER 10001$", text, re.MULTILINE)


def test_the_build_sees_nothing_but_what_it_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert {"!connectors", "!requirements"} <= set(ignored)


def test_compose_runs_it_without_rights_and_with_the_token_in_a_file() -> None:
    told = yaml.safe_load((DEPLOY / "compose" / "connector.yaml").read_text())
    service = told["services"]["connector"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "LATCHKEY_CONNECTOR_TOKEN" not in service["environment"]
    assert service["environment"]["LATCHKEY_CONNECTOR_TOKEN_FILE"] == "/run/secrets/token"


# systemd.


def test_the_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (Debian's package systemd)")
    unit = (DEPLOY / "systemd" / "latchkey-connector.service").read_text()
    # The program is not installed here; everything else is looked at as it is.
    unit = unit.replace("/opt/latchkey-connector/bin/latchkey-connector", shutil.which("true") or "/bin/true")
    path = tmp_path / "latchkey-connector.service"
    path.write_text(unit)
    done = subprocess.run([analyze, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
    about_us = [line for line in done.stderr.splitlines() if "latchkey-connector" in line]
    assert (about_us, done.returncode) == ([], 0), done.stderr


def test_the_installer_can_be_read_by_its_shell() -> None:
    assert subprocess.run(["sh", "-n", str(DEPLOY / "systemd" / "install")], check=False).returncode == 0


# AWS.


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_the_template_passes_the_linter(path: Path) -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([str(linter), str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their arguments."""


def _any(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _any)


def test_the_templates_give_the_rights_of_the_providers_own_set_up() -> None:
    setup = ROOT / "connectors" / "providers" / "aws-account" / "setup"
    boundary, connector = (json.loads((setup / name).read_text()) for name in ("1_boundary.json", "2_connector.json"))
    for path in TEMPLATES:
        resources = yaml.load(path.read_text(), _Loader)["Resources"]
        assert resources["Boundary"]["Properties"]["PolicyDocument"] == boundary
        given = resources["ConnectorRole"]["Properties"]["Policies"][1]["Fn::If"][1]
        assert given["PolicyDocument"] == connector
        named = resources["Boundary"]["Properties"]["ManagedPolicyName"]
        assert f"policy/{named}" in json.dumps(connector)
    text = (DEPLOY / "terraform" / "aws-permissions" / "main.tf").read_text()
    assert set(re.findall(r"local.setup}/([\w.]+)", text)) == {"1_boundary.json", "2_connector.json"}
    assert (DEPLOY / "terraform" / "aws-permissions" / "../../../connectors/providers/aws-account/setup").is_dir()


# Terraform.


def terraform(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run terraform; skips where there is none."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform is not installed")
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_modules_are_read_and_formatted_by_terraform() -> None:
    done = terraform("fmt", "-check", "-recursive", "-diff", folder=DEPLOY / "terraform")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_uses_what_it_declares_and_declares_what_it_uses(module: Path) -> None:
    text = (module / "main.tf").read_text()
    declared = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    used = set(re.findall(r"\bvar\.(\w+)", text))
    assert declared == used
    blocks = {f"{kind}.{name}" for kind, name in re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)}
    blocks |= {f"data.{kind}.{name}" for kind, name in re.findall(r'^data "(\w+)" "(\w+)"', text, re.MULTILINE)}
    named = set(re.findall(r"\b((?:data\.)?(?:aws|azurerm|google|helm)_\w+\.\w+)", text))
    assert named <= blocks
    for source in re.findall(r'source\s+= "(\.\.[^"]+)"', text):
        assert (module / source / "main.tf").is_file()


@pytest.mark.parametrize("module", [path for path in MODULES if path.name != "aws-permissions"], ids=lambda p: p.name)
def test_a_module_comes_with_and_without_permissions(module: Path) -> None:
    text = (module / "main.tf").read_text()
    block = text[text.index('variable "with_permissions"') :]
    assert re.search(r"default\s+= false", block[: block.index("\n}")])
