"""The server calls public addresses, and private ones only where its owner said so; it calls what it looked at."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.contract.errors import Misconfigured, Refused, TargetError, Unreachable
from connectors.contract.secret import Secret
from connectors.toolkit.calling import BODY_MAX, Call, Rules, place_of, send
from connectors.toolkit.guard import Exceptions, checked_address, exceptions, why_not
from tests.certificates import Authority
from tests.http_server import Answer, serving
from tests.webhooks.world import resolving

HERE = Rules(exceptions(["127.0.0.1"]), plain=True)
INWARD = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "0.0.0.0",
    "0.1.2.3", "169.254.1.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "192.88.99.1", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1",
    "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:808:808::1",
    "2001:0:7f00:1::1", "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "fd00:ec2::254",
]  # fmt: skip
METADATA = INWARD[-6:]
EVERYTHING = exceptions(["0.0.0.0/0", "::/0", "inward.example"])


@pytest.mark.parametrize("address", INWARD)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert why_not("inward.example", ipaddress.ip_address(address), Exceptions())


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"])
def test_what_is_public_is_called(address: str) -> None:
    assert why_not("example.com", ipaddress.ip_address(address), Exceptions()) == ""


@pytest.mark.parametrize("address", [*METADATA, "224.0.0.1", "::", "0.0.0.0", "255.255.255.255", "::ffff:10.0.0.1"])
def test_no_setting_opens_metadata_or_what_is_no_address_of_one_machine(address: str) -> None:
    assert why_not("inward.example", ipaddress.ip_address(address), EVERYTHING)


def test_exceptions_are_networks_addresses_and_names() -> None:
    allowed = exceptions(["10.1.0.0/16", "::1", "Tickets.Internal."])
    told = {
        ("a.example", "10.1.2.3"): True,
        ("a.example", "10.2.0.1"): False,
        ("a.example", "::1"): True,
        ("tickets.internal", "192.168.7.7"): True,
        ("x.tickets.internal", "192.168.7.7"): False,
    }
    for (host, address), fine in told.items():
        assert (why_not(host, ipaddress.ip_address(address), allowed) == "") is fine, host
    for word in ("10.1.0.0/33", "10.1.2", "a b", "", "-x", "10.1.0.1/16"):
        with pytest.raises(ValueError, match="is no network"):
            exceptions([word])


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "LOCALHOST.", "[::1]"])
def test_other_ways_to_write_an_address_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(TargetError) as refused:
        send(Call("GET", f"http://{host}/"), Rules(plain=True))
    assert isinstance(refused.value, Refused | Unreachable), refused.value


def test_a_name_that_leads_inwards_is_refused_and_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asked: Answer()) as server:
        port = server.address.rpartition(":")[2]
        resolving(monkeypatch, {"evil.example": ["127.0.0.1", "::1"]})
        with pytest.raises(Refused, match=r"127\.0\.0\.1 is private; ::1 is private") as refused:
            send(Call("POST", f"http://evil.example:{port}/", json={}), Rules(plain=True))
    assert "LATCHKEY_CALL_PRIVATE_ADDRESSES" in refused.value.fix
    assert server.asked == []


def test_of_several_addresses_one_that_may_be_called_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, {"both.example": ["fd00::1", "64:ff9b::808:808", "8.8.8.8"]})
    assert checked_address("both.example", 443, Exceptions()) == "8.8.8.8"


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the second answer would be another machine's, but nobody asks a second time."""
    answers = iter(["127.0.0.1", "127.0.0.2", "127.0.0.2"])
    with serving(lambda asked: Answer(data={"ok": 1})) as server, serving(lambda asked: Answer(), host="127.0.0.2"):
        resolve = socket.getaddrinfo
        asked: list[str] = []

        def turning(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            if host != "turning.example":
                return resolve(host, port, *rest, **more)
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

        monkeypatch.setattr(socket, "getaddrinfo", turning)
        port = server.address.rpartition(":")[2]
        answer = send(Call("GET", f"http://turning.example:{port}/x"), HERE)
    assert (answer.data, asked) == ({"ok": 1}, ["turning.example"])
    assert server.asked[0].headers["Host"] == f"turning.example:{port}"


def test_tls_is_checked_for_the_name_though_an_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    resolving(monkeypatch, {"tickets.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
    believing = Rules(exceptions(["127.0.0.1"]), ca_file=str(authority.path))
    with serving(lambda asked: Answer(data=1), certificate=authority.certify("tickets.example")) as server:
        port = server.address.rpartition(":")[2]
        assert send(Call("GET", f"https://tickets.example:{port}/"), believing).data == 1
        for url, rules in (
            (f"https://other.example:{port}/", believing),
            (f"https://127.0.0.1:{port}/", believing),
            (f"https://tickets.example:{port}/", Rules(exceptions(["127.0.0.1"]))),
        ):
            with pytest.raises(Unreachable, match="did not prove who it is"):
                send(Call("GET", url), rules)


def test_proxies_netrc_and_bundles_of_the_environment_count_for_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password once")
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving(lambda asked: Answer()) as server:
        assert send(Call("GET", server.address), HERE).status == 200
    assert "Authorization" not in server.asked[0].headers


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving(lambda asked: Answer(302, headers={"Location": "http://169.254.169.254/"})) as server:
        assert send(Call("POST", server.address, json={}), HERE).status == 302
    assert len(server.asked) == 1


def test_secrets_go_into_their_headers_and_into_no_words() -> None:
    with serving(lambda asked: Answer()) as server:
        call = Call("POST", f"{server.address}/a?key=hush", secrets={"X-Key": Secret("hush-hush")}, json={"a": "ä"})
        send(call, HERE)
    assert "hush-hush" not in repr(call)
    assert server.asked[0].headers["X-Key"] == "hush-hush"
    assert server.asked[0].data == {"a": "ä"}
    with pytest.raises(Unreachable) as failed:  # nobody listens any more
        send(call, HERE)
    assert "hush" not in f"{failed.value} {failed.value.fix} {failed.value.__cause__}"
    assert failed.value.__suppress_context__


def test_an_answer_is_bounded_and_never_unpacked() -> None:
    big, bomb = b"[" + b"1," * BODY_MAX, gzip.compress(b"x" * 10 * BODY_MAX)
    packed = Answer(raw=bomb, headers={"Content-Encoding": "gzip"})
    with serving(lambda asked: packed if asked.path == "/packed" else Answer(raw=big)) as server:
        with pytest.raises(Misconfigured, match="more than 256 KB"):
            send(Call("GET", server.address), HERE)
        with pytest.raises(Misconfigured, match="packed"):
            send(Call("GET", f"{server.address}/packed"), HERE)


def test_an_answer_nested_without_end_is_none() -> None:
    with serving(lambda asked: Answer(raw=b"[" * 100_000)) as server:
        assert send(Call("GET", server.address), HERE).data is None


@contextmanager
def dripping(first: bytes) -> Iterator[int]:
    """Serve one connection: say `first`, then a byte every tenth of a second; yield the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        line, _ = listening.accept()
        try:
            line.sendall(first)
            while True:
                line.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            line.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_system_that_answers_a_byte_at_a_time_is_cut_off_in_time(first: bytes, scheme: str) -> None:
    began = time.monotonic()
    with dripping(first) as port, pytest.raises(Unreachable):
        send(Call("GET", f"{scheme}://127.0.0.1:{port}/", timeout=1), HERE)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "is no address"),
        ("example.com", "is no address"),
        ("https://", "is no address"),
        ("https://exa mple.com/", "is no address"),
        ("https://example.com:port/", "cannot be read"),
        ("https://example.com:0/", "is no address"),
        ("https://[::1/", "cannot be read"),
        ("https://someone:once@example.com/", "secret header"),
        ("https://example.com/\r\nX: y", "is no address"),
        ("http://example.com/", "https://"),
    ],
)
def test_what_cannot_be_called_is_said_in_words(url: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        place_of(url, plain=False)
