"""GitHub on free ports: a front door, Prism with GitHub's description behind it, and the site behind that.

What Prism finds against the description, in requests or answers, is kept in `Servers.violations`; questions to the
other interface are executed by graphql-js on GitHub's published schema.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests

from tests.connectors.github_answers import Rest, tree
from tests.connectors.github_description import NPM, WHOLE
from tests.connectors.github_site import Site
from tests.connectors.http_stub import Handler, listening
from tests.targets import free_port

PRISM = NPM / "@stoplight" / "prism-cli" / "dist" / "index.js"
SCHEMA = NPM / "@octokit" / "graphql-schema" / "schema.graphql"
GRAPHQL = NPM.parent / "graphql.mjs"
START_SECONDS = 60


def missing() -> str:
    """Return why there can be no GitHub here, or nothing."""
    if shutil.which("node") is None:
        return "no node: install the Debian package nodejs"
    if not all(path.is_file() for path in (PRISM, WHOLE, SCHEMA)):
        return "no Prism and descriptions of GitHub: run npm ci in tests/npm-github"
    return ""


class Servers:
    """The running servers, and what they saw."""

    def __init__(self, site: Site) -> None:
        """Know the site; nothing runs yet."""
        self.base = self.prism = self.graph = ""
        self.show(site)

    def show(self, site: Site) -> None:
        """Serve another site from now on. `ahead` are answers to give instead of the site's, the next one first."""
        self.site, self.rest = site, Rest(site)
        self.violations: list[str] = []
        self.asked: list[str] = []
        self.ahead: list[tuple[int, dict[str, str], Any]] = []


class _Handler(Handler):
    """What both of our servers share."""

    world: Servers

    def do(self) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.do()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET


class _Door(_Handler):
    """The front door: signs people in, asks Prism or graphql-js, keeps what they object to."""

    def do(self) -> None:
        body, servers = self.body(), self.world
        servers.asked.append(f"{self.command} {self.path}")
        if servers.ahead:
            status, headers, data = servers.ahead.pop(0)
            self.reply(status, data, headers)
            return
        token = servers.site.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if token is None:
            self.reply(401, {"message": "Bad credentials", "status": "401"})
            return
        scopes = {"X-OAuth-Scopes": token.scopes} if token.scopes else {}
        if self.path == "/graphql":
            asked = json.loads(body)
            root, errors = tree(servers.site, token, asked["variables"])
            answer = requests.post(servers.graph, json={**asked, "root": root}, timeout=30).json()
            servers.violations += [str(error) for error in answer.get("errors", ())]
            self.reply(200, {**answer, **({"errors": errors} if errors else {})}, scopes)
            return
        headers = {"Authorization": self.headers["Authorization"], "Accept": "application/json"}
        headers |= {"Content-Type": "application/json"} if body else {}
        answer = requests.request(self.command, servers.prism + self.path, headers=headers, data=body, timeout=30)
        said = answer.headers.get("sl-violations")
        # What a token lacks is answered with 403 everywhere, also where the description does not say so.
        if said and answer.status_code != 403:
            servers.violations.append(f"{self.command} {self.path}: {said}")
        self.reply(answer.status_code, answer.content or None, scopes)


class _Back(_Handler):
    """The site, behind Prism."""

    def do(self) -> None:
        parts, body = urlsplit(self.path), self.body()
        token = self.world.site.tokens[self.headers["Authorization"].removeprefix("Bearer ")]
        query = dict(parse_qsl(parts.query))
        answer = self.world.rest.answer(
            self.command, unquote(parts.path), token, query, json.loads(body) if body else {}
        )
        self.reply(answer.status, answer.data)


@contextmanager
def serving(site: Site) -> Iterator[Servers]:
    """Run all servers; they are gone at the end."""
    servers = Servers(site)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        description = folder / "github.json"
        description.write_text(json.dumps(site.description.document), encoding="utf-8")
        back = stack.enter_context(listening(_Back, servers))
        prism, graph = free_port(), free_port()
        command = [str(PRISM), "proxy", "-h", "127.0.0.1", "-p", str(prism), str(description), back]
        stack.enter_context(_running(command, prism, folder / "prism.log"))
        stack.enter_context(_running([str(GRAPHQL), str(graph)], graph, folder / "graphql.log"))
        servers.prism, servers.graph = f"http://127.0.0.1:{prism}", f"http://127.0.0.1:{graph}"
        servers.base = stack.enter_context(listening(_Door, servers))
        yield servers


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """Run a node program until the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(["node", *command], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    """Say whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
