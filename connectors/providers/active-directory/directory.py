"""The way in: a directory from the order's configuration, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.ldap import Directory, Server

from . import programs
from .names import sid_of

# The name of the optional feature in CN=Optional Features (MS-ADTS, 3.1.1.9.2).
PAM_FEATURE = "cn=privileged access management feature,"


@dataclass(frozen=True, slots=True)
class Target:
    """A directory that was entered.

    `now` is the controller's own time, in seconds since the epoch. `ends` says whether memberships can end by
    themselves in this forest. `own_groups` are the SIDs of what the connector's account is in, also indirectly.
    """

    directory: Directory
    base: str
    groups_base: str
    records: str
    domain: str
    controller: str
    now: float
    ends: bool
    own_groups: tuple[str, ...]


def open_directory(order: Order, run: Run) -> Directory:
    """Return the directory of an order; it connects when it is entered. Raises Misconfigured."""
    config = order.config
    server = Server(
        host=str(config.get("hostname", "")),
        port=int(config.get("port") or 636),
        encryption=str(config.get("encryption") or "ldaps"),
        user=str(config.get("username", "")),
        password=order.secrets["password"],
        verify=truth(config.get("verify", True)),
        ca=str(config.get("ca") or ""),
    )
    if not server.host:
        raise Misconfigured("The domain controller has no host name.", fix="Enter one.")
    return Directory(server, run, dry_run=order.dry_run)


def target(order: Order, directory: Directory) -> Target:
    """Ask the directory what it is. Raises Misconfigured where it is no Active Directory."""
    root = next(iter(directory.rows(programs.ROOT)))
    naming, configuration = root.text("defaultNamingContext"), root.text("configurationNamingContext")
    if not naming or not configuration:
        raise Misconfigured("This is no Active Directory: it names no domain.", fix="Check host name and port.")
    base = str(order.config.get("base_dn") or naming)
    return Target(
        directory=directory,
        base=base,
        groups_base=str(order.config.get("groups_dn") or base),
        records=str(order.config.get("records_dn") or f"CN=Latchkey,{naming}"),
        domain=domain_of(naming),
        controller=root.text("dnsHostName"),
        now=moment(root.text("currentTime")),
        ends=_ends(directory, configuration),
        own_groups=tuple(sid_of(raw) for raw in root.attributes.get("tokengroups", ())),
    )


def truth(value: object) -> bool:
    """Return a boolean of the configuration, which may have come as a word."""
    return value not in (False, "false", "False", "0")


def domain_of(naming: str) -> str:
    """Return a domain's DNS name from its DN."""
    return ".".join(part[3:] for part in naming.split(",") if part[:3].upper() == "DC=")


def moment(generalized: str) -> float:
    """Return a GeneralizedTime (20261127232803.0Z) in seconds since the epoch. Raises Misconfigured."""
    try:
        return datetime.strptime(generalized[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise Misconfigured("The controller does not tell its time.") from error


def _ends(directory: Directory, configuration: str) -> bool:
    """Say whether Privileged Access Management is on in the forest; what cannot be seen is not relied upon."""
    rows = directory.rows(programs.FEATURES, missing_is_empty=True, configuration=configuration)
    return any(name.lower().startswith(PAM_FEATURE) for row in rows for name in row.texts("msDS-EnabledFeature"))
