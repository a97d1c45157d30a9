"""login, logout, whoami."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import typer

from latchkey_cli import signing, terminal
from latchkey_cli.client import Client
from latchkey_cli.options import Output, ProfileName
from latchkey_cli.output import Form, facts, print_data, say
from latchkey_cli.problems import Problem, SignedOut, Usage
from latchkey_cli.profiles import BROWSER, DEFAULT, TOKEN, Profile, Store, address, checked_name
from latchkey_cli.session import TOKEN as TOKEN_VARIABLE
from latchkey_cli.session import URL, FromEnvironment, checked_token, connect, name_of
from latchkey_cli.text import moment

Url = Annotated[str, typer.Argument(metavar="[URL]", envvar=URL, help="The server; by default the profile's own.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address instead of opening it.")]
ByToken = Annotated[bool, typer.Option("--token", help="Read a personal token from stdin or a prompt.")]
Seconds = Annotated[int, typer.Option("--timeout", help="How many seconds to wait for the browser.", min=1)]


def login(
    url: Url = "",
    profile: ProfileName = "",
    no_browser: NoBrowser = False,
    token: ByToken = False,
    timeout: Seconds = 300,
) -> None:
    """Sign in, in a browser or with a personal token, and keep it under a profile."""
    store = Store()
    kept = store.load()
    name = checked_name(profile) if profile else kept.current or DEFAULT
    known = kept.named.get(name)
    if not url and known is None:
        raise Usage("Name the server: latchkey login https://latchkey.example.com")
    at = address(url or (known.url if known else ""))
    if known is not None and known.url != at and not profile:
        raise Usage(f"The profile {name} is signed in at {known.url}.", then=f"latchkey login {at} --profile NAME")
    new = _by_token(at) if token else _by_browser(at, not no_browser, timeout)
    me = Client(at, FromEnvironment(new.access)).get("session")
    new.who = str(_user(me).get("email", ""))
    with store.locked() as now:
        now.named[name], now.current = new, name
        store.save(now)
    say(f"Signed in at {at} as {new.who} (profile {name}).")


def _by_token(url: str) -> Profile:
    text = checked_token(terminal.secret(f"Personal token for {url}"))
    return Profile(url, TOKEN, text)


def _by_browser(url: str, browser: bool, seconds: int) -> Profile:
    given = signing.sign_in(url, browser=browser, seconds=seconds)
    return Profile(url, BROWSER, given.access, given.refresh, given.expires_at)


def _user(me: Any) -> dict[str, Any]:
    user = me.get("user") if isinstance(me, dict) else None
    if not isinstance(user, dict):
        raise Problem("The server does not answer as Latchkey does.", then="Check the address.")
    return user


def logout(profile: ProfileName = "") -> None:
    """Forget a sign-in here, and end it at the server."""
    store = Store()
    name = name_of(profile, store)
    with store.locked() as kept:
        gone = kept.named.pop(name, None)
        if gone is None:
            raise SignedOut(f"Nobody is signed in as “{name}”.")
        kept.current = name if not kept.named else next(iter(kept.named)) if kept.current == name else kept.current
        store.save(kept)
    say(f"Forgotten here: {gone.who or name} at {gone.url}.")
    if gone.kind != BROWSER:
        say("The personal token itself still works: revoke it under Your account → Tokens.")
        return
    over = f"End this sign-in yourself under Your account → Tokens: {gone.url}/account/tokens/"
    if gone.expires_at <= time.time():
        say(over)
        return
    try:
        signing.end(gone.url, gone.access)
    except Problem as wrong:
        raise Problem(f"The server was not told: {wrong.message}", then=over, code=wrong.exit_code) from wrong
    say("The sign-in is ended at the server too.")


def whoami(output: Output = Form.TABLE, profile: ProfileName = "") -> None:
    """Say who you are, where, and until when."""
    client = connect(profile)
    me = client.get("session")
    user, by_variable = _user(me), bool(os.environ.get(TOKEN_VARIABLE)) and not profile
    if output is not Form.TABLE:
        print_data({"url": client.url, "user": user}, output)
        return
    by = f"the token in {TOKEN_VARIABLE}" if by_variable else _how(profile)
    facts([("User", f"{user.get('name', '')} <{user.get('email', '')}>"), ("Server", client.url), ("By", by)])


def _how(profile: str) -> str:
    """Return how a profile is signed in."""
    store = Store()
    name = name_of(profile, store)
    found = store.load().named[name]
    if found.kind != BROWSER:
        return f"a personal token, profile {name}"
    return f"browser, profile {name}; renewed by itself, next at {moment(found.expires_at)}"
