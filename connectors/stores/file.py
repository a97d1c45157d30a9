"""Secrets in files of one folder, which LATCHKEY_SECRETS_FOLDER names.

Nothing outside the folder can be named: not by `..`, not by a link. Nor can a file that holds one of our own settings
(the connector's token, the keys of the server it runs in), in case they share the folder, as a container's secrets do.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from connectors.contract.errors import Misconfigured, NotPermitted, TargetMissing
from connectors.contract.provider import Run

VARIABLE = "LATCHKEY_SECRETS_FOLDER"
OWN = re.compile(r"LATCHKEY_\w+_FILE")
SIZE_MAX = 64 * 2**10


class Files:
    """Reads files."""

    def read(self, reference: str, run: Run) -> str:
        """Return the text of a file, without the line end at its end."""
        if not os.environ.get(VARIABLE):
            raise Misconfigured(f"{VARIABLE} is not set.", fix="Set it in the connector's environment.")
        folder = Path(os.environ[VARIABLE]).resolve()
        path = (folder / reference).resolve()
        own = {Path(value).resolve() for name, value in os.environ.items() if OWN.fullmatch(name) and value}
        if folder not in path.parents or path in own:
            raise Misconfigured(f"{reference!r} is not in the folder {folder}.", fix=f"{VARIABLE} names the folder.")
        try:
            if path.stat().st_size > SIZE_MAX:
                raise Misconfigured(f"{path} is larger than {SIZE_MAX // 2**10} kB.")
            return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except FileNotFoundError as error:
            raise TargetMissing(f"There is no file {path}.", fix="Make it, readable by the connector alone.") from error
        except PermissionError as error:
            raise NotPermitted(f"{path} may not be read by the connector.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{path} cannot be read as text ({type(error).__name__}).") from error


STORE = Files()
