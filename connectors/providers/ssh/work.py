"""One order about a person, under way: what is there, what is to be, and what was done about it."""

from __future__ import annotations

from connectors.contract.errors import LeaseLost, TargetError, TargetMissing
from connectors.contract.orders import Desired, Ending, Grant, Order
from connectors.contract.provider import Run
from connectors.providers.ssh.ending import Ended, drop, end
from connectors.providers.ssh.giving import Given, decide, give, renew
from connectors.providers.ssh.names import grant_marker, person_marker
from connectors.providers.ssh.own import Own, own_of
from connectors.providers.ssh.reading import Account, State, read, to_end
from connectors.providers.ssh.reporting import login_of, logins_of
from connectors.providers.ssh.servers import Fleet
from connectors.providers.ssh.wanting import Wanted, resolve, servers_of


class Work:
    """One order about a person, under way."""

    def __init__(self, order: Order, run: Run, fleet: Fleet) -> None:
        assert order.desired is not None  # the runner has seen to it
        self.order, self.run, self.fleet = order, run, fleet
        self.desired: Desired = order.desired
        self.about: tuple[Grant | Ending, ...] = (*order.desired.holds, *order.desired.gone)
        self.marker = person_marker(order.integration_id, self.desired.person)
        self.own: Own = own_of(fleet, self.desired, self.marker)
        self.servers = self._reach()
        self.state: State = self._read()
        self.wanted = {one.grant_id: resolve(fleet, self.state, one) for one in self.desired.holds}
        self.unwanted = {one.grant_id: resolve(fleet, self.state, one) for one in self.desired.gone}
        self.own.remember(run, self.state, self._all(self.wanted) + self._all(self.unwanted))
        self.ended: dict[tuple[str, str], Ended] = {}
        self.given: dict[str, Given] = {}

    def apply(self) -> None:
        """End first: what is to be taken away is taken away whatever happens to the rest."""
        for server in self.state.values():
            for login in to_end(server, self.desired):
                self._end(login)
        self.own.take(self.state)
        for grant in self.desired.holds:
            wanted = self.wanted[grant.grant_id]
            self.given[grant.grant_id] = give(self.fleet, self.state, grant, wanted, self.marker)
        self.own.give(self.state, self._all(self.wanted))
        self.state = self._read()
        if not self.order.dry_run and self._shut_the_useless():
            self.state = self._read()

    def reset(self) -> None:
        """Make new keys and certificates."""
        for grant in self.desired.holds:
            if grant.wants_credentials:
                self.given[grant.grant_id] = self._reset(grant)
        self.state = self._read()

    def clean_up(self) -> None:
        """End the logins of `gone` once more, then remove them; one that cannot be ended stays."""
        for ending in self.desired.gone:
            for server in servers_of((ending,)) & self.state.keys() if ending.units else self.state.keys():
                logins = logins_of(self.state, server, ending, self.desired.holds)
                for name in {ending.login, *(login.name for login in logins)} - self._kept(server) - {""}:
                    self._drop(server, name, ending)
        self.state = self._read()

    def _reach(self) -> list[str]:
        """Connect to the servers that the order is about. Raises the first error when not one of them answers."""
        names = servers_of(self.about)
        if not names or not all(one.units for one in self.about):
            # Where it was is not said, so every server is asked.
            names |= set(self.fleet.settings.servers)
        reached = self.fleet.reach(names)
        if not reached:
            raise next(iter(self.fleet.errors.values()))
        return reached

    def _read(self) -> State:
        """Ask the servers. Raises the first error when not one of them answers."""
        logins = {one.login for one in self.about}
        servers = [name for name in self.servers if name not in self.fleet.errors]
        state = read(self.fleet, servers, self.marker, sorted({*logins, *self.own.names} - {""}))
        if not state:
            raise next(iter(self.fleet.errors.values()))
        return state

    def _all(self, resolved: dict[str, list[Wanted]]) -> list[Wanted]:
        """Return the units of all grants."""
        return [one for units in resolved.values() for one in units]

    def _kept(self, server: str) -> set[str]:
        """Return the logins on a server that belong to grants in force."""
        held = [self.state[server].held(grant) for grant in self.desired.holds]
        return {login.name for login in held if login is not None}

    def _end(self, login: Account) -> Ended:
        """End one login."""
        now = self.state[login.server].read_at
        ended = self.ended[login.server, login.name] = end(self.fleet, login, self.marker, now)
        return ended

    def _drop(self, server: str, name: str, ending: Ending) -> None:
        """Remove one login on one server, once it is over."""
        login = self.state[server].ours.get(name)
        if login is None and name in self.state[server].others:
            return  # not ours
        ended = self._end(login) if login is not None else Ended()
        self.ended[server, name] = ended
        if not ended.errors:
            grant_id = login.grant_id if login is not None else ending.grant_id
            ended.attempt(lambda: drop(self.fleet, server, name, grant_marker(self.marker, grant_id)))

    def _reset(self, grant: Grant) -> Given:
        """Make a new key and certificate for one grant."""
        given = Given({one.unit: one.error for one in self.wanted[grant.grant_id] if one.error is not None})
        marker, done = grant_marker(self.marker, grant.grant_id), False
        decide(self.fleet, self.state, grant, marker, given)
        assert given.certificate is not None
        for one in self.wanted[grant.grant_id]:
            login = login_of(self.state, grant, one)
            if one.place is None or one.place.own or one.unit in given.errors:
                continue
            if login is None or not login.may_enter(self.state[login.server].read_at):
                given.errors[one.unit] = TargetMissing(f"There is no open login {grant.login!r} of this grant.")
                continue
            try:
                renew(self.fleet, login, grant, marker, given.certificate)
                login.certificates = [given.certificate]
                done = True
            except LeaseLost:
                raise
            except TargetError as error:
                given.errors[one.unit] = error
        if not done:
            given.private_key = None
        elif given.errors:
            given.warnings.append("Where the reset failed, the old certificate is still good until it ends.")
        return given

    def _shut_the_useless(self) -> bool:
        """End the logins on servers where not one unit could be given; say whether there were any."""
        found = False
        for grant in self.desired.holds:
            given = self.given[grant.grant_id]
            for server in given.opened & self.state.keys():
                login, now = self.state[server].held(grant), self.state[server].read_at
                here = [one for one in self.wanted[grant.grant_id] if login_of(self.state, grant, one) is login]
                if login is None or any(one.held(login, now) and one.unit not in given.errors for one in here):
                    continue
                self._end(login)
                found = True
        return found
