"""A WinRM endpoint: WS-Management and MS-PSRP in full, over HTTPS, but no PowerShell behind it.

A script that arrives is recognised by its text as one of the provider's programs, and what that program says is done on
a real Samba controller, as the user who signed in: so whether a right is there is the directory's own answer.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any
from uuid import UUID

from psrpcore import CreatePipelineEvent, PSRPPayload, ServerPipeline, ServerRunspacePool, StreamType
from psrpcore.types import ErrorCategory, ErrorCategoryInfo, NETException
from pypsrp.wsman import NAMESPACES as N

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
)
from connectors.contract.orders import Order, Verb
from connectors.contract.provider import Run
from connectors.contract.secret import Secret
from connectors.registry import BUILT_IN
from connectors.toolkit.ldap_errors import NO_SUCH_ATTRIBUTE
from connectors.toolkit.memberships import NO_END, Account, Record
from connectors.toolkit.powershell_errors import OBJECT_EXISTS
from tests.targets_samba import Samba

PROVIDER = "windows-domain-controller"
ANSWER = (
    '<s:Envelope xmlns:s="{s}" xmlns:wsa="{wsa}" xmlns:wsman="{wsman}" xmlns:rsp="{rsp}" xmlns:wst="{wst}">'
    "<s:Header><wsa:RelatesTo>{relates}</wsa:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
LONG_SECONDS = 3600.0
FAULT = (
    '<s:Envelope xmlns:s="{s}"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>'
    'Access is denied.</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="{wsmanfault}" Code="5"/></s:Detail>'
    "</s:Fault></s:Body></s:Envelope>"
)


class ScriptFailed(Exception):
    """A script ended with an error record."""

    def __init__(self, identifier: str, words: str, category: ErrorCategory = ErrorCategory.NotSpecified) -> None:
        super().__init__(words)
        self.identifier, self.category = identifier, category


@dataclass
class Endpoint:
    """An endpoint in front of a controller. `sent` are the scripts that came, with their parameters.

    `stands_in` answers for programs instead of the controller; `ldap` may name another way to it.
    """

    server: Samba
    ldap: dict[str, Any] = field(default_factory=dict)
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    stands_in: dict[str, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)
    refuses_sessions: bool = False
    port: int = 0
    pools: dict[str, ServerRunspacePool] = field(default_factory=dict)
    waiting: dict[tuple[str, str], bytearray] = field(default_factory=dict)
    let_in: set[tuple[str, str]] = field(default_factory=set)
    domains: dict[tuple[str, str, str, str], Any] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, action: str, envelope: ET.Element, user: str, password: str) -> str:
        """Return the body that answers a request."""
        selector = envelope.find(".//wsman:Selector[@Name='ShellId']", N)
        shell = (selector.text or "") if selector is not None else ""
        body = envelope.find("s:Body", N)
        assert body is not None
        if action == "Create":
            return self._create(body)
        if action == "Command":
            line = body.find("rsp:CommandLine", N)
            assert line is not None
            command, data = line.attrib["CommandId"], line.findtext("rsp:Arguments", "", N)
            ServerPipeline(self.pools[shell], UUID(command))
            self._take(shell, command, data, user, password)
            return f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"
        if action == "Send":
            stream = body.find("rsp:Send/rsp:Stream", N)
            assert stream is not None
            self._take(shell, stream.attrib.get("CommandId", ""), stream.text or "", user, password)
            return "<rsp:SendResponse/>"
        if action == "Receive":
            stream = body.find("rsp:Receive/rsp:DesiredStream", N)
            assert stream is not None
            return self._receive(shell, stream.attrib.get("CommandId", ""))
        if action == "Delete":
            self.pools.pop(shell, None)
            return ""
        return "<rsp:SignalResponse/>"

    def knows(self, user: str, password: str) -> bool:
        """Say whether the directory lets somebody in; asked once for each."""
        if (user, password) not in self.let_in:
            try:
                self._domain({}, user, password)
                self.let_in.add((user, password))
            except CredentialsRejected:
                return False
        return True

    def _create(self, body: ET.Element) -> str:
        """Open a runspace pool."""
        made = body.find("rsp:Shell", N)
        assert made is not None
        shell = made.attrib["ShellId"]
        self.pools[shell] = ServerRunspacePool()
        content = made.findtext("{http://schemas.microsoft.com/powershell}creationXml", "")
        self._take(shell, "", content, "", "")
        selectors = f'<wsman:SelectorSet><wsman:Selector Name="ShellId">{shell}</wsman:Selector></wsman:SelectorSet>'
        return (
            f"<wst:ResourceCreated><wsa:ReferenceParameters>{selectors}</wsa:ReferenceParameters></wst:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>"
        )

    def _take(self, shell: str, command: str, data: str, user: str, password: str) -> None:
        """Take a fragment in, and do what it completes."""
        pool = self.pools[shell]
        pipeline_id = UUID(command) if command else None
        pool.receive_data(PSRPPayload(base64.b64decode(data), StreamType.default, pipeline_id))
        while (event := pool.next_event()) is not None:
            if isinstance(event, CreatePipelineEvent):
                self._run(pool.pipeline_table[event.pipeline_id], event, user, password)
        while (payload := pool.data_to_send()) is not None:
            key = (shell, str(payload.pipeline_id or "").lower())
            self.waiting.setdefault(key, bytearray()).extend(payload.data)

    def _receive(self, shell: str, command: str) -> str:
        """Hand out what is waiting."""
        data = base64.b64encode(bytes(self.waiting.pop((shell, command.lower()), b""))).decode()
        return f'<rsp:ReceiveResponse><rsp:Stream Name="stdout">{data}</rsp:Stream></rsp:ReceiveResponse>'

    def _run(self, pipeline: ServerPipeline, event: CreatePipelineEvent, user: str, password: str) -> None:
        """Run one script."""
        (command,) = event.pipeline.commands
        values = {str(name): value for name, value in command.parameters}
        name = self._recognise(command.command_text)
        self.sent.append((name, values))
        pipeline.start()
        try:
            done = self.stands_in.get(name)
            rows = done(values) if done else self._do(name, values, user, password)
            for row in rows or ():
                pipeline.write_output(json.dumps(row) if isinstance(row, dict) else row)
        except ScriptFailed as failed:
            pipeline.write_error(
                NETException(Message=str(failed)),
                category_info=ErrorCategoryInfo(Category=failed.category),
                fully_qualified_error_id=failed.identifier,
            )
        pipeline.complete()

    def _recognise(self, text: str) -> str:
        """Return the name of the program whose text this is."""
        for name, path in BUILT_IN.programs(PROVIDER).items():
            if path.read_text() == text:
                return name
        raise ScriptFailed("CommandNotFoundException", "This endpoint runs the provider's programs and nothing else.")

    def _do(self, name: str, values: dict[str, Any], user: str, password: str) -> Any:
        """Do what a program says, on the controller, with the caller's own rights."""
        with self.lock:
            try:
                return doing(self._domain(values, user, password), name, values)
            except NotPermitted as error:
                raise ScriptFailed("ActiveDirectoryServer:8344,Microsoft.ActiveDirectory", error.message) from error
            except TargetMissing as error:
                identifier = "ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException,"
                raise ScriptFailed(identifier, error.message, ErrorCategory.ObjectNotFound) from error
            except TargetError as error:
                raise ScriptFailed("ActiveDirectoryServer:0,", error.message) from error

    def _domain(self, values: dict[str, Any], user: str, password: str) -> Any:
        """Return the domain as the caller sees it over LDAP; once entered, it is kept until the endpoint ends."""
        key = (user, password, values.get("Base", ""), values.get("Records", ""))
        if key not in self.domains:
            config = {
                "hostname": self.server.host,
                "port": self.server.ldaps_port,
                "ca": self.server.ca,
                "username": user,
                "base_dn": key[2],
                "records_dn": key[3],
                **self.ldap,
            }
            order = Order("simulated", 1, Verb.CHECK, "active-directory", "simulated", config)
            order.secrets["password"] = Secret(password)
            run = Run(alive=lambda: None, seal=lambda details, grant_id="": "", remaining=lambda: LONG_SECONDS)
            enter = import_module("connectors.providers.active_directory.directory").enter
            self.domains[key] = self.stack.enter_context(enter(order, run))
        return self.domains[key]


def doing(domain: Any, name: str, values: dict[str, Any]) -> Any:
    """Return what a program answers with: its sentences, said to the directory in another language."""
    group, holder = values.get("Group", ""), _holder(values)
    seconds = values.get("Seconds", NO_END)
    acts: dict[str, Callable[[], Any]] = {
        "domain": lambda: [_domain_row(domain)],
        "accounts_by_address": lambda: map(_account_row, domain.accounts_by_address(values["Address"])),
        "accounts_by_name": lambda: map(_account_row, domain.accounts_by_name(values["Name"])),
        "account": lambda: [_account_row(one) for one in [domain.account(values["Account"])] if one],
        "memberships": lambda: [{"guid": guid} for guid in sorted(domain.groups_of(holder))],
        "group": lambda: [asdict(one) for one in [domain.group(group)] if one],
        "groups": lambda: [asdict(one) for page in domain.groups(500) for one in page],
        "records_container": lambda: [{"may_create": _may_create(domain)}],
        "records": lambda: _records(domain, "RECORDS", marker=values["Marker"]),
        "records_of_account": lambda: _records(domain, "RECORDS_OF_ACCOUNT", account=values["Account"]),
        "create_record": lambda: _create_record(domain, values),
        "change_record": lambda: _change(domain, "CHANGE_RECORD", name=values["Name"], facts=values["Facts"]),
        "drop_record": lambda: domain.drop_record(Record(values["Name"], "", "", "")),
        "grant_member": lambda: domain.give(group, holder, NO_END, member=False),
        "grant_member_until": lambda: domain.give(group, holder, seconds, member=False),
        "renew_member": lambda: domain.give(group, holder, NO_END, member=True),
        "renew_member_until": lambda: domain.give(group, holder, seconds, member=True),
        "revoke_member": lambda: _revoke(domain, group, holder),
    }
    return acts[name]()


def _programs() -> Any:
    """Return the LDAP operations, which say the same as the scripts."""
    return import_module("connectors.providers.active_directory.programs")


def _holder(values: dict[str, Any]) -> Account:
    """Return the account that a call names by its DN."""
    return Account("", values.get("Account", ""), "", "", "", values.get("Primary", ""), disabled=False)


def _domain_row(domain: Any) -> dict[str, Any]:
    return {
        "naming": domain.base,
        "domain": domain.domain,
        "controller": domain.controller,
        "now": domain.clock(),
        "ends": domain.ends,
        "own_groups": list(domain.own_groups),
    }


def _account_row(account: Account) -> dict[str, Any]:
    row = asdict(account)
    return {**row, "enabled": not row.pop("disabled")}


def _may_create(domain: Any) -> bool:
    (row,) = domain.line.rows(_programs().RECORDS_CONTAINER, records=domain.records)
    return "container" in row.texts("allowedChildClassesEffective")


def _records(domain: Any, program: str, **values: str) -> list[dict[str, Any]]:
    rows = domain.line.rows(getattr(_programs(), program), records=domain.records, **values)
    return [
        {"name": row.text("cn"), "markers": row.texts("description"), "facts": row.text("adminDescription")}
        for row in rows
    ]


def _revoke(domain: Any, group: str, holder: Account) -> None:
    domain.line.change(_programs().REVOKE_MEMBER, already=(NO_SUCH_ATTRIBUTE,), group=group, account=holder.dn)


def _create_record(domain: Any, values: dict[str, Any]) -> None:
    """Make a record; unlike the operation it is made with, the cmdlet fails where there is one."""
    given = {name.lower(): values[name] for name in ("Name", "Marker", "Account", "Facts")}
    try:
        _change(domain, "CREATE_RECORD", **given)
    except Misconfigured as error:
        if "(68)" not in error.message:
            raise
        raise ScriptFailed(f"ActiveDirectoryServer:{OBJECT_EXISTS},", error.message) from error


def _change(domain: Any, program: str, **values: str) -> None:
    domain.line.change(getattr(_programs(), program), records=domain.records, **values)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together: apart, each would wait for the other side's acknowledgement.
    wbufsize = -1
    endpoint: Endpoint

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one request."""
        envelope = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(given).decode().partition(":") if scheme == "Basic" else ("", "", "")
        if not self.endpoint.knows(user, password):
            self._say(401, "", {"WWW-Authenticate": 'Basic realm="WSMAN"'})
            return
        parsed = ET.fromstring(envelope)
        action = parsed.findtext("s:Header/wsa:Action", "", N).rpartition("/")[2]
        if self.endpoint.refuses_sessions:
            self._say(500, FAULT.format(**N))
            return
        body = self.endpoint.answer(action, parsed, user, password)
        relates = parsed.findtext("s:Header/wsa:MessageID", "", N)
        self._say(200, ANSWER.format(**N, relates=relates, body=body))

    def _say(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/soap+xml;charset=UTF-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


@contextmanager
def endpoint(server: Samba, **options: Any) -> Iterator[Endpoint]:
    """Run an endpoint, with the controller's own certificate, for as long as the context lasts."""
    BUILT_IN.provider("active-directory")
    made = Endpoint(server, **options)
    handler = type("EndpointHandler", (Handler,), {"endpoint": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server.folder / "private/tls/cert.pem", server.folder / "private/tls/key.pem")
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        listening.daemon_threads = True
        made.port = listening.server_address[1]
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            listening.shutdown()
            made.stack.close()
