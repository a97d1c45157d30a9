"""How a connector is installed and upgraded, by platform: ready commands, and the addresses it has to reach.

A command is a static file; what it needs to know goes before it as assignments of quoted values, so that a name or an
address can never become a part of a command.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

COMMANDS = Path(__file__).resolve().parent / "commands"


@dataclass(frozen=True, slots=True)
class Platform:
    """A place where a connector runs. `asks` are variables that only the person there can fill in."""

    id: str
    name: str
    told: str
    asks: tuple[str, ...] = ()
    outbound: tuple[str, ...] = ()
    with_permissions: str = ""
    without_permissions: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A ready command in one shell."""

    shell: str
    text: str


_NONE = "It gets no rights at a cloud; targets are reached by the secrets of their integrations."

PLATFORMS = (
    Platform("docker", "Docker", "One container on one machine.", without_permissions=_NONE),
    Platform("compose", "Docker Compose", "Run it in a folder of its own.", without_permissions=_NONE),
    Platform("systemd", "systemd", "A service of a Linux machine, without containers.", without_permissions=_NONE),
    Platform(
        "kubernetes",
        "Kubernetes",
        "A deployment of two instances, by Helm.",
        with_permissions="--set serviceAccount.manageClusterRoles=true lets it bind the roles that are listed in the "
        "chart's values, for clusters that people ask access to.",
        without_permissions="As it stands, its service account may do nothing in the cluster.",
    ),
    Platform(
        "ecs",
        "AWS ECS",
        "A Fargate service, by CloudFormation; deploy/terraform/aws-ecs does the same with Terraform.",
        ("VPC_ID", "SUBNET_IDS"),
        ("*.amazonaws.com",),
        "As it stands: the role of the task may manage IAM below the path /latchkey/ and read what can be asked for.",
        "WithPermissions=false: the task reads its own token, and secrets that are tagged for it.",
    ),
    Platform(
        "eks",
        "AWS EKS",
        "Helm, with a role by Pod Identity; deploy/terraform/aws-eks does the same with Terraform.",
        ("CLUSTER",),
        ("*.amazonaws.com",),
        "As it stands: the role may manage IAM below the path /latchkey/ and read what can be asked for.",
        "WithPermissions=false: the role reads secrets that are tagged for it.",
    ),
    Platform(
        "aci",
        "Azure Container Instances",
        "A container group; deploy/terraform/azure-aci does the same with Terraform.",
        ("RESOURCE_GROUP",),
        ("management.azure.com", "graph.microsoft.com", "login.microsoftonline.com", "*.vault.azure.net"),
        "Give its identity User Access Administrator where people ask for roles, and Directory Readers.",
        "As it stands, its identity may do nothing.",
    ),
    Platform(
        "gke",
        "Google GKE",
        "Helm, with workload identity; deploy/terraform/google-gke does the same with Terraform.",
        ("GOOGLE_SERVICE_ACCOUNT",),
        ("*.googleapis.com",),
        "Give the service account roles/browser and roles/iam.securityAdmin on the project or organisation.",
        "As it stands, its service account may do nothing.",
    ),
    Platform(
        "cloud-run",
        "Google Cloud Run",
        "A worker pool: always on, with no address of its own.",
        ("REGION", "GOOGLE_SERVICE_ACCOUNT"),
        ("*.googleapis.com",),
        "Give the service account roles/browser and roles/iam.securityAdmin on the project or organisation.",
        "As it stands, its service account may do nothing.",
    ),
)
BY_ID = {platform.id: platform for platform in PLATFORMS}
SHELLS = {"sh": "Shell", "ps1": "PowerShell"}


def install(platform: Platform, *, name: str, url: str, image: str, version: str) -> list[Command]:
    """Return the commands that install a connector, one per shell that the platform has one for."""
    told = {"NAME": _slug(name), "URL": url, "IMAGE": image, "VERSION": version, **dict.fromkeys(platform.asks, "…")}
    found = []
    for ending, shell in SHELLS.items():
        text = _file(f"{platform.id}.{ending}")
        if text:
            found.append(Command(shell, _assignments(told, text, ending) + text))
    return found


def upgrade(platform_id: str, *, name: str, url: str, image: str, version: str) -> str:
    """Return the command that upgrades an instance on its platform; empty where we do not know how it was installed."""
    platform = BY_ID.get(platform_id)
    if platform is None:
        return ""
    told = {"NAME": _slug(name), "URL": url, "IMAGE": image, "VERSION": version, **dict.fromkeys(platform.asks, "…")}
    text = _file(f"{platform.id}-upgrade.sh")
    return _assignments(told, text, "sh") + text


def outbound(url: str) -> str:
    """Return the server's own address as a firewall knows it: host and port."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.hostname}:{port}"


def _assignments(told: dict[str, str], text: str, ending: str) -> str:
    """Return the values that a command uses, quoted for its shell."""
    if ending == "sh":
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in told.items() if f"${name}" in text)
    named = {"".join(word.capitalize() for word in name.split("_")): value for name, value in told.items()}
    lines = (
        f"${name} = '{value.replace(chr(39), chr(39) * 2)}'\n"
        for name, value in named.items()
        if f"${name}" in text or f"${{{name}}}" in text
    )
    return "".join(lines)


def _slug(name: str) -> str:
    """Return a connector's name as container tools take it."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return "-".join(filter(None, words.split("-")))[:40] or "connector"


@cache
def _file(name: str) -> str:
    path = COMMANDS / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
