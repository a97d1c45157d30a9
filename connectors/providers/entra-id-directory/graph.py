"""The way in: Microsoft Graph from an order's configuration, and its pages and marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connectors.contract.errors import CredentialsRejected, Misconfigured
from connectors.contract.orders import Order
from connectors.contract.provider import Run
from connectors.toolkit.http import Answer, Service
from connectors.toolkit.telling import parameter_of, text

from . import programs

FIELDS = (
    *("id", "displayName", "mail", "userPrincipalName", "accountEnabled", "userType"),
    *("department", "jobTitle", "city", "country", "companyName", "officeLocation", "employeeType", "employeeId"),
)
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
SETUP = "Register the application as setup/1_application.md says."


@dataclass(frozen=True, slots=True)
class Graph:
    """Microsoft Graph, as one order sees it."""

    service: Service
    fields: str
    guests: bool

    def next_page(self, answer: Answer) -> str | None:
        """Return the mark of the next page; None on the last one."""
        data = answer.data if isinstance(answer.data, dict) else {}
        return parameter_of(data.get("@odata.nextLink"), "$skiptoken") or None

    def delta(self, answer: Answer) -> str | None:
        """Return the mark that the next sync begins with; None before the last page."""
        data = answer.data if isinstance(answer.data, dict) else {}
        return parameter_of(data.get("@odata.deltaLink"), "$deltatoken") or None


@contextmanager
def graph(order: Order, run: Run) -> Iterator[Graph]:
    """Give the way to a tenant, with a token for this order only. Raises a TargetError."""
    config = order.config
    tenant, base = str(config.get("tenant") or ""), str(config.get("graph_address") or "https://graph.microsoft.com")
    if not TENANT.fullmatch(tenant):
        raise Misconfigured(f"{tenant!r} is no tenant.", fix="It is a UUID, or a domain of the tenant.")
    if "client_secret" not in order.secrets:
        raise Misconfigured("The integration has no client secret.", fix=SETUP)
    fields = fields_of(str(config.get("further_fields") or ""))
    token = _token(order, run, tenant, base.rstrip("/"))
    with Service(base, run, headers={"Authorization": f"Bearer {token}"}) as service:
        yield Graph(service, fields, guests=config.get("guests") is True)


def fields_of(further: str) -> str:
    """Return the properties to be read. Raises Misconfigured for one that cannot be one."""
    wanted = [one.strip() for one in further.split(",") if one.strip()]
    for one in wanted:
        if not FIELD.fullmatch(one):
            raise Misconfigured(f"{one[:60]!r} is no property of a user.", fix="Separate names by commas.")
    return ",".join(dict.fromkeys([*FIELDS, *wanted]))


def _token(order: Order, run: Run, tenant: str, base: str) -> str:
    """Return an access token. Raises CredentialsRejected with Microsoft's own words."""
    address = str(order.config.get("login_address") or "https://login.microsoftonline.com")
    with Service(address, run) as login:
        answer = login.read(
            programs.READ_TOKEN,
            accept=(200, 400, 401),
            tenant=tenant,
            client_id=str(order.config.get("client_id") or ""),
            client_secret=order.secrets["client_secret"],
            scope=f"{base}/.default",
        )
    data: dict[str, Any] = answer.data if isinstance(answer.data, dict) else {}
    token = text(data, "access_token")
    if answer.status != 200 or not token:
        said = text(data, "error_description", "error").splitlines()
        raise CredentialsRejected(
            f"Microsoft gives no token: {said[0][:200] if said else answer.status}",
            fix="Look at the tenant and the client id, and whether the secret has ended.",
        )
    return token
