"""Reports what became of an order: grant by grant, ending by ending, and the proof."""

from __future__ import annotations

from connectors.contract.orders import Ending, Grant, GrantReport, UnitOutcome
from connectors.contract.provider import Outcome
from connectors.providers.ssh.giving import Given, newest
from connectors.providers.ssh.names import grant_marker
from connectors.providers.ssh.reporting import details, gone_report, logins_of, own_details, read_back, unit_report
from connectors.providers.ssh.work import Work


def outcome(work: Work, *, dropped: bool = False) -> Outcome:
    """Return what is, as the servers said last. `dropped`: a login that is still there is a failure."""
    proof = read_back(work.state, work.own, work.wanted)
    if work.order.dry_run:
        return Outcome((), proof)
    grants = [_held(work, grant) for grant in work.desired.holds]
    grants += [_gone(work, ending, dropped) for ending in work.desired.gone]
    return Outcome((*grants, *_unnamed(work)), proof)


def _held(work: Work, grant: Grant) -> GrantReport:
    """Return the report on a grant that should be held."""
    given = work.given.get(grant.grant_id, Given())
    wanted = work.wanted[grant.grant_id]
    units = [unit_report(work.state, grant, one, work.own, given.errors.get(one.unit)) for one in wanted]
    open_: dict[str, None] = {}
    own = []
    for one, told in zip(wanted, units, strict=True):
        if told.outcome is not UnitOutcome.HELD or one.place is None:
            continue
        if one.place.own:
            own.append(one.unit)
        else:
            open_[one.place.server] = None
    certificate = given.certificate or newest(work.fleet, work.state, grant, grant_marker(work.marker, grant.grant_id))
    sealed = ""
    if given.private_key is not None and open_:
        sealed = work.run.seal({"private_key": given.private_key.reveal()}, grant.grant_id)
    return GrantReport(
        grant.grant_id,
        tuple(units),
        login=grant.login if open_ else "",
        sealed_credentials=sealed,
        details=details(work.fleet, list(open_), grant, certificate)
        if open_
        else own_details(work.state, work.own, own),
        warnings=tuple(given.warnings),
    )


def _gone(work: Work, ending: Ending, dropped: bool) -> GrantReport:
    """Return the report on a grant that should be over."""
    units = [gone_report(work, ending, one, dropped=dropped) for one in work.unwanted[ending.grant_id]]
    mine = {ending.login}
    for server in work.state:
        mine |= {login.name for login in logins_of(work.state, server, ending, work.desired.holds)}
    ended = [(server, one) for (server, name), one in work.ended.items() if name in mine]
    warnings = [error.message for _, one in ended for error in one.errors]
    warnings += [
        f"{server} has an account {ending.login!r} that we did not make. It was left alone."
        for server, one in work.state.items()
        if ending.login in one.others
    ]
    return GrantReport(
        ending.grant_id,
        tuple(units),
        login=ending.login,
        sessions_ended=sum(one.sessions for _, one in ended),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _unnamed(work: Work) -> list[GrantReport]:
    """Return reports on logins of ours that the order did not name, and that were ended therefore."""
    named = {one.login for one in work.about}
    known = {one.grant_id for one in work.about}
    reports = []
    for (server, name), ended in work.ended.items():
        login = work.state[server].ours.get(name) if server in work.state else None
        if login is None or name in named or login.grant_id in known:
            continue
        words = f"The login {name} on {server} bears our marker, but its grant is not known as held: it was ended."
        said = (words, *(error.message for error in ended.errors))
        reports.append(GrantReport(login.grant_id, (), name, sessions_ended=ended.sessions, warnings=said))
    return reports
