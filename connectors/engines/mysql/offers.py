"""What the connector may pass on: the privileges that its own account holds WITH GRANT OPTION."""

from __future__ import annotations

from connectors.engines.holdings import Holdings
from connectors.engines.mysql.levels import matches
from connectors.engines.mysql.reading import holdings_of
from connectors.engines.mysql.server import Target

PREPARE = "Run setup/2_database.sql in it, with the level that people may ask for."


class Offers:
    """What one account may pass on."""

    def __init__(self, holdings: Holdings) -> None:
        """Take what the account holds."""
        self._holdings = holdings

    def missing(self, needed: frozenset[str], database: str, table: str = "") -> frozenset[str]:
        """Return the privileges among `needed` that cannot be passed on there."""
        has = self._holdings.get(("server",), frozenset()) | self._on(database)
        if table:
            has |= self._holdings.get(("table", database, table), frozenset())
        return needed - has if "GRANT OPTION" in has else needed

    def _on(self, database: str) -> frozenset[str]:
        """Return what is held on a database: the server looks at the most exact pattern, and at no other."""
        if (exact := self._holdings.get(("database", database))) is not None:
            return exact
        wide = [thing[1] for thing in self._holdings if thing[0] == "pattern" and matches(thing[1], database)]
        return self._holdings["pattern", max(wide, key=_exactness)] if wide else frozenset()


def offers(at: Target) -> Offers:
    """Return what the connector may pass on."""
    return Offers(holdings_of(at, [at.account]).get(at.account, {}))


def _exactness(pattern: str) -> int:
    """Return how many characters of a pattern come before the first that stands for others."""
    plain = pattern.replace("\\_", "x").replace("\\%", "x")
    return min((plain.find(wild) for wild in "_%" if wild in plain), default=len(plain))
