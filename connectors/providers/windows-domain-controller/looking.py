"""What there is to ask for, and whether the connector could give it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.contract.errors import TargetMissing
from connectors.contract.orders import Finding, Order, Page
from connectors.contract.provider import Run
from connectors.toolkit import membership_checks
from connectors.toolkit.memberships import GROUP, group_fact

from . import programs
from .controller import Domain, enter


def discover(order: Order, run: Run) -> Iterator[Page]:
    """Yield groups, a page at a time: all are shown, and what cannot be given is refused with the reason."""
    if order.resource_types and GROUP not in order.resource_types:
        return
    with enter(order, run) as domain:
        for groups in domain.groups(order.page_size):
            yield Page(tuple(map(group_fact, groups)))


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Try what can be tried before somebody depends on it. Raises a TargetError when there is no way in at all."""
    with enter(order, run) as domain:
        return (
            *_way_in(domain),
            *membership_checks.might(domain.own_groups),
            _records(domain),
            *_groups(domain),
            membership_checks.end(domain.ends),
        )


def _way_in(domain: Domain) -> Iterator[Finding]:
    """Say what answered and how."""
    server = domain.host.server
    yield Finding("ok", f"{domain.controller} answers for {domain.domain}, and the connector signs in.")
    if not server.ssl:
        yield Finding(
            "warning",
            "Nobody proves which host answers: without SSL, messages are encrypted with what the sign-in agreed upon.",
            "Let WinRM listen with a certificate (5986), and choose SSL.",
        )
    elif not server.verify:
        yield Finding("warning", "Nobody proves which host answers.", "Turn the check of the certificate on.")


def _records(domain: Domain) -> Finding:
    """Say whether records can be kept."""
    try:
        (row,) = domain.host.rows(programs.RECORDS_CONTAINER, records=domain.records)
    except TargetMissing:
        return membership_checks.records(domain.records, there=False, may_create=False)
    return membership_checks.records(domain.records, there=True, may_create=bool(row["may_create"]))


def _groups(domain: Domain) -> Iterator[Finding]:
    """Say which groups can be given."""
    try:
        yield from membership_checks.groups(domain.groups(membership_checks.PAGE))
    except TargetMissing:
        yield Finding("error", f"There is no {domain.groups_base}.", "Check the distinguished name.")
