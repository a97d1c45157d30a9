"""Writes a provider folder for tests of the machinery around providers."""

from pathlib import Path

MANIFEST = """
name = "Dummy"
category = "test"
description = "A provider that is not there."

[[fields]]
name = "hostname"
label = "Host"
kind = "text"

[[fields]]
name = "password"
label = "Password"
kind = "secret"

[[resource_types]]
id = "thing"
name = "Thing"

[[resource_types.permissions]]
id = "USE"
name = "Use"
risk_level = 3
"""

CODE = """
from connectors.contract.orders import Finding, Found, GrantReport, Page, ReadBack, ResourceFact, Unit
from connectors.contract.provider import Outcome


class Dummy:
    def check(self, order, run):
        run.alive()
        return (Finding("ok", "It answers."),)

    def resource_types(self, order, run):
        return ()

    def discover(self, order, run):
        try:
            for number in range(3):
                run.alive()
                yield Page((ResourceFact("thing", str(number), str(number), str(number)),) * 2)
        finally:
            closed.append(True)

    def apply(self, order, run):
        run.alive()
        sealed = run.seal({"password": "made-for-you"}, order.desired.holds[0].grant_id)
        return Outcome((GrantReport(order.desired.holds[0].grant_id, (), sealed_credentials=sealed),), ReadBack(1.0))

    read_back = reset_credentials = rotate = clean_up = apply


closed = []
PROVIDER = Dummy()
"""


def write_dummy(root: Path, id_: str = "dummy", *, manifest: str = MANIFEST, code: str = CODE) -> Path:
    """Write the folder of a provider below `root` and return it."""
    folder = root / id_
    (folder / "programs").mkdir(parents=True)
    (folder / "manifest.toml").write_text(manifest)
    (folder / "__init__.py").write_text('"""Dummy."""\n')
    (folder / "provider.py").write_text(code)
    (folder / "programs" / "look.sql").write_text("SELECT 1;\n")
    return folder
