"""Calls AWS: one page or one change at a time, under a lease, with typed errors. The only importer of boto's core.

Who the connector is comes from where AWS's own tools have it from: the environment, a profile, a role of the machine.
So does another address of AWS (AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT, AWS_CA_BUNDLE, HTTPS_PROXY).

botocore composes, signs and parses; the sending is ours, so that each request ends with the lease and none is repeated.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import logging
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import botocore.loaders
import botocore.session
import requests
from botocore import exceptions, xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.model import ListShape, MapShape, OperationNotFoundError, Shape, StructureShape
from botocore.parsers import ResponseParserError

from connectors.contract.errors import Misconfigured, Unreachable
from connectors.contract.orders import Program
from connectors.contract.provider import Run
from connectors.toolkit.aws_errors import answered, unasked
from connectors.toolkit.call_files import CallFile
from connectors.toolkit.http import body_of, unreachable
from connectors.toolkit.pace import Pace
from connectors.toolkit.policy_files import PolicyFile
from connectors.toolkit.slots import SLOT

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
USER_AGENT = "latchkey-connector"

# The descriptions of AWS's APIs, read once per process: they are data and the same for everybody.
_LOADER = botocore.loaders.create_loader()

# At DEBUG botocore writes down whole answers, new secret keys among them.
logging.getLogger("botocore").setLevel(logging.WARNING)


class Cloud:
    """AWS in one region, as one order and one identity see it. Use it as a context: its connections are closed."""

    def __init__(
        self, run: Run, *, region: str, profile: str = "", dry_run: bool = False, pace: Pace | None = None
    ) -> None:
        """Call nothing yet. Raises Misconfigured for a profile that the connector does not have."""
        self.run, self.region, self.dry_run = run, region, dry_run
        # What the last answer said the time is; a report's read_at is AWS's own.
        self.now = time.time()
        self._pace = pace
        self._wire = requests.Session()
        self._clients: dict[str, BaseClient] = {}
        self._session = botocore.session.Session(profile=profile or None)
        self._session.register_component("data_loader", _LOADER)
        with _asking():
            self._session.get_scoped_config()  # which tells whether the profile is there
            self._verify = self._session.get_config_variable("ca_bundle") or True

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._wire.close()

    def become(self, file: CallFile, /, **values: Any) -> None:
        """Take on the role that a call to sts answers with; what is called after this is called as it."""
        given = self.read(file, **values)["Credentials"]
        self._clients.clear()
        self._session.set_credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def read(self, file: CallFile, /, **values: Any) -> dict[str, Any]:
        """Make a call that only reads. Raises a TargetError."""
        return self._call(self.run.note(file), values)

    def pages(self, file: CallFile, /, *, begin: str | None = None, **values: Any) -> Iterator[dict[str, Any]]:
        """Read page after page, beginning with the token `begin`; each is a call of its own."""
        slot, place = file.page
        token = begin
        while True:
            answer = self.read(file, **{slot: token}, **values)
            yield answer
            token = answer.get(place) or None
            if token is None:
                return

    def change(self, file: CallFile, /, **values: Any) -> dict[str, Any] | None:
        """Make a call that changes something; in a dry run write down what it would be, and return None."""
        if self.dry_run:
            admitted = self.run.admit(file)
            words = admitted.compose(values, hide_secrets=True).in_words()
            self.run.programs.append(Program(admitted.name, words))
            return None
        return self._call(self.run.note(file), values)

    def document(self, file: PolicyFile, /, **values: Any) -> dict[str, Any]:
        """Return a policy with its slots filled, by the owner's own file where there is one.

        `values` may be more than the file has slots for. Whoever writes it somewhere notes it in the run.
        Raises Refused for a policy that may not be used.
        """
        admitted = self.run.admit(file)
        return admitted.compose({name: value for name, value in values.items() if name in admitted.slots})

    def _call(self, file: CallFile, values: dict[str, Any]) -> dict[str, Any]:
        """Make one call within the lease."""
        call = file.compose(values)
        self.run.alive()
        if self._pace is not None:
            self._pace.wait(self.run.remaining())
        try:
            with _asking(file):
                operation = getattr(self._client(call.service), xform_name(call.operation))
                answer = operation(**call.parameters)
        except exceptions.ClientError as error:
            raise answered(error, file) from None
        assert isinstance(answer, dict)
        return answer

    def _client(self, service: str) -> BaseClient:
        """Return the client of a service, that never calls twice."""
        if service not in self._clients:
            once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, user_agent_extra=USER_AGENT)
            client = self._session.create_client(service, region_name=self.region, config=once)
            # The first handler that answers takes the place of botocore's sending; its types know of no answer.
            client.meta.events.register("before-send", cast(Callable[..., None], self._send))
            self._clients[service] = client
        return self._clients[service]

    def _send(self, request: AWSPreparedRequest, **rest: Any) -> AWSResponse:
        """Send a signed request and return the answer; botocore calls this in place of its own sending."""
        left = self.run.remaining()
        self.run.alive()  # asked last: so what was left is more than nothing
        base = "{0.scheme}://{0.netloc}".format(urlsplit(request.url))
        try:
            with self._wire.send(
                _as_signed(request),
                timeout=(min(CONNECT_SECONDS, left), min(READ_SECONDS, left)),
                verify=self._verify,
                proxies=requests.utils.get_environ_proxies(base),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = body_of(response, self.run.alive, base)
        except requests.RequestException as error:
            self.run.alive()
            raise unreachable(base, error) from error
        if (date := email.utils.parsedate_tz(response.headers.get("Date", ""))) is not None:
            self.now = float(email.utils.mktime_tz(date))
        headers = HTTPHeaders.from_pairs(list(response.headers.items()))
        return AWSResponse(request.url, response.status_code, headers, _Body(body))


class _Body:
    """A body that was read already, in the shape in which botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **rest: Any) -> Iterator[bytes]:
        """Yield the body."""
        yield self._body


@contextlib.contextmanager
def _asking(file: CallFile | None = None) -> Iterator[None]:
    """Turn what botocore raises by itself into typed errors."""
    try:
        yield
    except exceptions.BotoCoreError as error:
        raise unasked(error, file) from None
    except ResponseParserError:
        raise Unreachable("What answered in AWS's place is not AWS.", fix="Check the proxy in between.") from None


def _as_signed(request: AWSPreparedRequest) -> requests.PreparedRequest:
    """Return a request as it was signed: nothing may be added to it, and its address not be spelled otherwise."""
    prepared = requests.Request(request.method, request.url, data=request.body).prepare()
    prepared.url = request.url
    prepared.headers.clear()
    for name, value in request.headers.items():
        prepared.headers[name] = value.decode("ascii") if isinstance(value, bytes) else str(value)
    return prepared


def complaints(file: CallFile) -> list[str]:
    """Return what AWS's own description of its API says against a call. Raises Misconfigured for no call at all."""
    service, operation = file.document["service"], file.document["operation"]
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    try:
        shape = session.get_service_model(service).operation_model(operation).input_shape
    except (exceptions.UnknownServiceError, exceptions.DataNotFoundError):
        return [f"{file.path}: AWS has no service '{service}'."]
    except OperationNotFoundError:
        return [f"{file.path}: '{service}' has no operation '{operation}'."]
    required = set(shape.required_members) if isinstance(shape, StructureShape) else set()
    lacking = sorted(required - file.document["parameters"].keys())
    wrong = [f"{file.path}: {operation} needs {name}." for name in lacking]
    if shape is None:
        return wrong if not file.document["parameters"] else [f"{file.path}: {operation} takes no parameters."]
    return wrong + [f"{file.path}: {words}" for words in _unlike(file.document["parameters"], shape, operation)]


def _unlike(value: Any, shape: Shape, where: str) -> Iterator[str]:
    """Yield what in a tree of parameters is not as the API has it. What is in a slot cannot be known yet."""
    if isinstance(value, str) and SLOT.fullmatch(value):
        return
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for key, inner in value.items():
            if key not in shape.members:
                yield f"{where} has no parameter '{key}'."
            else:
                yield from _unlike(inner, shape.members[key], f"{where}.{key}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for inner in value:
            yield from _unlike(inner, shape.member, f"{where}[]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for inner in value.values():
            yield from _unlike(inner, shape.value, where)
    elif isinstance(shape, StructureShape | ListShape | MapShape) or isinstance(value, dict | list):
        yield f"{where} is no {shape.type_name}."


def compact(document: dict[str, Any]) -> str:
    """Return a policy as it is sent: without the white space that AWS does not count."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def check_region(region: str) -> str:
    """Return the name of a region. Raises Misconfigured for what cannot be one: it becomes part of an address."""
    if not region or not all(part.isalnum() for part in region.split("-")) or not region.isascii():
        raise Misconfigured(f"{region!r} is no region.", fix="For example eu-west-1.")
    return region
