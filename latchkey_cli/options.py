"""Options that many commands share, said once."""

from __future__ import annotations

from typing import Annotated

import typer

from latchkey_cli.output import Form

Output = Annotated[
    Form, typer.Option("--output", "-o", help="How to print data.", envvar="LATCHKEY_OUTPUT", show_envvar=True)
]
ProfileName = Annotated[
    str, typer.Option("--profile", "-p", help="Which sign-in to use.", envvar="LATCHKEY_PROFILE", show_envvar=True)
]
RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="A request, like AR-17.")]
Access = Annotated[
    str,
    typer.Argument(
        metavar="ACCESS", help="Your access: the beginning of its id, its request, or its integration's name."
    ),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; the requester reads it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait until it is settled.")]
Timeout = Annotated[str, typer.Option("--timeout", help="How long to wait at most, like 10m.")]
